package input

import (
	"regexp"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// FigureNames are the figures of a statistic, as the files and the stats
// service name them.
var FigureNames = []string{
	"price", "priceEarnings", "dividendYield", "earningsPerShare", "low52Week",
	"high52Week", "marketCap", "ebitda", "priceSales", "priceBook",
}

// maxFigureBytes is the longest figure the stats service takes.
const maxFigureBytes = 256

// Statistic is one line of statistics: the figures of one ticker on one date.
type Statistic struct {
	At      Place
	Date    string
	CIK     string
	Ticker  string
	Figures map[string]string // as the file has them, by name
}

var (
	decimalText  = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,9})?$`)
	infinityText = regexp.MustCompile(`(?i)^[+-]?(inf|infinity|nan)$`)
)

// Figure returns the one text of a decimal's worth, so that two figures are
// equal if and only if their texts are. It is empty for Infinity and NaN, which
// count as missing. Nothing is rounded.
func Figure(text string) (string, error) {
	if infinityText.MatchString(text) {
		return "", nil
	}
	return contracts.NormalizeNumber(text)
}

func parseStatistic(at Place, line []byte) (Statistic, error) {
	o, err := readObject(line, append([]string{"date", "cik", "ticker"}, FigureNames...)...)
	if err != nil {
		return Statistic{}, err
	}
	s := Statistic{At: at, Date: o.date(), CIK: o.cik(), Ticker: o.ticker(), Figures: map[string]string{}}
	for _, name := range FigureNames {
		value, ok := o.fields[name]
		if !ok {
			continue
		}
		before := len(o.problems)
		text := o.stringOf(name, value)
		if len(o.problems) > before {
			continue
		}
		if len(text) > maxFigureBytes || !decimalText.MatchString(text) && !infinityText.MatchString(text) {
			o.wrong(name, `want a decimal string such as "12.5", found %.40q; leave the field out where there is no figure`, text)
		} else if _, err := Figure(text); err != nil {
			o.wrong(name, "%v", err)
		}
		s.Figures[name] = text
	}
	return s, o.err()
}

// LatestByTicker returns each company's latest statistic of each ticker. Of two
// for the same date the later line counts.
func LatestByTicker(rows []Statistic) map[string]map[string]Statistic {
	latest := map[string]map[string]Statistic{}
	for _, s := range rows {
		tickers := latest[s.CIK]
		if tickers == nil {
			tickers = map[string]Statistic{}
			latest[s.CIK] = tickers
		}
		if held, ok := tickers[s.Ticker]; !ok || held.Date <= s.Date {
			tickers[s.Ticker] = s
		}
	}
	return latest
}
