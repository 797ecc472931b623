package demo

import (
	"context"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/test/system/internal/api"
	"github.com/tributary-dev/tributary/test/system/internal/input"
)

// A company's rows are played in their order, however many are played at once.
func TestLanesKeepTheOrderOfEachCompany(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOf(rapid.StringMatching(`[a-d]`)).Draw(t, "rows")
		var mu sync.Mutex
		played := map[string][]int{}
		err := inLanes(context.Background(), rows, func(r string) string { return r }, func(_ context.Context, i int, r string) error {
			mu.Lock()
			defer mu.Unlock()
			played[r] = append(played[r], i)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][]int{}
		for i, r := range rows {
			want[r] = append(want[r], i)
		}
		if diff := cmp.Diff(want, played); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestInitialLoadEndsAtTheFirstSecondRowOfACompany(t *testing.T) {
	changes, err := input.ProfileChanges("../../../../examples/sp500/profile-changes.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if n := initialRows(changes); n != 500 {
		t.Errorf("the real file's initial load has %d rows, want 500", n)
	}
}

func TestEveryDifferenceIsFound(t *testing.T) {
	text := func(s string) *string { return &s }
	owner := func(name string, sector *string) *input.Profile { return &input.Profile{Name: name, Sector: sector} }
	for _, c := range []struct {
		behaviour string
		owner     *input.Profile
		copied    *api.Company
		want      int
	}{
		{"equal", owner("A", text("S")), &api.Company{Name: text("A"), Sector: text("S")}, 0},
		{"an empty sector is not an absent one", owner("A", text("")), &api.Company{Name: text("A")}, 1},
		{"an absent sector is not an empty one", owner("A", nil), &api.Company{Name: text("A"), Sector: text("")}, 1},
		{"an old name and sector", owner("A", text("S")), &api.Company{Name: text("B"), Sector: text("T")}, 2},
		{"nothing arrived", owner("A", text("S")), &api.Company{}, 2},
		{"stats does not know it", owner("A", text("S")), nil, 1},
		{"deleted and gone", nil, nil, 0},
		{"deleted, statistics stay", nil, &api.Company{Statistics: []api.Row{{}}}, 0},
		{"deleted, the name stays", nil, &api.Company{Name: text("A")}, 1},
	} {
		t.Run(c.behaviour, func(t *testing.T) {
			if got := copyDifferences("1", c.owner, c.copied); len(got) != c.want {
				t.Errorf("%d differences, want %d: %q", len(got), c.want, got)
			}
		})
	}
}

func TestProfileIsComparedByEveryAttribute(t *testing.T) {
	text := func(s string) *string { return &s }
	full := func() *input.Profile {
		return &input.Profile{
			Name: "A", Sector: text("B"), SubIndustry: text("C"), Headquarters: text("D"), DateAdded: text("E"), Founded: text("F"), Tickers: []string{"G"},
		}
	}
	for name, change := range map[string]func(*input.Profile){
		"name": func(p *input.Profile) { p.Name = "x" }, "sector": func(p *input.Profile) { p.Sector = nil },
		"subIndustry": func(p *input.Profile) { p.SubIndustry = text("") }, "headquarters": func(p *input.Profile) { p.Headquarters = nil },
		"dateAdded": func(p *input.Profile) { p.DateAdded = text("x") }, "founded": func(p *input.Profile) { p.Founded = nil },
		"tickers": func(p *input.Profile) { p.Tickers = []string{"G", "H"} },
	} {
		got := full()
		change(got)
		if diff := profileDifference(full(), got); !strings.HasPrefix(diff, name+" is ") {
			t.Errorf("a change of %s gives %q", name, diff)
		}
	}
	if diff := profileDifference(full(), full()); diff != "" {
		t.Errorf("equal profiles: %s", diff)
	}
}

func TestFiguresAreComparedByWorthAndHaveToBePlain(t *testing.T) {
	for _, c := range []struct {
		file, answered string
		same           bool
	}{
		{"12.5", "12.5", true}, {"1.25E+1", "12.5", true}, {"12.50", "12.50", true}, {"", "", true}, {"Infinity", "", true},
		{"12.5", "12.50000000000000000000000001", false}, {"1.25E+1", "1.25E+1", false}, {"12.5", "", false}, {"", "0", false},
		{"Infinity", "Infinity", false}, {"0.1", "0.1000000000000000055511151231257827", false},
	} {
		if diff := figureDifference(c.file, c.answered); (diff == "") != c.same {
			t.Errorf("%q and %q: %q", c.file, c.answered, diff)
		}
	}
}

func TestOnlyTellingRenamesAreNotAlike(t *testing.T) {
	for _, c := range []struct {
		old, renamed string
		alike        bool
	}{
		{"PerkinElmer", "Revvity", false}, {"General Electric", "GE Aerospace", false}, {"Raytheon Technologies", "RTX Corporation", false},
		{"AMD", "Advanced Micro Devices", true}, {"D.R. Horton", "DR Horton", true}, {"Disney", "Walt Disney", true}, {"Kellogg's", "Kellanova", true},
	} {
		if got := alike(c.old, c.renamed); got != c.alike {
			t.Errorf("%s and %s: alike is %t", c.old, c.renamed, got)
		}
	}
}

const metricsText = `# HELP tributary_apply_lag_seconds Time.
# TYPE tributary_apply_lag_seconds histogram
tributary_apply_lag_seconds_bucket{contract="a/v1",le="0.1"} 50
tributary_apply_lag_seconds_bucket{contract="a/v1",le="0.2"} 100
tributary_apply_lag_seconds_bucket{contract="a/v1",le="+Inf"} 100
tributary_apply_lag_seconds_sum{contract="a/v1"} 10
tributary_apply_lag_seconds_count{contract="a/v1"} 100
`

func TestLagIsInterpolatedWithinItsBucket(t *testing.T) {
	h, err := readLag([]byte(metricsText))
	if err != nil {
		t.Fatal(err)
	}
	for q, want := range map[float64]time.Duration{0.25: 50 * time.Millisecond, 0.5: 100 * time.Millisecond, 0.99: 198 * time.Millisecond, 1: 200 * time.Millisecond} {
		if got := h.quantile(q); math.Abs(float64(got-want)) > float64(time.Microsecond) {
			t.Errorf("quantile %g is %s, want %s", q, got, want)
		}
	}
	if empty, err := readLag(nil); err != nil || empty.count != 0 || empty.quantile(0.5) != 0 {
		t.Errorf("without metrics: %+v, %v", empty, err)
	}
}

func TestLagCountsWhatCameAfterAnEarlierReading(t *testing.T) {
	earlier, err := readLag([]byte(metricsText))
	if err != nil {
		t.Fatal(err)
	}
	later, err := readLag([]byte(strings.NewReplacer("} 50", "} 50", "} 100", "} 140").Replace(metricsText)))
	if err != nil {
		t.Fatal(err)
	}
	if d := later.since(earlier); d.count != 40 || d.quantile(0.5) != 150*time.Millisecond {
		t.Errorf("%d observations, the median is %s; want 40 and 150 ms", d.count, d.quantile(0.5))
	}
	if d := earlier.since(later); d.count != 100 {
		t.Errorf("a process that began anew has %d observations, want its 100", d.count)
	}
}

func TestDigitsAreGrouped(t *testing.T) {
	for text, want := range map[string]string{"0": "0", "999": "999", "1000": "1,000", "-1234567.891": "-1,234,567.891", "": ""} {
		if got := grouped(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
