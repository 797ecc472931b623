package reconcile

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// held is a difference that waits to be looked at again, or a repair that waits
// to be seen.
type held struct {
	page    *page
	view    int // the replica's; sourceItself for an item without a version
	subject string
	key     contracts.Item // the local item's; nil for sourceItself
	due     time.Time
	// version and stored are the source's and the copy's when the difference
	// was last seen.
	version, stored contracts.Version
	rounds          int
	// fromSource says that pass 1 found it.
	fromSource bool

	// finding is set once it is drift that is to be repaired, and target is the
	// version that repairs it.
	finding  *Finding
	target   contracts.Version
	deadline time.Time
}

// sourceItself stands for the replica in what is wrong with a source item.
const sourceItself = -1

// ledger has what is held, by when it is due. It is safe for concurrent use.
type ledger struct {
	most int

	mu      sync.Mutex
	waiting queue
	out     int           // taken and neither given back nor dropped
	changed chan struct{} // closed and replaced at every change
}

func newLedger(most int) *ledger { return &ledger{most: most, changed: make(chan struct{})} }

// notify wakes whoever waits. l.mu is held.
func (l *ledger) notify() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// hold adds a difference once there is room.
func (l *ledger) hold(ctx context.Context, h *held) error {
	return l.until(ctx, func() bool {
		if len(l.waiting)+l.out >= l.most {
			return false
		}
		heap.Push(&l.waiting, h)
		l.notify()
		return true
	})
}

// again adds differences that came of others, without waiting.
func (l *ledger) again(all ...*held) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range all {
		heap.Push(&l.waiting, h)
	}
	l.notify()
}

// dropped says that so many of what was taken are dealt with; those given back
// by again count too.
func (l *ledger) dropped(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out -= n
	l.notify()
}

// drained returns when nothing is held.
func (l *ledger) drained(ctx context.Context) error {
	return l.until(ctx, func() bool { return len(l.waiting)+l.out == 0 })
}

func (l *ledger) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) + l.out
}

// until calls done, with l.mu held, until it is true.
func (l *ledger) until(ctx context.Context, done func() bool) error {
	for {
		l.mu.Lock()
		ok, changed := done(), l.changed
		l.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
		}
	}
}

// take waits until something is due, and takes up to most of it.
func (l *ledger) take(ctx context.Context, now func() time.Time, most int) ([]*held, error) {
	for {
		l.mu.Lock()
		changed := l.changed
		wait := time.Duration(-1)
		var due []*held
		for len(l.waiting) > 0 && len(due) < most {
			if wait = l.waiting[0].due.Sub(now()); wait > 0 {
				break
			}
			due = append(due, heap.Pop(&l.waiting).(*held))
		}
		l.out += len(due)
		l.mu.Unlock()
		if len(due) > 0 {
			return due, nil
		}
		var timer <-chan time.Time // never, if nothing waits
		if wait > 0 {
			timer = time.After(wait)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-changed:
		case <-timer:
		}
	}
}

// queue is a heap by due.
type queue []*held

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *queue) Push(h any) { *q = append(*q, h.(*held)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	old := *q
	h := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return h
}
