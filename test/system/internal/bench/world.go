package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

// world is one localaws and what a run creates in it.
type world struct {
	endpoint string
	database *dynamodb.Client
	topics   *sns.Client
	queues   *sqs.Client
	urls     []*string // of the queue and its dead-letter queue
}

func newWorld(endpoint string) *world {
	cfg := awsConfig(endpoint)
	return &world{endpoint: endpoint, database: dynamodb.NewFromConfig(cfg), topics: sns.NewFromConfig(cfg), queues: sqs.NewFromConfig(cfg)}
}

// create makes table, topic, queues and subscription, and fills the table with
// what the replica holds before the first change.
func (w *world) create(ctx context.Context, initial map[string]held) error {
	_, err := w.database.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String(replicaTable), BillingMode: dbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dbtypes.AttributeDefinition{{AttributeName: aws.String(keyAttribute), AttributeType: dbtypes.ScalarAttributeTypeS}},
		KeySchema:            []dbtypes.KeySchemaElement{{AttributeName: aws.String(keyAttribute), KeyType: dbtypes.KeyTypeHash}},
	})
	if err != nil {
		return err
	}
	dlq, dlqARN, err := w.queue(ctx, queueName+"-dlq", nil)
	if err != nil {
		return err
	}
	topic, err := w.topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(topicName)})
	if err != nil {
		return err
	}
	queue, queueARN, err := w.queue(ctx, queueName, map[string]string{
		"VisibilityTimeout": "30",
		"RedrivePolicy":     fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":10}`, dlqARN),
		"Policy": fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},`+
			`"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`, aws.ToString(topic.TopicArn)),
	})
	if err != nil {
		return err
	}
	w.urls = []*string{queue, dlq}
	_, err = w.topics.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(queueARN),
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	if err != nil {
		return err
	}
	return w.fill(ctx, initial)
}

func (w *world) queue(ctx context.Context, name string, attributes map[string]string) (url *string, arn string, err error) {
	created, err := w.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(name), Attributes: attributes})
	if err != nil {
		return nil, "", err
	}
	out, err := w.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: created.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return nil, "", err
	}
	return created.QueueUrl, out.Attributes["QueueArn"], nil
}

// fill puts items as Tributary's own consumer would have left them.
func (w *world) fill(ctx context.Context, initial map[string]held) error {
	applier, err := newApplier(dynamostore.New(w.database, dynamostore.Config{}), nil)
	if err != nil {
		return err
	}
	const probe = "probe"
	if _, err := applier.Apply(ctx, &contracts.Change{
		Contract: applier.Contract(), Operation: contracts.Delete, Subject: probe, Version: initialVersion,
	}, replica.FirstPass); err != nil {
		return err
	}
	key := map[string]dbtypes.AttributeValue{keyAttribute: &dbtypes.AttributeValueMemberS{Value: probe}}
	left, err := w.database.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(replicaTable), Key: key, ReturnValues: dbtypes.ReturnValueAllOld})
	if err != nil {
		return err
	}
	var puts []dbtypes.WriteRequest
	for subject, h := range initial {
		item := dynamostore.ToAttributes(h.copied)
		item[keyAttribute] = &dbtypes.AttributeValueMemberS{Value: subject}
		item[attributeVersion] = dynamostore.ToAttribute(h.version.Value())
		item[attributeMapping] = left.Attributes[attributeMapping]
		puts = append(puts, dbtypes.WriteRequest{PutRequest: &dbtypes.PutRequest{Item: item}})
	}
	for batch := range slices.Chunk(puts, 25) {
		out, err := w.database.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]dbtypes.WriteRequest{replicaTable: batch}})
		if err == nil && len(out.UnprocessedItems) > 0 {
			err = errors.New("some items were not put")
		}
		if err != nil {
			return fmt.Errorf("fill the replica table: %w", err)
		}
	}
	return nil
}

// maxDifferences bounds what an error says of a replica.
const maxDifferences = 5

// check says how the replica and the queues depart from what they have to be
// in the end.
func (w *world) check(ctx context.Context, want map[string]held) error {
	var problems []error
	for _, url := range w.urls {
		out, err := w.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []sqstypes.QueueAttributeName{"All"}})
		if err != nil {
			return err
		}
		for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
			if n := out.Attributes[name]; n != "0" {
				problems = append(problems, fmt.Errorf("queue %s: %s is %s", aws.ToString(url), name, n))
			}
		}
	}
	differences, seen := 0, 0
	pages := dynamodb.NewScanPaginator(w.database, &dynamodb.ScanInput{TableName: aws.String(replicaTable), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, attributes := range page.Items {
			seen++
			item, err := dynamostore.FromAttributes(attributes)
			if err != nil {
				return err
			}
			subject := item[keyAttribute].Text()
			h := want[subject]
			version := item[attributeVersion].Text()
			for _, name := range []string{keyAttribute, attributeVersion, attributeMapping} {
				delete(item, name)
			}
			if version == h.version.String() && item.Equal(h.copied) {
				continue
			}
			if differences++; differences <= maxDifferences {
				problems = append(problems, fmt.Errorf("replica of %s: it has version %s and %d attributes, want version %s with %d equal ones", subject, version, len(item), h.version, len(h.copied)))
			}
		}
	}
	if differences > maxDifferences {
		problems = append(problems, fmt.Errorf("%d more replicas differ", differences-maxDifferences))
	}
	if seen != len(want) {
		problems = append(problems, fmt.Errorf("the replica table has %d items, want %d", seen, len(want)))
	}
	return errors.Join(problems...)
}

// Requests counts requests by operation, such as sqs.ReceiveMessage.
type Requests map[string]int64

// Of is the sum over a service: sns, sqs or dynamodb.
func (r Requests) Of(service string) int64 {
	var total int64
	for operation, n := range r {
		if strings.HasPrefix(operation, service+".") {
			total += n
		}
	}
	return total
}

// resetRequests sets localaws's counts to zero.
func (w *world) resetRequests(ctx context.Context) error {
	_, err := w.control(ctx, http.MethodDelete)
	return err
}

// requests reads localaws's counts.
func (w *world) requests(ctx context.Context) (Requests, error) {
	body, err := w.control(ctx, http.MethodGet)
	if err != nil {
		return nil, err
	}
	counts := Requests{}
	return counts, json.Unmarshal(body, &counts)
}

func (w *world) control(ctx context.Context, method string) (body []byte, err error) {
	url := w.endpoint + "/_localaws/requests"
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %s", method, url, strconv.Itoa(answer.StatusCode))
	}
	return io.ReadAll(answer.Body)
}
