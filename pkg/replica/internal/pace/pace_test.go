package pace

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestNoMoreThanTheRateIsLetThrough(t *testing.T) {
	for name, perSecond := range map[string]float64{"slower than one": 0.5, "slow": 7, "fast": 3000} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, began, n := New(perSecond, nil, 0), time.Now(), 0
				for time.Since(began) < time.Minute {
					for range 10 {
						if err := p.Wait(t.Context(), 1); err != nil {
							t.Fatal(err)
						}
					}
					if err := p.Wait(t.Context(), 10); err != nil {
						t.Fatal(err)
					}
					n += 20
				}
				took := time.Since(began).Seconds()
				if got := float64(n) / took; got > perSecond*1.05+1/took || got < perSecond*0.95-1/took {
					t.Errorf("%d in %.0f s, %.1f a second, want %.1f", n, took, got, perSecond)
				}
			})
		})
	}
}

// What the rate would let through after the deadline is said at once, as what a
// context's end is known by.
func TestATurnAfterTheDeadlineIsTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, began := New(0.5, nil, 0), time.Now()
		ctx, cancel := context.WithDeadline(t.Context(), began.Add(time.Second))
		defer cancel()
		if err := p.Wait(ctx, 1); err != nil {
			t.Fatal(err)
		}
		if err := p.Wait(ctx, 1); !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil || time.Since(began) > 0 {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

// queue is drained at a rate, and its length told as it is.
type queue struct {
	perSecond int
	depth     int
	at        time.Time
	longest   int
	asked     int
}

func (q *queue) drain() {
	seconds := int(time.Since(q.at) / time.Second)
	q.depth = max(0, q.depth-seconds*q.perSecond)
	q.at = q.at.Add(time.Duration(seconds) * time.Second)
}

func (q *queue) length(context.Context) (int, error) {
	q.drain()
	q.asked++
	return q.depth, nil
}

func (q *queue) add(n int) {
	q.drain()
	q.depth += n
	q.longest = max(q.longest, q.depth)
}

func TestNothingIsLetThroughWhileTheQueueIsTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{perSecond: 20, depth: 5000, at: time.Now()}
		p, began := New(0, q.length, 1000), time.Now()
		for range 1000 {
			if err := p.Wait(t.Context(), 10); err != nil {
				t.Fatal(err)
			}
			if q.depth > 1000 && time.Since(began) < 200*time.Second {
				t.Fatalf("let through while %d messages wait", q.depth)
			}
			q.add(10)
		}
		if q.longest > 1020 {
			t.Errorf("the queue grew to %d messages, want about 1000", q.longest)
		}
		if took := time.Since(began); took > 720*time.Second {
			t.Errorf("took %s: the subscriber ran dry", took)
		}
		if q.asked > 400 {
			t.Errorf("asked %d times in %s", q.asked, time.Since(began))
		}
	})
}

// A queue that was too long drains to half of what is allowed first, however
// many wait for it.
func TestAQueueThatWasTooLongDrainsToHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{perSecond: 20, depth: 2000, at: time.Now()}
		p, start := New(0, q.length, 1000), time.Now()
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if err := p.Wait(t.Context(), 10); err != nil {
					t.Error(err)
				}
				if let := time.Since(start); let < 75*time.Second || let > 81*time.Second {
					t.Errorf("let through after %s, want 75 s: 1500 messages at 20 a second", let)
				}
			})
		}
		all.Wait()
	})
}

func TestTheBacklogIsAskedForNowAndThenOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{perSecond: 1000, at: time.Now()}
		p := New(100, q.length, 10000)
		for range 6000 {
			if err := p.Wait(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		if q.asked < 10 || q.asked > 14 {
			t.Errorf("asked %d times in a minute, want every 5 s", q.asked)
		}
	})
}

func TestWaitingIsSaidAndEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(0, func(context.Context) (int, error) { return 500, nil }, 100)
		stop := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if err := p.Wait(ctx, 1); !errors.Is(err, stop) {
					t.Errorf("got %v", err)
				}
			})
		}
		time.Sleep(time.Minute) // virtual
		if n, waiting := p.Backlog(); n != 500 || !waiting {
			t.Errorf("told %d, waiting %v", n, waiting)
		}
		cancel(stop)
		all.Wait()
		if _, waiting := p.Backlog(); waiting {
			t.Error("still waiting")
		}
	})
}

func TestAQueueThatDoesNotAnswerForAMomentIsBorne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttled := errors.New("throttled")
		var silent atomic.Int64
		silent.Store(maxSilence - 1)
		p := New(0, func(context.Context) (int, error) {
			if silent.Add(-1) >= 0 {
				return 0, throttled
			}
			return 3, nil
		}, 100)
		if err := p.Wait(t.Context(), 1); err != nil {
			t.Errorf("got %v", err)
		}
		time.Sleep(askEvery) // virtual
		silent.Store(1 << 30)
		if err := p.Wait(t.Context(), 1); !errors.Is(err, throttled) {
			t.Errorf("got %v", err)
		}
	})
}
