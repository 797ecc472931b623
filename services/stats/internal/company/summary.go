package company

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// MaxTickers bounds the tickers kept of one company: its summary is one item,
// and DynamoDB's items end at 400 KB (AWS, "Quotas in Amazon DynamoDB").
const MaxTickers = 100

// Latest is what the summary keeps of a ticker: its row of the latest date.
type Latest struct {
	Date string
	// Version is the row's; 0 where it is missing, which every version outbids.
	Version contracts.Version
	Figures
}

// precedes reports whether another state of the ticker takes this one's place:
// one of a later date, or of a later version of the same date's row.
func (l Latest) precedes(next Latest) bool {
	return cmp.Or(cmp.Compare(l.Date, next.Date), cmp.Compare(l.Version, next.Version)) < 0
}

// Summary is what one company's rows come to. The zero Summary is that of a
// company without rows. A Summary is a value: With returns a new one and leaves
// the old as it was.
type Summary struct {
	// Latest holds each ticker's row of its latest date.
	Latest map[string]Latest
}

// With returns the summary once the row is stored at that version, and whether
// it differs from what it was: the row enters if its date, or on the same date
// its version, is greater than what is held of its ticker. Merging by maximum is
// commutative, associative and idempotent, so that the summaries of the same
// stored rows are equal whatever order they were merged in, and however often.
func (s Summary) With(row Row, version contracts.Version) (next Summary, changed bool) {
	entry := Latest{Date: row.Date, Version: version, Figures: row.Figures}
	if held, ok := s.Latest[row.Ticker]; ok && !held.precedes(entry) {
		return s, false
	}
	latest := make(map[string]Latest, len(s.Latest)+1)
	maps.Copy(latest, s.Latest)
	latest[row.Ticker] = entry
	return Summary{Latest: latest}, true
}

// Admits reports whether there is room for the ticker: it is held already, or
// there are fewer than MaxTickers. No ticker ever leaves a summary, so that one
// without room has none later.
func (s Summary) Admits(ticker string) bool {
	_, held := s.Latest[ticker]
	return held || len(s.Latest) < MaxTickers
}

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
