package sqssub

import (
	"sync"
	"time"
)

// batcher collects items until ten are there, or until the first has lingered
// long enough, and runs them together. Its goroutines are started as they are
// needed.
type batcher[T any] struct {
	run      func([]T)
	linger   time.Duration
	parallel int // batches that run at the same time; further ones fill up meanwhile
	// bytes and maxBytes bound a batch by what its items weigh; an item that is
	// too heavy by itself goes alone. Nil: items weigh nothing.
	bytes    func(T) int
	maxBytes int
	// stay lets goroutines wait for further batches, until stop: a request needs
	// a deep stack, which is costly to grow for every batch.
	stay bool

	mu      sync.Mutex
	pending []T
	running int
	due     bool // the oldest pending item has lingered long enough
	timer   *time.Timer
	hurried bool
	items   sync.WaitGroup // items added and not yet run
	workers sync.WaitGroup
	idle    int      // workers without a batch
	batches chan []T // to idle workers, one each
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

// stop returns when everything added has run, and all goroutines have ended.
// Nothing may be added any more.
func (b *batcher[T]) stop() {
	b.items.Wait()
	b.mu.Lock()
	if b.batches != nil {
		close(b.batches)
	}
	b.mu.Unlock()
	b.workers.Wait()
}

func (b *batcher[T]) dispatch() {
	for len(b.pending) > 0 && b.running < b.parallel {
		n, full := b.fill()
		if !full && !b.due && !b.hurried && b.linger > 0 {
			break
		}
		batch := b.pending[:n:n]
		b.pending = b.pending[n:]
		b.start(batch)
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

// start has a batch run. b.mu is held.
func (b *batcher[T]) start(batch []T) {
	if b.batches == nil {
		b.batches = make(chan []T, b.parallel)
	}
	b.running++
	if b.idle > 0 {
		b.idle--
	} else {
		b.workers.Go(b.work)
	}
	b.batches <- batch // never blocks: no more than parallel are running
}

func (b *batcher[T]) work() {
	for batch := range b.batches {
		b.run(batch)
		b.items.Add(-len(batch))
		if !b.next() {
			return
		}
	}
}

// next makes a worker idle, and says whether it is still needed.
func (b *batcher[T]) next() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running--
	b.idle++
	b.dispatch()
	if b.idle > 0 && !b.stay {
		b.idle--
		return false
	}
	return true
}

// fill says how many pending items make the next batch, and whether it can
// take no more.
func (b *batcher[T]) fill() (n int, full bool) {
	if b.bytes == nil {
		n = min(len(b.pending), MaxBatchMessages)
		return n, n == MaxBatchMessages
	}
	weight := 0
	for i, item := range b.pending {
		if i == MaxBatchMessages {
			return i, true
		}
		if weight += b.bytes(item); i > 0 && weight > b.maxBytes {
			return i, true
		}
	}
	return len(b.pending), len(b.pending) == MaxBatchMessages
}
