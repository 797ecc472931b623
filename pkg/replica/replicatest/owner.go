package replicatest

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

const companies = "companies"

const ownerManifest = `
service: profile
tables:
  - name: companies
    partition_key: {name: cik, type: S}
    stream: true
    ttl_attribute: expiresAt
  - name: profile-relay-checkpoints
    partition_key: {name: id, type: S}
publishes:
  - contract: company.profile/v1
    table: companies
    key: {cik: "{cik}"}
`

// relay runs the owner's relay behind a poller.
func relay(ctx context.Context, cfg aws.Config, m *manifest.Manifest) error {
	published := m.Publishes[0]
	source, err := replica.NewSource(m.Service, published, profilev1.Contract)
	if err != nil {
		return err
	}
	publisher, err := snspub.New(sns.NewFromConfig(cfg), snspub.Config{})
	if err != nil {
		return err
	}
	db := dynamodb.NewFromConfig(cfg)
	r, err := replica.NewRelay(replica.RelayConfig{
		Sources: []*replica.Source{source}, Table: dynamostore.NewSource(db, published.Table), Publisher: publisher,
		DeadLetters: sqssub.NewDeadLetters(sqs.NewFromConfig(cfg), published.DeadLetterQueue, published.Table), Logger: quiet,
	})
	if err != nil {
		return err
	}
	poller, err := dynamostream.NewPoller(dynamostream.PollerConfig{
		Table: published.Table, Streams: dynamodbstreams.NewFromConfig(cfg), Relay: r,
		Checkpoints: dynamostore.NewCheckpoints(db, published.CheckpointTable, "relay"),
		IdleWait:    2 * time.Second, DrainTimeout: drain, Logger: quiet,
	})
	if err != nil {
		return err
	}
	return poller.Run(ctx)
}

// writer writes the owner's table: as its repository does, or as others do who
// know nothing of versions. What AWS refuses is as if it had not been tried.
type writer struct {
	db     *dynamodb.Client
	source *dynamostore.Source
}

func keyOf(cik string) contracts.Item { return contracts.Item{"cik": contracts.String(cik)} }

func (w writer) read(ctx context.Context, cik string) (contracts.Item, error) {
	return w.source.Read(ctx, keyOf(cik))
}

// own is a write by the owner's repository: conditional on the version it read,
// and to the next one. A nil set deletes, by a tombstone.
func (w writer) own(ctx context.Context, cik string, skew time.Duration, set contracts.Item) error {
	for {
		old, err := w.read(ctx, cik)
		if err != nil {
			return err
		}
		clock := time.Now().Add(skew)
		next, err := contracts.Next(clock, contracts.VersionOf(old["version"], clock.Add(contracts.MaxAhead)))
		if err != nil {
			return err
		}
		item := keyOf(cik)
		if set == nil {
			item["deleted"] = contracts.Bool(true)
			item["expiresAt"] = replica.SourceTombstoneExpiry(clock, next)
		} else {
			if !old["deleted"].Bool() {
				maps.Copy(item, old)
			}
			delete(item, "expiresAt")
			maps.Copy(item, set)
		}
		item["version"] = next.Value()
		in := &dynamodb.PutItemInput{
			TableName: aws.String(companies), Item: dynamostore.ToAttributes(item),
			ConditionExpression:      aws.String("attribute_not_exists(#v)"),
			ExpressionAttributeNames: map[string]string{"#v": "version"},
		}
		if v, ok := old["version"]; ok {
			in.ConditionExpression = aws.String("#v = :v")
			in.ExpressionAttributeValues = map[string]types.AttributeValue{":v": dynamostore.ToAttribute(v)}
		}
		_, err = w.db.PutItem(ctx, in)
		if _, lost := errors.AsType[*types.ConditionalCheckFailedException](err); !lost {
			return err
		}
	}
}

// put is a foreign write of the whole item.
func (w writer) put(ctx context.Context, item contracts.Item) error {
	_, err := w.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(companies), Item: dynamostore.ToAttributes(item)})
	return err
}

// change is a foreign write of single attributes.
func (w writer) change(ctx context.Context, cik, expression, name string, value contracts.Value) error {
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String(companies), Key: dynamostore.ToAttributes(keyOf(cik)),
		UpdateExpression: &expression, ExpressionAttributeNames: map[string]string{"#n": name},
		ConditionExpression: aws.String("attribute_exists(cik)"),
	}
	if !value.IsZero() {
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":v": dynamostore.ToAttribute(value)}
	}
	_, err := w.db.UpdateItem(ctx, in)
	return none[*types.ConditionalCheckFailedException](err)
}

// remove is a foreign delete.
func (w writer) remove(ctx context.Context, cik string) error {
	_, err := w.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(companies), Key: dynamostore.ToAttributes(keyOf(cik))})
	return err
}

// none returns err unless it is an E.
func none[E error](err error) error {
	if _, is := errors.AsType[E](err); is {
		return nil
	}
	return err
}
