package status_test

import (
	"testing"
	"time"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/status"
	"github.com/tributary-dev/tributary/pkg/contracts"
)

// The lag is the age of the oldest change that passed the filter and that the
// copy does not have. stats subscribes to the name alone.
func TestLagIsTheOldestChangeThatIsNotApplied(t *testing.T) {
	for _, row := range []struct {
		behaviour string
		happens   func(*world)
		records   int
		kind      status.LagKind
		seconds   float64
		atLeast   float64
		subject   string
	}{
		{"nothing has happened", func(*world) {}, 0, status.None, 0, 0, ""},
		{"everything is applied", func(w *world) { w.apply("1", w.write("1", "One", "Energy")) }, 0, status.None, 0, 0, ""},
		{"one change is not", func(w *world) {
			w.write("1", "One", "Energy")
			time.Sleep(time.Minute)
		}, 0, status.Exact, 60, 0, "1"},
		{"of two, the older one counts", func(w *world) {
			w.write("1", "One", "Energy")
			time.Sleep(time.Minute)
			w.write("1", "Uno", "Energy")
			time.Sleep(time.Minute)
		}, 0, status.Exact, 120, 0, "1"},
		{"the older one is applied, the newer one is not", func(w *world) {
			w.apply("1", w.write("1", "One", "Energy"))
			time.Sleep(time.Minute)
			w.write("1", "Uno", "Energy")
			time.Sleep(30 * time.Second)
		}, 0, status.Exact, 30, 0, "1"},
		{"another item's is older", func(w *world) {
			w.write("2", "Two", "Energy")
			time.Sleep(time.Minute)
			w.apply("1", w.write("1", "One", "Energy"))
		}, 0, status.Exact, 60, 0, "2"},
		{"a version ahead of the clock is as old as its record", func(w *world) {
			w.put("1", "One", "Energy", contracts.VersionAt(time.Now().Add(2*time.Hour)))
			time.Sleep(time.Minute)
		}, 0, status.Exact, 59, 0, "1"},
		{"a change that the filter keeps away does not count", func(w *world) {
			w.apply("1", w.write("1", "One", "Energy"))
			time.Sleep(time.Minute)
			w.write("1", "One", "Utilities")
			time.Sleep(time.Minute)
		}, 0, status.None, 0, 0, ""},
		{"a copy that is ahead has what is older", func(w *world) {
			w.write("1", "One", "Energy")
			time.Sleep(time.Minute)
			w.apply("1", w.write("1", "Uno", "Energy"))
		}, 0, status.None, 0, 0, ""},
		{"where the budget ends, all that was read is applied", func(w *world) {
			w.apply("1", w.write("1", "One", "Energy"))
			time.Sleep(time.Minute)
			w.apply("2", w.write("2", "Two", "Energy"))
			time.Sleep(time.Minute)
			w.write("3", "Three", "Energy")
			time.Sleep(time.Minute)
		}, 2, status.LessThan, 120, 0, ""},
		{"where the budget ends at what is not applied, what comes of the same second may be older", func(w *world) {
			w.write("1", "One", "Energy")
			time.Sleep(time.Minute)
			w.write("2", "Two", "Energy")
			time.Sleep(time.Minute)
		}, 1, status.LessThan, 120, 120, "1"},
		{"where the budget ends, what was read before is exact", func(w *world) {
			w.write("1", "One", "Energy")
			time.Sleep(time.Minute)
			w.apply("2", w.write("2", "Two", "Energy"))
			time.Sleep(time.Minute)
			w.write("3", "Three", "Energy")
		}, 2, status.Exact, 120, 0, "1"},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.bootstrap()
				row.happens(w)
				report := w.look(func(c *status.Config) { c.MaxRecords = row.records })
				got := report.Topics[0].Subscriptions[0].Lag.Value
				// A second, in which records are created and shards read.
				if got == nil || got.Kind != row.kind || got.Seconds < row.seconds || got.Seconds > row.seconds+3 || got.AtLeastSeconds < row.atLeast || got.AtLeastSeconds > row.atLeast+3 || got.Subject != row.subject {
					t.Errorf("got %+v:\n%s", got, text(report))
				}
			})
		})
	}
}

// Where relay, queue and dead-letter queue are known to be empty, nothing is
// read: a look at a system at rest costs no stream requests but the relay's.
func TestASystemAtRestIsNotReadThrough(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bootstrap()
		w.write("1", "One", "Energy")
		w.relayed(1)
		w.engine.ResetRequests()
		if lag := w.look().Topics[0].Subscriptions[0].Lag.Value; lag == nil || lag.Kind != status.None {
			t.Errorf("lag %+v", lag)
		}
		for operation := range w.engine.Requests() {
			if operation.Name == "BatchGetItem" || operation.Name == "ListStreams" {
				t.Errorf("it called %s", operation)
			}
		}
		w.send("stats-company-profile-v1-dlq", 1)
		if lag := w.look().Topics[0].Subscriptions[0].Lag.Value; lag == nil || lag.Kind != status.Exact {
			t.Errorf("with a dead letter the lag is %+v", lag)
		}
	})
}

func TestWithoutABudgetTheLagIsNotKnown(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bootstrap()
		w.write("1", "One", "Energy")
		report := w.look(func(c *status.Config) { c.MaxRecords = -1 })
		if lag := report.Topics[0].Subscriptions[0].Lag; lag.Value != nil || lag.Unknown == "" || !report.Complete {
			t.Errorf("lag %+v", lag)
		}
	})
}
