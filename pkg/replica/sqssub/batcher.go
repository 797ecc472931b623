package sqssub

import (
	"sync"
	"time"
)

// batcher collects items until ten are there, or until the first has lingered
// long enough, and runs them together. It has goroutines only while batches
// run.
type batcher[T any] struct {
	run      func([]T)
	linger   time.Duration
	parallel int // batches that run at the same time; further ones fill up meanwhile
	// bytes and maxBytes bound a batch by what its items weigh; an item that is
	// too heavy by itself goes alone. Nil: items weigh nothing.
	bytes    func(T) int
	maxBytes int

	mu      sync.Mutex
	pending []T
	running int
	due     bool // the oldest pending item has lingered long enough
	timer   *time.Timer
	hurried bool
	items   sync.WaitGroup // items added and not yet run
}

// add takes an item; it never blocks.
func (b *batcher[T]) add(item T) {
	b.items.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending = append(b.pending, item)
	b.dispatch()
}

// hurry ends all lingering, for good.
func (b *batcher[T]) hurry() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hurried = true
	b.dispatch()
}

// wait returns when everything added has run.
func (b *batcher[T]) wait() { b.items.Wait() }

func (b *batcher[T]) dispatch() {
	for len(b.pending) > 0 && b.running < b.parallel {
		n, full := b.fill()
		if !full && !b.due && !b.hurried && b.linger > 0 {
			break
		}
		batch := b.pending[:n:n]
		b.pending = b.pending[n:]
		b.running++
		go b.work(batch)
	}
	switch {
	case len(b.pending) == 0:
		b.due, b.pending = false, nil
		if b.timer != nil {
			b.timer.Stop()
			b.timer = nil
		}
	case b.timer == nil && !b.due && !b.hurried:
		b.timer = time.AfterFunc(b.linger, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.timer, b.due = nil, len(b.pending) > 0
			b.dispatch()
		})
	}
}

// fill says how many pending items make the next batch, and whether it can
// take no more.
func (b *batcher[T]) fill() (n int, full bool) {
	weight := 0
	for i, item := range b.pending {
		if i == MaxBatchMessages {
			return i, true
		}
		if b.bytes != nil {
			if weight += b.bytes(item); i > 0 && weight > b.maxBytes {
				return i, true
			}
		}
	}
	return len(b.pending), len(b.pending) == MaxBatchMessages
}

func (b *batcher[T]) work(batch []T) {
	b.run(batch)
	b.mu.Lock()
	b.running--
	b.dispatch()
	b.mu.Unlock()
	b.items.Add(-len(batch))
}
