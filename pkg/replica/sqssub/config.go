package sqssub

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	wsqs "github.com/ThreeDotsLabs/watermill-aws/sqs"

	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// Limits of SQS, from the AWS page "Amazon SQS message quotas" and the API
// reference's "SendMessageBatch".
const (
	// MaxBatchMessages is the most entries of a batch request, and the most
	// messages of one receive.
	MaxBatchMessages = 10
	// MaxAttributes is the most attributes of a message.
	MaxAttributes = 10
	// MaxVisibility is how long a message can be held after a receive, however
	// often its visibility is extended.
	MaxVisibility = 12 * time.Hour
	// MaxDelay is the longest DelaySeconds of a message.
	MaxDelay = 15 * time.Minute
)

// HandBackTimeout is how long stopping may take after the drain: for handlers
// to notice the end of their context, and to give messages back.
const HandBackTimeout = 3 * time.Second

// Config tunes a Subscriber. The zero value works.
type Config struct {
	// QueueURLResolver turns a queue's name into its URL. Nil: URLs are taken
	// as they are, names are looked up by GetQueueUrl, once, and kept.
	QueueURLResolver wsqs.QueueUrlResolver
	// Unmarshaler reads messages. Nil: watermill-aws's wire form, with labelled
	// attribute types such as String.Array read as well. What it refuses goes
	// to the dead-letter queue.
	Unmarshaler wsqs.Unmarshaler
	// Receivers is how many receive loops a subscription has at most. Each
	// brings up to ten messages a round trip: eight, at 10 ms, 8,000 a second.
	// One always polls, which costs an idle queue one request in WaitTime; the
	// others start, each from another, while receives bring nearly ten, and end
	// when they bring few or fail. Default 8, from 1 to 100.
	Receivers int
	// MaxInFlight bounds the messages of a subscription that are held without
	// being settled; as many again may wait for their delete or return to be
	// carried out. Default 200, from 1 to 100,000. SQS lets about 120,000
	// messages of a queue be in flight.
	MaxInFlight int
	// WaitTime is the length of a long poll. Default 20 s, whole seconds from 1
	// to 20 ("Amazon SQS short and long polling").
	WaitTime time.Duration
	// VisibilityTimeout is sent with every receive and every extension; an
	// unsettled message is extended each time a third of it has passed. It is
	// how long a crash delays a message. Default 30 s, whole seconds from 1 s
	// to 12 h.
	VisibilityTimeout time.Duration
	// HandlerTimeout ends a message's context so long after it was handed out;
	// a handler that does not settle it within another second loses it: it is
	// given back as by a nack. Default 0: none. At most 12 h.
	HandlerTimeout time.Duration
	// NackBackoff is how long a nacked message stays invisible: Base doubled
	// for every receive after the first, at most Max, of which a random half at
	// most is taken off; rounded up to whole seconds. Default from 1 s to 5
	// min; Max is at most 12 h.
	NackBackoff Backoff
	// DrainTimeout is how long handlers may go on when the subscription stops.
	// Default 20 s.
	DrainTimeout time.Duration
	// DeadLetterQueue is the name or URL of the queue for rejected messages.
	// Empty: the one in the source queue's RedrivePolicy.
	DeadLetterQueue string
	// Linger is how long a delete or a return may wait for others to share its
	// request. FIFO queues wait a millisecond at most, because a group waits
	// with it. Default 20 ms, at most 1 s.
	Linger time.Duration
	// Logger gets what no return value can carry. Default: nothing is logged.
	Logger *slog.Logger
	// Random returns numbers from 0 to below 1, for the jitter. It must be safe
	// for concurrent use. Default math/rand/v2.
	Random func() float64
}

// Backoff are exponential pauses: the n-th is Base doubled n-1 times, at most
// Max, of which a random half at most is taken off.
type Backoff = retry.Backoff

// Validate reports every field that is out of its range.
func (c Config) Validate() error {
	c = c.withDefaults()
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	count := func(field string, value, low, high int) {
		if value < low || value > high {
			report("%s is %d, it must be from %d to %d", field, value, low, high)
		}
	}
	span := func(field string, value, low, high time.Duration) {
		if value < low || value > high {
			report("%s is %v, it must be from %v to %v", field, value, low, high)
		}
	}
	whole := func(field string, value time.Duration) {
		if value%time.Second != 0 {
			report("%s is %v, SQS takes whole seconds", field, value)
		}
	}
	count("Receivers", c.Receivers, 1, 100)
	count("MaxInFlight", c.MaxInFlight, 1, 100_000)
	span("WaitTime", c.WaitTime, time.Second, 20*time.Second)
	whole("WaitTime", c.WaitTime)
	span("VisibilityTimeout", c.VisibilityTimeout, time.Second, MaxVisibility)
	whole("VisibilityTimeout", c.VisibilityTimeout)
	span("HandlerTimeout", c.HandlerTimeout, 0, MaxVisibility)
	span("NackBackoff.Base", c.NackBackoff.Base, 0, MaxVisibility)
	span("NackBackoff.Max", c.NackBackoff.Max, 0, MaxVisibility)
	if c.NackBackoff.Max < c.NackBackoff.Base {
		report("NackBackoff.Max is %v, it must not be below NackBackoff.Base, %v", c.NackBackoff.Max, c.NackBackoff.Base)
	}
	span("DrainTimeout", c.DrainTimeout, 0, MaxVisibility)
	span("Linger", c.Linger, 0, time.Second)
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("sqssub configuration: %w", errors.Join(problems...))
}

func (c Config) withDefaults() Config {
	setInt := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	setSpan := func(field *time.Duration, value time.Duration) {
		if *field == 0 {
			*field = value
		}
	}
	setInt(&c.Receivers, 8)
	setInt(&c.MaxInFlight, 200)
	setSpan(&c.WaitTime, 20*time.Second)
	setSpan(&c.VisibilityTimeout, 30*time.Second)
	setSpan(&c.NackBackoff.Base, time.Second)
	setSpan(&c.NackBackoff.Max, max(5*time.Minute, c.NackBackoff.Base))
	setSpan(&c.DrainTimeout, 20*time.Second)
	setSpan(&c.Linger, 20*time.Millisecond)
	if c.Unmarshaler == nil {
		c.Unmarshaler = wireForm{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	return c
}
