// Package accounttest gives tests an AWS account of their own: what manifests
// declare is created in it, as bootstrap and Terraform do, on localaws and by the
// real SDK.
//
// It promises that two accounts share nothing, and that after Run no process that
// was started in one is left. It does not promise the limits and alarms that a
// real account has.
package accounttest

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Account is an account as it is reached by Config. It is safe for concurrent
// use.
type Account struct {
	Config aws.Config
	DB     *dynamodb.Client
	Topics *sns.Client
	Queues *sqs.Client
	// Streams gives every table a stream, so that each version that an item ever
	// had can be looked at; else those tables have one whose manifest says so.
	Streams bool
}

// New returns the account that cfg reaches.
func New(cfg aws.Config) *Account {
	return &Account{Config: cfg, DB: dynamodb.NewFromConfig(cfg), Topics: sns.NewFromConfig(cfg), Queues: sqs.NewFromConfig(cfg)}
}

// Create creates everything that manifests declare, those of subscribers with
// those of owners or after them.
func (a *Account) Create(ctx context.Context, manifests ...*manifest.Manifest) error {
	for _, m := range manifests {
		tables := slices.Clone(m.Tables)
		for _, p := range m.Publishes {
			tables = append(tables, p.CheckpointTableSpec())
		}
		for _, s := range m.Subscribes {
			tables = append(tables, s.ControlTableSpec())
		}
		made := make(map[string]bool)
		for _, t := range tables {
			if made[t.Name] {
				continue // the manifest declares it itself
			}
			made[t.Name] = true
			if err := a.CreateTable(ctx, t); err != nil {
				return err
			}
		}
	}
	for _, m := range manifests {
		for _, p := range m.Publishes {
			if _, err := a.Topic(ctx, p.Topic); err != nil {
				return err
			}
			if _, _, err := a.CreateQueue(ctx, p.DeadLetterQueue, nil); err != nil {
				return err
			}
		}
	}
	for _, m := range manifests {
		for _, s := range m.Subscribes {
			if _, err := a.Subscribe(ctx, s, s.FilterPolicy(m.Service)); err != nil {
				return err
			}
		}
	}
	return nil
}

// CreateTable creates a table with its indexes and time to live.
func (a *Account) CreateTable(ctx context.Context, t manifest.Table) error {
	in := &dynamodb.CreateTableInput{TableName: &t.Name, BillingMode: types.BillingModePayPerRequest}
	if t.Stream || a.Streams {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
	}
	defined := make(map[string]bool)
	schema := func(keys []manifest.KeyAttribute) []types.KeySchemaElement {
		var elements []types.KeySchemaElement
		for i, k := range keys {
			if !defined[k.Name] {
				defined[k.Name] = true
				in.AttributeDefinitions = append(in.AttributeDefinitions,
					types.AttributeDefinition{AttributeName: aws.String(k.Name), AttributeType: types.ScalarAttributeType(k.Type)})
			}
			elements = append(elements, types.KeySchemaElement{
				AttributeName: aws.String(k.Name), KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]})
		}
		return elements
	}
	in.KeySchema = schema(t.KeyAttributes())
	for _, ix := range t.Indexes {
		projection := &types.Projection{ProjectionType: types.ProjectionTypeAll}
		switch {
		case ix.Projection == manifest.ProjectAll:
		case len(ix.Include) > 0:
			projection = &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: ix.Include}
		default:
			projection.ProjectionType = types.ProjectionTypeKeysOnly
		}
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(ix.Name), KeySchema: schema(ix.KeyAttributes()), Projection: projection,
		})
	}
	if _, err := a.DB.CreateTable(ctx, in); err != nil {
		return err
	}
	if t.TTLAttribute == "" {
		return nil
	}
	_, err := a.DB.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: &t.Name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &t.TTLAttribute, Enabled: aws.Bool(true)}})
	return err
}

// CreateQueue creates a queue and returns its URL and ARN.
func (a *Account) CreateQueue(ctx context.Context, name string, attributes map[string]string) (url, arn string, err error) {
	created, err := a.Queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		return "", "", err
	}
	out, err := a.Queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: created.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn}})
	if err != nil {
		return "", "", err
	}
	return aws.ToString(created.QueueUrl), out.Attributes["QueueArn"], nil
}

// Depth is how many messages of a queue are visible, and how many in flight.
func (a *Account) Depth(ctx context.Context, url string) (visible, inFlight int, err error) {
	names := []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible}
	out, err := a.Queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
	if err != nil {
		return 0, 0, err
	}
	if visible, err = strconv.Atoi(out.Attributes[string(names[0])]); err != nil {
		return 0, 0, err
	}
	inFlight, err = strconv.Atoi(out.Attributes[string(names[1])])
	return visible, inFlight, err
}

// Topic returns the topic's ARN, and creates it if it is not there.
func (a *Account) Topic(ctx context.Context, name string) (arn string, err error) {
	created, err := a.Topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name})
	if err != nil {
		return "", err
	}
	return aws.ToString(created.TopicArn), nil
}

// Subscribe creates a subscription's queues and the subscription itself, with a
// filter policy.
func (a *Account) Subscribe(ctx context.Context, s manifest.Subscription, filter string) (arn string, err error) {
	topic, err := a.Topic(ctx, s.Topic)
	if err != nil {
		return "", err
	}
	// A letter lives as long as one may be put back for.
	_, dlq, err := a.CreateQueue(ctx, s.Queue.DeadLetterQueue, map[string]string{"MessageRetentionPeriod": "1209600"})
	if err != nil {
		return "", err
	}
	_, queue, err := a.CreateQueue(ctx, s.Queue.Name, map[string]string{
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, dlq, s.Queue.MaxReceiveCount),
		"Policy": fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},`+
			`"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`, topic),
	})
	if err != nil {
		return "", err
	}
	made, err := a.Topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &queue, ReturnSubscriptionArn: true,
		Attributes: map[string]string{"RawMessageDelivery": "true", "FilterPolicy": filter}})
	if err != nil {
		return "", err
	}
	return aws.ToString(made.SubscriptionArn), nil
}
