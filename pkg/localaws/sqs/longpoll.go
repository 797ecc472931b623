package sqs

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// waiter is one long poll that waits for a message.
type waiter struct{ woken chan struct{} }

// await receives, waiting for up to wait until there is something to receive.
// The service is locked on entry and on return, not in between.
func (q *queue) await(ctx context.Context, in receiveRequest, wait time.Duration) ([]*message, error) {
	s := q.service
	taken, err := q.take(in, s.cfg.Now())
	if wait == 0 || len(taken) > 0 {
		q.settle(s.cfg.Now())
		return taken, err
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for {
		// A long poll that meets the in-flight limit waits and finds nothing:
		// there is no OverLimit error ("Amazon SQS standard queue quotas").
		var answered *wire.Error
		if err != nil && !(errors.As(err, &answered) && answered.Code == "OverLimit") {
			return nil, err
		}
		if len(taken) > 0 || s.closed {
			q.settle(s.cfg.Now())
			return taken, nil
		}
		over, failure := q.sleep(ctx, deadline.C)
		if failure != nil {
			return nil, failure
		}
		if q.gone {
			return nil, noSuchQueue()
		}
		if taken, err = q.take(in, s.cfg.Now()); over && len(taken) == 0 {
			q.settle(s.cfg.Now())
			return nil, nil
		}
	}
}

// sleep waits until the queue may have something, the poll is over, or its
// context ends. A waiter that goes away hands its turn to the next one, by
// settling the queue.
func (q *queue) sleep(ctx context.Context, deadline <-chan time.Time) (over bool, err error) {
	s := q.service
	w := &waiter{woken: make(chan struct{}, 1)}
	q.waiters = append(q.waiters, w)
	q.arm(s.cfg.Now())
	s.mu.Unlock()
	select {
	case <-w.woken:
	case <-deadline:
		over = true
	case <-s.closing:
		over = true
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	s.mu.Lock()
	if i := slices.Index(q.waiters, w); i >= 0 {
		q.waiters = slices.Delete(q.waiters, i, i+1)
	}
	if err != nil {
		q.settle(s.cfg.Now())
	}
	return over, err
}

// wakeFirst wakes the poll that has waited longest.
func (q *queue) wakeFirst() {
	w := q.waiters[0]
	q.waiters = slices.Delete(q.waiters, 0, 1)
	w.woken <- struct{}{} // buffered, and sent once
}

// arm sets the timer for the moment when the next message becomes visible,
// if anybody waits for it.
func (q *queue) arm(now time.Time) {
	next, ok := q.byDue.Min()
	if !ok || len(q.waiters) == 0 || q.gone || q.service.closed {
		return
	}
	if !q.timerAt.IsZero() && !q.timerAt.After(next.due) {
		return // it fires early enough, and is set again then
	}
	q.disarm()
	q.timerAt = next.due
	q.service.running.Add(1)
	var mine *time.Timer
	mine = time.AfterFunc(max(next.due.Sub(now), 0), func() {
		defer q.service.running.Done()
		q.service.mu.Lock()
		defer q.service.mu.Unlock()
		if q.timer == mine {
			q.timer, q.timerAt = nil, time.Time{}
		}
		q.settle(q.service.cfg.Now())
	})
	q.timer = mine
}

// disarm stops the timer.
func (q *queue) disarm() {
	if q.timer != nil && q.timer.Stop() {
		q.service.running.Done()
	}
	q.timer, q.timerAt = nil, time.Time{}
}
