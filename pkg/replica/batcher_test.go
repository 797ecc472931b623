package replica_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// cabinet is a BatchStore in memory that keeps the conditions of replica.Write
// and notes how it is called.
type cabinet struct {
	replica.Store // no method but those below is called
	t             *testing.T
	takes         func(n int) time.Duration             // how long the n-th batch takes
	fails         func(n int, w replica.Write) error    // why a write of the n-th batch is not made
	began         func(ctx context.Context, writes int) // sees each batch

	mu      sync.Mutex
	batches int
	writes  int
	held    map[string]contracts.Item
	busy    map[string]bool
}

func newCabinet(t *testing.T) *cabinet {
	return &cabinet{t: t, held: map[string]contracts.Item{}, busy: map[string]bool{}}
}

// id names an item by its key's worth.
func (c *cabinet) id(w *replica.Write) string {
	text, err := contracts.NormalizeNumber(w.Key["n"].Text())
	if err != nil {
		c.t.Error(err)
	}
	return text
}

func (c *cabinet) WriteEach(ctx context.Context, writes []replica.Write) ([]replica.WriteResult, []error) {
	c.mu.Lock()
	c.batches++
	n := c.batches
	c.writes += len(writes)
	for i := range writes {
		id := c.id(&writes[i])
		if c.busy[id] {
			c.t.Errorf("two writes to item %s at once", id)
		}
		c.busy[id] = true
	}
	c.mu.Unlock()
	if c.began != nil {
		c.began(ctx, len(writes))
	}
	if c.takes != nil {
		time.Sleep(c.takes(n)) // virtual
	}
	results, errs := make([]replica.WriteResult, len(writes)), make([]error, len(writes))
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range writes {
		delete(c.busy, c.id(&writes[i]))
		if errs[i] = ctx.Err(); errs[i] == nil && c.fails != nil {
			errs[i] = c.fails(n, writes[i])
		}
		if errs[i] == nil {
			results[i] = c.write(&writes[i])
		}
	}
	return results, errs
}

func (c *cabinet) write(w *replica.Write) replica.WriteResult {
	id := c.id(w)
	found := c.held[id]
	if found == nil && w.MustExist || versionIn(found) >= w.Version {
		return replica.WriteResult{Found: found}
	}
	c.held[id] = w.Set
	return replica.WriteResult{Written: true}
}

func versionIn(item contracts.Item) contracts.Version {
	return contracts.VersionOf(item["v"], time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
}

// version returns what is durable of an item.
func (c *cabinet) version(key string) contracts.Version {
	c.mu.Lock()
	defer c.mu.Unlock()
	text, err := contracts.NormalizeNumber(key)
	if err != nil {
		c.t.Error(err)
	}
	return versionIn(c.held[text])
}

func cabinetWrite(key string, v contracts.Version) replica.Write {
	return replica.Write{
		Table: "items", Key: contracts.Item{"n": contracts.Number(key)},
		Set:     contracts.Item{"v": v.Value(), "m": contracts.String("map"), "state": contracts.String(fmt.Sprint("state ", v))},
		Version: v, VersionAttribute: "v", Mapping: "map", MappingAttribute: "m",
	}
}

func withCabinet(t *testing.T, cfg replica.BatcherConfig, test func(t *testing.T, c *cabinet, b *replica.Batcher)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCabinet(t)
		b, err := replica.NewBatcher(c, cfg)
		if err != nil {
			t.Fatal(err)
		}
		test(t, c, b)
	})
}

// Of a hundred changes to ten items that wait together ten are written, in one
// batch; the others learn what superseded them.
func TestWritesThatWaitTogetherShareABatch(t *testing.T) {
	withCabinet(t, replica.BatcherConfig{}, func(t *testing.T, c *cabinet, b *replica.Batcher) {
		var all sync.WaitGroup
		for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(100) {
			all.Go(func() {
				key := fmt.Sprintf("%d%s", i%10, [...]string{"", ".0", "0e-1"}[i/10%3])
				v := contracts.Version(1 + i/10)
				result, err := b.Write(t.Context(), cabinetWrite(key, v))
				switch {
				case err != nil:
					t.Error(err)
				case result.Written != (v == 10):
					t.Errorf("version %d: written: %v", v, result.Written)
				case !result.Written && (versionIn(result.Found) != 10 || result.Found["state"].Text() != "state 10" || result.Found["n"].IsZero()):
					t.Errorf("version %d was superseded by %v, want the whole item of version 10", v, result.Found)
				}
			})
		}
		all.Wait()
		if c.batches != 1 || c.writes != 10 {
			t.Errorf("%d batches of %d writes, want 1 of 10", c.batches, c.writes)
		}
	})
}

