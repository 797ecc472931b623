package dynamodb

import (
	"context"
	"sync"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/streams"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// Config tunes a Service. The zero value works.
type Config struct {
	// Region is the AWS Region in ARNs; us-east-1 if empty.
	Region string
	// AccountID is the account in ARNs; 000000000000 if empty.
	AccountID string
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Streams takes the change records; a service of its own if nil.
	Streams *streams.Service
	// TTLSweepEvery is how often expired items are deleted; never if zero,
	// until SweepTTL is called.
	TTLSweepEvery time.Duration
}

func (c Config) withDefaults() Config {
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.AccountID == "" {
		c.AccountID = "000000000000"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Streams == nil {
		c.Streams = streams.New(streams.Config{Region: c.Region, AccountID: c.AccountID, Now: c.Now})
	}
	return c
}

// Service is DynamoDB. Make one with New and end it with Close; it is safe
// for concurrent use.
type Service struct {
	cfg        Config
	operations map[string]func(body []byte) (any, error)

	mu     sync.RWMutex
	tables map[string]*table

	cancel context.CancelFunc // ends the sweeper
	done   sync.WaitGroup
}

// New makes a service without tables.
func New(cfg Config) *Service {
	s := &Service{cfg: cfg.withDefaults(), tables: make(map[string]*table)}
	s.operations = s.allOperations()
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	_ = ctx
	return s
}

// Close ends the background sweeping and returns when it has ended.
func (s *Service) Close() {
	s.cancel()
	s.done.Wait()
}

// allOperations is filled operation by operation in the next commits.
func (s *Service) allOperations() map[string]func([]byte) (any, error) { return nil }

// Invoke runs one DynamoDB_20120810 operation; see wire.JSONService.
func (s *Service) Invoke(ctx context.Context, operation string, body []byte) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	run, ok := s.operations[operation]
	if !ok {
		return nil, wire.UnknownOperation("DynamoDB_20120810", operation)
	}
	return run(body)
}

