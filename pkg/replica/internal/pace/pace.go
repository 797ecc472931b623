// Package pace slows down what publishes a subscriber's history, so that live
// changes still come through: to a rate, and to what the subscriber's queue
// takes.
//
// It promises that no more than the rate is let through, and that nothing is
// while the queue is known to be longer than allowed. It does not promise the
// exact length: SQS counts approximately and with delay, so that a queue can
// grow past the limit by what was published within about a minute.
package pace

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// askEvery is how often the queue's length is asked for.
	askEvery = 5 * time.Second
	// maxSilence is how often in a row the length may not be told: a minute.
	maxSilence = 12
)

// Pace is safe for concurrent use.
type Pace struct {
	limiter *rate.Limiter // nil for no rate
	backlog func(context.Context) (int, error)
	max     int

	asking chan struct{} // held by who asks; the others wait for the answer

	mu      sync.Mutex
	depth   int // as last told
	since   int // let through since then
	asked   time.Time
	waiting bool
}

// New returns a pace of at most perSecond messages a second, 0 for any number,
// that lets nothing through from when backlog says that more than most messages
// wait until no more than half of that do, so that what waits behind them has its
// turn. A nil backlog, or 0 for most, is for queues of any length.
func New(perSecond float64, backlog func(context.Context) (int, error), most int) *Pace {
	p := &Pace{backlog: backlog, max: most, asking: make(chan struct{}, 1)}
	if perSecond > 0 {
		// A tenth of a second's worth at once: even, and few timers.
		p.limiter = rate.NewLimiter(rate.Limit(perSecond), int(max(1, math.Ceil(perSecond/10))))
	}
	return p
}

// Wait returns when n more messages may be published. An error is ctx's, also
// where the rate lets them through only after ctx's deadline, at once then, or
// says that the queue's length was not told for a minute.
func (p *Pace) Wait(ctx context.Context, n int) error {
	if err := p.waitForQueue(ctx, n); err != nil {
		return err
	}
	if p.limiter == nil {
		return context.Cause(ctx)
	}
	for burst := p.limiter.Burst(); n > 0; n -= burst {
		if err := p.limiter.WaitN(ctx, min(n, burst)); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			// The limiter takes no more than its burst, so that this is the one error
			// it has left, which is none of context's.
			return fmt.Errorf("wait for the rate: %w: its turn comes only after that", context.DeadlineExceeded)
		}
	}
	return nil
}

// Backlog returns the queue's length as last told, and whether it is the reason
// why nothing is let through.
func (p *Pace) Backlog() (messages int, waiting bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.depth, p.waiting
}

func (p *Pace) waitForQueue(ctx context.Context, n int) error {
	if p.backlog == nil || p.max <= 0 {
		return nil
	}
	if p.fits(n) {
		return nil
	}
	select {
	case p.asking <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-p.asking }()
	defer p.setWaiting(false)
	for silent := 0; ; {
		if p.fits(n) { // the answer that another one waited for
			return nil
		}
		depth, err := p.backlog(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			if silent++; silent == maxSilence {
				return fmt.Errorf("ask for the subscriber's backlog: %w", err)
			}
		case p.told(depth, n):
			return nil
		default:
			silent = 0
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(askEvery):
		}
	}
}

// fits lets n through if the queue, as it must be by what is known, is not too
// long with them; every askEvery that has to be asked for anew.
func (p *Pace) fits(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting || p.asked.IsZero() || time.Since(p.asked) >= askEvery || p.depth+p.since+n > p.max {
		return false
	}
	p.since += n
	return true
}

// told takes the queue's length and lets n through if it is not too long.
func (p *Pace) told(depth, n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.depth, p.asked, p.since = depth, time.Now(), 0
	if p.waiting {
		p.waiting = depth > p.max/2
	} else {
		p.waiting = depth > p.max
	}
	if !p.waiting {
		p.since = n
	}
	return !p.waiting
}

func (p *Pace) setWaiting(is bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = is
}
