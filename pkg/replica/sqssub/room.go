package sqssub

import (
	"context"
	"sync"
	"time"
)

// room counts the messages a subscription may hold. Held ones are asked for or
// unsettled, at most limit; settling ones wait for their delete or return, and
// held and settling ones together are at most twice the limit, so that a slow
// or throttled SQS slows receiving down.
type room struct {
	limit int

	mu             sync.Mutex
	held, settling int
	waiting        int
	changed        chan struct{} // closed and replaced on a change somebody waits for
}

func newRoom(limit int) *room { return &room{limit: limit, changed: make(chan struct{})} }

// take waits until there is room for want messages, or for at least one and
// patience is over, and holds it. It returns 0 when the context ends.
func (r *room) take(ctx context.Context, want int, patience time.Duration) int {
	want = min(want, r.limit)
	var timer *time.Timer
	var over <-chan time.Time
	defer func() {
		if timer != nil {
			timer.Stop()
		}
	}()
	impatient := false
	for ctx.Err() == nil {
		r.mu.Lock()
		free := min(r.limit-r.held, 2*r.limit-r.held-r.settling)
		if free >= want || (impatient && free > 0) {
			n := min(free, want)
			r.held += n
			r.mu.Unlock()
			return n
		}
		changed := r.changed
		r.waiting++
		r.mu.Unlock()
		if free > 0 && timer == nil {
			timer = time.NewTimer(patience)
			over = timer.C
		}
		select {
		case <-changed:
		case <-over:
			impatient, over = true, nil
		case <-ctx.Done():
		}
		r.mu.Lock()
		r.waiting--
		r.mu.Unlock()
	}
	return 0
}

// release gives up what was held.
func (r *room) release(n int) { r.change(-n, 0) }

// settle turns a held message into a settling one.
func (r *room) settle() { r.change(-1, 1) }

// settled is the end of a settling message.
func (r *room) settled() { r.change(0, -1) }

func (r *room) change(held, settling int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held += held
	r.settling += settling
	if r.waiting > 0 {
		close(r.changed)
		r.changed = make(chan struct{})
	}
}

// counts returns the held and the settling messages.
func (r *room) counts() (held, settling int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held, r.settling
}
