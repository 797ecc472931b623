package dynamo

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/services/profile/internal/company"
)

// API is what this package calls of DynamoDB; *dynamodb.Client has it.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// Config is what a Repository is made of.
type Config struct {
	// Client reaches the table.
	Client API
	// Publication names the table and its attributes.
	Publication manifest.Publication
	// Now is the clock of versions; time.Now if nil.
	Now func() time.Time
	// NewWriteID names one write; 128 random bits if nil.
	NewWriteID func() string
	// Jitter picks a pause from zero to most, between attempts that conflict
	// with another writer; uniformly at random if nil.
	Jitter func(most time.Duration) time.Duration
}

// keyAttribute is the table's partition key.
const keyAttribute = "cik"

// writeIDAttribute holds the name of this service's last write to an item. By
// it a writer whose answer was lost knows its own write from another's, also
// from one that chose the same version in the same microsecond.
const writeIDAttribute = "writeID"

// Repository reads and writes companies. It is safe for concurrent use.
type Repository struct {
	client     API
	table      string
	names      manifest.Bookkeeping
	attributes map[string]string // contract attribute -> item attribute
	now        func() time.Time
	newWriteID func() string
	jitter     func(time.Duration) time.Duration
}

// New returns a repository.
func New(cfg Config) *Repository {
	r := &Repository{
		client: cfg.Client, table: cfg.Publication.Table, names: cfg.Publication.Bookkeeping(),
		attributes: make(map[string]string), now: cfg.Now, newWriteID: cfg.NewWriteID, jitter: cfg.Jitter,
	}
	for _, name := range profilev1.Contract.Names() {
		r.attributes[name] = cfg.Publication.ItemAttribute(name)
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.newWriteID == nil {
		r.newWriteID = rand.Text
	}
	if r.jitter == nil {
		r.jitter = func(most time.Duration) time.Duration { return mathrand.N(most + 1) }
	}
	return r
}

// Company returns a company, by one consistent GetItem. The error is
// company.ErrNotFound, which may be company.ErrDeleted, where there is none.
func (r *Repository) Company(ctx context.Context, cik string) (company.Company, error) {
	operation := "read company " + cik
	item, err := r.read(ctx, cik)
	if err != nil {
		return company.Company{}, wrap(operation, err)
	}
	if err := r.absent(item); err != nil {
		return company.Company{}, wrap(operation, err)
	}
	c, err := r.decode(item)
	return c, wrap(operation, err)
}

// Ready says whether the table answers, by reading a key that no company has:
// this needs no right beyond those the service has anyway.
func (r *Repository) Ready(ctx context.Context) error {
	if _, err := r.read(ctx, "-"); err != nil {
		return fmt.Errorf("table %s: %w", r.table, err)
	}
	return nil
}

// read returns the item of a company, nil where there is none.
func (r *Repository) read(ctx context.Context, cik string) (contracts.Item, error) {
	out, err := r.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(r.table), Key: key(cik), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	return dynamostore.FromAttributes(out.Item)
}

func key(cik string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{keyAttribute: &types.AttributeValueMemberS{Value: cik}}
}

// absent says that an item is no company, and why; nil where it is one.
func (r *Repository) absent(item contracts.Item) error {
	switch {
	case item == nil:
		return company.ErrNotFound
	case r.isTombstone(item):
		return company.ErrDeleted
	}
	return nil
}

// isTombstone agrees with the relay: nothing but the boolean true deletes.
func (r *Repository) isTombstone(item contracts.Item) bool { return item[r.names.Deleted].Bool() }

// version returns an item's version, 0 where it is missing or invalid.
func (r *Repository) version(item contracts.Item) contracts.Version {
	return contracts.VersionOf(item[r.names.Version], r.now().Add(contracts.MaxAhead))
}

// decode reads a live item.
func (r *Repository) decode(item contracts.Item) (company.Company, error) {
	shared := make(contracts.Item, len(r.attributes))
	for name, from := range r.attributes {
		if v, ok := item[from]; ok {
			shared[name] = v
		}
	}
	profile, err := contracts.Unmarshal[profilev1.Profile](profilev1.Contract, shared)
	if err != nil {
		return company.Company{}, fmt.Errorf("%w: %w", company.ErrDamaged, err)
	}
	return company.Company{CIK: item[keyAttribute].Text(), Version: r.version(item), Profile: profile}, nil
}
