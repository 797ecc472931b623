package snspub

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	wsns "github.com/ThreeDotsLabs/watermill-aws/sns"

	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// Limits of PublishBatch and of message attributes, from the AWS pages
// "PublishBatch" (Amazon SNS API Reference) and "Amazon SNS message
// attributes": with raw delivery to SQS, a message with more than ten attributes
// is discarded as a client-side error.
const (
	// MaxBatchMessages is the most entries of one PublishBatch request.
	MaxBatchMessages = 10
	// MaxAttributes is the most attributes of one message, the UUID included.
	MaxAttributes = 10
	// DefaultLimitBytes is what a message, and all messages of a request
	// together, may have with their attributes, unless the topic's
	// MaximumMessageSize attribute says otherwise.
	DefaultLimitBytes = 256 << 10
)

// Config tunes a Publisher. The zero value works.
type Config struct {
	// TopicResolver turns the topic of a Publish call into an ARN. Nil: full
	// ARNs are taken as they are, names are looked up by ListTopics, once, and
	// kept.
	TopicResolver wsns.TopicResolver
	// MaxInFlight is how many requests run at the same time over all calls.
	// Default 8, from 1 to 1000. SNS bounds the messages a second by region
	// ("Amazon Simple Notification Service endpoints and quotas").
	MaxInFlight int
	// MaxAttempts is how often an entry is sent before it is reported as
	// failed, on top of what the client's own retryer does within one attempt.
	// Default 6, from 1 to 100.
	MaxAttempts int
	// Backoff are the pauses between the attempts. Default from 50 ms to 5 s.
	Backoff Backoff
	// LimitBytes overrides the topic's own limit, for callers without the right
	// to read topic attributes. Default 0: the topic's MaximumMessageSize
	// attribute, read once a topic, or 256 KiB. From 1,024 to 1,048,576.
	LimitBytes int
	// Logger gets what no return value can carry. Default: nothing is logged.
	Logger *slog.Logger
	// Observe, if set, is called after every PublishBatch request, from the
	// goroutine that made it; it must be quick and safe for concurrent use.
	Observe func(Request)
	// Random returns numbers from 0 to below 1, for the jitter. It must be safe
	// for concurrent use. Default math/rand/v2.
	Random func() float64
}

// Backoff are exponential pauses: the n-th is Base doubled n-1 times, at most
// Max, of which a random half at most is taken off.
type Backoff = retry.Backoff

// Request is what one PublishBatch request did.
type Request struct {
	TopicARN string
	// Attempt counts from 1.
	Attempt int
	// Entries and Bytes are what was sent, FailedEntries what was not accepted.
	Entries, Bytes, FailedEntries int
	Duration                      time.Duration
	// Err is set where the request as a whole failed.
	Err error
}

// Validate reports every field that is out of its range.
func (c Config) Validate() error {
	c = c.withDefaults()
	var problems []error
	outside := func(field string, value, low, high int) {
		if value < low || value > high {
			problems = append(problems, fmt.Errorf("%s is %d, it must be from %d to %d", field, value, low, high))
		}
	}
	outside("MaxInFlight", c.MaxInFlight, 1, 1000)
	outside("MaxAttempts", c.MaxAttempts, 1, 100)
	if c.LimitBytes != 0 {
		outside("LimitBytes", c.LimitBytes, 1<<10, 1<<20)
	}
	if c.Backoff.Base < 0 {
		problems = append(problems, fmt.Errorf("Backoff.Base is %v, it must not be negative", c.Backoff.Base))
	}
	if c.Backoff.Max < c.Backoff.Base {
		problems = append(problems, fmt.Errorf("Backoff.Max is %v, it must not be below Backoff.Base, %v", c.Backoff.Max, c.Backoff.Base))
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("snspub configuration: %w", errors.Join(problems...))
}

func (c Config) withDefaults() Config {
	if c.MaxInFlight == 0 {
		c.MaxInFlight = 8
	}
	if c.MaxAttempts == 0 {
		c.MaxAttempts = 6
	}
	if c.Backoff.Base == 0 {
		c.Backoff.Base = 50 * time.Millisecond
	}
	if c.Backoff.Max == 0 {
		c.Backoff.Max = max(5*time.Second, c.Backoff.Base)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	return c
}
