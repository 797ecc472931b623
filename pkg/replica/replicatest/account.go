package replicatest

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// account creates what manifests declare, as bootstrap does. Every table has a
// stream, so that each version it ever held can be looked at.
type account struct {
	db     *dynamodb.Client
	topics *sns.Client
	queues *sqs.Client
}

func (a account) create(ctx context.Context, owner *manifest.Manifest, subscribers []*manifest.Manifest) error {
	for _, m := range append([]*manifest.Manifest{owner}, subscribers...) {
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
			if err := a.table(ctx, t); err != nil {
				return err
			}
		}
	}
	published := owner.Publishes[0]
	topic, err := a.topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: &published.Topic})
	if err != nil {
		return err
	}
	if _, _, err := a.queue(ctx, published.DeadLetterQueue, nil); err != nil {
		return err
	}
	for _, m := range subscribers {
		if err := a.subscribe(ctx, aws.ToString(topic.TopicArn), m); err != nil {
			return err
		}
	}
	return nil
}

func (a account) table(ctx context.Context, t manifest.Table) error {
	in := &dynamodb.CreateTableInput{
		TableName: &t.Name, BillingMode: types.BillingModePayPerRequest,
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	}
	defined := make(map[string]bool)
	schema := func(keys ...manifest.KeyAttribute) []types.KeySchemaElement {
		var elements []types.KeySchemaElement
		for i, k := range keys {
			if k.Name == "" {
				continue
			}
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
	in.KeySchema = schema(t.PartitionKey, t.SortKey)
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
			IndexName: aws.String(ix.Name), KeySchema: schema(ix.PartitionKey, ix.SortKey), Projection: projection,
		})
	}
	if _, err := a.db.CreateTable(ctx, in); err != nil {
		return err
	}
	if t.TTLAttribute == "" {
		return nil
	}
	_, err := a.db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: &t.Name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &t.TTLAttribute, Enabled: aws.Bool(true)}})
	return err
}

// queue creates a queue and returns its URL and ARN.
func (a account) queue(ctx context.Context, name string, attributes map[string]string) (url, arn string, err error) {
	created, err := a.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		return "", "", err
	}
	out, err := a.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: created.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn}})
	if err != nil {
		return "", "", err
	}
	return aws.ToString(created.QueueUrl), out.Attributes["QueueArn"], nil
}

func (a account) subscribe(ctx context.Context, topic string, m *manifest.Manifest) error {
	for _, s := range m.Subscribes {
		// A letter lives as long as one may be put back for.
		_, dlq, err := a.queue(ctx, s.Queue.DeadLetterQueue, map[string]string{"MessageRetentionPeriod": "1209600"})
		if err != nil {
			return err
		}
		_, queue, err := a.queue(ctx, s.Queue.Name, map[string]string{
			"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, dlq, s.Queue.MaxReceiveCount),
			"Policy": fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},`+
				`"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`, topic),
		})
		if err != nil {
			return err
		}
		_, err = a.topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &queue,
			Attributes: map[string]string{"RawMessageDelivery": "true", "FilterPolicy": s.FilterPolicy(m.Service)}})
		if err != nil {
			return err
		}
	}
	return nil
}
