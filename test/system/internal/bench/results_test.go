package bench

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// measured are results in which every budget line is met exactly.
func measured() *Results {
	r := newResults(Options{Runs: 3, Changes: 20_000, Items: 5_000, Settings: DefaultSettings}, time.Date(2026, 5, 4, 23, 0, 0, 0, time.FixedZone("", -3600)))
	add := func(scene, variant string, f Figures) {
		for n := range 3 {
			r.Runs = append(r.Runs, Run{Scene: scene, Variant: variant, Number: n + 1, Changes: 100, Messages: 80, Requests: Requests{"sqs.ReceiveMessage": 9}, Figures: f})
		}
	}
	add(SceneSteady, Floor, Figures{ConsumerCPU: 40, Total: 0.3})
	add(SceneSteady, Stock, Figures{ConsumerCPU: 800, Total: 4})
	add(SceneSteady, Tributary, Figures{PerMessage: 0.40, ConsumerCPU: 50, Memory: 64, Total: 0.32})
	add(SceneSteady, TributarySingle, Figures{PerMessage: 1.35})
	add(SceneBurst, Tributary, Figures{Total: 0.2})
	add(SceneSlow, Stock, Figures{MessagesPerSecond: 30, ChangesPerSecond: 30})
	add(SceneSlow, Tributary, Figures{MessagesPerSecond: 3_000, ChangesPerSecond: 3_600})
	add(ScenePaced, Tributary, Figures{LagP99: 10})
	r.conclude()
	return r
}

func TestResultsReadBackAsTheyWereWritten(t *testing.T) {
	r := measured()
	file := filepath.Join(t.TempDir(), "results.json")
	if err := r.write(file); err != nil {
		t.Fatal(err)
	}
	got, err := ReadResults(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, got); diff != "" {
		t.Error(diff)
	}
	if got.Date != "2026-05-05" {
		t.Errorf("the date %s is not UTC's", got.Date)
	}
	if err := r.write(filepath.Join(t.TempDir(), "none", "results.json")); err == nil {
		t.Error("a file in no directory was written")
	}
}

func TestBudgetIsMetUpToItsLimits(t *testing.T) {
	r := measured()
	if len(r.Budget) != 7 {
		t.Fatalf("%d lines", len(r.Budget))
	}
	for _, v := range r.Budget {
		if !v.Pass || v.Missing || !strings.HasPrefix(v.String(), "pass") {
			t.Errorf("%s: %s", v.Line, v)
		}
	}
}

func TestBudgetSaysByHowMuchItIsMissed(t *testing.T) {
	for behaviour, c := range map[string]struct {
		line           int
		scene, variant string
		change         func(*Figures)
		says           string
	}{
		"too many requests":      {0, SceneSteady, Tributary, func(f *Figures) { f.PerMessage = 0.5 }, "SHORT: 0.5, want <= 0.4 (0.1 off)"},
		"batching off":           {1, SceneSteady, TributarySingle, func(f *Figures) { f.PerMessage = 2.35 }, "(1 off)"},
		"bursts not merged":      {2, SceneBurst, Tributary, func(f *Figures) { f.Total = 0.3 }, "(0.1 off)"},
		"too much CPU":           {3, SceneSteady, Tributary, func(f *Figures) { f.ConsumerCPU = 60 }, "SHORT: 1.5, want <= 1.25 (0.25 off)"},
		"stock is not so slow":   {4, SceneSlow, Stock, func(f *Figures) { f.MessagesPerSecond = 60 }, "SHORT: 50, want >= 100 (50 off)"},
		"it lags":                {5, ScenePaced, Tributary, func(f *Figures) { f.LagP99 = 11 }, "(1 off)"},
		"it takes too much room": {6, SceneSteady, Tributary, func(f *Figures) { f.Memory = 65 }, "(1 off)"},
	} {
		t.Run(behaviour, func(t *testing.T) {
			r := measured()
			for i := range r.Runs {
				if r.Runs[i].Scene == c.scene && r.Runs[i].Variant == c.variant {
					c.change(&r.Runs[i].Figures)
				}
			}
			r.conclude()
			for i, v := range r.Budget {
				if v.Pass != (i != c.line) || v.Missing {
					t.Errorf("%s: %s", v.Line, v)
				}
			}
			if got := r.Budget[c.line].String(); !strings.Contains(got, c.says) {
				t.Errorf("it says %q, want %q in it", got, c.says)
			}
		})
	}
}

func TestWhatWasNotMeasuredIsNotPassed(t *testing.T) {
	r := newResults(Options{}, time.Now())
	r.conclude()
	var out strings.Builder
	r.print(&out)
	for _, v := range r.Budget {
		if v.Pass || !v.Missing || v.String() != "not measured" {
			t.Errorf("%s: %s", v.Line, v)
		}
	}
	if !strings.Contains(out.String(), "not measured") {
		t.Error(out.String())
	}
}

func TestTableShowsMediansAndRatios(t *testing.T) {
	var out strings.Builder
	measured().print(&out)
	for _, want := range []string{"tributary-single", "1.25", "stock", "pass: 100 >= 100", "3600"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
}

// The checked-in results are of this program's form and of every variant.
func TestCheckedInResults(t *testing.T) {
	r, err := ReadResults(filepath.Join("..", "..", "..", "..", "bench", "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, scene := range Scenes() {
		for _, variant := range scene.variants {
			m, ok := r.median(scene.Name, variant)
			if !ok || m.Runs < 3 {
				t.Errorf("%s, %s: %d runs", scene.Name, variant, m.Runs)
			}
		}
	}
	kept := r.Medians
	r.conclude()
	if diff := cmp.Diff(kept, r.Medians); diff != "" {
		t.Errorf("the medians are not those of the runs: %s", diff)
	}
}
