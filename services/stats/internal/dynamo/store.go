package dynamo

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// API is what this package calls of DynamoDB; *dynamodb.Client has it.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// Copier puts a new local item together with the copy it is to carry;
// *replica.Applier does.
type Copier interface {
	// AddCopy stores item, which holds its key and its own attributes, in
	// table, with the copy and the version that the item replica of subject
	// has, in one transaction.
	AddCopy(ctx context.Context, table, subject string, item contracts.Item) error
}

// Config is what a Store is made of.
type Config struct {
	// Client reaches the tables.
	Client API
	// Copier adds watchlist entries.
	Copier Copier
	// Now is the clock of addedAt; time.Now if nil.
	Now func() time.Time
	// Jitter picks a delay from zero to most, between attempts that conflict
	// with another writer; uniformly at random if nil.
	Jitter func(most time.Duration) time.Duration
}

// Store reads and writes the tables.
type Store struct {
	client API
	copier Copier
	now    func() time.Time
	jitter func(time.Duration) time.Duration
}

// New returns a store.
func New(cfg Config) *Store {
	s := &Store{client: cfg.Client, copier: cfg.Copier, now: cfg.Now, jitter: cfg.Jitter}
	if s.now == nil {
		s.now = time.Now
	}
	if s.jitter == nil {
		s.jitter = func(most time.Duration) time.Duration { return rand.N(most + 1) }
	}
	return s
}
