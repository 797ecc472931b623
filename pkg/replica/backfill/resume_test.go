package backfill_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/backfill"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

var errKilled = errors.New("killed")

// mortal is the network of a process that is killed at its n-th call, before
// the call's effect or after it: from then on nothing it does has any.
type mortal struct {
	http.RoundTripper
	left   atomic.Int64
	effect bool // of the last call
	kill   context.CancelCauseFunc
}

func (m *mortal) RoundTrip(req *http.Request) (*http.Response, error) {
	left := m.left.Add(-1)
	if left > 0 {
		return m.RoundTripper.RoundTrip(req)
	}
	if left == 0 && m.effect {
		if resp, err := m.RoundTripper.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
		}
	}
	m.kill(errKilled)
	return nil, errKilled
}

// runUntilKilled runs a backfill by a process that lives for so many calls.
func (r *rig) runUntilKilled(calls int, effect bool, change func(*backfill.Config)) (backfill.Result, error) {
	ctx, kill := context.WithCancelCause(r.Context())
	defer kill(nil)
	process := &mortal{RoundTripper: r.Engine.Transport(), effect: effect, kill: kill}
	process.left.Store(int64(calls))
	return r.backfill(process, change).Run(ctx)
}

// Killed between any two calls, the run goes on in another process and in the
// end has published everything; what was accepted before the last place was
// saved is not published again.
func TestARunKilledBetweenAnyTwoCallsGoesOn(t *testing.T) {
	const items = 60
	small := func(c *backfill.Config) { c.Segments, c.PageItems = 2, 10 }
	for calls, finished := 1, false; !finished && !t.Failed(); calls += killStride {
		effect := calls/killStride%2 == 0
		inRig(t, localaws.Config{}, func(r *rig) {
			r.subscribe("stats", "")
			r.consume("stats")
			r.fill(items)
			_, err := r.runUntilKilled(calls, effect, small)
			if finished = err == nil; !finished && !errors.Is(err, errKilled) {
				r.Fatalf("killed at call %d: %v", calls, err)
			}
			time.Sleep(30 * time.Second) // virtual; what was under way when it was killed has its effect
			kept := must(dynamostore.NewProgress(r.DB, "profile-relay-checkpoints").Load(r.Context(), backfill.Task(r.source, "stats", nil)))
			var saved int64
			if kept != nil {
				for _, place := range kept.Segments {
					saved += place.Counts["published"]
				}
			}
			before := r.got("stats", "upsert", "backfill")
			if int64(before) < saved {
				r.Errorf("killed at call %d: %d are noted and %d arrived", calls, saved, before)
			}
			result, err := r.backfill(nil, func(c *backfill.Config) { c.Segments = 7 }).Run(r.Context())
			if err != nil {
				r.Fatalf("killed at call %d, then: %v", calls, err)
			}
			// A kill at the very last call may leave a run that is finished,
			// though its process never heard so.
			interrupted := kept != nil && kept.Finished.IsZero()
			if result.Resumed != interrupted || result.Published != items || result.Scanned != items {
				r.Errorf("killed at call %d, then %+v; kept was %+v", calls, result, kept)
			}
			time.Sleep(30 * time.Second) // virtual
			if again := r.got("stats", "upsert", "backfill") - before; interrupted && int64(again) != items-saved {
				r.Errorf("killed at call %d: %d of %d were noted, and %d published by the second process", calls, saved, items, again)
			}
			r.agree("stats")
		})
		if finished && calls < 20 {
			t.Errorf("the run took %d calls only", calls)
		}
	}
}

