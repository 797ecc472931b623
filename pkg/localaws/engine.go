package localaws

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb"
	"github.com/tributary-dev/tributary/pkg/localaws/sns"
	"github.com/tributary-dev/tributary/pkg/localaws/sqs"
	"github.com/tributary-dev/tributary/pkg/localaws/streams"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// ErrClosed is what a call to a closed engine ends with, over the in-memory
// transport.
var ErrClosed = errors.New("localaws is closed")

// Config says what an engine is like. The zero value works.
type Config struct {
	// Region is the region in ARNs; us-east-1 if empty.
	Region string
	// AccountID is the 12-digit account in ARNs; 000000000000 if empty.
	AccountID string
	// Now is the clock by which retention, visibility, deduplication windows,
	// TTL and stream trimming are evaluated; time.Now if nil. Waiting (long
	// polls, delays) follows the time package, so a clock of one's own must
	// not run apart from it; in tests use testing/synctest instead.
	Now func() time.Time
	// Latency is added to every call, before it runs. Default none.
	Latency time.Duration
	// Seed makes ids and Shuffle repeatable for the same sequence of calls;
	// 0 makes them differ from run to run.
	Seed uint64
	// Shuffle delivers a standard queue's messages in random order instead of
	// roughly the order of sending. AWS promises neither.
	Shuffle bool
	// TTLSweepEvery is how often expired items are deleted; never if zero,
	// until SweepTTL is called.
	TTLSweepEvery time.Duration
	// StatementsReturnNoItems is dynamodb.Config's: whether
	// BatchExecuteStatement ignores ReturnValuesOnConditionCheckFailure.
	StatementsReturnNoItems bool
	// StreamShards is how many shards a new stream begins with; 2 if zero.
	StreamShards int
	// SNSRetries and SNSFilterDelay are sns.Config's Retries and FilterDelay.
	SNSRetries     []time.Duration
	SNSFilterDelay time.Duration
	// SQSMaxInFlight is sqs.Config's MaxInFlight; 120,000 if zero.
	SQSMaxInFlight int
	// DisturbSNS is sns.Config's Disturb: what becomes of one delivery from a
	// standard topic.
	DisturbSNS func(sns.Delivery) []time.Duration
	// PublishFault is sns.Config's PublishFault: whether a topic takes a message,
	// also one of several in a PublishBatch. It must not call the engine.
	PublishFault func(topicARN, message string) error
	// DisturbSQS is sqs.Config's Disturb: what becomes of one message sent to
	// a standard queue, by whomever.
	DisturbSQS func(sqs.Arrival) []time.Duration
	// SQSEntryFault is sqs.Config's EntryFault: whether an entry of an SQS batch
	// is carried out. It must not call the engine.
	SQSEntryFault func(operation, id string) error
	// Logger takes what the engine has to say about itself: an operation that
	// panicked. slog.Default() if nil.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	c.Region = cmp.Or(c.Region, "us-east-1")
	c.AccountID = cmp.Or(c.AccountID, "000000000000")
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// Engine is one AWS account in one region: an http.Handler, an in-memory
// transport, and a handle on what runs behind them.
type Engine struct {
	cfg    Config
	random *randomness

	dynamodb *dynamodb.Service
	streams  *streams.Service
	sns      *sns.Service
	sqs      *sqs.Service
	json     map[Service]wire.JSONService // those but SNS

	control  http.Handler
	requests requestCounter
	faults   atomic.Pointer[Faults]

	closing chan struct{} // closed when Close begins
	mu      sync.Mutex    // guards closed and every Add to calls
	closed  bool
	calls   sync.WaitGroup // requests under way on the in-memory transport
}

// New makes an empty engine. The caller closes it.
func New(cfg Config) *Engine {
	cfg = cfg.withDefaults()
	e := &Engine{cfg: cfg, random: newRandomness(cfg.Seed), closing: make(chan struct{})}
	e.streams = streams.New(streams.Config{
		Region: cfg.Region, AccountID: cfg.AccountID, Now: cfg.Now, Shards: cfg.StreamShards,
	})
	e.dynamodb = dynamodb.New(dynamodb.Config{
		Region: cfg.Region, AccountID: cfg.AccountID, Now: cfg.Now,
		Streams: e.streams, TTLSweepEvery: cfg.TTLSweepEvery,
		StatementsReturnNoItems: cfg.StatementsReturnNoItems,
	})
	queues := sqs.Config{
		Region: cfg.Region, AccountID: cfg.AccountID, Now: cfg.Now,
		NewID: e.random.newID, MaxInFlight: cfg.SQSMaxInFlight, Disturb: cfg.DisturbSQS, EntryFault: cfg.SQSEntryFault,
	}
	if cfg.Shuffle {
		queues.Shuffle = e.random.next
	}
	e.sqs = sqs.New(queues)
	e.sns = sns.New(sns.Config{
		Region: cfg.Region, AccountID: cfg.AccountID, Now: cfg.Now,
		NewID: e.random.newID, Queues: subscribedQueues{e.sqs},
		Retries: cfg.SNSRetries, FilterDelay: cfg.SNSFilterDelay, Disturb: cfg.DisturbSNS,
		PublishFault: cfg.PublishFault,
	})
	e.json = map[Service]wire.JSONService{DynamoDB: e.dynamodb, Streams: e.streams, SQS: e.sqs}
	e.control = e.newControl()
	return e
}

// Region returns the region in the engine's ARNs.
func (e *Engine) Region() string { return e.cfg.Region }

// AccountID returns the account in the engine's ARNs.
func (e *Engine) AccountID() string { return e.cfg.AccountID }

// DynamoDB returns the table service, for what the protocol has no call for:
// splitting shards, sweeping expired items, index lag.
func (e *Engine) DynamoDB() *dynamodb.Service { return e.dynamodb }

// Streams returns the stream service.
func (e *Engine) Streams() *streams.Service { return e.streams }

// SQS returns the queue service.
func (e *Engine) SQS() *sqs.Service { return e.sqs }

// SNS returns the topic service.
func (e *Engine) SNS() *sns.Service { return e.sns }

// Close ends every long poll, delayed delivery and message move task, refuses
// further calls on the in-memory transport, and returns when every goroutine
// of the engine has ended. Closing twice is harmless. A listener is closed by
// ending Serve's context.
func (e *Engine) Close() {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		close(e.closing)
	}
	e.mu.Unlock()
	e.sns.Close()
	e.sqs.Close()
	e.dynamodb.Close()
	e.calls.Wait()
}

// begin notes that a call is under way, or says that the engine is closed.
func (e *Engine) begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.calls.Add(1)
	return true
}
