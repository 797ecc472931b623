package replay_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/replay"
)

// Whatever is replayed, and whenever, replicas end with what the source holds,
// and the other subscriber receives nothing of it. What was lost on the way to
// the subscriber comes back with the replay.
func TestReplaysOfAnyRangeAtAnyMomentConverge(t *testing.T) {
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			inRig(t, func(r *rig) {
				began, splits := time.Now(), 2
				var replays sync.WaitGroup
				defer replays.Wait()
				ciks := []string{"a", "b", "c", "d", "e"}
				for i := range 80 {
					cik, name := ciks[random.IntN(len(ciks))], fmt.Sprint("name ", i)
					switch n := random.IntN(100); {
					case n < 35:
						r.own(company(cik, name))
					case n < 50:
						r.put(company(cik, name))
					case n < 60:
						r.remove(cik)
					case n < 63 && splits > 0:
						splits--
						must(0, r.Engine.DynamoDB().SplitShards("companies"))
					case n < 68:
						must(0, r.Engine.DynamoDB().RotateShards("companies"))
					case n < 78:
						r.deaf.Store(!r.deaf.Load())
					case n < 90:
						span := int64(time.Since(began)) + 1
						since := began.Add(time.Duration(random.Int64N(span)))
						until := since.Add(time.Duration(random.Int64N(span)))
						replays.Go(func() {
							r.replay(since, func(c *replay.Config) {
								c.Until, c.Rate = until, []float64{0, 3, 50}[i%3]
								c.Range.PageRecords, c.Range.Parallel = 1+i%5, 1+i%3
							})
						})
					}
					time.Sleep(time.Duration(random.IntN(90_000)) * time.Millisecond) // virtual
				}
				r.settle()
				r.replay(began) // with what was lost
				r.settle()
				for _, s := range subscribers {
					r.wantEqual(s, ciks...)
				}
				replayed := r.delivered(contracts.Replay)
				if len(replayed) == 0 {
					t.Error("nothing was replayed")
				}
				for _, d := range replayed {
					if !strings.HasPrefix(d.queue, "stats") || d.audience != "stats" {
						t.Errorf("a replay for %s was delivered to %s", d.audience, d.queue)
					}
				}
			})
		})
	}
}

func TestAReplayIsWhatTheRelayPublished(t *testing.T) {
	inRig(t, func(r *rig) {
		began := time.Now()
		for i := range 5 {
			r.own(company("a", fmt.Sprint("name ", i)))
			time.Sleep(time.Minute) // virtual
		}
		b := company("b", "name")
		r.own(b)
		b["other"] = contracts.String("none of the contract's")
		r.own(b)
		r.put(company("c", "stamped"))
		r.settle()
		result := r.replay(began)
		r.settle()
		got := r.delivered(contracts.Replay)
		if len(got) != 3 || got[0].change.Subject != "a" && got[1].change.Subject != "a" && got[2].change.Subject != "a" {
			t.Fatalf("delivered %v", got)
		}
		if result.Records != 9 || result.Replayed != 7 || result.Ignored != 1 || result.Stamped != 1 || result.Published != 3 || result.Rejected != 0 {
			t.Errorf("result %+v", result)
		}
		if !result.LastStamped.Equal(began.Add(5*time.Minute)) || result.Missing() != "" {
			t.Errorf("last stamped %s, missing %q", result.LastStamped, result.Missing())
		}
		for _, d := range got {
			live := r.delivered(contracts.Live)
			i := slices.IndexFunc(live, func(l delivery) bool { return l.change.ID() == d.change.ID() })
			if i < 0 || !d.change.Attributes["name"].Equal(live[i].change.Attributes["name"]) {
				t.Errorf("replayed %s, which was never live", d.change.ID())
				continue
			}
			if ago := d.change.Published.Sub(live[i].change.Published).Abs(); ago > 10*time.Second {
				t.Errorf("first published %s, the live one %s", d.change.Published, live[i].change.Published)
			}
			if d.change.Subject != "a" {
				continue
			}
			if diff := cmp.Diff("name 4", d.change.Attributes["name"].Text()); diff != "" || len(d.change.Changed) != len(r.source.Contract().Names()) {
				t.Errorf("changed %v %s", d.change.Changed, diff)
			}
		}
	})
}

func TestARangeIsKeptTo(t *testing.T) {
	inRig(t, func(r *rig) {
		began := time.Now()
		for i := range 10 {
			r.own(company(fmt.Sprint(i), "name"))
			time.Sleep(time.Minute) // virtual
		}
		r.put(company("late", "stamped after the range"))
		stamped := time.Now()
		time.Sleep(10 * time.Minute) // virtual
		result := r.replay(began.Add(3*time.Minute), func(c *replay.Config) { c.Until = began.Add(6 * time.Minute) })
		var subjects []string
		for _, d := range r.delivered(contracts.Replay) {
			subjects = append(subjects, d.change.Subject)
		}
		slices.Sort(subjects)
		if diff := cmp.Diff([]string{"3", "4", "5", "6"}, subjects); diff != "" || result.Published != 4 {
			t.Errorf("%s\n%+v", diff, result)
		}
		result = r.replay(began.Add(10*time.Minute), func(c *replay.Config) { c.Until = stamped })
		if result.Stamped != 1 || !result.LastStamped.Equal(stamped) {
			t.Errorf("a stamp past the range: %+v", result)
		}
	})
}

