package sns

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// Config is what a Service is made of. Region, AccountID and Queues are
// needed; everything else works as its zero value.
type Config struct {
	// Region and AccountID are parts of every ARN the service gives out.
	Region, AccountID string
	// Now is the clock; time.Now if nil. Timers follow the time package, so
	// under testing/synctest both run in virtual time.
	Now func() time.Time
	// NewID gives the unique part of message ids, request ids and
	// subscription ARNs; a random UUID if nil.
	NewID func() string
	// Queues takes the deliveries.
	Queues Queues
	// Retries are the pauses before the second, third, ... attempt of a
	// delivery that meets server-side errors; DefaultRetries() if nil. An empty
	// slice means a single attempt.
	Retries []time.Duration
	// FilterDelay is how long a new or changed filter policy waits until it
	// takes effect; until then the previous one applies, or none where there
	// was none. On AWS it is anything up to 15 minutes ("Amazon SNS
	// subscription filter policies"); the default is at once.
	FilterDelay time.Duration
	// Disturb, if set, decides what becomes of one delivery from a standard
	// topic: one copy is made for each duration, after that time; a copy
	// without delay is made before Publish returns, and no durations at all
	// lose the message. Duplicates, delays and reordering are what AWS allows
	// a standard topic; loss is not, and is there to test detection. It is
	// called concurrently, and never for FIFO topics, whose promise is order
	// and no duplicates.
	Disturb func(Delivery) []time.Duration
	// PublishFault, if set, is asked about every message before it is
	// accepted: an error (a *wire.Error, as AWS would answer) refuses the
	// Publish, or fails that entry of a PublishBatch. It is called with the
	// service's lock held and must not call the service.
	PublishFault func(topicARN, message string) error
}

// DefaultRetries is the schedule AWS documents for SQS endpoints ("Amazon SNS
// message delivery retries") without its last phase: three attempts at once,
// two a second apart, and ten with pauses growing from 1 to 20 seconds. AWS
// goes on every 20 seconds for 23 days; here the delivery ends after about a
// minute and a half.
func DefaultRetries() []time.Duration {
	pauses := []time.Duration{0, 0, 0, time.Second, time.Second}
	for pause := time.Second; len(pauses) < 15; pause = pause * 7 / 5 {
		pauses = append(pauses, min(pause, 20*time.Second))
	}
	return pauses
}

// Service is one account's SNS in one region. All methods are safe for
// concurrent use.
type Service struct {
	cfg Config

	counts *tally // has its own lock

	mu            sync.Mutex // guards topics, subscriptions and what they hold
	topics        map[string]*topic
	subscriptions map[string]*subscription
	sequence      uint64

	ctx    context.Context // ends when Close begins
	cancel context.CancelCauseFunc
	later  sync.WaitGroup // deliveries that outlive their Publish
}

var errClosed = errors.New("sns is closed")

// New makes an empty service. The caller closes it.
func New(cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = uuid.NewString
	}
	if cfg.Retries == nil {
		cfg.Retries = DefaultRetries()
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	return &Service{
		cfg: cfg, counts: newTally(), topics: map[string]*topic{}, subscriptions: map[string]*subscription{},
		ctx: ctx, cancel: cancel,
	}
}

// Close drops the deliveries that are still waiting (delayed copies, retries)
// and returns when none is under way. A closed service answers every request
// with ServiceUnavailable.
func (s *Service) Close() {
	s.mu.Lock()
	s.cancel(errClosed)
	s.mu.Unlock()
	s.later.Wait()
}

// Invoke runs one request of the query protocol and returns the response's
// XML. An error that AWS would answer is a *wire.Error, whose code is the one
// the SDK turns into a typed error.
func (s *Service) Invoke(ctx context.Context, form url.Values) ([]byte, error) {
	if s.ctx.Err() != nil {
		return nil, &wire.Error{Code: "ServiceUnavailable", Message: "the service is closed", Status: 503, Cause: context.Cause(s.ctx)}
	}
	request := parseForm(form)
	action := request.text("Action")
	if version, ok := request.optional("Version"); ok && version != "2010-03-31" {
		return nil, wire.Errorf("NoSuchVersion", "localaws speaks SNS version 2010-03-31, not %s", version)
	}
	run, ok := operations[action]
	if !ok {
		return nil, wire.Errorf("InvalidAction", "localaws has no operation SNS.%s", action)
	}
	result, err := run(ctx, s, request)
	if err != nil {
		return nil, err
	}
	return reply(action, result, s.cfg.NewID())
}

// operation runs one action: it decodes the request, refuses what it does not
// know, and only then acts. A nil result is a response without one.
type operation func(ctx context.Context, s *Service, request *param) (any, error)

// action makes an operation of its two halves, so that no operation can act
// on a request that has parameters it did not read.
func action[In any](decode func(*param) In, act func(*Service, context.Context, In) (any, error)) operation {
	return func(ctx context.Context, s *Service, request *param) (any, error) {
		in := decode(request)
		if err := request.done(); err != nil {
			return nil, err
		}
		return act(s, ctx, in)
	}
}

// operations are the actions this service has.
var operations = map[string]operation{
	"CreateTopic":               createTopic,
	"DeleteTopic":               deleteTopic,
	"ListTopics":                listTopics,
	"GetTopicAttributes":        getTopicAttributes,
	"SetTopicAttributes":        setTopicAttributes,
	"Subscribe":                 subscribe,
	"Unsubscribe":               unsubscribe,
	"ListSubscriptions":         listSubscriptions,
	"ListSubscriptionsByTopic":  listSubscriptionsByTopic,
	"GetSubscriptionAttributes": getSubscriptionAttributes,
	"SetSubscriptionAttributes": setSubscriptionAttributes,
	"TagResource":               tagResource,
	"UntagResource":             untagResource,
	"ListTagsForResource":       listTagsForResource,
	"Publish":                   publish,
	"PublishBatch":              publishBatch,
}
