package explain_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/explain"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/status"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// The age of what waits for a subscriber is the one that status tells, of any
// item, whichever is explained.
func TestTheAgeOfAQueueIsTold(t *testing.T) {
	inWorld(t, func(w *world) {
		w.both()
		w.put("companies", company("2", "Banana", "Tech"))
		time.Sleep(10 * time.Minute) // virtual
		w.put("companies", company("1", "Apple", "Tech"))
		w.run(10*time.Second, w.relay)
		for _, subject := range []string{"1", "2", "3"} {
			now := time.Now()
			clock := func() time.Time { return now }
			report := must(status.Look(w.Context(), status.Config{Clients: w.clients, Set: w.set, Now: clock}))
			facts := must(explain.Explain(w.Context(), explain.Config{Clients: w.clients, Set: w.set, Contract: contract, Subject: subject, Now: clock}))
			if diff := cmp.Diff(report.Topics[0].Subscriptions[0].Lag, facts.Subscribers[0].Subscription.Lag); diff != "" {
				t.Errorf("status tells another lag: %s", diff)
			}
			w.age(subject, "  lag, the oldest change not applied: 10m")
		}
		data := must(json.Marshal(w.explain("1")))
		if !strings.Contains(string(data), `"lag":{"value":{"kind":"exact","seconds":6`) {
			t.Errorf("not in %s", data)
		}
		w.both()
		if age := w.age("1", "  lag, the oldest change not applied: none\n"); age.Value == nil || age.Value.Kind != lag.None {
			t.Errorf("with everything applied %+v", age)
		}
	})
}

// Where it is not known that is said, with the reason, and never told as
// nothing.
func TestAnAgeThatIsNotKnownIsNotNothing(t *testing.T) {
	for _, row := range []struct {
		behaviour string
		records   int
		deny      string // an operation
		happens   func(*world)
		want      string
	}{
		{"no stream records are to be read", -1, "", nil, "not known: something is on its way, and no stream records are to be read"},
		{"the stream may not be read", 0, "GetRecords", nil, "not read: "},
		{"the copies may not be read", 0, "BatchGetItem", nil, "not read: "},
		{"the source may not be described", 0, "DescribeTable", nil, "not read: the source table could not be described"},
		{"fewer records are read than there are", 1, "", nil, "less than 24h0m, at least "},
		{"what waits is older than the stream", 0, "", func(w *world) { time.Sleep(25 * time.Hour) }, "not known: the item replicas have every change of the last 24 hours, "},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.both()
				w.put("companies", company("1", "Apple", "Tech"))
				time.Sleep(30 * time.Minute) // virtual
				w.put("companies", company("2", "Banana", "Tech"))
				w.run(10*time.Second, w.relay)
				time.Sleep(30*time.Minute - 10*time.Second)
				if row.happens != nil {
					row.happens(w)
				}
				w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
					if c.Operation == row.deny {
						return localaws.Fault{Error: &wire.Error{Code: "AccessDeniedException", Message: "not authorized to perform " + row.deny, Status: 400}}
					}
					return localaws.Fault{}
				})
				facts := must(explain.Explain(w.Context(), explain.Config{Clients: w.clients, Set: w.set, Contract: contract, Subject: "1", MaxRecords: row.records}))
				var text bytes.Buffer
				facts.Write(&text)
				if want := "  lag, the oldest change not applied: " + row.want; !strings.Contains(text.String(), want) {
					t.Errorf("no %q in\n%s", want, text.String())
				}
			})
		})
	}
}

// The stream is read once, and of copies no more than changed: explaining costs
// no more requests for what else waits.
func TestTheAgeCostsNoSecondReadingOfTheStream(t *testing.T) {
	inWorld(t, func(w *world) {
		w.both()
		w.put("companies", company("1", "Apple", "Tech"))
		w.run(10*time.Second, w.relay)
		count := func() (records, copies int) {
			before := w.engine.Requests()
			w.explain("1")
			for operation, n := range w.engine.Requests().Since(before) {
				switch operation.Name {
				case "GetRecords":
					records += int(n)
				case "BatchGetItem":
					copies += int(n)
				}
			}
			return records, copies
		}
		busyRecords, busyCopies := count()
		w.run(time.Minute, w.consumer)
		idleRecords, idleCopies := count()
		// An end is found by some twenty empty reads of each shard, now and then one
		// more or less; a second reading would do that anew.
		if busyRecords > idleRecords+5 || busyCopies != idleCopies+1 {
			t.Errorf("%d reads of the stream and %d of copies, at rest %d and %d", busyRecords, busyCopies, idleRecords, idleCopies)
		}
		for i := range 150 {
			w.put("companies", company(string(rune('A'+i%26))+string(rune('A'+i/26)), "Apple", "Tech"))
		}
		w.run(10*time.Second, w.relay)
		manyRecords, manyCopies := count()
		if manyRecords > idleRecords+8 || manyCopies != idleCopies+2 {
			t.Errorf("with 150 more items %d reads of the stream and %d of copies, at rest %d and %d", manyRecords, manyCopies, idleRecords, idleCopies)
		}
	})
}

// age explains, wants the line, and returns what is told of the first
// subscriber's queue.
func (w *world) age(subject, line string) status.Cell[lag.Age] {
	w.Helper()
	facts := w.explain(subject)
	var text bytes.Buffer
	facts.Write(&text)
	if !strings.Contains(text.String(), line) {
		w.Errorf("no %q in\n%s", line, text.String())
	}
	return facts.Subscribers[0].Subscription.Lag
}