func TestCountingPublishesNothing(t *testing.T) {
	inRig(t, func(r *rig) {
		began := time.Now()
		r.own(company("a", "name"))
		r.own(company("b", "name"))
		r.remove("b")
		r.settle()
		count := func(c *replay.Config) {
			c.Count, c.Publisher = true, nil
			c.Prove = func(context.Context) error { return errors.New("asked for proof") }
		}
		counted := r.replay(began, count)
		if n := len(r.delivered(contracts.Replay)); n != 0 {
			t.Errorf("%d delivered", n)
		}
		done := r.replay(began)
		if counted.Published != done.Published || counted.Deletes != 1 || done.Deletes != 1 || done.Published != 2 {
			t.Errorf("counted %+v, did %+v", counted, done)
		}
		if few := r.replay(began, count, func(c *replay.Config) { c.CountMost, c.Range.PageRecords = 1, 1 }); !few.Examined.Stopped || few.Records >= counted.Records {
			t.Errorf("no bound to %+v", few)
		}
		if all := r.replay(began, func(c *replay.Config) { c.CountMost = 1 }); all.Published != done.Published {
			t.Errorf("a replay stopped where counting would: %+v", all)
		}
	})
}

func TestWhatTheStreamHasLostIsSaid(t *testing.T) {
	inRig(t, func(r *rig) {
		began := time.Now()
		r.own(company("a", "name"))
		r.Halt()
		time.Sleep(24*time.Hour - time.Second) // virtual
		if _, err := r.tryReplay(r.Context(), began.Add(-5*time.Minute)); !errors.Is(err, replay.ErrTooOld) {
			t.Errorf("got %v", err)
		}
		time.Sleep(10 * time.Second) // virtual
		if result := r.replay(began); !strings.Contains(result.Missing(), "backfill") || result.Records != 0 {
			t.Errorf("result %+v", result)
		}
		if result := r.replay(began.Add(time.Hour)); result.Missing() != "" {
			t.Errorf("result %+v", result)
		}
	})
	inRig(t, func(r *rig) {
		began := time.Now()
		r.Halt()
		time.Sleep(time.Hour) // virtual
		if result := r.replay(began.Add(-time.Hour)); !strings.Contains(result.Missing(), "turned on") {
			t.Errorf("result %+v", result)
		}
	})
}

func TestNothingIsPublishedWithoutProof(t *testing.T) {
	inRig(t, func(r *rig) {
		began := time.Now()
		r.own(company("a", "name"))
		r.settle()
		swallowed := errors.New("the filter swallows it")
		_, err := r.tryReplay(r.Context(), began, func(c *replay.Config) { c.Prove = func(context.Context) error { return swallowed } })
		if !errors.Is(err, swallowed) || !strings.HasPrefix(err.Error(), "replay company.profile/v1 to stats: ") {
			t.Errorf("got %v", err)
		}
		if n := len(r.delivered(contracts.Replay)); n != 0 {
			t.Errorf("%d delivered", n)
		}
	})
}

func TestARateAndABacklogAreKeptToAndProgressIsTold(t *testing.T) {
	inRig(t, func(r *rig) {
		began := time.Now()
		for i := range 60 {
			r.own(company(fmt.Sprint(i), "name"))
		}
		r.settle()
		full := time.Now().Add(5 * time.Minute)
		var told []replay.Progress
		start := time.Now()
		r.replay(began, func(c *replay.Config) {
			c.Rate, c.MaxBacklog = 2, 100
			c.Backlog = func(context.Context) (int, error) {
				if time.Now().Before(full) {
					return 101, nil
				}
				return 7, nil
			}
			c.Progress = func(p replay.Progress) { told = append(told, p) }
		})
		if took := time.Since(start); took < 5*time.Minute+25*time.Second || took > 6*time.Minute {
			t.Errorf("took %s", took)
		}
		if len(told) < 5 || told[len(told)-1].Published != 60 || told[0].Published >= 60 || told[0].Backlog != 7 {
			t.Errorf("told %+v", told)
		}
	})
}

func TestWhatCanNeverBePublishedIsTold(t *testing.T) {
	inRig(t, func(r *rig) {
		began := time.Now()
		bad := company("a", "name")
		bad["name"] = contracts.Bool(true)
		r.own(bad)
		r.own(company("b", "name"))
		r.settle()
		result := r.replay(began)
		if result.Published != 1 || result.Rejected != 1 || len(result.RejectedFirst) != 1 || result.RejectedFirst[0].Subject != "a" ||
			result.RejectedFirst[0].Reason != "state violates the contract" {
			t.Errorf("result %+v", result)
		}
	})
}

func TestAnInterruptedReplayTellsHowFarItCame(t *testing.T) {
	inRig(t, func(r *rig) {
		began := time.Now()
		for i := range 40 {
			r.own(company(fmt.Sprint(i), "name"))
		}
		r.settle()
		stop := errors.New("interrupted by the operator")
		ctx, cancel := context.WithCancelCause(r.Context())
		time.AfterFunc(10*time.Second, func() { cancel(stop) })
		result, err := r.tryReplay(ctx, began, func(c *replay.Config) { c.Rate = 1 })
		if !errors.Is(err, stop) || result.Records == 0 {
			t.Errorf("got %v, %+v", err, result)
		}
		r.Engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "GetRecords" {
				return localaws.Fault{Error: localaws.Throttled(localaws.Streams)}
			}
			return localaws.Fault{}
		})
		if _, err := r.tryReplay(r.Context(), began); err == nil || !strings.Contains(err.Error(), "read shard") {
			t.Errorf("got %v", err)
		}
	})
}

func TestAConfigurationIsCheckedWhole(t *testing.T) {
	_, err := replay.New(replay.Config{Subscriber: "all", Rate: -1})
	for _, want := range []string{"Source", "Table", "Streams", "Publisher", `"all" is everybody`, "Since", "Rate"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s named", err, want)
		}
	}
}
