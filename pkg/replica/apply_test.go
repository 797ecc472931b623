package replica_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

func TestOutcomes(t *testing.T) {
	inShelf(t, func(s *shelf) {
		a := s.applier()
		for _, step := range []struct {
			name   string
			change *contracts.Change
			want   replica.Outcome
			state  contracts.Item
		}{
			{"the first change", upsert(10, "name", "A", "sector", "X"), replica.Applied, attrs("companyName", "A", "sector", "X")},
			{"the same again", upsert(10, "name", "A", "sector", "X"), replica.Duplicate, attrs("companyName", "A", "sector", "X")},
			{"an older one", upsert(9*time.Microsecond, "name", "old"), replica.Stale, attrs("companyName", "A", "sector", "X")},
			{"a newer one without an attribute", upsert(20*time.Microsecond, "name", "B"), replica.Applied, attrs("companyName", "B")},
			{"an empty string", upsert(30*time.Microsecond, "name", "", "sector", ""), replica.Applied, attrs("companyName", "", "sector", "")},
			{"a delete", deletion(40 * time.Microsecond), replica.Applied, contracts.Item{}},
			{"an update older than the delete", upsert(35*time.Microsecond, "name", "ghost"), replica.Stale, contracts.Item{}},
			{"the delete again", deletion(40 * time.Microsecond), replica.Duplicate, contracts.Item{}},
			{"the item comes back", upsert(50*time.Microsecond, "name", "C"), replica.Applied, attrs("companyName", "C")},
		} {
			if step.change.Version == upsert(10).Version {
				step.change.Version = upsert(10 * time.Microsecond).Version
			}
			if got := s.apply(a, step.change).Outcome; got != step.want {
				t.Errorf("%s: %s, want %s", step.name, got, step.want)
			}
			if diff := cmp.Diff(step.state, copied(s.company("1"))); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", step.name, diff)
			}
		}
	})
}

// TestAnyOrderAnyNumberOfTimesConverges is promise 1 at one replica: whatever
// happens to the changes on their way, the latest state wins, the service's own
// attributes are never touched, and nothing deleted comes back.
func TestAnyOrderAnyNumberOfTimesConverges(t *testing.T) {
	for seed := range uint64(40) {
		inShelf(t, func(s *shelf) {
			rng := rand.New(rand.NewPCG(seed, 1))
			a := s.applier()
			var changes []*contracts.Change
			for i := range 12 {
				d := time.Duration(i+1) * time.Second
				switch rng.IntN(4) {
				case 0:
					changes = append(changes, deletion(d))
				case 1:
					changes = append(changes, upsert(d, "name", string(rune('a'+i))))
				default:
					changes = append(changes, upsert(d, "name", string(rune('a'+i)), "sector", string(rune('A'+rng.IntN(3)))))
				}
			}
			last := changes[len(changes)-1]
			own := contracts.Item{"cik": contracts.String("1"), "marketCap": contracts.Number("12.50")}
			s.put("company-stats", own)
			s.put("watchlists", attrs("user", "ada", "cik", "1", "note", "mine"))
			sent := append(changes, changes...)
			rng.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
			var group sync.WaitGroup
			for worker := range 3 {
				group.Go(func() {
					for i := worker; i < len(sent); i += 3 {
						if _, err := a.Apply(s.t.Context(), sent[i], replica.FirstPass); err != nil {
							t.Errorf("seed %d: %v", seed, err)
						}
					}
				})
			}
			group.Wait()
			want := contracts.Item{}
			if name, ok := last.Attributes["name"]; ok {
				want["companyName"] = name
			}
			watchWant := maps.Clone(want)
			if sector, ok := last.Attributes["sector"]; ok {
				want["sector"] = sector
			}
			item := s.company("1")
			if diff := cmp.Diff(want, copied(item)); diff != "" {
				t.Errorf("seed %d: replica (-want +got)\n%s", seed, diff)
			}
			if !item["marketCap"].Equal(own["marketCap"]) {
				t.Errorf("seed %d: the service's own attribute is %v", seed, item["marketCap"])
			}
			entry := s.watch("ada", "1")
			if diff := cmp.Diff(watchWant, copied(entry)); diff != "" {
				t.Errorf("seed %d: fan-out copy (-want +got)\n%s", seed, diff)
			}
			if entry["note"].Text() != "mine" {
				t.Errorf("seed %d: the entry's own attribute is gone: %v", seed, entry)
			}
			if v := contracts.VersionOf(item["profileVersion"], time.Time{}); v != last.Version {
				t.Errorf("seed %d: version %s, want %s", seed, v, last.Version)
			}
		})
	}
}