// Whatever happens to the batches, a write is answered only when it or a later
// one is durable, there are never two writes to an item on their way, and in
// the end every item has the highest version that could be written.
func TestAnAnsweredWriteIsDurable(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 7))
		cfg := replica.BatcherConfig{MaxWrites: 1 + rng.IntN(8), Parallel: 1 + rng.IntN(4)}
		withCabinet(t, cfg, func(t *testing.T, c *cabinet, b *replica.Batcher) {
			c.takes = func(n int) time.Duration { return time.Duration(n*7919%13) * time.Millisecond }
			poison := func(v contracts.Version) bool { return v%7 == 0 }
			c.fails = func(n int, w replica.Write) error {
				if poison(w.Version) {
					return &replica.RejectedError{Reason: "poison"}
				}
				switch (n + int(w.Version)) % 9 {
				case 0:
					return errors.New("connection refused")
				case 1, 2:
					return errBusy
				}
				return nil
			}
			var all sync.WaitGroup
			highest := map[string]contracts.Version{}
			for range 200 {
				key, v := fmt.Sprint(rng.IntN(6)), contracts.Version(1+rng.IntN(500))
				if !poison(v) {
					highest[key] = max(highest[key], v)
				}
				begin := time.Duration(rng.IntN(30)) * time.Millisecond
				spelling := key + [...]string{"", ".0"}[rng.IntN(2)]
				all.Go(func() {
					time.Sleep(begin) // virtual
					for attempt := 0; ; attempt++ {
						_, err := b.Write(t.Context(), cabinetWrite(spelling, v))
						if replica.Classify(err).Verdict == replica.Reject {
							if !poison(v) {
								t.Errorf("version %d was rejected for another's fault", v)
							}
							return
						}
						if err == nil {
							break
						}
						if attempt > 50 {
							t.Errorf("version %d: %v", v, err)
							return
						}
						time.Sleep(time.Duration(attempt%4) * time.Millisecond) // virtual
					}
					if got := c.version(key); got < v {
						t.Errorf("seed %d: a write of version %d was answered while %d was durable", seed, v, got)
					}
				})
			}
			all.Wait()
			for key, want := range highest {
				if got := c.version(key); got != want {
					t.Errorf("seed %d: item %s has version %d, want %d", seed, key, got, want)
				}
			}
		})
	}
}

// A change that can never be written takes none with it, not even those it
// would have made superfluous.
func TestPoisonCostsNobodyElse(t *testing.T) {
	withCabinet(t, replica.BatcherConfig{}, func(t *testing.T, c *cabinet, b *replica.Batcher) {
		c.fails = func(_ int, w replica.Write) error {
			if w.Version >= 8 {
				return &replica.RejectedError{Reason: "poison"}
			}
			return nil
		}
		var all sync.WaitGroup
		for v := contracts.Version(1); v <= 9; v++ {
			for _, key := range []string{"1", "2"} {
				if key == "2" && v > 5 {
					continue
				}
				all.Go(func() {
					result, err := b.Write(t.Context(), cabinetWrite(key, v))
					if rejected := replica.Classify(err).Verdict == replica.Reject; rejected != (v >= 8) {
						t.Errorf("item %s version %d: %v", key, v, err)
					}
					if last := map[string]contracts.Version{"1": 7, "2": 5}[key]; err == nil && result.Written != (v == last) {
						t.Errorf("item %s version %d: written: %v", key, v, result.Written)
					}
				})
			}
		}
		all.Wait()
	})
}

// An outage is told to all who wait, and none of them is answered for good.
func TestAnOutageIsToldToAll(t *testing.T) {
	withCabinet(t, replica.BatcherConfig{}, func(t *testing.T, c *cabinet, b *replica.Batcher) {
		outage := errors.New("connection refused")
		c.fails = func(int, replica.Write) error { return outage }
		var all sync.WaitGroup
		for v := contracts.Version(1); v <= 5; v++ {
			all.Go(func() {
				if _, err := b.Write(t.Context(), cabinetWrite("1", v)); !errors.Is(err, outage) {
					t.Errorf("version %d: %v", v, err)
				}
			})
		}
		all.Wait()
	})
}

