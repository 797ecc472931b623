package sqssub

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// subscription is one Subscribe call.
type subscription struct {
	*Subscriber
	queue  queue
	logger *slog.Logger
	out    chan *message.Message
	room   *room

	// requests is the context of everything said to SQS but receives; it
	// outlives the drain. values has the values of the messages' contexts.
	requests       context.Context
	cancelRequests context.CancelCauseFunc
	values         context.Context

	deletes      *batcher[deletion]
	visibilities *batcher[visibility]

	stopping chan struct{} // closed when nothing more is handed out
	arrived  chan struct{} // holds a token when ready may have something
	work     sync.WaitGroup

	watched  chan *flight // handed out, to be waited for
	watchers sync.WaitGroup

	receivers sync.WaitGroup // receive loops that are awake

	mu      sync.Mutex
	awake   int                // of the receivers
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
		arrived:    make(chan struct{}, 1),
		watched:    make(chan *flight),
		awake:      1,
		flights:    map[string]*flight{},
		lanes:      map[string][]*flight{},
	}
	// Handlers and requests go on while the subscription drains, so the end of
	// the caller's context must not reach them; its values do.
	sub.values = context.WithoutCancel(ctx)
	sub.requests, sub.cancelRequests = context.WithCancelCause(sub.values)
	linger := s.cfg.Linger
	if q.fifo {
		linger = min(linger, time.Millisecond)
	}
	sub.deletes = &batcher[deletion]{run: sub.delete, linger: linger, parallel: parallelRequests, stay: true}
	sub.visibilities = &batcher[visibility]{run: sub.changeVisibility, linger: linger, parallel: parallelRequests, stay: true}
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
	var handOut, heartbeat sync.WaitGroup
	s.receivers.Go(func() { s.receive(receiving, polling) })
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
	s.receivers.Wait() // before anything is given back, which they would receive again
	s.giveBackWaiting()
	bound := s.drain(s.cfg.DrainTimeout - time.Since(stopped))
	defer bound.Stop()
	close(s.watched)
	s.watchers.Wait()
	stopBeating()
	heartbeat.Wait()
	s.deletes.hurry()
	s.deletes.stop()
	s.visibilities.stop()
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
		s.interruptHandlers()
	}
	// From here on only requests are missing, and handlers that were told.
	bound = time.AfterFunc(HandBackTimeout, func() { s.cancelRequests(ErrDrainTimeout) })
	<-settled
	return bound
}

// interruptHandlers ends the contexts of all messages that are not settled.
func (s *subscription) interruptHandlers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.flights {
		f.cancel(ErrDrainTimeout)
	}
}

// admit takes in what a receive brought and returns how many messages are new.
// begun is when the receive was sent.
func (s *subscription) admit(messages []types.Message, begun time.Time) int {
	if len(messages) == 0 {
		return 0
	}
	now := time.Now()
	received := make([]*flight, len(messages))
	for i := range messages {
		received[i] = s.newFlight(&messages[i], begun, now)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := 0
	for _, f := range received {
		if held, ok := s.flights[f.delivery.MessageID]; ok {
			held.join(f.receipt, begun, now)
			continue
		}
		s.flights[f.delivery.MessageID] = f
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
	s.counts.joined.Add(uint64(len(messages) - fresh))
	s.wakeHandOut()
	return fresh
}

func (s *subscription) wakeHandOut() {
	select {
	case s.arrived <- struct{}{}:
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
