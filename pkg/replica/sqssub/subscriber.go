package sqssub

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Subscriber receives from SQS queues. All methods are safe for concurrent
// use.
type Subscriber struct {
	client *sqs.Client
	cfg    Config
	queues *queues
	counts counts

	closing chan struct{}
	closed  chan struct{}
	running sync.WaitGroup // subscriptions
	sending sync.WaitGroup // SendDelayed calls

	// sends is the context of everything sent to queues; it ends last.
	sends       context.Context
	cancelSends context.CancelCauseFunc

	mu            sync.Mutex
	begun         bool // Close was called
	ended         bool // no more sends
	subscriptions map[*subscription]struct{}
	senders       map[string]*batcher[*parcel] // by queue URL
}

var _ message.Subscriber = (*Subscriber)(nil)

// New makes a Subscriber, or reports everything that is wrong with cfg. At full
// load a subscription has up to cfg.Receivers receives and eight deletes under
// way; the client's HTTP transport should keep as many idle connections a host,
// where the SDK's own keeps ten, or some are made anew all the time.
func New(client *sqs.Client, cfg Config) (*Subscriber, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := &Subscriber{
		client:        client,
		cfg:           cfg,
		queues:        newQueues(client, cfg.QueueURLResolver, cfg.Logger),
		closing:       make(chan struct{}),
		closed:        make(chan struct{}),
		subscriptions: map[*subscription]struct{}{},
		senders:       map[string]*batcher[*parcel]{},
	}
	s.sends, s.cancelSends = context.WithCancelCause(context.Background())
	return s, nil
}

// Subscribe receives from a queue, given by name or URL. Messages are handed
// out without waiting for the acks of earlier ones, up to MaxInFlight; each
// must be acked or nacked. Their contexts carry ctx's values, what Delivered
// returns and the slot for replica.Settle; they live until the message is
// settled, HandlerTimeout is over, or the subscription has stopped and drained.
// The channel is closed when the subscription has ended, after ctx or by Close.
func (s *Subscriber) Subscribe(ctx context.Context, queueName string) (<-chan *message.Message, error) {
	q, err := s.queues.find(ctx, queueName)
	if err != nil {
		return nil, fmt.Errorf("subscribe to queue %s: %w", queueName, err)
	}
	sub := newSubscription(ctx, s, q)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		return nil, fmt.Errorf("subscribe to queue %s: %w", queueName, ErrClosed)
	}
	s.subscriptions[sub] = struct{}{}
	s.running.Go(func() {
		sub.run(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subscriptions, sub)
	})
	return sub.out, nil
}

// Close stops all subscriptions, as the package comment describes, and returns
// when they have ended. Calling it again waits for the same end.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	first := !s.begun
	s.begun = true
	s.mu.Unlock()
	if !first {
		<-s.closed
		return nil
	}
	defer close(s.closed)
	end := time.Now().Add(s.cfg.DrainTimeout + HandBackTimeout)
	close(s.closing)
	s.running.Wait()

	s.mu.Lock()
	s.ended = true
	for _, sender := range s.senders {
		sender.hurry()
	}
	s.mu.Unlock()
	bound := time.AfterFunc(time.Until(end), func() { s.cancelSends(ErrClosed) })
	defer bound.Stop()
	s.sending.Wait()
	for _, sender := range s.senders {
		sender.stop()
	}
	s.cancelSends(ErrClosed)
	return nil
}

// entryIDs are the Ids of a batch's entries, which only have to differ within
// it.
var entryIDs = [MaxBatchMessages]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

func entryID(i int) *string { return &entryIDs[i] }