// Interrupted by its operator, a run says so, and what it had done.
func TestAnInterruptedRunSaysHowFarItCame(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.subscribe("stats", "")
		r.consume("stats")
		r.fill(300)
		ctx, cancel := context.WithCancelCause(r.Context())
		enough := errors.New("interrupted by the operator")
		slow := func(c *backfill.Config) { c.Rate, c.Segments, c.PageItems = 10, 1, 50 }
		time.AfterFunc(13*time.Second, func() { cancel(enough) })
		result, err := r.backfill(nil, slow).Run(ctx)
		if !errors.Is(err, enough) || result.Published != 100 || result.Resumed {
			t.Fatalf("%+v, %v", result, err)
		}
		var first backfill.Progress
		resumed, err := r.backfill(nil, func(c *backfill.Config) {
			slow(c)
			c.Report = func(p backfill.Progress) {
				if !p.Canary && first.Segments == 0 {
					first = p
				}
			}
		}).Run(r.Context())
		if err != nil || !resumed.Resumed || resumed.Published != 300 || resumed.Earlier.Published != 100 || result.Earlier.Published != 0 || resumed.Run != result.Run {
			t.Errorf("%+v, %v", resumed, err)
		}
		if first.Published != 100 || first.Resumed.Published != 100 || first.Segments != 1 {
			t.Errorf("the first report is %+v", first)
		}
	})
}

// A run of which nothing was heard for an hour begins anew by itself: what the
// subscriber lost meanwhile of what it had published comes again. The wait for
// the canary makes no run older.
func TestAnOldRunBeginsAnew(t *testing.T) {
	for name, c := range map[string]struct {
		unheard time.Duration
		change  func(*backfill.Config)
		resumed bool
	}{
		"an hour":                               {time.Hour, nil, true},
		"longer than an hour":                   {time.Hour + 1, nil, false},
		"hours, and any is resumed":             {3 * time.Hour, func(c *backfill.Config) { c.ResumeWithin = dynamostore.AnyAge }, true},
		"a minute, and as much is too much":     {time.Minute, func(c *backfill.Config) { c.ResumeWithin = time.Minute - 1 }, false},
		"a minute, and none is to be resumed":   {time.Minute, func(c *backfill.Config) { c.Restart = true }, false},
		"hours, any, but none is to be resumed": {3 * time.Hour, func(c *backfill.Config) { c.ResumeWithin, c.Restart = dynamostore.AnyAge, true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, localaws.Config{}, func(r *rig) {
				r.subscribe("stats", "")
				r.consume("stats")
				r.fill(60)
				ctx, cancel := context.WithCancelCause(r.Context())
				time.AfterFunc(13*time.Second, func() { cancel(errKilled) })
				first, err := r.backfill(nil, func(c *backfill.Config) { c.Rate, c.Segments, c.PageItems = 2, 1, 10 }).Run(ctx)
				if !errors.Is(err, errKilled) || first.Published == 0 {
					t.Fatalf("%+v, %v", first, err)
				}
				last := must(dynamostore.NewProgress(r.DB, "profile-relay-checkpoints").Load(r.Context(), backfill.Task(r.source, "stats", nil)))
				time.Sleep(time.Until(last.Saved.Add(c.unheard))) // virtual
				result, err := r.backfill(nil, c.change).Run(r.Context())
				if err != nil || result.Resumed != c.resumed || (result.Run == first.Run) != c.resumed || (result.Earlier.Published > 0) != c.resumed || result.Published != 60 {
					t.Errorf("after %+v: %+v, %v", first, result, err)
				}
			})
		})
	}
}

// A restart discards what was interrupted; whoever still works on that is told.
func TestARestartSupersedesTheRunItFinds(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.subscribe("stats", "")
		r.consume("stats")
		r.fill(200)
		slow := func(c *backfill.Config) { c.Rate, c.PageItems = 10, 10 }
		var superseded error
		var old sync.WaitGroup
		old.Go(func() { _, superseded = r.backfill(nil, slow).Run(r.Context()) })
		time.Sleep(5 * time.Second) // virtual
		result, err := r.backfill(nil, func(c *backfill.Config) { c.Restart = true }).Run(r.Context())
		old.Wait()
		if err != nil || result.Resumed || result.Published != 200 {
			t.Errorf("anew: %+v, %v", result, err)
		}
		if !errors.Is(superseded, dynamostore.ErrSuperseded) || !strings.Contains(superseded.Error(), "another run was begun") {
			t.Errorf("the run before: %v", superseded)
		}
		next, err := r.backfill(nil, nil).Run(r.Context())
		if err != nil || next.Resumed || next.Run == result.Run || next.Published != 200 {
			t.Errorf("after a finished run: %+v, %v", next, err)
		}
	})
}

