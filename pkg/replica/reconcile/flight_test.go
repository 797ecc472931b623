package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/reconcile"
)

// churn writes companies all the time, until the returned function is called.
func (r *rig) churn(every time.Duration, ciks ...string) (stop func()) {
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-time.After(every):
				r.own(ciks[n%len(ciks)], company(fmt.Sprint("name ", n)))
			}
		}
	}()
	return func() { close(done); <-ended }
}

func TestAnItemThatNeverRestsIsNoDriftWhileItsConsumerKeepsUp(t *testing.T) {
	inRig(t, func(r *rig) {
		r.start()
		stop := r.churn(300*time.Millisecond, "1", "2")
		defer stop()
		time.Sleep(time.Minute)
		inFlight := int64(0)
		for range 10 {
			result, found := r.reconcile(false)
			if result.Drifted() != 0 {
				r.Fatalf("found %v", found.counted())
			}
			inFlight += result.InFlight
		}
		if inFlight == 0 {
			r.Error("nothing ever was in flight, so this shows nothing")
		}
	})
}

func TestAnItemThatNeverRestsIsDriftWhenItsConsumerIsDead(t *testing.T) {
	inRig(t, func(r *rig) {
		r.start()
		r.own("1", company("first"))
		r.own("2", company("first"))
		time.Sleep(time.Minute)
		r.Halt()
		stop := r.churn(300*time.Millisecond, "1", "2")
		defer stop()
		time.Sleep(time.Minute)
		_, found := r.reconcile(false)
		want := map[string]int{"behind company-stats 1": 1, "behind company-stats 2": 1, "behind entries 1": 1, "behind entries 2": 1}
		if diff := cmp.Diff(want, found.counted()); diff != "" {
			r.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// A wrong copy of the source's own version looks as if it kept up with a
// source that moves on. It is found all the same when nothing comes any more.
func TestDamageIsFoundBehindASourceThatMovesOn(t *testing.T) {
	inRig(t, func(r *rig) {
		r.start()
		r.own("1", company("first"))
		time.Sleep(time.Minute)
		r.Halt()
		for table, key := range map[string]contracts.Item{"company-stats": statsKey("1"), "entries": idKey("1")} {
			r.edit(table, key, contracts.Item{"companyName": text("wrong"), "title": text("wrong")})
		}
		stop := r.churn(20*time.Second, "1")
		defer stop()
		_, found := r.reconcile(false)
		want := map[string]int{"behind company-stats 1": 1, "behind entries 1": 1}
		if diff := cmp.Diff(want, found.counted()); diff != "" {
			r.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// While no relay runs, an item without a version is reported once, by itself,
// and nothing is said about its copies. A repair stamps it.
func TestSourceItemsWithoutAVersionAreStamped(t *testing.T) {
	inRig(t, func(r *rig) {
		r.start()
		r.own("1", company("first"))
		r.own("2", company("first"))
		r.watch("ada", "1")
		time.Sleep(time.Minute)
		r.Halt()
		r.edit("companies", keyOf("1"), contracts.Item{"version": none, "name": text("second")})
		r.Put("companies", contracts.Item{"cik": text("2"), "deleted": contracts.Bool(true)})
		want := map[string]int{"unversioned 1": 1, "unversioned 2": 1}
		if _, found := r.reconcile(false); !cmp.Equal(want, found.counted()) {
			r.Errorf("found %v", found.counted())
		}
		// Now a relay that starts where the last one stopped would stamp them;
		// this one has missed their records.
		r.Table(laterCheckpoints)
		r.owner.Publishes[0].CheckpointTable = laterCheckpoints.Name
		time.Sleep(25 * time.Hour)
		r.start()
		result, found := r.reconcile(true)
		if diff := cmp.Diff(want, found.counted()); diff != "" || result.Repaired != 2 {
			r.Errorf("%+v, %v (-want +got)\n%s", result, found.repaired, diff)
		}
		if result, found := r.reconcile(false); result.Drifted() != 0 {
			r.Errorf("found after the repair: %v", found.counted())
		}
		if got := r.read("watchlists", entryKey("ada", "1"))["companyName"].Text(); got != "second" {
			r.Errorf("the entry shows %q", got)
		}
		if item := r.read("entries", idKey("2")); !item["sourceDeleted"].Bool() {
			r.Errorf("the deleted item's copy is %v", item)
		}
	})
}

// A repair that does not show is said to be none, with what to look at.
func TestARepairThatDoesNotShowIsReported(t *testing.T) {
	inRig(t, func(r *rig) {
		r.start()
		r.own("1", company("first"))
		time.Sleep(time.Minute)
		r.Halt()
		r.remove("entries", idKey("1"))
		result, found := r.reconcile(true)
		err := found.repaired["missing entries 1"]
		if result.NotRepaired != 1 || result.Repaired != 0 || err == nil || !strings.Contains(err.Error(), "consumer") {
			r.Errorf("%+v, %v", result, err)
		}
		r.startConsumer() // which finds what was published
		time.Sleep(time.Minute)
		if result, found := r.reconcile(false); result.Drifted() != 0 {
			r.Errorf("found %v", found.counted())
		}
	})
}

// An item that the topic does not accept costs its neighbours nothing.
func TestWhatCannotBePublishedIsReportedByItself(t *testing.T) {
	inRig(t, func(r *rig) {
		for i := range 30 {
			r.own(strconv.Itoa(i), company("name"))
		}
		r.own("13", contracts.Item{"headquarters": text(strings.Repeat("x", 300<<10))})
		r.startConsumer()
		result, found := r.reconcile(true)
		if result.Total(reconcile.Missing) != 60 || result.Repaired != 58 || result.NotRepaired != 2 {
			r.Errorf("%+v", result)
		}
		for _, of := range []string{"missing company-stats 13", "missing entries 13"} {
			if err := found.repaired[of]; err == nil || !strings.Contains(err.Error(), "larger than the topic accepts") {
				r.Errorf("%s: %v", of, err)
			}
		}
	})
}

// However much differs, no more is held than may be; the scan waits.
func TestWhatIsHeldIsBounded(t *testing.T) {
	inRig(t, func(r *rig) {
		const items = 450
		for i := range items {
			r.own(strconv.Itoa(i), company("name"))
		}
		into := &findings{}
		config := r.config(false, into)
		config.MaxHeld, config.PageItems = 100, 200
		var most atomic.Int64
		config.Report = func(p reconcile.Progress) { most.Store(max(most.Load(), int64(p.Held))) }
		result, err := must(reconcile.New(config)).Run(r.Context())
		if err != nil || result.Total(reconcile.Missing) != 2*items || len(into.counted()) != 2*items {
			r.Fatalf("%+v, %v", result, err)
		}
		if most.Load() > 100 {
			r.Errorf("%d differences were held", most.Load())
		}
	})
}

// A run that is interrupted, any number of times, goes on where it was with
// what it had counted, and misses nothing.
func TestAnInterruptedRunGoesOnWhereItWas(t *testing.T) {
	inRig(t, func(r *rig) {
		r.start()
		const items = 120
		for i := range items {
			r.own(strconv.Itoa(i), company("name"))
		}
		time.Sleep(5 * time.Minute)
		want := make(map[string]int)
		for i := 0; i < items; i += 10 {
			r.edit("company-stats", statsKey(strconv.Itoa(i)), contracts.Item{"companyName": text("wrong")})
			r.Put("entries", contracts.Item{"id": text(fmt.Sprint("ghost", i)), "title": text("x"), "sourceVersion": contracts.Number("7")})
			want[fmt.Sprint("different company-stats ", i)], want[fmt.Sprint("extra entries ghost", i)] = 1, 1
		}
		places := dynamostore.NewProgress(r.DB, "profile-relay-checkpoints")
		r.Engine.SetFaults(func(call localaws.Call) localaws.Fault {
			if call.Operation == "BatchGetItem" {
				return localaws.Fault{DelayBefore: 3 * time.Second}
			}
			return localaws.Fault{}
		})
		got := make(map[string]int)
		var result reconcile.Result
		attempts, began, left := 0, time.Now(), int64(0)
		for ; ; attempts++ {
			into := &findings{}
			config := r.config(false, into)
			config.Runs, config.PageItems = places, 5
			ctx, stop := context.WithTimeoutCause(r.Context(), 80*time.Second, errInterrupted)
			var err error
			result, err = must(reconcile.New(config)).Run(ctx)
			stop()
			for name := range into.counted() {
				got[name] = 1
			}
			if err == nil {
				break
			}
			if !errors.Is(err, errInterrupted) || attempts > 20 {
				r.Fatalf("attempt %d: %v", attempts, err)
			}
			if attempts > 0 && !result.Resumed {
				r.Errorf("attempt %d began anew", attempts)
			}
			// What the next one takes over is what this one had read and noted.
			if next := noted(must(places.Load(r.Context(), must(reconcile.New(config)).Task()))); result.Earlier > next || attempts == 0 && result.Earlier != 0 {
				r.Errorf("attempt %d found %d items read, and left %d", attempts, result.Earlier, next)
			} else {
				left = next
			}
		}
		took := time.Since(began)
		if attempts < 2 {
			r.Errorf("it was interrupted %d times, so this shows nothing", attempts)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			r.Errorf("found (-want +got)\n%s", diff)
		}
		config := r.config(false, &findings{})
		config.Runs, config.PageItems = places, 5
		began = time.Now()
		whole, err := must(reconcile.New(config)).Run(r.Context())
		if err != nil || whole.Resumed {
			r.Fatalf("%+v, %v", whole, err)
		}
		// An interruption costs what is read again: some seconds' pages, and up to
		// a settle time's where something is held.
		if most := time.Since(began) + time.Duration(attempts)*45*time.Second; took > most {
			r.Errorf("with %d interruptions it took %v, without any %v", attempts, took, time.Since(began))
		}
		if result.Earlier != left || left == 0 || result.Started.Sub(began) > time.Minute {
			r.Errorf("the last attempt found %d items read of a run begun at %v, there were %d and it was %v", result.Earlier, result.Started, left, began)
		}
		if whole.Earlier != 0 || !whole.Started.After(result.Started) {
			r.Errorf("a whole run is %+v", whole)
		}
		whole.Resumed, whole.Started, whole.Earlier = true, result.Started, result.Earlier
		whole.InFlight, result.InFlight = 0, 0
		if diff := cmp.Diff(whole, result); diff != "" {
			r.Errorf("counted by a whole run and by parts of one (-want +got)\n%s", diff)
		}
	})
}

// A run of which nothing was heard for an hour begins anew by itself: what went
// wrong meanwhile with what it had compared, it would not see.
func TestAnOldRunBeginsAnew(t *testing.T) {
	for name, c := range map[string]struct {
		unheard, within time.Duration
		resumed         bool
	}{
		"an hour":                           {time.Hour, 0, true},
		"longer than an hour":               {time.Hour + 1, 0, false},
		"hours, and any is resumed":         {3 * time.Hour, dynamostore.AnyAge, true},
		"a minute, and as much is too much": {time.Minute, time.Minute - 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(r *rig) {
				r.start()
				for i := range 40 {
					r.own(strconv.Itoa(i), company("name"))
				}
				time.Sleep(5 * time.Minute) // virtual
				r.Halt()
				places := dynamostore.NewProgress(r.DB, "profile-relay-checkpoints")
				configured := func(into *findings) reconcile.Config {
					config := r.config(false, into)
					config.Runs, config.PageItems, config.Segments, config.ResumeWithin = places, 5, 1, c.within
					return config
				}
				r.Engine.SetFaults(func(call localaws.Call) localaws.Fault {
					if call.Operation == "BatchGetItem" {
						return localaws.Fault{DelayBefore: 3 * time.Second}
					}
					return localaws.Fault{}
				})
				ctx, stop := context.WithTimeoutCause(r.Context(), 20*time.Second, errInterrupted)
				defer stop()
				first := must(reconcile.New(configured(&findings{})))
				if _, err := first.Run(ctx); !errors.Is(err, errInterrupted) {
					t.Fatal(err)
				}
				r.Engine.SetFaults(nil)
				last := must(places.Load(r.Context(), first.Task()))
				if noted(last) == 0 {
					t.Fatalf("nothing was noted: %+v", last)
				}
				time.Sleep(time.Until(last.Saved.Add(c.unheard)))
				for i := range 40 { // all of a replica, when it was compared in part
					r.remove("entries", idKey(strconv.Itoa(i)))
				}
				into := &findings{}
				result, err := must(reconcile.New(configured(into))).Run(r.Context())
				if err != nil || result.Resumed != c.resumed || (result.Earlier > 0) != c.resumed {
					t.Errorf("%+v, %v", result, err)
				}
				if seen := len(into.counted()); (seen == 40) == c.resumed || seen > 40 {
					t.Errorf("it saw %d of 40 copies that were lost meanwhile", seen)
				}
			})
		})
	}
}

// noted is how many items a run has read for good.
func noted(run *dynamostore.Run) (n int64) {
	for _, place := range run.Segments {
		n += place.Counts["scanned"]
	}
	return n
}

var errInterrupted = errors.New("interrupted")
