package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
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
		kind      lag.Kind
		seconds   float64
		atLeast   float64
		subject   string
	}{
		{"nothing has happened", func(*world) {}, 0, lag.None, 0, 0, ""},
		{"everything is applied", func(w *world) { w.apply("1", w.write("1", "One", "Energy")) }, 0, lag.None, 0, 0, ""},
		{"one change is not", func(w *world) {
			w.write("1", "One", "Energy")
			time.Sleep(time.Minute)
		}, 0, lag.Exact, 60, 0, "1"},
		{"of two, the older one counts", func(w *world) {
			w.write("1", "One", "Energy")
			time.Sleep(time.Minute)
			w.write("1", "Uno", "Energy")
			time.Sleep(time.Minute)
		}, 0, lag.Exact, 120, 0, "1"},
		{"the older one is applied, the newer one is not", func(w *world) {
			w.apply("1", w.write("1", "One", "Energy"))
			time.Sleep(time.Minute)
			w.write("1", "Uno", "Energy")
			time.Sleep(30 * time.Second)
		}, 0, lag.Exact, 30, 0, "1"},
		{"another item's is older", func(w *world) {
			w.write("2", "Two", "Energy")
			time.Sleep(time.Minute)
			w.apply("1", w.write("1", "One", "Energy"))
		}, 0, lag.Exact, 60, 0, "2"},
		{"a version ahead of the clock is as old as its record", func(w *world) {
			w.put("1", "One", "Energy", contracts.VersionAt(time.Now().Add(2*time.Hour)))
			time.Sleep(time.Minute)
		}, 0, lag.Exact, 59, 0, "1"},
		{"a change that the filter keeps away does not count", func(w *world) {
			w.apply("1", w.write("1", "One", "Energy"))
			time.Sleep(time.Minute)
			w.write("1", "One", "Utilities")
			time.Sleep(time.Minute)
		}, 0, lag.None, 0, 0, ""},
		{"a copy that is ahead has what is older", func(w *world) {
			w.write("1", "One", "Energy")
			time.Sleep(time.Minute)
			w.apply("1", w.write("1", "Uno", "Energy"))
		}, 0, lag.None, 0, 0, ""},
		{"where the budget ends, all that was read is applied", func(w *world) {
			w.apply("1", w.write("1", "One", "Energy"))
			time.Sleep(time.Minute)
			w.apply("2", w.write("2", "Two", "Energy"))
			time.Sleep(time.Minute)
			w.write("3", "Three", "Energy")
			time.Sleep(time.Minute)
		}, 2, lag.LessThan, 120, 0, ""},
		{"where the budget ends at what is not applied, what comes of the same second may be older", func(w *world) {
			w.write("1", "One", "Energy")
			time.Sleep(time.Minute)
			w.write("2", "Two", "Energy")
			time.Sleep(time.Minute)
		}, 1, lag.LessThan, 120, 120, "1"},
		{"where the budget ends, what was read before is exact", func(w *world) {
			w.write("1", "One", "Energy")
			time.Sleep(time.Minute)
			w.apply("2", w.write("2", "Two", "Energy"))
			time.Sleep(time.Minute)
			w.write("3", "Three", "Energy")
		}, 2, lag.Exact, 120, 0, "1"},
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

// A lag that lasts says whose it is, which is where to look next.
func TestALastingLagNamesItsItem(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bootstrap()
		w.write("1", "One", "Energy")
		time.Sleep(30 * time.Second)
		const said = "  stats's lag is that of 1: replicactl explain company.profile/v1 says why\n"
		if report := w.look(); strings.Contains(text(report), said) {
			t.Errorf("%q at once in\n%s", said, text(report))
		}
		time.Sleep(time.Minute)
		if report := w.look(); !strings.Contains(text(report), said) {
			t.Errorf("no %q in\n%s", said, text(report))
		}
	})
}

