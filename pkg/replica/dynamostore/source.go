package dynamostore

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// Source is an owner's table as stamping needs it. It needs the right to
// GetItem, UpdateItem and PutItem, and is safe for concurrent use.
type Source struct {
	store *Store
	table string
}

var _ replica.SourceTable = (*Source)(nil)

// NewSource returns the source table of that name.
func NewSource(client *dynamodb.Client, table string) *Source {
	return &Source{store: New(client, Config{}), table: table}
}

// Read implements replica.SourceTable.
func (s *Source) Read(ctx context.Context, key contracts.Item) (contracts.Item, error) {
	return s.store.Read(ctx, s.table, key)
}

// Restamp implements replica.SourceTable.
func (s *Source) Restamp(ctx context.Context, key, set, was contracts.Item) (bool, error) {
	e := newExpression()
	condition := "attribute_exists(" + e.name(firstName(key)) + ")"
	for _, name := range slices.Sorted(maps.Keys(was)) {
		condition += " AND " + e.is(name, was[name])
	}
	in := &dynamodb.UpdateItemInput{
		TableName:           aws.String(s.table),
		Key:                 ToAttributes(key),
		UpdateExpression:    aws.String(e.update(set, nil)),
		ConditionExpression: aws.String(condition),
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.names, e.values
	return held(withoutConflict(ctx, func() error {
		_, err := s.store.client.UpdateItem(ctx, in)
		return err
	}))
}

// PutAbsent implements replica.SourceTable.
func (s *Source) PutAbsent(ctx context.Context, key, item contracts.Item) (bool, error) {
	e := newExpression()
	in := &dynamodb.PutItemInput{
		TableName:                aws.String(s.table),
		Item:                     ToAttributes(item),
		ConditionExpression:      aws.String("attribute_not_exists(" + e.name(firstName(key)) + ")"),
		ExpressionAttributeNames: e.names,
	}
	return held(withoutConflict(ctx, func() error {
		_, err := s.store.client.PutItem(ctx, in)
		return err
	}))
}

// held tells a condition that did not hold from an error, and an error that no
// retry can mend (a stamp for which the item has no room) from others. An SDK retry after a
// lost reply can meet its own write and report a failed condition; the stamp
// starts over, reads its own stamp and stops.
func held(err error) (bool, error) {
	if _, failed := errors.AsType[*types.ConditionalCheckFailedException](err); failed {
		return false, nil
	}
	return err == nil, refused(err)
}
