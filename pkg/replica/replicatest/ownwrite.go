package replicatest

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// versioned is the simplest Repository that is right: it reads an item and
// replaces it on condition that its version is still the one it read, by the
// next one.
type versioned struct {
	db     *dynamodb.Client
	source source
	now    func() time.Time
}

func openVersioned(cfg aws.Config, m *manifest.Manifest, now func() time.Time) (Repository, error) {
	db := dynamodb.NewFromConfig(cfg)
	return versioned{db, newSourceTable(db, m), now}, nil
}

func (v versioned) Put(ctx context.Context, subject string, shared contracts.Item) error {
	return v.write(ctx, subject, func(item contracts.Item) error {
		for _, name := range profilev1.Contract.Names() {
			delete(item, v.source.attribute(name))
		}
		v.source.set(item, shared)
		return nil
	})
}

func (v versioned) Patch(ctx context.Context, subject string, set contracts.Item) error {
	return v.write(ctx, subject, func(item contracts.Item) error {
		if len(item) == 0 {
			return ErrRefused
		}
		v.source.set(item, set)
		return nil
	})
}

func (v versioned) Delete(ctx context.Context, subject string) error {
	return v.write(ctx, subject, nil)
}

// write makes one write of what change makes of the live item; nil leaves a
// tombstone.
func (v versioned) write(ctx context.Context, subject string, change func(contracts.Item) error) error {
	names := v.source.names
	for {
		old, err := v.source.read(ctx, subject)
		if err != nil {
			return err
		}
		clock := v.now()
		next, err := contracts.Next(clock, contracts.VersionOf(old[names.Version], clock.Add(contracts.MaxAhead)))
		if err != nil {
			return err
		}
		item := contracts.Item{}
		if change == nil {
			item[names.Deleted] = contracts.Bool(true)
			item[names.ExpiresAt] = replica.SourceTombstoneExpiry(clock, next)
		} else {
			if !old[names.Deleted].Bool() {
				maps.Copy(item, old)
			}
			delete(item, names.ExpiresAt)
			if err := change(item); err != nil {
				return err
			}
		}
		item[names.Version] = next.Value()
		maps.Copy(item, v.source.key(subject))
		in := &dynamodb.PutItemInput{
			TableName: aws.String(v.source.table), Item: dynamostore.ToAttributes(item),
			ConditionExpression:      aws.String("attribute_not_exists(#v)"),
			ExpressionAttributeNames: map[string]string{"#v": names.Version},
		}
		if was, ok := old[names.Version]; ok {
			in.ConditionExpression = aws.String("#v = :v")
			in.ExpressionAttributeValues = map[string]types.AttributeValue{":v": dynamostore.ToAttribute(was)}
		}
		_, err = v.db.PutItem(ctx, in)
		if _, lost := errors.AsType[*types.ConditionalCheckFailedException](err); !lost {
			return err
		}
	}
}
