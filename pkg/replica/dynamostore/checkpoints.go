package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
)

// Attributes of a checkpoint's item. The partition key is the string attribute
// "id": the poller's name, the stream and the shard.
const (
	checkpointID       = "id"
	checkpointSequence = "sequence" // as the stream gave it
	checkpointOrder    = "order"    // the same, padded with zeros, so that it sorts
	checkpointFinished = "finished"
	checkpointUpdated  = "updatedAt"
	checkpointExpires  = "expiresAt" // epoch seconds, for TTL
)

// sequenceDigits is the length of the longest sequence number (StreamRecord,
// DynamoDB Streams API reference).
const sequenceDigits = 40

// checkpointLife is how long a checkpoint is kept after its last change: shards
// vanish after a day.
const checkpointLife = 7 * 24 * time.Hour

// Checkpoints keeps a poller's place in a table, one item per shard. It is safe
// for concurrent use.
type Checkpoints struct {
	client *dynamodb.Client
	table  string
	poller string
	now    func() time.Time
}

var _ dynamostream.Checkpoints = (*Checkpoints)(nil)

// NewCheckpoints returns the checkpoints of the poller of that name. Pollers of
// one name share them.
func NewCheckpoints(client *dynamodb.Client, table, poller string) *Checkpoints {
	return &Checkpoints{client: client, table: table, poller: poller, now: time.Now}
}

func (c *Checkpoints) key(stream, shard string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		checkpointID: &types.AttributeValueMemberS{Value: c.poller + "/" + stream + "/" + shard},
	}
}

// Load implements dynamostream.Checkpoints with a consistent read.
func (c *Checkpoints) Load(ctx context.Context, stream, shard string) (dynamostream.Checkpoint, error) {
	out, err := c.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      aws.String(c.table),
		Key:            c.key(stream, shard),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return dynamostream.Checkpoint{}, fmt.Errorf("load checkpoint of %s: %w", shard, c.explain(err))
	}
	item, err := FromAttributes(out.Item)
	if err != nil {
		return dynamostream.Checkpoint{}, fmt.Errorf("load checkpoint of %s: %w", shard, err)
	}
	return dynamostream.Checkpoint{
		Sequence: item[checkpointSequence].Text(),
		Finished: item[checkpointFinished].Bool(),
	}, nil
}

// Save implements dynamostream.Checkpoints with a write on condition that what
// is kept is not ahead. A finished shard is ahead of every other place in it,
// also one whose last records were trimmed away unread.
func (c *Checkpoints) Save(ctx context.Context, stream, shard string, place dynamostream.Checkpoint) error {
	now := c.now()
	set := contracts.Item{
		checkpointSequence: contracts.String(place.Sequence),
		checkpointOrder:    contracts.String(padded(place.Sequence)),
		checkpointFinished: contracts.Bool(place.Finished),
		checkpointUpdated:  contracts.String(now.UTC().Format(time.RFC3339)),
		checkpointExpires:  contracts.Number(fmt.Sprint(now.Add(checkpointLife).Unix())),
	}
	e := newExpression()
	order, finished := e.name(checkpointOrder), e.name(checkpointFinished)
	open := finished + " = " + e.value(contracts.Bool(false))
	if !place.Finished {
		open = "(" + open + " AND " + order + " <= " + e.value(set[checkpointOrder]) + ")"
	}
	condition := "attribute_not_exists(" + order + ") OR " + open
	_, err := c.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String(c.table),
		Key:                       c.key(stream, shard),
		UpdateExpression:          aws.String(e.update(set, nil)),
		ConditionExpression:       aws.String(condition),
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	})
	if _, err := held(err); err != nil {
		return fmt.Errorf("save checkpoint of %s: %w", shard, c.explain(err))
	}
	return nil
}

func (c *Checkpoints) explain(err error) error { return namesTable(err, c.table, checkpointID) }

// namesTable names the library's own table where there is none.
func namesTable(err error, table, key string) error {
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		return fmt.Errorf("there is no table %s with string key %q: create it (replicactl bootstrap, or Terraform): %w", table, key, err)
	}
	return err
}

func padded(sequence string) string {
	return strings.Repeat("0", max(0, sequenceDigits-len(sequence))) + sequence
}
