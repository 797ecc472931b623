package replicatest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// subjectOf names a source item.
func subjectOf(item int) string { return strconv.Itoa(item + 1) }

// source is the owner's table, as whoever knows its manifest can see it.
type source struct {
	publication manifest.Publication
	names       manifest.Bookkeeping
	table       string
	rows        *dynamostore.Source
}

func newSourceTable(db *dynamodb.Client, m *manifest.Manifest) source {
	p := m.Publishes[0]
	return source{publication: p, names: p.Bookkeeping(), table: p.Table, rows: dynamostore.NewSource(db, p.Table)}
}

// key is a subject's; the manifest is one that newSim has tried.
func (s source) key(subject string) contracts.Item {
	texts, err := s.publication.KeyOf(subject)
	if err != nil {
		panic(fmt.Sprintf("key of %q: %v", subject, err))
	}
	return stringItem(texts)
}

func (s source) read(ctx context.Context, subject string) (contracts.Item, error) {
	return s.rows.Read(ctx, s.key(subject))
}

// attribute names the item attribute of a contract's.
func (s source) attribute(name string) string { return s.publication.ItemAttribute(name) }

// set puts shared attributes into an item.
func (s source) set(item, shared contracts.Item) {
	for name, v := range shared {
		item[s.attribute(name)] = v
	}
}

func (s source) isTombstone(item contracts.Item) bool { return item[s.names.Deleted].Bool() }

// stringItem is an item of strings, such as a key.
func stringItem(texts map[string]string) contracts.Item {
	item := make(contracts.Item, len(texts))
	for name, text := range texts {
		item[name] = contracts.String(text)
	}
	return item
}

// foreign writes the owner's table as those do who know nothing of versions.
type foreign struct {
	source
	db *dynamodb.Client
}

// put writes the whole item.
func (f foreign) put(ctx context.Context, item contracts.Item) error {
	_, err := f.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &f.table, Item: dynamostore.ToAttributes(item)})
	return err
}

// change sets a single attribute of an item that is there; the zero value
// removes it.
func (f foreign) change(ctx context.Context, subject, name string, value contracts.Value) error {
	key := f.key(subject)
	in := &dynamodb.UpdateItemInput{
		TableName: &f.table, Key: dynamostore.ToAttributes(key),
		UpdateExpression: aws.String("REMOVE #n"), ConditionExpression: aws.String("attribute_exists(#k)"),
		ExpressionAttributeNames: map[string]string{"#n": name, "#k": sortedNames(key)[0]},
	}
	if !value.IsZero() {
		in.UpdateExpression = aws.String("SET #n = :v")
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":v": dynamostore.ToAttribute(value)}
	}
	_, err := f.db.UpdateItem(ctx, in)
	if _, gone := errors.AsType[*types.ConditionalCheckFailedException](err); gone {
		return nil
	}
	return err
}

// expire gives a live item an expiry, by which TTL removes it. A tombstone keeps
// its own, also one that a relay puts there at this moment: without it, nothing
// would say how far its item had come.
func (f foreign) expire(ctx context.Context, subject string, at time.Time) error {
	key := f.key(subject)
	_, err := f.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &f.table, Key: dynamostore.ToAttributes(key),
		UpdateExpression: aws.String("SET #n = :v"), ConditionExpression: aws.String("attribute_exists(#k) AND (attribute_not_exists(#d) OR #d = :false)"),
		ExpressionAttributeNames: map[string]string{"#n": f.names.ExpiresAt, "#k": sortedNames(key)[0], "#d": f.names.Deleted},
		ExpressionAttributeValues: dynamostore.ToAttributes(contracts.Item{
			":v": contracts.Number(strconv.FormatInt(at.Unix(), 10)), ":false": contracts.Bool(false),
		}),
	})
	if _, other := errors.AsType[*types.ConditionalCheckFailedException](err); other {
		return nil
	}
	return err
}

func (f foreign) remove(ctx context.Context, subject string) error {
	_, err := f.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &f.table, Key: dynamostore.ToAttributes(f.key(subject))})
	return err
}
