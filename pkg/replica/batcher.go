package replica

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// BatcherConfig tunes a Batcher. The zero value works.
type BatcherConfig struct {
	// MaxWrites is the most items of one batch. Default 25, which is what
	// DynamoDB's BatchExecuteStatement takes; from 1 to 1,000.
	MaxWrites int
	// Parallel is how many batches are written at the same time; while they
	// are, others fill up. Default 4, from 1 to 100.
	Parallel int
	// Quiet ends the wait for company: a batch that is not full is written when
	// nothing has joined it for this long. It is what batching adds to the lag
	// of a lone change. Default 1 ms, at most 1 s.
	Quiet time.Duration
	// Linger bounds the wait while others do keep joining. Default 8 ms, from
	// Quiet to 1 s.
	Linger time.Duration
	// Metrics counts; nil for none.
	Metrics *Metrics
}

func (c BatcherConfig) withDefaults() BatcherConfig {
	if c.MaxWrites == 0 {
		c.MaxWrites = 25
	}
	if c.Parallel == 0 {
		c.Parallel = 4
	}
	if c.Quiet == 0 {
		c.Quiet = time.Millisecond
	}
	if c.Linger == 0 {
		c.Linger = max(8*time.Millisecond, c.Quiet)
	}
	return c
}

// Validate reports every field that is out of its range.
func (c BatcherConfig) Validate() error {
	c = c.withDefaults()
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.MaxWrites < 1 || c.MaxWrites > 1000 {
		report("MaxWrites is %d, it must be from 1 to 1000", c.MaxWrites)
	}
	if c.Parallel < 1 || c.Parallel > 100 {
		report("Parallel is %d, it must be from 1 to 100", c.Parallel)
	}
	if c.Quiet < 0 || c.Quiet > time.Second {
		report("Quiet is %v, it must be from 0 to 1s", c.Quiet)
	}
	if c.Linger < c.Quiet || c.Linger > time.Second {
		report("Linger is %v, it must be from Quiet, %v, to 1s", c.Linger, c.Quiet)
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("batcher config: %w", err)
	}
	return nil
}

// Batcher is a Store that lets writes which wait at the same moment share
// requests. Of several to one item only the one of the highest version is made:
// the others are answered, once it is durable, with the item it left, which
// makes them stale. It never has two writes to one item on their way at once.
// What Store promises for each write still holds, and so do the errors: a write
// that can never be made costs no other, also none that it would have
// superseded. One that meets a BusyError is made again after a pause, in which
// it keeps nothing waiting but other writes to its item. A Batcher has
// goroutines only while writes are on their way, and is safe for concurrent
// use.
type Batcher struct {
	Store // for what is not batched
	each  BatchStore
	cfg   BatcherConfig

	mu      sync.Mutex
	lanes   map[itemID]*lane
	ready   []*lane // have a write that waits and none on its way
	running int
	// While ready is not empty, first and last are when its first and its last
	// lane joined it, and timer runs until a batch of it is due.
	first, last time.Time
	timer       *time.Timer
	due         bool
}

var _ Store = (*Batcher)(nil)

