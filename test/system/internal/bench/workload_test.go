package bench

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/test/system/internal/input"
)

var changeLog = filepath.Join("..", "..", "..", "..", "examples", "sp500", "profile-changes.jsonl")

func realLog(t *testing.T) []input.ProfileChange {
	t.Helper()
	log, err := input.ProfileChanges(changeLog)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

var someClock = Clock{Base: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), Step: time.Microsecond}

// Whatever its size, a workload has the changes it was asked for, the versions
// of an item rise, and the relay publishes every one of its records.
func TestWorkloadsAreChangesThatTheRelayPublishes(t *testing.T) {
	log := realLog(t)
	source, err := newSource()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.SampledFrom([]Pattern{Steady, Burst}).Draw(t, "pattern")
		items := rapid.IntRange(1, 60).Draw(t, "items")
		changes := rapid.IntRange(items, 400).Draw(t, "changes")
		seed := rapid.Uint64().Draw(t, "seed")
		w, err := NewWorkload(pattern, log, changes, items, seed)
		if err != nil {
			t.Fatal(err)
		}
		again, err := NewWorkload(pattern, log, changes, items, seed)
		if err != nil || !slices.Equal(w.changes, again.changes) || !slices.Equal(w.subjects, again.subjects) {
			t.Fatalf("the same arguments made another workload (%v)", err)
		}
		records := w.Records(someClock)
		if len(records) != changes || len(w.subjects) != items {
			t.Fatalf("%d records of %d items", len(records), len(w.subjects))
		}
		now := w.Initial()
		seen := map[string]bool{}
		for i := range records {
			d := source.Decide(&records[i])
			if d.Action != replica.Publish {
				t.Fatalf("record %d: the relay would %s", i, d.Action)
			}
			version := contracts.VersionOf(records[i].New["version"], someClock.Base.Add(time.Hour))
			if version <= now[d.Subject].version {
				t.Fatalf("record %d of %s: version %s after %s", i, d.Subject, version, now[d.Subject].version)
			}
			if someClock.change(version) != i {
				t.Fatalf("version %s of change %d is taken for that of %d", version, i, someClock.change(version))
			}
			shared := records[i].New
			if shared["deleted"].Bool() {
				shared = nil
			}
			now[d.Subject] = held{version, copied(shared)}
			seen[d.Subject] = true
		}
		if diff := cmp.Diff(now, w.Final(someClock), cmp.AllowUnexported(held{})); diff != "" {
			t.Fatalf("the records leave something else than the workload says: %s", diff)
		}
		if pattern == Steady && len(seen) != items {
			t.Fatalf("%d of %d items change", len(seen), items)
		}
		if pattern == Burst {
			for i, c := range w.changes {
				if c.item != w.changes[i/burstChanges*burstChanges].item {
					t.Fatalf("change %d breaks a burst", i)
				}
			}
		}
	})
}

// By Zipf's law with the exponent 0.99 the first of 5,000 items gets a ninth of
// the draws and the first hundred more than half; 5,000 of the 20,000 changes
// are not drawn but go to every item once.
func TestSteadyWorkloadIsSkewed(t *testing.T) {
	w, err := NewWorkload(Steady, realLog(t), 20_000, 5_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]int, 5_000)
	for _, c := range w.changes {
		counts[c.item]++
	}
	slices.Sort(counts)
	slices.Reverse(counts)
	hundred := 0
	for _, n := range counts[:100] {
		hundred += n
	}
	if counts[0] < 1_400 || counts[0] > 1_900 || hundred < 7_500 || hundred > 9_500 || counts[4_999] != 1 {
		t.Errorf("the first item has %d changes, the first hundred %d, the last %d", counts[0], hundred, counts[4_999])
	}
	other, err := NewWorkload(Steady, realLog(t), 20_000, 5_000, 2)
	if err != nil || slices.Equal(w.changes, other.changes) {
		t.Errorf("another seed makes the same workload (%v)", err)
	}
}

func TestAPrefixIsTheSameWorkload(t *testing.T) {
	w, err := NewWorkload(Steady, realLog(t), 300, 50, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.First(100); !slices.Equal(got.changes, w.changes[:100]) || len(got.Final(someClock)) != 50 {
		t.Errorf("%d changes, %d items", len(got.changes), len(got.Final(someClock)))
	}
	if got := w.First(1_000); len(got.changes) != 300 {
		t.Errorf("%d changes of 300", len(got.changes))
	}
}

func TestImpossibleWorkloadsAreRefused(t *testing.T) {
	log := realLog(t)
	for behaviour, c := range map[string]struct {
		log            []input.ProfileChange
		changes, items int
	}{
		"fewer changes than items":         {log, 10, 20},
		"no items":                         {log, 10, 0},
		"a log of one line":                {log[:1], 10, 5},
		"a log of lines that are all same": {slices.Repeat(log[:1], 3), 10, 5},
	} {
		if _, err := NewWorkload(Steady, c.log, c.changes, c.items, 1); err == nil {
			t.Errorf("%s: no error", behaviour)
		}
	}
}
