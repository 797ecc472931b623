package sqs

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// defaultMaxInFlight is the quota of both kinds of queue ("Amazon SQS standard
// queue quotas", "Amazon SQS FIFO queue quotas").
const defaultMaxInFlight = 120_000

// Config is what a Service is made of. Region and AccountID are needed;
// everything else works as its zero value.
type Config struct {
	// Region and AccountID are parts of every ARN and queue URL.
	Region, AccountID string
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// NewID gives message ids; a random UUID if nil.
	NewID func() string
	// MaxInFlight is how many messages of a queue may be received and not yet
	// deleted; 120,000 if zero. Tests lower it.
	MaxInFlight int
	// Shuffle, if set, gives random numbers, by which messages of standard
	// queues are ordered each time they become visible.
	Shuffle func() uint64
	// Disturb, if set, decides what becomes of a message on its way into a
	// standard queue, by SendMessage or by SNS: one copy is made for each
	// duration, delayed by it; no durations at all lose the message. Copies
	// share the message id, as duplicates on AWS do. Duplicates, delays and
	// reordering are what AWS allows a standard queue; loss is not, and is
	// there to test detection. It is called concurrently, without locks held.
	Disturb func(Arrival) []time.Duration
	// EntryFault, if set, is asked about every entry of a SendMessageBatch, a
	// DeleteMessageBatch or a ChangeMessageVisibilityBatch before it is carried
	// out: an error (a *wire.Error, as AWS would answer) fails that entry, inside
	// HTTP 200, while its neighbours pass. It may be called with the service's
	// lock held and must not call the service.
	EntryFault func(operation, id string) error
}

// entryFault asks Config.EntryFault.
func (s *Service) entryFault(operation, id string) error {
	if s.cfg.EntryFault == nil {
		return nil
	}
	return s.cfg.EntryFault(operation, id)
}

// Arrival is a message on its way into a standard queue.
type Arrival struct {
	QueueARN, MessageID, Body string
}

// Service is one account's SQS in one region. All methods are safe for
// concurrent use.
type Service struct {
	cfg Config

	mu      sync.Mutex // guards everything below but the wait group
	queues  map[string]*queue
	deleted map[string]time.Time // when names were freed, for 60 seconds
	serial  uint64               // of queues and messages
	tasks   map[string][]*moveTask

	closed  bool
	closing chan struct{}
	running sync.WaitGroup // timers and move tasks
}

// New makes an empty service. The caller closes it.
func New(cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = uuid.NewString
	}
	if cfg.MaxInFlight == 0 {
		cfg.MaxInFlight = defaultMaxInFlight
	}
	return &Service{
		cfg:     cfg,
		queues:  map[string]*queue{},
		deleted: map[string]time.Time{},
		tasks:   map[string][]*moveTask{},
		closing: make(chan struct{}),
	}
}

// Close ends long polls and message move tasks and returns when none is under
// way. A closed service still answers, but nothing waits any more.
func (s *Service) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
		for _, q := range s.queues {
			q.disarm()
		}
	}
	s.mu.Unlock()
	s.running.Wait()
}

// Invoke runs one operation; see wire.JSONService.
func (s *Service) Invoke(ctx context.Context, operation string, body []byte) (any, error) {
	run, ok := operations[operation]
	if !ok {
		return nil, wire.UnknownOperation("SQS", operation)
	}
	return run(ctx, s, body)
}

// operation decodes and runs one request.
type operation func(ctx context.Context, s *Service, body []byte) (any, error)

// on makes an operation of a method on the service.
func on[In any](act func(s *Service, ctx context.Context, in In) (any, error)) operation {
	return func(ctx context.Context, s *Service, body []byte) (any, error) {
		var in In
		if err := wire.Decode(codeInvalidParameter, body, &in); err != nil {
			var refused *wire.Error
			if errors.As(err, &refused) {
				refused.QueryCode = queryCodes[refused.Code]
			}
			return nil, err
		}
		return act(s, ctx, in)
	}
}

// refused makes an operation that says it is not built.
func refused(name, instead string) operation {
	return func(context.Context, *Service, []byte) (any, error) {
		return nil, unsupported("localaws does not build SQS.%s: %s", name, instead)
	}
}

// empty is the answer of an operation that returns nothing.
type empty struct{}

var operations = map[string]operation{
	"AddPermission":                refused("AddPermission", "set the queue's Policy attribute"),
	"CancelMessageMoveTask":        on((*Service).cancelMessageMoveTask),
	"ChangeMessageVisibility":      on((*Service).changeMessageVisibility),
	"ChangeMessageVisibilityBatch": on((*Service).changeMessageVisibilityBatch),
	"CreateQueue":                  on((*Service).createQueue),
	"DeleteMessage":                on((*Service).deleteMessage),
	"DeleteMessageBatch":           on((*Service).deleteMessageBatch),
	"DeleteQueue":                  on((*Service).deleteQueue),
	"GetQueueAttributes":           on((*Service).getQueueAttributes),
	"GetQueueUrl":                  on((*Service).getQueueURL),
	"ListDeadLetterSourceQueues":   on((*Service).listDeadLetterSourceQueues),
	"ListMessageMoveTasks":         on((*Service).listMessageMoveTasks),
	"ListQueueTags":                on((*Service).listQueueTags),
	"ListQueues":                   on((*Service).listQueues),
	"PurgeQueue":                   on((*Service).purgeQueue),
	"ReceiveMessage":               on((*Service).receiveMessage),
	"RemovePermission":             refused("RemovePermission", "set the queue's Policy attribute"),
	"SendMessage":                  on((*Service).sendMessage),
	"SendMessageBatch":             on((*Service).sendMessageBatch),
	"SetQueueAttributes":           on((*Service).setQueueAttributes),
	"StartMessageMoveTask":         on((*Service).startMessageMoveTask),
	"TagQueue":                     on((*Service).tagQueue),
	"UntagQueue":                   on((*Service).untagQueue),
}

// nextSerial numbers queues and messages in the order of their arrival.
func (s *Service) nextSerial() uint64 {
	s.serial++
	return s.serial
}