// Two operators who run it at once work on the same run, and both succeed.
func TestTwoRunsAtOnceAreSafe(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.subscribe("stats", "")
		r.consume("stats")
		r.fill(200)
		var both sync.WaitGroup
		runs := make([]backfill.Result, 2)
		for i := range runs {
			both.Go(func() {
				var err error
				if runs[i], err = r.backfill(nil, func(c *backfill.Config) { c.PageItems, c.Rate = 10, 20 }).Run(r.Context()); err != nil {
					r.Error(err)
				}
			})
		}
		both.Wait()
		if runs[0].Run != runs[1].Run {
			t.Errorf("runs %s and %s", runs[0].Run, runs[1].Run)
		}
		time.Sleep(time.Minute) // virtual
		r.agree("stats")
		if kept := must(dynamostore.NewProgress(r.DB, "profile-relay-checkpoints").Load(r.Context(), backfill.Task(r.source, "stats", nil))); kept.Finished.IsZero() {
			t.Errorf("kept %+v", kept)
		}
	})
}

// Above its bound the subscriber's queue is left to be drained, live changes
// with it; the wait is reported and ends with the context.
func TestABacklogHoldsTheRunBack(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.subscribe("stats", "")
		stopConsumer := r.consume("stats")
		r.fill(400)
		longest, waited := 0, false
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Minute)
		defer cancel()
		backlog := r.backlog("stats")
		_, err := r.backfill(nil, func(c *backfill.Config) {
			c.MaxBacklog, c.PageItems, c.Segments = 120, 50, 1
			c.Backlog = func(ctx context.Context) (int, error) {
				stopConsumer() // from the first question on nothing drains
				n, err := backlog(ctx)
				longest = max(longest, n)
				return n, err
			}
			c.Report = func(p backfill.Progress) { waited = waited || p.Waiting && p.Backlog > 120 }
		}).Run(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !waited {
			t.Errorf("waited %v, %v", waited, err)
		}
		if longest <= 120 || longest > 120+50 {
			t.Errorf("the queue grew to %d", longest)
		}
		r.consume("stats")
		result, err := r.backfill(nil, func(c *backfill.Config) { c.MaxBacklog, c.Backlog = 120, backlog }).Run(r.Context())
		if err != nil || !result.Resumed || result.Published != 400 {
			t.Errorf("%+v, %v", result, err)
		}
		time.Sleep(time.Minute) // virtual
		r.agree("stats")
	})
}

// An outage of minutes is waited out.
func TestAnOutageIsWaitedOut(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.subscribe("stats", "")
		r.consume("stats")
		r.fill(100)
		r.put(company(100, "Unversioned", 0))
		start := time.Now()
		r.Engine.SetFaults(func(call localaws.Call) localaws.Fault {
			since := time.Since(start)
			backfills := call.Operation == "Scan" || call.Operation == "PublishBatch" || call.Operation == "UpdateItem" || call.Operation == "GetItem"
			if backfills && since > 3*time.Second && since < 90*time.Second {
				return localaws.Fault{Error: localaws.Unavailable(call.Service)}
			}
			return localaws.Fault{}
		})
		result, err := r.backfill(nil, func(c *backfill.Config) { c.Rate, c.PageItems = 20, 20 }).Run(r.Context())
		if err != nil || result.Published != 101 || time.Since(start) < 90*time.Second {
			t.Errorf("after %s: %+v, %v", time.Since(start), result, err)
		}
		time.Sleep(time.Minute) // virtual
		for cik, item := range r.items("companies") {
			if item["version"].Kind() != contracts.KindNumber {
				t.Errorf("%s is still %v", cik, item)
			}
		}
		r.agree("stats")
	})
}