// A manifest that gains an attribute is filled by a backfill of equal versions,
// which also removes what the old mapping left.
func TestANewMappingAppliesAnEqualVersionAgain(t *testing.T) {
	inShelf(t, func(s *shelf) {
		change := upsert(time.Second, "name", "A", "sector", "X", "founded", "1976")
		s.put("company-stats", contracts.Item{"cik": contracts.String("1"), "note": contracts.String("mine")})
		s.apply(s.applier(), change)
		renamed := s.applier("{companyName: name, sector: sector}", "{companyName: name, title: founded}", "[name, sector]", "[name, founded]")
		if got := s.apply(renamed, change).Outcome; got != replica.Applied {
			t.Fatalf("outcome %s, want applied", got)
		}
		want := attrs("companyName", "A", "title", "1976")
		if diff := cmp.Diff(want, copied(s.company("1"))); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if s.company("1")["note"].Text() != "mine" {
			t.Error("the service's own attribute is gone")
		}
		if got := s.apply(renamed, change).Outcome; got != replica.Duplicate {
			t.Errorf("again: %s, want duplicate", got)
		}
	})
}

func TestANewMappingTakesALaterVersionToo(t *testing.T) {
	inShelf(t, func(s *shelf) {
		s.apply(s.applier(), upsert(time.Second, "name", "A", "sector", "X"))
		a := s.applier("{companyName: name, sector: sector}", "{companyName: name}")
		s.apply(a, upsert(2*time.Second, "name", "B", "sector", "Y"))
		if diff := cmp.Diff(attrs("companyName", "B"), copied(s.company("1"))); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// dedicated makes company-stats a table of nothing but copies.
var dedicated = []string{
	"partition_key: {name: cik, type: S}\n  - name: watchlists", "partition_key: {name: cik, type: S}\n    ttl_attribute: profileExpiresAt\n  - name: watchlists",
	"version_attribute: profileVersion\n        on_delete: clear\n      - table", "version_attribute: profileVersion\n        on_delete: tombstone\n      - table",
}

func TestATombstoneKeepsTheVersionAndExpiresLate(t *testing.T) {
	inShelf(t, func(s *shelf) {
		a := s.applier(dedicated...)
		s.apply(a, upsert(time.Second, "name", "A"))
		s.apply(a, deletion(time.Hour))
		item := s.company("1")
		if !item["profileDeleted"].Bool() || len(copied(item)) > 0 {
			t.Fatalf("after the delete: %v", item)
		}
		expires := time.Unix(int64(contracts.VersionOf(item["profileExpiresAt"], time.Time{})), 0)
		if life := expires.Sub(deletion(time.Hour).Version.Time()); life != replica.ReplicaTombstoneLife {
			t.Errorf("expires %s after the delete's version, want %s", life, replica.ReplicaTombstoneLife)
		}
		if got := s.apply(a, upsert(time.Minute, "name", "ghost")).Outcome; got != replica.Stale {
			t.Errorf("a late update: %s, want stale", got)
		}
		s.apply(a, upsert(2*time.Hour, "name", "B"))
		item = s.company("1")
		if _, ok := item["profileDeleted"]; ok || item["companyName"].Text() != "B" {
			t.Errorf("after re-creation: %v", item)
		}
		if _, ok := item["profileExpiresAt"]; ok {
			t.Error("TTL would remove the re-created item")
		}
	})
}

func TestAReplicaThatMayNotCreateSkipsWhatIsNotThere(t *testing.T) {
	inShelf(t, func(s *shelf) {
		const noFanOut = "      - table: watchlists\n        index: by-cik\n        set: {companyName: name}\n        version_attribute: profileVersion\n        on_delete: clear\n"
		a := s.applier("on_delete: clear\n"+noFanOut, "on_delete: clear\n        create: false\n")
		if got := s.apply(a, upsert(time.Second, "name", "A")).Outcome; got != replica.Skipped {
			t.Errorf("outcome %s, want skipped", got)
		}
		if item := s.company("1"); item != nil {
			t.Errorf("created %v", item)
		}
		s.put("company-stats", keyOf("1"))
		if got := s.apply(a, upsert(time.Second, "name", "A")).Outcome; got != replica.Applied {
			t.Errorf("outcome %s, want applied", got)
		}
	})
}

// A stored version of another type, or far in the future, counts as missing: it
// must not block the replica for ever.
func TestAnInvalidStoredVersionCountsAsMissing(t *testing.T) {
	for name, v := range map[string]contracts.Value{
		"a string":     contracts.String("zzz"),
		"far ahead":    contracts.VersionAt(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)).Value(),
		"no integer":   contracts.Number("99999999999999999.5"),
		"out of range": contracts.Number("1e30"),
	} {
		t.Run(name, func(t *testing.T) {
			inShelf(t, func(s *shelf) {
				s.put("company-stats", contracts.Item{"cik": contracts.String("1"), "profileVersion": v, "companyName": contracts.String("wrong")})
				if got := s.apply(s.applier(), upsert(time.Second, "name", "A")).Outcome; got != replica.Applied {
					t.Errorf("outcome %s, want applied", got)
				}
				if diff := cmp.Diff(attrs("companyName", "A"), copied(s.company("1"))); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}

func TestAChangeFromTheFutureIsRejected(t *testing.T) {
	inShelf(t, func(s *shelf) {
		_, err := s.applier().Apply(s.t.Context(), upsert(48*time.Hour, "name", "A"), replica.FirstPass)
		if got := replica.Classify(err); got.Verdict != replica.Reject || got.Reason != "version lies in the future" {
			t.Errorf("%v is classified as %+v", err, got)
		}
		if s.company("1") != nil {
			t.Error("it was applied")
		}
	})
}

// The latest version there can be is a day ahead of the clock that checked it.
// A consumer whose own clock is a little slow must not take it for invalid: it
// would reject the change, or let an older one overwrite it for good.
func TestAVersionADayAheadStandsBeforeASlowClock(t *testing.T) {
	inShelf(t, func(s *shelf) {
		slow := func(by time.Duration) *replica.Applier {
			m := must(parseStats())
			return must(replica.NewApplier(replica.ApplierConfig{
				Contract: profilev1.Contract, Subscription: m.Subscribes[0], Tables: m.Tables, Store: s.store,
				Now: func() time.Time { return time.Now().Add(-by) },
			}))
		}
		ahead := upsert(24*time.Hour, "name", "latest")
		s.apply(slow(4*time.Minute), ahead)
		s.apply(slow(0), ahead)
		if got := s.apply(slow(4*time.Minute), upsert(time.Hour, "name", "older")).Outcome; got != replica.Stale {
			t.Errorf("an older change is %s", got)
		}
		if err := slow(4*time.Minute).AddCopy(s.t.Context(), "watchlists", "1", attrs("user", "ada", "cik", "1")); err != nil {
			t.Fatal(err)
		}
		for where, item := range map[string]contracts.Item{"replica": s.company("1"), "added entry": s.watch("ada", "1")} {
			if got := item["companyName"].Text(); got != "latest" {
				t.Errorf("the %s has %q", where, got)
			}
		}
	})
}

func TestAnAttributeTheItemCannotHoldIsRejected(t *testing.T) {
	inShelf(t, func(s *shelf) {
		_, err := s.applier().Apply(s.t.Context(), upsert(time.Second, "name", strings.Repeat("x", 500<<10)), replica.FirstPass)
		if got := replica.Classify(err); got.Verdict != replica.Reject || got.Reason != "refused by DynamoDB" {
			t.Errorf("%v is classified as %+v", err, got)
		}
	})
}

func TestApplierRefusesUnsafeManifests(t *testing.T) {
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"a fan-out of what the item replica does not keep": {[]string{"set: {companyName: name}", "set: {companyName: sector}", "set: {companyName: name, sector: sector}", "set: {companyName: name}"}, "sector"},
		"a fan-out from a replica that may not create":     {[]string{"on_delete: clear\n      - table", "on_delete: clear\n        create: false\n      - table"}, "create: false"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newApplier(dynamostore.New(nil, dynamostore.Config{}), c.edits...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not name %q", err, c.want)
			}
		})
	}
}

// TestDatabaseOutagesAreRetriedNotRejected: only what no retry can mend goes to
// the dead-letter queue.
func TestDatabaseOutagesAreRetriedNotRejected(t *testing.T) {
	_, err := must(newApplier(brokenStore{})).Apply(t.Context(), upsert(time.Second, "name", "A"), replica.FirstPass)
	if got := replica.Classify(err); got.Verdict != replica.Retry {
		t.Errorf("%v is classified as %+v", err, got)
	}
	if err == nil || !strings.HasPrefix(err.Error(), "write company-stats 1: ") {
		t.Errorf("error %v does not say what was written", err)
	}
}

type brokenStore struct{ replica.Store }

func (brokenStore) Write(context.Context, replica.Write) (replica.WriteResult, error) {
	return replica.WriteResult{}, errors.New("throttled")
}
