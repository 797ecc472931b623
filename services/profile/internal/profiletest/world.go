// Package profiletest gives the service's tests an AWS of their own: an
// in-memory engine with the tables, the topic and the dead-letter queue that
// the service's manifest declares. It is for tests only.
package profiletest

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/services/profile"
)

// World is what a test runs against.
type World struct {
	Engine      *localaws.Engine
	AWS         aws.Config
	Database    *dynamodb.Client
	Topics      *sns.Client
	Queues      *sqs.Client
	Publication manifest.Publication
	Manifest    *manifest.Manifest
}

// New makes a world with the tables, which ends with the test.
func New(t testing.TB) *World {
	t.Helper()
	w := Empty(t)
	for _, table := range w.Manifest.Tables {
		w.CreateTable(t, table)
	}
	return w
}

// Empty makes a world with nothing in it, which ends with the test.
func Empty(t testing.TB) *World {
	t.Helper()
	engine := localaws.New(localaws.Config{})
	t.Cleanup(engine.Close)
	w := &World{Engine: engine, AWS: localawstest.Config(engine)}
	w.Database = dynamodb.NewFromConfig(w.AWS)
	w.Topics, w.Queues = sns.NewFromConfig(w.AWS), sqs.NewFromConfig(w.AWS)
	var err error
	if w.Manifest, err = manifest.Parse(manifest.FileName, profile.Manifest); err != nil {
		t.Fatal(err)
	}
	var ok bool
	if w.Publication, ok = w.Manifest.Publication(profilev1.Contract.ID()); !ok {
		t.Fatalf("the manifest does not publish %s", profilev1.Contract.ID())
	}
	return w
}

// CreateTable creates a declared table.
func (w *World) CreateTable(t testing.TB, table manifest.Table) {
	t.Helper()
	input := &dynamodb.CreateTableInput{
		TableName: aws.String(table.Name), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{
			AttributeName: aws.String(table.PartitionKey.Name), AttributeType: types.ScalarAttributeType(table.PartitionKey.Type),
		}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String(table.PartitionKey.Name), KeyType: types.KeyTypeHash}},
	}
	if table.Stream {
		input.StreamSpecification = &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
		}
	}
	if _, err := w.Database.CreateTable(context.Background(), input); err != nil {
		t.Fatalf("create table %s: %v", table.Name, err)
	}
	if table.TTLAttribute == "" {
		return
	}
	if _, err := w.Database.UpdateTimeToLive(context.Background(), &dynamodb.UpdateTimeToLiveInput{
		TableName: aws.String(table.Name),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String(table.TTLAttribute), Enabled: aws.Bool(true),
		},
	}); err != nil {
		t.Fatalf("turn on TTL of %s: %v", table.Name, err)
	}
}

// CreateTopic creates the publication's topic and returns its ARN.
func (w *World) CreateTopic(t testing.TB) string {
	t.Helper()
	out, err := w.Topics.CreateTopic(context.Background(), &sns.CreateTopicInput{Name: aws.String(w.Publication.Topic)})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.TopicArn)
}

// CreateQueue creates a queue and returns its URL and ARN.
func (w *World) CreateQueue(t testing.TB, name, policy string) (url, arn string) {
	t.Helper()
	input := &sqs.CreateQueueInput{QueueName: aws.String(name)}
	if policy != "" {
		input.Attributes = map[string]string{"Policy": policy}
	}
	created, err := w.Queues.CreateQueue(context.Background(), input)
	if err != nil {
		t.Fatal(err)
	}
	attributes, err := w.Queues.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{
		QueueUrl: created.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(created.QueueUrl), attributes.Attributes[string(sqstypes.QueueAttributeNameQueueArn)]
}

// Item returns what is stored of a company, nil where nothing is.
func (w *World) Item(t testing.TB, cik string) contracts.Item {
	t.Helper()
	out, err := w.Database.GetItem(context.Background(), &dynamodb.GetItemInput{
		TableName: aws.String(w.Publication.Table), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"cik": &types.AttributeValueMemberS{Value: cik}},
	})
	if err != nil {
		t.Fatal(err)
	}
	item, err := dynamostore.FromAttributes(out.Item)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// Put stores an item as it is, as something that knows nothing of versions
// would.
func (w *World) Put(t testing.TB, item contracts.Item) {
	t.Helper()
	if _, err := w.Database.PutItem(context.Background(), &dynamodb.PutItemInput{
		TableName: aws.String(w.Publication.Table), Item: dynamostore.ToAttributes(item),
	}); err != nil {
		t.Fatal(err)
	}
}
