package bench

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestMedianHasAsManyAboveAsBelow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 20).Draw(t, "values")
		m := median(values)
		below, above := 0, 0
		for _, v := range values {
			if v < m {
				below++
			}
			if v > m {
				above++
			}
		}
		if below > len(values)/2 || above > len(values)/2 {
			t.Fatalf("median %v of %v", m, values)
		}
		if len(values)%2 == 1 && !slices.Contains(values, m) {
			t.Fatalf("median %v is none of %v", m, values)
		}
	})
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("median of an even number: %v", got)
	}
}

func TestPercentileIsTheLeastValueThatSoManyDoNotExceed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-100, 100), 1, 300).Draw(t, "values")
		share := rapid.Float64Range(0.001, 1).Draw(t, "share")
		p := percentile(values, share)
		within := func(limit float64) (n int) {
			for _, v := range values {
				if v <= limit {
					n++
				}
			}
			return n
		}
		need := int(math.Ceil(share * float64(len(values))))
		if within(p) < need || within(math.Nextafter(p, -1000)) >= need {
			t.Fatalf("percentile %v of %v is %v", share, values, p)
		}
	})
	if percentile(nil, 0.5) != 0 || median(nil) != 0 {
		t.Error("of nothing there is a figure")
	}
}

// Each figure's median is taken by itself, and none is left out.
func TestMediansTakeEveryFigure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runs := make([]Figures, rapid.IntRange(1, 5).Draw(t, "runs"))
		for i := range runs {
			for _, f := range runs[i].all() {
				*f = rapid.Float64Range(0, 1000).Draw(t, "figure")
			}
		}
		got := medians(runs)
		for at := range got.all() {
			var values []float64
			for i := range runs {
				values = append(values, *runs[i].all()[at])
			}
			if *got.all()[at] != median(values) {
				t.Fatalf("figure %d of %v: %v", at, values, *got.all()[at])
			}
		}
	})
	var f Figures
	for _, p := range f.all() {
		*p = 1
	}
	want := Figures{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("a figure is not among all: %s", diff)
	}
}

// A change is there when its item has its version or a later one, whichever
// message brought it.
func TestLagOfSupersededChangesEndsWithWhatSupersedesThem(t *testing.T) {
	w := &Workload{subjects: []string{"a", "b"}, changes: []step{{item: 0}, {item: 1}, {item: 0}, {item: 0}}}
	clock := Clock{Base: someClock.Base, Step: 10 * time.Millisecond}
	at := func(ms int) time.Time { return clock.Base.Add(time.Duration(ms) * time.Millisecond) }
	settled := []Settled{
		{"a", clock.version(3), at(50)}, // both before it were dropped, or come later
		{"a", clock.version(0), at(90)},
		{"b", clock.version(1), at(15)},
	}
	got, err := lags(w, clock, settled)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{50, 5, 30, 20}, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Error(diff)
	}
	if _, err := lags(w, clock, settled[1:]); err == nil {
		t.Error("a change that nothing settled has a lag")
	}
}

func TestLagLeavesTheWarmUpOut(t *testing.T) {
	w := &Workload{subjects: []string{"a"}, changes: make([]step, 2_000)}
	clock := Clock{Base: someClock.Base, Step: 2 * time.Millisecond}
	got, err := lags(w, clock, []Settled{{"a", clock.version(1_999), clock.at(1_999)}})
	if err != nil || len(got) != 1_500 {
		t.Errorf("%d lags of 2,000 changes in four seconds, want 1,500 (%v)", len(got), err)
	}
}
