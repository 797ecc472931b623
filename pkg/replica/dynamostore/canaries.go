package dynamostore

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

const (
	canaryPrefix = "canary/"
	canaryNoted  = "notedAt" // RFC 3339
)

// canaryLife is how long a canary is kept: no backfill waits for one that long.
const canaryLife = 7 * 24 * time.Hour

// Canaries keeps which canaries came through a subscription's filter, in the
// subscriber's control table. It is safe for concurrent use.
type Canaries struct {
	client *dynamodb.Client
	table  string
}

var _ replica.CanaryLog = (*Canaries)(nil)

// NewCanaries returns the canaries of the control table of that name. Noting
// them needs the right to PutItem, looking for them that to GetItem.
func NewCanaries(client *dynamodb.Client, table string) *Canaries {
	return &Canaries{client: client, table: table}
}

// NoteCanary implements replica.CanaryLog.
func (c *Canaries) NoteCanary(ctx context.Context, id string, at time.Time) error {
	_, err := c.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(c.table),
		Item: ToAttributes(contracts.Item{
			manifest.ControlKey:    contracts.String(canaryPrefix + id),
			canaryNoted:            contracts.String(at.UTC().Format(time.RFC3339Nano)),
			manifest.ControlExpiry: contracts.Number(fmt.Sprint(at.Add(canaryLife).Unix())),
		}),
	})
	return namesTable(err, c.table, manifest.ControlKey)
}

// Noted reports whether a canary was noted, and when, by a consistent read.
func (c *Canaries) Noted(ctx context.Context, id string) (at time.Time, ok bool, err error) {
	out, err := c.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      aws.String(c.table),
		Key:            map[string]types.AttributeValue{manifest.ControlKey: &types.AttributeValueMemberS{Value: canaryPrefix + id}},
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return time.Time{}, false, fmt.Errorf("look for canary %s: %w", id, namesTable(err, c.table, manifest.ControlKey))
	}
	item, err := FromAttributes(out.Item)
	if err != nil || item == nil {
		return time.Time{}, false, err
	}
	at, err = time.Parse(time.RFC3339Nano, item[canaryNoted].Text())
	if err != nil {
		return time.Time{}, false, fmt.Errorf("canary %s in %s: %w", id, c.table, err)
	}
	return at, true, nil
}