// Writes that are not alike but for their state are made one after the other.
func TestOtherMappingsAndConditionsAreNotSuperseded(t *testing.T) {
	for name, edit := range map[string]func(w *replica.Write){
		"another mapping":           func(w *replica.Write) { w.Mapping = "other" },
		"another version attribute": func(w *replica.Write) { w.VersionAttribute = "w" },
		"another mapping attribute": func(w *replica.Write) { w.MappingAttribute = "w" },
		"only where it exists":      func(w *replica.Write) { w.MustExist = true },
		"another condition":         func(w *replica.Write) { w.Where = contracts.Item{"owner": contracts.String("1")} },
	} {
		withCabinet(t, replica.BatcherConfig{}, func(t *testing.T, c *cabinet, b *replica.Batcher) {
			var all sync.WaitGroup
			for v := contracts.Version(1); v <= 2; v++ {
				w := cabinetWrite("1", v)
				if v == 2 {
					edit(&w)
				}
				all.Go(func() {
					if _, err := b.Write(t.Context(), w); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if c.writes != 2 || c.batches != 2 {
				t.Errorf("%s: %d writes in %d batches, want both, one after the other", name, c.writes, c.batches)
			}
		})
	}
}

// Waiting for company costs a lone change a millisecond, a full batch nothing,
// and a trickle that never pauses at most Linger.
func TestWaitingForCompanyIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		every time.Duration
		items int
		want  time.Duration
	}{
		"a lone change":               {0, 1, time.Millisecond},
		"a full batch":                {0, 25, 0},
		"most of a batch at once":     {0, 24, time.Millisecond},
		"one more each half a second": {500 * time.Microsecond, 24, 8 * time.Millisecond},
	} {
		withCabinet(t, replica.BatcherConfig{}, func(t *testing.T, store *cabinet, b *replica.Batcher) {
			began := time.Now()
			var first time.Duration
			store.began = func(context.Context, int) {
				if first == 0 {
					first = time.Since(began)
				}
			}
			var all sync.WaitGroup
			for i := range c.items {
				all.Go(func() {
					time.Sleep(time.Duration(i) * c.every) // virtual
					if _, err := b.Write(t.Context(), cabinetWrite(fmt.Sprint(i), 1)); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if first != c.want {
				t.Errorf("%s: the first batch began after %v, want %v", name, first, c.want)
			}
		})
	}
}

// A batch is broken off when the last who waits for it has gone, not before.
func TestABatchEndsWithTheLastWhoWaits(t *testing.T) {
	withCabinet(t, replica.BatcherConfig{}, func(t *testing.T, c *cabinet, b *replica.Batcher) {
		ended := make(chan time.Duration, 1)
		began := time.Now()
		c.began = func(ctx context.Context, _ int) {
			<-ctx.Done()
			ended <- time.Since(began)
		}
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() {
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Duration(i+1)*time.Second, errors.New("handler timeout"))
				defer cancel()
				if _, err := b.Write(ctx, cabinetWrite(fmt.Sprint(i), 1)); err == nil || !strings.Contains(err.Error(), "handler timeout") {
					t.Errorf("write %d: %v", i, err)
				}
			})
		}
		all.Wait()
		if after := <-ended; after != 3*time.Second {
			t.Errorf("the batch was broken off after %v, want 3s", after)
		}
	})
}

// Nor does a batch outlive those who went between its making and its start.
func TestABatchThatNobodyWaitsForFromTheStartEndsAtOnce(t *testing.T) {
	for range 20 { // whichever of the two goroutines is first
		withCabinet(t, replica.BatcherConfig{MaxWrites: 1}, func(t *testing.T, c *cabinet, b *replica.Batcher) {
			c.began = func(ctx context.Context, _ int) { <-ctx.Done() } // or the bubble is deadlocked
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := b.Write(ctx, cabinetWrite("1", 1)); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
}

// A write that nobody waits for any more is not begun.
func TestAnAbandonedWriteIsNotBegun(t *testing.T) {
	withCabinet(t, replica.BatcherConfig{Parallel: 1, MaxWrites: 1}, func(t *testing.T, c *cabinet, b *replica.Batcher) {
		c.takes = func(int) time.Duration { return time.Second }
		var all sync.WaitGroup
		for i := range 5 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
				defer cancel()
				_, err := b.Write(ctx, cabinetWrite(fmt.Sprint(i), 1))
				if err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		time.Sleep(time.Second) // virtual: what is under way ends
		synctest.Wait()
		if c.batches != 2 {
			t.Errorf("%d batches were begun, want the one that was answered and the one under way", c.batches)
		}
	})
}

func TestABatcherSaysEverythingThatIsWrongWithItsConfig(t *testing.T) {
	_, err := replica.NewBatcher(newCabinet(t), replica.BatcherConfig{MaxWrites: -1, Parallel: 1000, Quiet: time.Minute, Linger: time.Second})
	for _, field := range []string{"MaxWrites", "Parallel", "Quiet", "Linger"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
	if _, err := replica.NewBatcher(nil, replica.BatcherConfig{}); err == nil {
		t.Error("a batcher without a store")
	}
}
