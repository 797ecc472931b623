package replicatest

import (
	"encoding/binary"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws"
	localdynamodb "github.com/tributary-dev/tributary/pkg/localaws/dynamodb"
	localsns "github.com/tributary-dev/tributary/pkg/localaws/sns"
	localsqs "github.com/tributary-dev/tributary/pkg/localaws/sqs"
)

// weather is what a seed does to calls and messages. It is a function of the
// seed and of a call's number among those of its operation, so that steps can
// be left out of a plan without changing the weather of all others.
type weather struct {
	seed  uint64
	fine  atomic.Bool // nothing goes wrong
	count atomic.Uint64

	// Of a thousand calls or messages, how many meet it.
	throttled, unavailable, unasked, unanswered, slow, statements uint64
	doubled, late, veryLate, days, refused, entries               uint64

	mu     sync.Mutex
	latest time.Time // when the last message arrives of those held back so far
	lapsed time.Time // when the lapse ends
}

func newWeather(seed uint64) *weather {
	w := &weather{seed: seed}
	most := func(what string, n uint64) uint64 { return w.roll(what, 0) % (n + 1) }
	w.throttled, w.unavailable = most("throttled", 60), most("unavailable", 60)
	w.unasked, w.unanswered = most("unasked", 80), most("unanswered", 100)
	w.slow, w.statements = most("slow", 80), most("statements", 200)
	w.doubled, w.late, w.veryLate = most("doubled", 400), most("late", 400), most("very late", 100)
	w.refused, w.entries = most("refused", 200), most("entries", 200)
	if w.roll("days", 1)%4 == 0 {
		w.days = most("days", 20)
	}
	return w
}

// roll returns the same number for the same seed, thing and place.
func (w *weather) roll(what string, at uint64) uint64 {
	h := fnv.New64a()
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], w.seed)
	binary.LittleEndian.PutUint64(b[8:], at)
	_, _ = h.Write(b[:]) // a hash takes everything
	_, _ = h.Write([]byte(what))
	x := h.Sum64() // FNV's low bits are poor for short texts: finish as SplitMix64 does
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// fault is a localaws.Faults.
func (w *weather) fault(c localaws.Call) localaws.Fault {
	if w.fine.Load() {
		return localaws.Fault{}
	}
	if w.lapsing() {
		switch c.Operation {
		case "ChangeMessageVisibilityBatch":
			return localaws.Fault{Error: localaws.Throttled(c.Service)}
		case "BatchExecuteStatement":
			return localaws.Fault{DelayBefore: 35 * time.Second}
		}
	}
	operation := string(c.Service) + c.Operation
	at := w.roll(operation, uint64(c.Sequence))
	dice, more := at%1000, at/1000
	for _, one := range []struct {
		of    uint64
		fault func() localaws.Fault
	}{
		{w.throttled, func() localaws.Fault { return localaws.Fault{Error: localaws.Throttled(c.Service)} }},
		{w.unavailable, func() localaws.Fault { return localaws.Fault{Error: localaws.Unavailable(c.Service)} }},
		{w.unasked, func() localaws.Fault { return localaws.Fault{Drop: localaws.DropRequest} }},
		{w.unanswered, func() localaws.Fault { return localaws.Fault{Drop: localaws.DropResponse} }},
		{w.slow, func() localaws.Fault {
			late := time.Duration(more%5000) * time.Millisecond
			if more%20 == 0 {
				late *= 10 // longer than a message stays invisible
			}
			if more%2 == 0 {
				return localaws.Fault{DelayAfter: late}
			}
			return localaws.Fault{DelayBefore: late}
		}},
	} {
		if dice < one.of {
			return one.fault()
		}
		dice -= one.of
	}
	if c.Operation != "BatchExecuteStatement" {
		return localaws.Fault{}
	}
	return localaws.Fault{Statement: func(s localdynamodb.Statement) localdynamodb.StatementFault {
		at := w.roll("statement", uint64(c.Sequence)<<8|uint64(s.Index))
		switch {
		case at%1000 >= w.statements:
			return localdynamodb.StatementFault{}
		case at/1000%2 == 0:
			return localdynamodb.StatementFault{Error: localaws.ThrottledStatement()}
		}
		broken := localaws.Unavailable(localaws.DynamoDB)
		return localdynamodb.StatementFault{Error: broken, Applied: at/2000%2 == 0}
	}}
}

// copies decides when the copies of a message arrive; never that none does.
func (w *weather) copies(what string) []time.Duration {
	if w.fine.Load() {
		return []time.Duration{0}
	}
	at := w.count.Add(1)
	one := func(which string) time.Duration {
		x := w.roll(what+which, at)
		var after time.Duration
		switch dice := x % 1000; {
		case what == "sns" && dice < w.days:
			// SNS tries to deliver to a queue for 23 days ("Amazon SNS message
			// delivery retries"), and a dead-letter queue keeps for 14.
			after = time.Duration(x/1000%(13*24*3600)) * time.Second
		case dice < w.veryLate:
			after = time.Duration(x/1000%(6*3600)) * time.Second
		case dice < w.veryLate+w.late:
			after = time.Duration(x/1000%20_000) * time.Millisecond
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if arrives := time.Now().Add(after); arrives.After(w.latest) {
			w.latest = arrives
		}
		return after
	}
	out := []time.Duration{one(" first")}
	if w.roll(what+" doubled", at)%1000 < w.doubled {
		out = append(out, one(" second"))
	}
	return out
}

// publish has a topic refuse a message for the moment, whatever becomes of its
// neighbours in the request.
func (w *weather) publish(_, _ string) error {
	if w.fine.Load() || w.roll("publish", w.count.Add(1))%1000 >= w.refused {
		return nil
	}
	return localaws.Unavailable(localaws.SNS)
}

// entry has SQS refuse an entry of a batch for the moment, and none of its
// neighbours.
func (w *weather) entry(_, _ string) error {
	if w.fine.Load() || w.roll("entry", w.count.Add(1))%1000 >= w.entries {
		return nil
	}
	return localaws.Unavailable(localaws.SQS)
}

// lapse has handlers take longer than visibility timeouts, which nobody extends.
func (w *weather) lapse(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lapsed = time.Now().Add(d)
}

func (w *weather) lapsing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Before(w.lapsed)
}

func (w *weather) sns(localsns.Delivery) []time.Duration { return w.copies("sns") }

func (w *weather) sqs(localsqs.Arrival) []time.Duration { return w.copies("sqs") }

// lastArrival returns when the last of the messages held back arrives.
func (w *weather) lastArrival() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest
}
