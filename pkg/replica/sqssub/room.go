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
	// turn has a token while somebody waits, or looks whether there is room. One
	// at a time: side by side, what becomes free would be taken one by one.
	turn chan struct{}
	// enough has a token when as much is free as the one who waits needs.
	enough chan struct{}

	mu             sync.Mutex
	held, settling int
	needed         int // by the one who waits; 0: nobody does
}

func newRoom(limit int) *room {
	return &room{limit: limit, turn: make(chan struct{}, 1), enough: make(chan struct{}, 1)}
}

// take waits until there is room for want messages, or for at least one and
// patience is over, and holds it. It returns 0 when the context ends.
func (r *room) take(ctx context.Context, want int, patience time.Duration) int {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return 0
	}
	want = min(want, r.limit)
	var timer *time.Timer
	var over <-chan time.Time
	for least := want; ctx.Err() == nil; {
		n, some := r.hold(least, want)
		if n > 0 {
			return n
		}
		if some && timer == nil {
			timer = time.NewTimer(patience)
			defer timer.Stop()
			over = timer.C
		}
		select {
		case <-r.enough:
		case <-over:
			least, over = 1, nil
		case <-ctx.Done():
		}
	}
	return 0
}

// hold holds what is free, up to want, unless that is less than least; then it
// says whether anything is free, and the next change that makes it enough, or
// not nothing any more, puts a token into r.enough.
func (r *room) hold(least, want int) (held int, some bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	free := r.free()
	if free >= least {
		r.needed = 0
		held = min(free, want)
		r.held += held
		return held, true
	}
	r.needed = 1
	if free > 0 {
		r.needed = least
	}
	return 0, free > 0
}

func (r *room) free() int { return min(r.limit-r.held, 2*r.limit-r.held-r.settling) }

// release gives up what was held.
func (r *room) release(n int) { r.change(-n, 0) }

// settle turns a held message into a settling one.
func (r *room) settle() { r.change(-1, 1) }

// settled is the end of n settling messages.
func (r *room) settled(n int) { r.change(0, -n) }

func (r *room) change(held, settling int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held += held
	r.settling += settling
	if r.needed == 0 || r.free() < r.needed {
		return
	}
	r.needed = 0
	select {
	case r.enough <- struct{}{}:
	default: // a token left over from before does as well
	}
}

// counts returns the held and the settling messages.
func (r *room) counts() (held, settling int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held, r.settling
}
