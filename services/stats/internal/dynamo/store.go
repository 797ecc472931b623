package dynamo

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// API is what this package calls of DynamoDB; *dynamodb.Client has it.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
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
	// Now is the clock of addedAt and of the rows' versions; time.Now if nil.
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

// latestVersion is the instant after which a stored version counts as missing.
func (s *Store) latestVersion() time.Time { return s.now().Add(contracts.MaxAhead) }

// get reads an item consistently; nil if there is none.
func (s *Store) get(ctx context.Context, table string, key item) (item, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(table), Key: key, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}
