package localaws_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
)

// clients are the SDK's on one engine.
type clients struct {
	*testing.T
	engine   *localaws.Engine
	config   aws.Config
	dynamodb *dynamodb.Client
	streams  *dynamodbstreams.Client
	sns      *sns.Client
	sqs      *sqs.Client
}

func connect(t *testing.T, engine *localaws.Engine) *clients {
	cfg := localawstest.Config(engine)
	return &clients{
		T: t, engine: engine, config: cfg,
		dynamodb: dynamodb.NewFromConfig(cfg), streams: dynamodbstreams.NewFromConfig(cfg),
		sns: sns.NewFromConfig(cfg), sqs: sqs.NewFromConfig(cfg),
	}
}

// inBubble runs a test on an engine of its own in virtual time.
func inBubble(t *testing.T, cfg localaws.Config, test func(c *clients)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(cfg)
		defer engine.Close()
		test(connect(t, engine))
	})
}

func (c *clients) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *clients) queue(name string, attributes map[string]string) *string {
	c.Helper()
	created, err := c.sqs.CreateQueue(c.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	c.must(err)
	return created.QueueUrl
}

func (c *clients) received(queue *string) []string {
	c.Helper()
	got, err := c.sqs.ReceiveMessage(c.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue, MaxNumberOfMessages: 10})
	c.must(err)
	bodies := []string{}
	for _, m := range got.Messages {
		bodies = append(bodies, *m.Body)
	}
	return bodies
}

// table creates a table with a stream.
func (c *clients) table(name string) {
	c.Helper()
	_, err := c.dynamodb.CreateTable(c.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddbtypes.KeyTypeHash}},
		StreamSpecification:  &ddbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddbtypes.StreamViewTypeNewAndOldImages},
	})
	c.must(err)
}

func (c *clients) put(table, id string) error {
	_, err := c.dynamodb.PutItem(c.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]ddbtypes.AttributeValue{"id": &ddbtypes.AttributeValueMemberS{Value: id}}})
	return err
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// exchange sends one request as it is and returns the answer with its body.
func (c *clients) exchange(method, path, body string, headers map[string]string) (*http.Response, string) {
	c.Helper()
	request, err := http.NewRequestWithContext(c.Context(), method, localawstest.Endpoint+path, strings.NewReader(body))
	c.must(err)
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := c.engine.HTTPClient().Do(request)
	c.must(err)
	content, err := io.ReadAll(response.Body)
	c.must(errors.Join(err, response.Body.Close()))
	return response, string(content)
}
