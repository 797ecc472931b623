package sqssub

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// subscription is one Subscribe call.
type subscription struct {
	*Subscriber
	queue  queue
	logger *slog.Logger
	out    chan *message.Message
	room   *room

	// requests is the context of everything said to SQS but receives; it
	// outlives the drain. messages is the parent of the messages' contexts.
	requests       context.Context
	cancelRequests context.CancelCauseFunc
	messages       context.Context
	cancelMessages context.CancelCauseFunc

	deletes      *batcher[deletion]
	visibilities *batcher[visibility]

	stopping chan struct{} // closed when nothing more is handed out
	wake     chan struct{} // holds a token when ready may have something
	work     sync.WaitGroup

	mu      sync.Mutex
	flights map[string]*flight // by SQS message id
	ready   []*flight          // may be handed out, in this order
	// lanes has the groups of a FIFO queue of which a message is ready or
	// handed out, and the messages that wait behind it.
	lanes map[string][]*flight
}

func newSubscription(ctx context.Context, s *Subscriber, q queue) *subscription {
	sub := &subscription{
		Subscriber: s,
		queue:      q,
		logger:     s.cfg.Logger.With("queue", q.name),
		out:        make(chan *message.Message),
		room:       newRoom(s.cfg.MaxInFlight),
		stopping:   make(chan struct{}),
		wake:       make(chan struct{}, 1),
		flights:    map[string]*flight{},
		lanes:      map[string][]*flight{},
	}
	// Handlers and requests go on while the subscription drains, so the end of
	// the caller's context must not reach them; its values do.
	alive := context.WithoutCancel(ctx)
	sub.requests, sub.cancelRequests = context.WithCancelCause(alive)
	sub.messages, sub.cancelMessages = context.WithCancelCause(alive)
	linger := s.cfg.Linger
	if q.fifo {
		linger = min(linger, time.Millisecond)
	}
	sub.deletes = &batcher[deletion]{run: sub.delete, linger: linger, parallel: parallelRequests}
	sub.visibilities = &batcher[visibility]{run: sub.changeVisibility, linger: linger, parallel: parallelRequests}
	return sub
}

// parallelRequests is how many delete requests, and how many visibility
// requests, of a subscription run at the same time: at 10 ms a request, 8,000
// messages a second.
const parallelRequests = 8

// run receives until ctx ends or the subscriber is closed, drains, and returns
// when every goroutine has ended.
func (s *subscription) run(ctx context.Context) {
	receiving, stopReceiving := context.WithCancel(ctx)
	defer stopReceiving()
	polling, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	defer cutOff()
	beating, stopBeating := context.WithCancel(s.requests)
	defer stopBeating()
	var receivers, handOut, heartbeat sync.WaitGroup
	for range s.cfg.Receivers {
		receivers.Go(func() { s.receive(receiving, polling) })
	}
	handOut.Go(s.handOut)
	heartbeat.Go(func() { s.keepInvisible(beating) })

	select {
	case <-ctx.Done():
	case <-s.closing:
	}
	stopped := time.Now()
	stopReceiving()
	defer time.AfterFunc(receiveGrace, cutOff).Stop()
	close(s.stopping)
	handOut.Wait()
	receivers.Wait() // before anything is given back, which they would receive again
	s.giveBackWaiting()
	bound := s.drain(s.cfg.DrainTimeout - time.Since(stopped))
	defer bound.Stop()
	stopBeating()
	heartbeat.Wait()
	s.deletes.hurry()
	s.deletes.wait()
	s.visibilities.wait()
	s.cancelRequests(ErrClosed)
	close(s.out)
}

// drain waits for the messages handed out, first for as long as they may take,
// then with their contexts ended. It returns the timer that ends all requests.
func (s *subscription) drain(timeout time.Duration) (bound *time.Timer) {
	settled := make(chan struct{})
	go func() {
		s.work.Wait()
		close(settled)
	}()
	patience := time.NewTimer(timeout)
	defer patience.Stop()
	select {
	case <-settled:
	case <-patience.C:
		held, _ := s.room.counts()
		s.logger.Warn("handlers did not finish within the drain timeout; their messages are given back", "messages", held)
		s.cancelMessages(ErrDrainTimeout)
	}
	// From here on only requests are missing, and handlers that were told.
	bound = time.AfterFunc(HandBackTimeout, func() { s.cancelRequests(ErrDrainTimeout) })
	<-settled
	s.cancelMessages(ErrSettled)
	return bound
}

// admit takes in what a receive brought and returns how many messages are new.
// begun is when the receive was sent.
func (s *subscription) admit(received []received, begun time.Time) int {
	now := time.Now()
	fresh := 0
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range received {
		if held, ok := s.flights[r.delivery.MessageID]; ok {
			held.join(r.receipt, begun, now)
			s.counts.joined.Add(1)
			continue
		}
		f := s.newFlight(r, begun, now)
		s.flights[r.delivery.MessageID] = f
		fresh++
		if s.queue.fifo {
			if behind, busy := s.lanes[f.delivery.Group]; busy {
				s.lanes[f.delivery.Group] = append(behind, f)
				continue
			}
			s.lanes[f.delivery.Group] = nil
		}
		s.ready = append(s.ready, f)
	}
	s.counts.received.Add(uint64(fresh))
	s.wakeHandOut()
	return fresh
}

func (s *subscription) wakeHandOut() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// next lets the message behind one that is done be handed out. s.mu is held.
func (s *subscription) next(f *flight) {
	if !s.queue.fifo {
		return
	}
	behind := s.lanes[f.delivery.Group]
	if len(behind) == 0 {
		delete(s.lanes, f.delivery.Group)
		return
	}
	s.lanes[f.delivery.Group] = behind[1:]
	s.ready = append(s.ready, behind[0])
	s.wakeHandOut()
}

// clearLane takes all messages out that wait behind one. s.mu is held.
func (s *subscription) clearLane(f *flight) []*flight {
	if !s.queue.fifo {
		return nil
	}
	behind := s.lanes[f.delivery.Group]
	delete(s.lanes, f.delivery.Group)
	return behind
}
