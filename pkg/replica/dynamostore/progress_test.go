package dynamostore_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// An interrupted run goes on where it was, on any machine, with the segments it
// was begun with; a finished one is followed by another.
func TestAnInterruptedRunIsResumedAndAFinishedOneIsNot(t *testing.T) {
	withPlaces(t, func(t *testing.T, _ *localaws.Engine, db *dynamodb.Client) {
		const task = "backfill/company.profile/v1/stats"
		first := must(dynamostore.NewProgress(db, "places").Begin(t.Context(), task, 3, dynamostore.Resume{}))
		if first.Resumed || len(first.Segments) != 3 {
			t.Fatalf("begun as %+v", first)
		}
		place := dynamostore.Place{
			Position: contracts.Item{"pk": contracts.Binary([]byte{0, 255}), "sk": contracts.Number("-1.50")},
			Counts:   map[string]int64{"published": 12},
		}
		done := dynamostore.Place{Done: true, Counts: map[string]int64{}}
		elsewhere := dynamostore.NewProgress(db, "places")
		time.Sleep(time.Minute) // virtual
		kept := time.Now().UTC()
		if err := errors.Join(elsewhere.Save(t.Context(), first, 1, place), elsewhere.Save(t.Context(), first, 2, done)); err != nil {
			t.Fatal(err)
		}
		resumed := must(elsewhere.Begin(t.Context(), task, 8, dynamostore.Resume{}))
		want := &dynamostore.Run{Task: task, ID: first.ID, Started: first.Started, Saved: kept, Resumed: true,
			Segments: []dynamostore.Place{{Counts: map[string]int64{}}, place, done}}
		if diff := cmp.Diff(want, resumed); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		if err := elsewhere.Finish(t.Context(), resumed); err != nil {
			t.Fatal(err)
		}
		if last := must(elsewhere.Load(t.Context(), task)); last.Finished.IsZero() {
			t.Errorf("after its end it is %+v", last)
		}
		if next := must(elsewhere.Begin(t.Context(), task, 8, dynamostore.Resume{})); next.Resumed || next.ID == first.ID || len(next.Segments) != 8 || next.Segments[1].Position != nil {
			t.Errorf("after a finished run comes %+v", next)
		}
		if other := must(elsewhere.Load(t.Context(), task+"2")); other != nil {
			t.Errorf("another task has %+v", other)
		}
	})
}

// A run is resumed where it was heard of since the moment that is asked for; it
// is heard of when it is begun and when a place of it is kept, by whomever.
func TestARunIsResumedWhereItWasHeardOf(t *testing.T) {
	withPlaces(t, func(t *testing.T, _ *localaws.Engine, db *dynamodb.Client) {
		p := dynamostore.NewProgress(db, "places")
		run := must(p.Begin(t.Context(), "task", 2, dynamostore.Resume{}))
		heard := func() time.Time { return must(p.Load(t.Context(), "task")).Saved }
		if !run.Saved.Equal(run.Started) || !heard().Equal(run.Started) {
			t.Errorf("begun at %v and heard of at %v, or %v", run.Started, run.Saved, heard())
		}
		time.Sleep(3 * time.Hour) // virtual
		if err := dynamostore.NewProgress(db, "places").Save(t.Context(), run, 1, dynamostore.Place{}); err != nil {
			t.Fatal(err)
		}
		saved := heard()
		if since := saved.Sub(run.Started); since < 3*time.Hour || since > 3*time.Hour+time.Minute {
			t.Errorf("it is heard of %v after its beginning", since)
		}
		time.Sleep(time.Hour)
		if again := must(p.Begin(t.Context(), "task", 2, dynamostore.Resume{Since: saved})); !again.Resumed || again.ID != run.ID {
			t.Errorf("where it was heard of at that moment it is %+v", again)
		}
		after := dynamostore.Resume{Since: saved.Add(time.Nanosecond)}
		if old := must(p.Load(t.Context(), "task")); after.Takes(old) || !(dynamostore.Resume{}).Takes(old) || (dynamostore.Resume{}).Takes(nil) {
			t.Errorf("what is taken of %+v is wrong", old)
		}
		if anew := must(p.Begin(t.Context(), "task", 2, after)); anew.Resumed || anew.ID == run.ID || !heard().Equal(anew.Started) {
			t.Errorf("where it was heard of before it is %+v", anew)
		}
	})
}

