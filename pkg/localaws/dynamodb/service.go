package dynamodb

import (
	"context"
	"sync"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
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
	// StatementsReturnNoItems makes BatchExecuteStatement ignore
	// ReturnValuesOnConditionCheckFailure, as a capture by others shows AWS
	// itself to do; by default a failed condition is answered with the item, as
	// AWS documents ("BatchStatementError") and DynamoDB Local does.
	StatementsReturnNoItems bool
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
	tokens     tokens
	cache      *expr.Cache // of parsed expressions
	statements statements

	mu     sync.RWMutex
	tables map[string]*table

	cancel context.CancelFunc // ends the sweeper
	done   sync.WaitGroup
}

// New makes a service without tables.
func New(cfg Config) *Service {
	s := &Service{cfg: cfg.withDefaults(), tables: make(map[string]*table), cache: expr.NewCache(), statements: newStatements()}
	s.operations = s.allOperations()
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	if s.cfg.TTLSweepEvery > 0 {
		s.done.Go(func() { s.sweepForever(ctx) })
	}
	return s
}

// Close ends the background sweeping and returns when it has ended.
func (s *Service) Close() {
	s.cancel()
	s.done.Wait()
}

func (s *Service) allOperations() map[string]func([]byte) (any, error) {
	return map[string]func([]byte) (any, error){
		"BatchGetItem":              s.batchGetItem,
		"BatchWriteItem":            s.batchWriteItem,
		"CreateTable":               s.createTable,
		"DeleteItem":                s.deleteItem,
		"DeleteTable":               s.deleteTable,
		"DescribeContinuousBackups": s.describeContinuousBackups,
		"DescribeLimits":            s.describeLimits,
		"DescribeTable":             s.describeTable,
		"DescribeTimeToLive":        s.describeTimeToLive,
		"GetItem":                   s.getItem,
		"ListTables":                s.listTables,
		"ListTagsOfResource":        s.listTagsOfResource,
		"PutItem":                   s.putItem,
		"Query":                     s.query,
		"Scan":                      s.scan,
		"TagResource":               s.tagResource,
		"TransactGetItems":          s.transactGetItems,
		"TransactWriteItems":        s.transactWriteItems,
		"UntagResource":             s.untagResource,
		"UpdateContinuousBackups":   s.updateContinuousBackups,
		"UpdateItem":                s.updateItem,
		"UpdateTable":               s.updateTable,
		"UpdateTimeToLive":          s.updateTimeToLive,
	}
}

// Invoke runs one DynamoDB_20120810 operation; see wire.JSONService.
func (s *Service) Invoke(ctx context.Context, operation string, body []byte) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if operation == "BatchExecuteStatement" { // the one that asks its context for faults
		return s.batchExecuteStatement(ctx, body)
	}
	run, ok := s.operations[operation]
	if !ok {
		return nil, wire.UnknownOperation("DynamoDB_20120810", operation)
	}
	return run(body)
}

// table finds a table by its name or ARN.
func (s *Service) table(name string) (*table, error) {
	t := s.lookup(name)
	if t == nil {
		return nil, wire.Errorf(codeNotFound, "Requested resource not found")
	}
	return t, nil
}

// tableByName is table with the text of the operations on tables themselves.
func (s *Service) tableByName(name string) (*table, error) {
	t := s.lookup(name)
	if t == nil {
		return nil, wire.Errorf(codeNotFound, "Requested resource not found: Table: %s not found", tableName(name))
	}
	return t, nil
}

func (s *Service) lookup(name string) *table {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.tables[tableName(name)]
}
