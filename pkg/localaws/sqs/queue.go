package sqs

import (
	"time"

	"github.com/tidwall/btree"
)

// queue is one queue's state, guarded by the service's mutex. Every operation
// costs O(log n) of the messages on it.
type queue struct {
	service  *Service
	serial   uint64 // tells a queue from a deleted one of the same name
	name     string
	arn      string
	settings settings
	tags     map[string]string
	created  time.Time
	modified time.Time
	purged   time.Time
	gone     bool

	messages map[uint64]*message
	byAge    *btree.BTreeG[*message] // every message, by sentAt: for retention
	byDue    *btree.BTreeG[*message] // delayed and in-flight ones, by due
	line     line                    // visible ones
	counts   [3]int                  // by state
	receipts uint64                  // receives so far: numbers receipt handles

	dedup    deduplication
	attempts map[string]receiveAttempt
	// attemptOrder has the ids of attempts by age; one used again is in it
	// twice, and forgotten after its last use.
	attemptOrder []string
	sequence     uint64

	waiters []*waiter
	timer   *time.Timer
	timerAt time.Time // when the timer fires, zero if it is not set
}

// line is the order in which a queue's messages are received.
type line interface {
	// changed notes that a message is new on the queue or has a new state.
	changed(m *message)
	// removed notes that a message has left the queue.
	removed(m *message)
	// next returns the message to receive next, nil if there is none. After a
	// message that the same ReceiveMessage has just taken it prefers one of
	// the same group.
	next(after *message) *message
}

func newQueue(s *Service, name string, settings settings, tags map[string]string) *queue {
	now := s.cfg.Now()
	q := &queue{
		service: s, serial: s.nextSerial(), name: name, arn: s.arn(name),
		settings: settings, tags: tags, created: now, modified: now,
	}
	q.empty()
	return q
}

// empty drops every message. Deduplication goes on: SQS remembers ids even of
// deleted messages.
func (q *queue) empty() {
	q.messages = map[uint64]*message{}
	q.byAge = btree.NewBTreeGOptions(func(a, b *message) bool {
		return before(a.sentAt, b.sentAt, a, b)
	}, btree.Options{NoLocks: true})
	q.byDue = btree.NewBTreeGOptions(func(a, b *message) bool {
		return before(a.due, b.due, a, b)
	}, btree.Options{NoLocks: true})
	q.counts = [3]int{}
	q.attempts, q.attemptOrder = map[string]receiveAttempt{}, nil
	if q.settings.fifo {
		q.line = newGroups()
	} else {
		q.line = newCrowd()
	}
}

func before(at, bt time.Time, a, b *message) bool {
	if at.Equal(bt) {
		return a.serial < b.serial
	}
	return at.Before(bt)
}

// add puts a message on the queue, visible after a delay. The message gets a
// serial of this queue.
func (q *queue) add(m *message, delay time.Duration) {
	m.serial = q.service.nextSerial()
	m.receivesHere, m.receipt = 0, 0
	q.messages[m.serial] = m
	q.byAge.Set(m)
	if delay > 0 {
		m.state, m.due = delayed, q.service.cfg.Now().Add(delay)
		q.byDue.Set(m)
	} else {
		m.state = visible
	}
	q.counts[m.state]++
	q.rank(m)
	q.line.changed(m)
}

// rank gives a message its place among the visible ones.
func (q *queue) rank(m *message) {
	m.rank = m.serial
	if shuffle := q.service.cfg.Shuffle; shuffle != nil && !q.settings.fifo {
		m.rank = shuffle()
	}
}

// move changes a message's state. A message that is delayed or in flight
// becomes visible at due.
func (q *queue) move(m *message, to state, due time.Time) {
	if m.state != visible {
		q.byDue.Delete(m)
	}
	q.counts[m.state]--
	q.counts[to]++
	m.state, m.due = to, due
	if to == visible {
		m.due = time.Time{}
	} else {
		q.byDue.Set(m)
	}
	q.line.changed(m)
	if to == visible {
		return
	}
	q.rank(m) // for its next turn; it is not in line now
}

// remove takes a message off the queue.
func (q *queue) remove(m *message) {
	delete(q.messages, m.serial)
	q.byAge.Delete(m)
	if m.state != visible {
		q.byDue.Delete(m)
	}
	q.counts[m.state]--
	q.line.removed(m)
}

// advance lets time pass: delays and visibility timeouts that have ended make
// messages visible, and messages past their retention vanish.
func (q *queue) advance(now time.Time) {
	for {
		m, ok := q.byDue.Min()
		if !ok || m.due.After(now) {
			break
		}
		q.move(m, visible, time.Time{})
	}
	for {
		m, ok := q.byAge.Min()
		if !ok || m.sentAt.Add(q.settings.retention).After(now) {
			break
		}
		q.remove(m)
	}
}

// roomInFlight is how many more messages may be received.
func (q *queue) roomInFlight() int {
	return max(q.service.cfg.MaxInFlight-q.counts[inFlight], 0)
}

// settle is called after anything changed: it lets time pass, wakes a waiter
// if there is something for it, and sets the timer for the next change that
// time brings.
func (q *queue) settle(now time.Time) {
	q.advance(now)
	if len(q.waiters) == 0 {
		return
	}
	if q.gone || q.service.closed {
		for len(q.waiters) > 0 {
			q.wakeFirst()
		}
		return
	}
	if q.roomInFlight() > 0 && q.line.next(nil) != nil {
		q.wakeFirst()
	}
	q.arm(now)
}
