package streams

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const (
	// retention is how long a record stays readable ("Change data capture for
	// DynamoDB Streams").
	retention = 24 * time.Hour
	// iteratorLife is how long a shard iterator may be used ("GetShardIterator").
	iteratorLife = 15 * time.Minute
	// defaultShards makes every reader meet more than one shard.
	defaultShards = 2

	codeValidation = "ValidationException"
	codeNotFound   = "ResourceNotFoundException"
)

// Config tunes a Service. The zero value works.
type Config struct {
	// Region is the AWS Region in ARNs and records; us-east-1 if empty.
	Region string
	// AccountID is the account in ARNs; 000000000000 if empty.
	AccountID string
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Shards is how many shards a new stream begins with; 2 if zero, at most
	// 1,024.
	Shards int
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
	if c.Shards <= 0 {
		c.Shards = defaultShards
	}
	c.Shards = min(c.Shards, 1024)
	return c
}

// Service is DynamoDB Streams. Make one with New; it is safe for concurrent
// use.
type Service struct {
	cfg Config
	// sequence is the last sequence number given to a record or a shard's end.
	sequence atomic.Uint64
	// born numbers shards, so that no two share an id.
	born atomic.Uint64

	mu      sync.RWMutex
	streams map[string]*Stream // by ARN
}

// New makes a service without streams.
func New(cfg Config) *Service {
	return &Service{cfg: cfg.withDefaults(), streams: make(map[string]*Stream)}
}

// Invoke runs one DynamoDBStreams_20120810 operation; see wire.JSONService.
func (s *Service) Invoke(ctx context.Context, operation string, body []byte) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch operation {
	case "ListStreams":
		return s.listStreams(body)
	case "DescribeStream":
		return s.describeStream(body)
	case "GetShardIterator":
		return s.getShardIterator(body)
	case "GetRecords":
		return s.getRecords(body)
	}
	return nil, wire.UnknownOperation("DynamoDBStreams_20120810", operation)
}

// Open starts a stream of the given table. Its label is its creation time, as
// on AWS; a table's second stream in the same millisecond gets the next one.
func (s *Service) Open(table string, schema []KeyElement, view View) *Stream {
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropExpired(now)
	label, arn := "", ""
	for at := now.UTC(); ; at = at.Add(time.Millisecond) {
		label = at.Format("2006-01-02T15:04:05.000")
		arn = "arn:aws:dynamodb:" + s.cfg.Region + ":" + s.cfg.AccountID + ":table/" + table + "/stream/" + label
		if s.streams[arn] == nil {
			break
		}
	}
	st := newStream(s, arn, label, table, slices.Clone(schema), view, now)
	s.streams[arn] = st
	return st
}

// find returns the stream of an ARN.
func (s *Service) find(arn string) (*Stream, error) {
	if arn == "" {
		return nil, missing("streamArn")
	}
	now := s.cfg.Now()
	s.mu.RLock()
	st := s.streams[arn]
	s.mu.RUnlock()
	if st == nil || st.expired(now) {
		return nil, wire.Errorf(codeNotFound, "Requested resource not found: Stream: %s not found", arn)
	}
	return st, nil
}

// dropExpired forgets the streams whose last record nobody can read any more.
// The caller holds s.mu.
func (s *Service) dropExpired(now time.Time) {
	for arn, st := range s.streams {
		if st.expired(now) {
			delete(s.streams, arn)
		}
	}
}

// all returns the streams that can be read, by ARN.
func (s *Service) all() []*Stream {
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropExpired(now)
	list := make([]*Stream, 0, len(s.streams))
	for _, st := range s.streams {
		list = append(list, st)
	}
	slices.SortFunc(list, func(a, b *Stream) int { return strings.Compare(a.arn, b.arn) })
	return list
}

// missing is the error for a required parameter that is absent.
func missing(name string) error {
	return wire.Errorf(codeValidation, "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", name)
}

// limitOf checks an optional limit and returns it or the default.
func limitOf(limit *int, most int) (int, error) {
	switch {
	case limit == nil:
		return most, nil
	case *limit < 1:
		return 0, wire.Errorf(codeValidation, "1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1", *limit)
	case *limit > most:
		return 0, wire.Errorf(codeValidation, "1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value less than or equal to %d", *limit, most)
	}
	return *limit, nil
}

// seconds is a time as the services' JSON has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