// Where relay, queue and dead-letter queue are known to be empty, nothing is
// read: a look at a system at rest costs no stream requests but the relay's.
func TestASystemAtRestIsNotReadThrough(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bootstrap()
		w.write("1", "One", "Energy")
		w.relayed(1)
		w.engine.ResetRequests()
		if age := w.look().Topics[0].Subscriptions[0].Lag.Value; age == nil || age.Kind != lag.None {
			t.Errorf("lag %+v", age)
		}
		for operation := range w.engine.Requests() {
			if operation.Name == "BatchGetItem" || operation.Name == "ListStreams" {
				t.Errorf("it called %s", operation)
			}
		}
		w.send("stats-company-profile-v1-dlq", 1)
		if age := w.look().Topics[0].Subscriptions[0].Lag.Value; age == nil || age.Kind != lag.Exact {
			t.Errorf("with a dead letter the lag is %+v", age)
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

// A stream keeps 24 hours. What waits and is older than that is not told of as
// nothing, nor as younger than it is.
func TestWhatIsOlderThanTheStreamIsNotCalledUpToDate(t *testing.T) {
	const unknown = "- stats's lag: the item replicas have every change of the last 24 hours, which the stream keeps; what the queues hold"
	for _, row := range []struct {
		behaviour string
		happens   func(*world)
		text      string // the lag's column, or the reason below it
		kind      lag.Kind
	}{
		{"a message waits of which the stream tells nothing", func(w *world) {
			w.write("1", "One", "Energy")
			w.send(queueName, 1)
			time.Sleep(30 * time.Hour)
		}, unknown, ""},
		{"a dead letter lies there of which the stream tells nothing", func(w *world) {
			time.Sleep(30 * time.Hour)
			w.apply("1", w.write("1", "One", "Energy"))
			w.send(queueName+"-dlq", 1)
		}, unknown, ""},
		{"the depth is not known", func(w *world) {
			time.Sleep(30 * time.Hour)
			w.apply("1", w.write("1", "One", "Energy"))
			w.deny("GetQueueUrl")
		}, unknown, ""},
		{"what was applied a moment ago may still be counted", func(w *world) {
			time.Sleep(30 * time.Hour)
			w.apply("1", w.write("1", "One", "Energy"))
			w.send(queueName, 1)
		}, " none ", lag.None},
		{"the changes of a moment ago do not account for what waits", func(w *world) {
			time.Sleep(30 * time.Hour)
			w.apply("1", w.write("1", "One", "Energy"))
			w.send(queueName, 2)
		}, unknown, ""},
		{"a young stream has everything that is not in the queue", func(w *world) {
			w.apply("1", w.write("1", "One", "Energy"))
			w.send(queueName+"-dlq", 1)
		}, "stats's lag: the item replicas have every change since the stream was turned on; what the queues hold", lag.None},
		{"more waits than the stream accounts for", func(w *world) {
			time.Sleep(30 * time.Hour)
			w.write("1", "One", "Energy")
			w.relayed(1)
			w.send(queueName, 2)
			time.Sleep(time.Hour)
			w.relayed(0)
		}, " at least 1h0m ", lag.AtLeast},
		{"as much waits as the stream accounts for", func(w *world) {
			time.Sleep(30 * time.Hour)
			w.write("1", "One", "Energy")
			w.relayed(1)
			w.send(queueName, 1)
			time.Sleep(time.Hour)
			w.relayed(0)
		}, " 1h0m ", lag.Exact},
		{"what waits may be what the relay has published of it, or older", func(w *world) {
			time.Sleep(30 * time.Hour)
			w.write("1", "One", "Energy")
			w.send(queueName, 1)
			time.Sleep(time.Hour)
		}, " at least 1h0m ", lag.AtLeast},
		{"a young stream has everything", func(w *world) {
			w.write("1", "One", "Energy")
			w.send(queueName, 2)
			time.Sleep(time.Hour)
		}, " 1h0m ", lag.Exact},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.bootstrap()
				row.happens(w)
				report := w.look()
				cell := report.Topics[0].Subscriptions[0].Lag
				if cell.Value == nil && (row.kind != "" || cell.Unknown == "") || cell.Value != nil && cell.Value.Kind != row.kind {
					t.Errorf("the lag is %+v, want %q", cell.Value, row.kind)
				}
				if !strings.Contains(text(report), row.text) {
					t.Errorf("no %q in\n%s", row.text, text(report))
				}
			})
		})
	}
}
