package company_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

func row(date, ticker, marketCap string) company.Row {
	return company.Row{CIK: "1", Date: date, Ticker: ticker, Figures: company.Figures{MarketCap: company.Decimal(marketCap)}}
}

// Rows of one content each give the same summary in any order, any number of
// times: that of the rows' own latest.
func TestSummaryDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := make(map[string]company.Row)
		for range rapid.IntRange(1, 12).Draw(t, "rows") {
			r := row(
				fmt.Sprintf("2024-10-%02d", rapid.IntRange(1, 5).Draw(t, "day")),
				rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "ticker"),
				rapid.SampledFrom([]string{"", "9", "10", "10.5", "-3"}).Draw(t, "market cap"))
			if _, ok := rows[r.Date+r.Ticker]; !ok {
				rows[r.Date+r.Ticker] = r
			}
		}
		latest := make(map[string]company.Latest)
		for _, key := range slices.Sorted(maps.Keys(rows)) { // by date
			r := rows[key]
			latest[r.Ticker] = company.Latest{Date: r.Date, Figures: r.Figures}
		}
		values := slices.Collect(maps.Values(rows))
		order := rapid.SliceOfN(rapid.SampledFrom(values), 0, 20).Draw(t, "arrivals")
		order = append(order, values...)

		var summary company.Summary
		for _, r := range order {
			summary = summary.With(r)
		}
		if diff := cmp.Diff(latest, summary.Latest); diff != "" {
			t.Fatalf("after %v (-want +got):\n%s", order, diff)
		}
	})
}

func TestSummaryWith(t *testing.T) {
	held := company.Summary{}.With(row("2024-10-10", "A", "7"))
	for _, tc := range []struct {
		name string
		next company.Row
		want string
	}{
		{"an older row leaves the latest as it is", row("2024-10-09", "A", "8"), "2024-10-10 7"},
		{"a newer row takes its place", row("2024-10-11", "A", "8"), "2024-10-11 8"},
		{"a row of the same date takes its place", row("2024-10-10", "A", "8"), "2024-10-10 8"},
		{"a row of another ticker leaves it as it is", row("2024-10-11", "B", "8"), "2024-10-10 7"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			next := held.With(tc.next)
			if got := next.Latest["A"].Date + " " + string(next.Latest["A"].MarketCap); got != tc.want {
				t.Errorf("A's latest is %q, want %q", got, tc.want)
			}
			if held.Latest["A"].MarketCap != "7" || len(held.Latest) != 1 {
				t.Errorf("the summary it was made from has changed: %v", held)
			}
		})
	}
}

func TestMarketCapIsOfTheLatestDate(t *testing.T) {
	for _, tc := range []struct {
		name string
		rows []company.Row
		want company.Decimal
	}{
		{"no rows", nil, ""},
		{"the highest of the tickers", []company.Row{row("2024-10-10", "GOOG", "9"), row("2024-10-10", "GOOGL", "10")}, "10"},
		{"as numbers, not as texts", []company.Row{row("2024-10-10", "A", "100.5"), row("2024-10-10", "B", "99")}, "100.5"},
		{"not of a ticker no longer quoted", []company.Row{row("2024-10-10", "OLD", "99"), row("2024-10-11", "NEW", "5")}, "5"},
		{"missing where the latest row lacks it", []company.Row{row("2024-10-10", "OLD", "99"), row("2024-10-11", "NEW", "")}, ""},
		{"negative where there is no other", []company.Row{row("2024-10-10", "A", "-1"), row("2024-10-10", "B", "")}, "-1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s company.Summary
			for _, r := range tc.rows {
				s = s.With(r)
			}
			if got := s.MarketCap(); got != tc.want {
				t.Errorf("market cap %q, want %q", got, tc.want)
			}
		})
	}
}

func TestRowsAreOrderedByTicker(t *testing.T) {
	s := company.Summary{}.With(row("2024-10-10", "GOOGL", "2")).With(row("2024-10-09", "GOOG", "1"))
	want := []company.Row{row("2024-10-09", "GOOG", "1"), row("2024-10-10", "GOOGL", "2")}
	if diff := cmp.Diff(want, s.Rows("1")); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestEveryFigureHasItsOwnPlace(t *testing.T) {
	var f company.Figures
	for i, name := range company.FigureNames() {
		*f.Figure(name) = company.Decimal(fmt.Sprint(i + 1))
	}
	for i, name := range company.FigureNames() {
		if got := *f.Figure(name); got != company.Decimal(fmt.Sprint(i+1)) {
			t.Errorf("%s holds %s, which belongs to another figure", name, got)
		}
	}
	if f.Figure("Price") != nil || f.Figure("") != nil {
		t.Error("a name that is no figure's has a place")
	}
}

func TestIdentityChecks(t *testing.T) {
	long := strings.Repeat("x", company.MaxUserBytes)
	for _, tc := range []struct {
		what  string
		check func(string) error
		good  []string
		bad   []string
	}{
		{"cik", company.CheckCIK, []string{"1", "320193", "1234567890", "4343243243432434", "12345678901234567890"}, []string{"", "0", "0320193", "123456789012345678901", "-1", "1a", "١", "1\n"}},
		{"date", company.CheckDate, []string{"2024-10-10", "2024-02-29"}, []string{"", "2024-2-1", "2023-02-29", "2024-10-10T00:00:00Z", "10.10.2024", "2024-13-01"}},
		{"ticker", company.CheckTicker, []string{"A", "MMM", "BRK.B", "BF-B", "ABCDEFGHIJKLMNOP"}, []string{"", "mmm", ".", "..", "A#B", "ABCDEFGHIJKLMNOPQ", "A B"}},
		{"user", company.CheckUser, []string{"ann", "ann@example.org", "Žofie/1", long}, []string{"", long + "x", "a\x00b", "\xff", "a\nb"}},
	} {
		for _, text := range tc.good {
			if err := tc.check(text); err != nil {
				t.Errorf("%s %q: %v", tc.what, text, err)
			}
		}
		for _, text := range tc.bad {
			if tc.check(text) == nil {
				t.Errorf("%s %q is taken", tc.what, text)
			}
		}
	}
}
