package company

import (
	"maps"
	"slices"
)

// MaxTickers bounds the tickers kept of one company: its summary is one item,
// and DynamoDB's items end at 400 KB (AWS, "Quotas in Amazon DynamoDB").
const MaxTickers = 100

// Latest is what the summary keeps of a ticker: its row of the latest date.
type Latest struct {
	Date string `dynamodbav:"date"`
	Figures
}

// Summary is what one company's rows come to. The zero Summary is that of a
// company without rows. A Summary is a value: With returns a new one and leaves
// the old as it was.
type Summary struct {
	// Latest holds each ticker's row of its latest date.
	Latest map[string]Latest
}

// With returns the summary once the row is stored: the row is its ticker's
// latest unless the ticker has one of a later date. A row of the same date
// takes the earlier one's place.
func (s Summary) With(row Row) Summary {
	if held, ok := s.Latest[row.Ticker]; ok && held.Date > row.Date {
		return s
	}
	latest := make(map[string]Latest, len(s.Latest)+1)
	maps.Copy(latest, s.Latest)
	latest[row.Ticker] = Latest{Date: row.Date, Figures: row.Figures}
	return Summary{Latest: latest}
}

// Equal reports whether both hold the same rows with the same digits.
func (s Summary) Equal(o Summary) bool { return maps.Equal(s.Latest, o.Latest) }

// LatestDate returns the latest date of any ticker, empty without rows.
func (s Summary) LatestDate() string {
	var date string
	for _, l := range s.Latest {
		date = max(date, l.Date)
	}
	return date
}

// MarketCap returns the highest market capitalisation among the rows of the
// company's latest date: tickers that are no longer quoted do not count. It is
// empty if none of these rows has one.
func (s Summary) MarketCap() Decimal {
	var highest Decimal
	date := s.LatestDate()
	for _, l := range s.Latest {
		if l.Date == date && l.MarketCap.Compare(highest) > 0 {
			highest = l.MarketCap
		}
	}
	return highest
}

// Rows returns the latest row of each ticker, ordered by ticker.
func (s Summary) Rows(cik string) []Row {
	rows := make([]Row, 0, len(s.Latest))
	for _, ticker := range s.Tickers() {
		l := s.Latest[ticker]
		rows = append(rows, Row{Date: l.Date, CIK: cik, Ticker: ticker, Figures: l.Figures})
	}
	return rows
}

// Tickers returns the tickers in order.
func (s Summary) Tickers() []string { return slices.Sorted(maps.Keys(s.Latest)) }