// A run that was superseded is told so at its next word, whichever it is, and
// changes nothing.
func TestASupersededRunIsToldSo(t *testing.T) {
	withPlaces(t, func(t *testing.T, _ *localaws.Engine, db *dynamodb.Client) {
		p := dynamostore.NewProgress(db, "places")
		old := must(p.Begin(t.Context(), "task", 2, dynamostore.Resume{}))
		current := must(p.Begin(t.Context(), "task", 4, dynamostore.Resume{Anew: true}))
		if current.Resumed || current.ID == old.ID {
			t.Fatalf("begun anew as %+v", current)
		}
		for what, err := range map[string]error{
			"save":   p.Save(t.Context(), old, 0, dynamostore.Place{Done: true}),
			"finish": p.Finish(t.Context(), old),
		} {
			if !errors.Is(err, dynamostore.ErrSuperseded) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if has := must(p.Load(t.Context(), "task")); !has.Finished.IsZero() || has.Segments[0].Done || len(has.Segments) != 4 {
			t.Errorf("kept %+v", has)
		}
		if err := p.Save(t.Context(), current, 0, dynamostore.Place{Done: true}); err != nil {
			t.Error(err)
		}
	})
}

// However many begin at once, they agree on one run; places saved at the same
// time are all kept.
func TestRunsBegunAtOnceAreOne(t *testing.T) {
	for name, anew := range map[string]bool{"resuming": false, "anew": true} {
		t.Run(name, func(t *testing.T) {
			withPlaces(t, func(t *testing.T, _ *localaws.Engine, db *dynamodb.Client) {
				p := dynamostore.NewProgress(db, "places")
				before := must(p.Begin(t.Context(), "task", 6, dynamostore.Resume{}))
				runs := make([]*dynamostore.Run, 6)
				var all sync.WaitGroup
				for i := range runs {
					all.Go(func() { runs[i] = must(p.Begin(t.Context(), "task", 6, dynamostore.Resume{Anew: anew})) })
				}
				all.Wait()
				latest := must(p.Load(t.Context(), "task"))
				if anew == (latest.ID == before.ID) {
					t.Errorf("the run before was %s, the one now is %s", before.ID, latest.ID)
				}
				for i := range runs {
					all.Go(func() {
						err := p.Save(t.Context(), latest, i, dynamostore.Place{Counts: map[string]int64{"n": int64(i)}})
						if err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				for i, place := range must(p.Load(t.Context(), "task")).Segments {
					if place.Counts["n"] != int64(i) {
						t.Errorf("segment %d keeps %+v", i, place)
					}
				}
			})
		})
	}
}

// The most segments with the longest keys there are fit into the item.
func TestProgressOfTheLargestRunFits(t *testing.T) {
	withPlaces(t, func(t *testing.T, _ *localaws.Engine, db *dynamodb.Client) {
		p := dynamostore.NewProgress(db, "places")
		run := must(p.Begin(t.Context(), "task", dynamostore.MaxProgressSegments, dynamostore.Resume{}))
		place := dynamostore.Place{
			Position: contracts.Item{
				strings.Repeat("p", 255): contracts.String(strings.Repeat("x", 2048)), strings.Repeat("s", 255): contracts.String(strings.Repeat("y", 1024)),
			},
			Counts: map[string]int64{"scanned": 1 << 60, "published": 1 << 60, "tombstones": 1 << 60, "stamped": 1 << 60, "foreign": 1 << 60, "rejected": 1 << 60},
		}
		for i := range run.Segments {
			if err := p.Save(t.Context(), run, i, place); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := p.Begin(t.Context(), "task", dynamostore.MaxProgressSegments+1, dynamostore.Resume{}); err == nil {
			t.Error("more segments than fit were taken")
		}
	})
}

func TestCanariesAreNotedAndExpire(t *testing.T) {
	withPlaces(t, func(t *testing.T, _ *localaws.Engine, db *dynamodb.Client) {
		log := dynamostore.NewCanaries(db, "places")
		if _, ok, err := log.Noted(t.Context(), "a"); ok || err != nil {
			t.Fatalf("noted before: %v, %v", ok, err)
		}
		at := time.Now()
		for range 2 { // a canary sent again
			if err := log.NoteCanary(t.Context(), "a", at); err != nil {
				t.Fatal(err)
			}
		}
		if noted, ok, err := log.Noted(t.Context(), "a"); !ok || err != nil || !noted.Equal(at) {
			t.Errorf("noted at %v: %v, %v", noted, ok, err)
		}
		if _, ok, _ := log.Noted(t.Context(), "b"); ok {
			t.Error("another one is noted too")
		}
		items := scanAll(t, dynamostore.NewScan(db), 1, 10)
		if want := fmt.Sprint(at.Add(7 * 24 * time.Hour).Unix()); len(items) != 1 || items[0]["expiresAt"].Text() != want {
			t.Errorf("the table has %v, want one that expires at %s", items, want)
		}
	})
}

// The library's tables may be missing; the error says which and what makes it.
func TestMissingTablesAreNamed(t *testing.T) {
	withPlaces(t, func(t *testing.T, _ *localaws.Engine, db *dynamodb.Client) {
		_, _, noted := dynamostore.NewCanaries(db, "gone").Noted(t.Context(), "a")
		_, begun := dynamostore.NewProgress(db, "gone").Begin(t.Context(), "task", 1, dynamostore.Resume{})
		for what, err := range map[string]error{
			"note":  dynamostore.NewCanaries(db, "gone").NoteCanary(t.Context(), "a", time.Now()),
			"look":  noted,
			"begin": begun,
			"save":  dynamostore.NewProgress(db, "gone").Save(t.Context(), &dynamostore.Run{Task: "task", ID: "x", Segments: make([]dynamostore.Place, 1)}, 0, dynamostore.Place{}),
		} {
			if err == nil || !strings.Contains(err.Error(), "no table gone") || !strings.Contains(err.Error(), "bootstrap") {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func scanAll(t *testing.T, scan *dynamostore.Scan, of, limit int) []contracts.Item {
	t.Helper()
	var all []contracts.Item
	for segment := range of {
		var next contracts.Item
		for {
			items, at, err := scan.Segment(t.Context(), "places", segment, of, next, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(items) > limit {
				t.Fatalf("a page of %d items, the limit is %d", len(items), limit)
			}
			all = append(all, items...)
			if next = at; next == nil {
				break
			}
		}
	}
	return all
}

// Together the segments hold every item once, however many there are.
func TestSegmentsHoldEveryItemOnce(t *testing.T) {
	withPlaces(t, func(t *testing.T, _ *localaws.Engine, db *dynamodb.Client) {
		log := dynamostore.NewCanaries(db, "places")
		for i := range 50 {
			if err := log.NoteCanary(t.Context(), fmt.Sprint(i), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		for _, of := range []int{1, 2, 7} {
			seen := map[string]int{}
			for _, item := range scanAll(t, dynamostore.NewScan(db), of, 3) {
				seen[item["id"].Text()]++
			}
			for i := range 50 {
				if id := fmt.Sprint("canary/", i); seen[id] != 1 {
					t.Errorf("of %d segments, %s is seen %d times", of, id, seen[id])
				}
			}
		}
	})
}
