package sqssub

import (
	"context"
	"time"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// handlerGrace is how long a handler has to settle its message after the
// message's context has ended.
const handlerGrace = time.Second

// Dead-letter reasons of a Subscriber's own.
const (
	// ReasonUnreadable is that of messages which the unmarshaler refuses.
	ReasonUnreadable = "unreadable message"
	// ReasonExhausted is that of messages which were nacked as often as the
	// queue's RedrivePolicy allows; the detail is the last error.
	ReasonExhausted = "retries exhausted"
)

// handOut gives ready messages to whoever reads the channel, until the
// subscription stops.
func (s *subscription) handOut() {
	for {
		select {
		case <-s.stopping: // even where a reader is ready
			return
		default:
		}
		f := s.pop()
		switch {
		case f == nil:
			select {
			case <-s.arrived:
			case <-s.stopping:
				return
			}
		case f.unreadable != nil:
			s.work.Go(func() {
				s.reject(f, &replica.RejectedError{Reason: ReasonUnreadable, Err: f.unreadable})
			})
		default:
			select {
			case s.out <- f.msg:
				s.counts.handedOut.Add(1)
				s.work.Add(1)
				s.watch(f)
			case <-s.stopping:
				s.mu.Lock()
				s.ready = append([]*flight{f}, s.ready...)
				s.mu.Unlock()
				return
			}
		}
	}
}

// pop takes the first message that may be handed out. Messages that SQS will
// deliver again anyway are dropped.
func (s *subscription) pop() *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.ready) > 0 {
		f := s.ready[0]
		s.ready = s.ready[1:]
		if !f.lost {
			return f
		}
		for _, dropped := range append(s.clearLane(f), f) {
			s.forget(dropped)
			dropped.cancel(ErrSettled)
			s.room.release(1)
		}
	}
	s.ready = nil
	return nil
}

// forget takes a message out of the table; a later delivery of it is a new
// one. s.mu is held.
func (s *subscription) forget(f *flight) {
	if s.flights[f.delivery.MessageID] == f {
		delete(s.flights, f.delivery.MessageID)
	}
}

// watch has a goroutine wait for a message: one that has none to wait for, or
// a new one.
func (s *subscription) watch(f *flight) {
	select {
	case s.watched <- f:
	default:
		s.watchers.Go(func() {
			timer := time.NewTimer(s.cfg.HandlerTimeout)
			for ok := true; ok; f, ok = <-s.watched {
				s.await(f, timer)
			}
		})
	}
}

// await waits until a message that was handed out is settled, one way or the
// other.
func (s *subscription) await(f *flight, timer *time.Timer) {
	defer s.work.Done()
	defer f.cancel(ErrSettled)
	var late <-chan time.Time
	if s.cfg.HandlerTimeout > 0 {
		timer.Reset(s.cfg.HandlerTimeout)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-f.msg.Acked():
		s.acked(f)
		return
	case <-f.msg.Nacked():
		s.nacked(f)
		return
	case <-late:
		f.cancel(ErrHandlerTimeout)
	case <-f.ctx.Done():
	}
	grace := time.NewTimer(handlerGrace)
	defer grace.Stop()
	select {
	case <-f.msg.Acked():
		s.acked(f)
	case <-f.msg.Nacked():
		s.nacked(f)
	case <-grace.C:
		s.logger.Warn("a handler held its message past the end of its context; the message is given back",
			"message_id", f.delivery.MessageID, "cause", context.Cause(f.ctx))
		s.giveBack(f, s.backoff(f))
	}
}
