package replica_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

var errBusy = &replica.BusyError{Err: errors.New("throttled")}

// An item that is busy keeps no other waiting, even where only one batch may be
// on its way.
func TestABusyItemKeepsNoOtherWaiting(t *testing.T) {
	withCabinet(t, replica.BatcherConfig{MaxWrites: 2, Parallel: 1}, func(t *testing.T, c *cabinet, b *replica.Batcher) {
		began := time.Now()
		c.fails = func(_ int, w replica.Write) error {
			if w.Key["n"].Text() == "0" && time.Since(began) < 500*time.Millisecond {
				return errBusy
			}
			return nil
		}
		var all sync.WaitGroup
		for i := range 11 {
			all.Go(func() {
				result, err := b.Write(t.Context(), cabinetWrite(fmt.Sprint(i), 1))
				if err != nil || !result.Written {
					t.Errorf("item %d: %+v, %v", i, result, err)
				}
				if took := time.Since(began); (took > 10*time.Millisecond) != (i == 0) || took > 1350*time.Millisecond {
					t.Errorf("item %d was written after %v", i, took)
				}
			})
		}
		all.Wait()
	})
}

// What comes while an item is busy, before that is known or after, is written
// with what waits: of all that, the latest version, once.
func TestWhatComesInAPauseIsWrittenWithWhatWaits(t *testing.T) {
	for _, takes := range []time.Duration{0, 10 * time.Millisecond} {
		whatComesInAPause(t, takes)
	}
}

func whatComesInAPause(t *testing.T, takes time.Duration) {
	withCabinet(t, replica.BatcherConfig{}, func(t *testing.T, c *cabinet, b *replica.Batcher) {
		c.takes = func(int) time.Duration { return takes }
		c.fails = func(n int, _ replica.Write) error {
			if n == 1 {
				return errBusy
			}
			return nil
		}
		var all sync.WaitGroup
		for v := contracts.Version(1); v <= 3; v++ {
			all.Go(func() {
				time.Sleep(time.Duration(v) * 3 * time.Millisecond) // virtual
				result, err := b.Write(t.Context(), cabinetWrite("1", v))
				if err != nil || result.Written != (v == 3) || v < 3 && versionIn(result.Found) != 3 {
					t.Errorf("version %d: %+v, %v", v, result, err)
				}
			})
		}
		all.Wait()
		if c.batches != 2 || c.writes != 2 {
			t.Errorf("%d batches of %d writes, want the one that was refused, and one", c.batches, c.writes)
		}
	})
}

// An item that stays busy is told to all who wait for it after eight attempts
// of their own, items that became busy together share their attempts, and the
// pauses grow.
func TestAnItemThatStaysBusyIsGivenUp(t *testing.T) {
	withCabinet(t, replica.BatcherConfig{}, func(t *testing.T, c *cabinet, b *replica.Batcher) {
		c.fails = func(int, replica.Write) error { return errBusy }
		began := time.Now()
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				_, err := b.Write(t.Context(), cabinetWrite(fmt.Sprint(i%10), contracts.Version(1+i)))
				if !errors.Is(err, errBusy) || replica.Classify(err).Verdict != replica.Retry {
					t.Errorf("write %d: %v", i, err)
				}
				if took := time.Since(began); took < 1200*time.Millisecond || took > 2700*time.Millisecond {
					t.Errorf("write %d was given up after %v", i, took)
				}
			})
		}
		all.Wait()
		if c.batches != 8 || c.writes != 80 {
			t.Errorf("%d batches of %d writes, want 8 of 80", c.batches, c.writes)
		}
		late := time.Now()
		c.fails = func(int, replica.Write) error { return nil }
		if result, err := b.Write(t.Context(), cabinetWrite("1", 100)); err != nil || !result.Written || time.Since(late) > time.Millisecond {
			t.Errorf("afterwards: %+v, %v after %v", result, err, time.Since(late))
		}
	})
}
