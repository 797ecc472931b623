package company_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

func row(date, ticker, marketCap string) company.Row {
	return company.Row{CIK: "1", Date: date, Ticker: ticker, Figures: company.Figures{MarketCap: company.Decimal(marketCap)}}
}

// state is a row as it is stored: at a version.
type state struct {
	row     company.Row
	version contracts.Version
}

// Stored rows, each of whose versions has one content, give the same summary in
// any order, any number of times: for each ticker the greatest date's greatest
// version.
func TestSummaryDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		states := make(map[string]state)
		for range rapid.IntRange(1, 16).Draw(t, "states") {
			r := row(
				fmt.Sprintf("2024-10-%02d", rapid.IntRange(1, 3).Draw(t, "day")),
				rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "ticker"),
				rapid.SampledFrom([]string{"", "9", "10", "10.5", "-3"}).Draw(t, "market cap"))
			version := contracts.Version(rapid.IntRange(1, 4).Draw(t, "version"))
			if key := fmt.Sprint(r.Date, version, r.Ticker); states[key].version == 0 {
				states[key] = state{r, version}
			}
		}
		latest := make(map[string]company.Latest)
		for _, key := range slices.Sorted(maps.Keys(states)) { // by date and version
			s := states[key]
			latest[s.row.Ticker] = company.Latest{Date: s.row.Date, Version: s.version, Figures: s.row.Figures}
		}
		values := slices.Collect(maps.Values(states))
		order := rapid.SliceOfN(rapid.SampledFrom(values), 0, 20).Draw(t, "arrivals")
		order = append(order, values...)

		var summary company.Summary
		for _, s := range order {
			next, changed := summary.With(s.row, s.version)
			if changed == cmp.Equal(next, summary) {
				t.Fatalf("%v is said to change the summary: %v; from %v to %v", s, changed, summary, next)
			}
			summary = next
		}
		if diff := cmp.Diff(latest, summary.Latest); diff != "" {
			t.Fatalf("after %v (-want +got):\n%s", order, diff)
		}
	})
}

func TestSummaryWith(t *testing.T) {
	held, _ := company.Summary{}.With(row("2024-10-10", "A", "7"), 5)
	for _, tc := range []struct {
		name    string
		next    company.Row
		version contracts.Version
		want    string
	}{
		{"an older row leaves the latest as it is, whatever its version", row("2024-10-09", "A", "8"), 9, "2024-10-10 7"},
		{"a newer row takes its place, whatever its version", row("2024-10-11", "A", "8"), 1, "2024-10-11 8"},
		{"a later version of the row takes its place", row("2024-10-10", "A", "8"), 6, "2024-10-10 8"},
		{"an earlier version of the row leaves it as it is", row("2024-10-10", "A", "8"), 4, "2024-10-10 7"},
		{"the same version leaves it as it is", row("2024-10-10", "A", "8"), 5, "2024-10-10 7"},
		{"a row of another ticker leaves it as it is", row("2024-10-11", "B", "8"), 9, "2024-10-10 7"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			next, _ := held.With(tc.next, tc.version)
			if got := next.Latest["A"].Date + " " + string(next.Latest["A"].MarketCap); got != tc.want {
				t.Errorf("A's latest is %q, want %q", got, tc.want)
			}
			if held.Latest["A"].MarketCap != "7" || len(held.Latest) != 1 {
				t.Errorf("the summary it was made from has changed: %v", held)
			}
		})
	}
}

func TestSummaryAdmitsWhatItHoldsAndWhatItHasRoomFor(t *testing.T) {
	var s company.Summary
	for i := range company.MaxTickers {
		if !s.Admits(fmt.Sprint("T", i)) {
			t.Fatalf("no room for ticker %d", i+1)
		}
		s, _ = s.With(row("2024-10-10", fmt.Sprint("T", i), "1"), 1)
	}
	if s.Admits("T") || !s.Admits("T0") {
		t.Errorf("a full summary admits another ticker: %v, one that it holds: %v", s.Admits("T"), s.Admits("T0"))
	}
}

// summaryOf is the summary of rows of one version each.
func summaryOf(rows ...company.Row) company.Summary {
	var s company.Summary
	for _, r := range rows {
		s, _ = s.With(r, 1)
	}
	return s
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
			if got := summaryOf(tc.rows...).MarketCap(); got != tc.want {
				t.Errorf("market cap %q, want %q", got, tc.want)
			}
		})
	}
}

func TestRowsAreOrderedByTicker(t *testing.T) {
	s := summaryOf(row("2024-10-10", "GOOGL", "2"), row("2024-10-09", "GOOG", "1"))
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