// NewBatcher returns a batcher that writes to a store.
func NewBatcher(store BatchStore, cfg BatcherConfig) (*Batcher, error) {
	if store == nil {
		return nil, fmt.Errorf("batcher config: %w", missing("the store"))
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Batcher{Store: store, each: store, cfg: cfg.withDefaults(), lanes: make(map[itemID]*lane)}, nil
}

// Write implements Store. It returns when the write, or one that supersedes it,
// is durable, or when ctx ends; then the write may still take place. A write
// with Replaces is made at once and alone: others failed before it.
func (b *Batcher) Write(ctx context.Context, w Write) (WriteResult, error) {
	if w.Replaces != nil {
		return b.Store.Write(ctx, w)
	}
	c := &call{write: w, ctx: ctx, done: make(chan struct{})}
	b.add(c)
	select {
	case <-c.done:
		return c.result, c.err
	case <-ctx.Done():
		b.abandon(c)
		return WriteResult{}, context.Cause(ctx)
	}
}

// add puts a call where it can share a write or at least a request.
func (b *Batcher) add(c *call) {
	id := identify(&c.write)
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lanes[id]
	if l == nil {
		l = &lane{id: id}
		b.lanes[id] = l
	}
	c.lane = l
	if l.join(c) {
		return
	}
	l.waiting = append(l.waiting, &joint{calls: []*call{c}})
	if !l.writing && len(l.waiting) == 1 {
		b.queue(l)
		b.dispatch()
	}
}

// queue lets a lane wait for a batch. b.mu is held.
func (b *Batcher) queue(l *lane) {
	b.last = time.Now()
	if len(b.ready) == 0 {
		b.first = b.last
	}
	b.ready = append(b.ready, l)
}

// dispatch starts the batches that are full or due. b.mu is held.
func (b *Batcher) dispatch() {
	for b.running < b.cfg.Parallel {
		batch := b.next()
		if batch == nil {
			break
		}
		b.running++
		go b.writeAll(batch)
	}
	b.watch()
}

// next takes the next batch that is full or due, nil if there is none. b.mu is
// held.
func (b *Batcher) next() []*lane {
	for len(b.ready) > 0 && (b.due || len(b.ready) >= b.cfg.MaxWrites) {
		n := min(len(b.ready), b.cfg.MaxWrites)
		batch := make([]*lane, 0, n)
		for _, l := range b.ready[:n] {
			if l.begin() {
				batch = append(batch, l)
			} else {
				b.release(l)
			}
		}
		b.ready = append(b.ready[:0], b.ready[n:]...)
		if len(batch) > 0 {
			return batch
		}
	}
	return nil
}

// watch sees to it that what is ready becomes due. b.mu is held.
func (b *Batcher) watch() {
	switch {
	case len(b.ready) == 0:
		b.due = false
		if b.timer != nil {
			b.timer.Stop()
			b.timer = nil
		}
	case b.timer == nil && !b.due:
		b.timer = time.AfterFunc(b.patience(), b.tick)
	}
}

// patience returns how much longer the lanes that are ready may wait. b.mu is
// held.
func (b *Batcher) patience() time.Duration {
	now := time.Now()
	return min(b.cfg.Quiet-now.Sub(b.last), b.cfg.Linger-now.Sub(b.first))
}

// tick has a batch made if nothing has joined it for long enough.
func (b *Batcher) tick() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer == nil {
		return // stopped too late
	}
	if left := b.patience(); left > 0 {
		b.timer.Reset(left)
		return
	}
	b.timer, b.due = nil, true
	b.dispatch()
}

// writeAll writes a batch, and then those that have become due meanwhile.
func (b *Batcher) writeAll(batch []*lane) {
	growStackToRequest(len(batch))
	for batch != nil {
		b.write(batch)
		b.mu.Lock()
		if batch = b.next(); batch == nil {
			b.running--
		}
		b.dispatch()
		b.mu.Unlock()
	}
}

// write makes the batch's writes and answers those who wait for them.
func (b *Batcher) write(batch []*lane) {
	writes := make([]Write, len(batch))
	b.mu.Lock()
	for i, l := range batch {
		writes[i] = l.made.write
	}
	ctx, stop := b.context(batch)
	b.mu.Unlock()
	results, errs := b.each.WriteEach(ctx, writes)
	stop()

	b.mu.Lock()
	defer b.mu.Unlock()
	var busy [busyAttempts][]*lane // by the attempts made
	for i, l := range batch {
		var err error
		if errs != nil {
			err = errs[i]
		}
		superseded, attempts := l.settle(results[i], err)
		b.cfg.Metrics.superseded(l.id.table, superseded)
		if attempts > 0 {
			busy[attempts] = append(busy[attempts], l)
			continue
		}
		b.release(l)
	}
	for attempts, lanes := range busy {
		if len(lanes) > 0 {
			time.AfterFunc(pauseAfter(attempts), func() { b.resume(lanes) })
		}
	}
}

// resume ends the pause of lanes, all at once, so that they share a request.
func (b *Batcher) resume(lanes []*lane) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range lanes {
		b.release(l)
	}
	b.dispatch()
}

// context returns the context of a batch: it ends when nobody waits for any of
// it any more, which may be so from the start. b.mu is held.
func (b *Batcher) context(batch []*lane) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(batch[0].made.ctx))
	group := &waiters{cancel: cancel}
	for _, l := range batch {
		for _, c := range l.head.calls {
			if !c.gone { // since the batch was put together
				c.waiters = group
				group.left++
			}
		}
	}
	if group.left == 0 {
		cancel()
	}
	return ctx, cancel
}

// abandon notes that nobody waits for a call any more.
func (b *Batcher) abandon(c *call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.gone = true
	if c.waiters == nil {
		return
	}
	if c.waiters.left--; c.waiters.left == 0 {
		c.waiters.cancel()
	}
}

// release lets the lane's next write wait for a batch. b.mu is held.
func (b *Batcher) release(l *lane) {
	l.writing = false
	if len(l.waiting) > 0 {
		b.queue(l)
		return
	}
	delete(b.lanes, l.id)
}
