package sqs_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
)

// bench is the real SDK on an engine of its own, in a bubble of virtual time.
type bench struct {
	*testing.T
	ctx    context.Context
	engine *localaws.Engine
	client *sqs.Client
	due    *sync.WaitGroup // what later has still to do
}

// later does something after a delay. The test does not end before it is done.
func (b *bench) later(delay time.Duration, do func()) {
	b.due.Add(1)
	time.AfterFunc(delay, func() {
		defer b.due.Done()
		do()
	})
}

// inBubble runs a test on a bench.
func inBubble(t *testing.T, test func(b *bench)) {
	withConfig(t, localaws.Config{}, test)
}

func withConfig(t *testing.T, cfg localaws.Config, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(cfg)
		defer engine.Close()
		var due sync.WaitGroup
		defer due.Wait()
		test(&bench{T: t, ctx: t.Context(), engine: engine, client: sqs.NewFromConfig(localawstest.Config(engine)), due: &due})
	})
}

// queue creates a queue and returns its URL.
func (b *bench) queue(name string, attributes map[string]string) *string {
	b.Helper()
	created, err := b.client.CreateQueue(b.ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		b.Fatal(err)
	}
	return created.QueueUrl
}

// fifo creates a FIFO queue with content-based deduplication.
func (b *bench) fifo(name string, attributes map[string]string) *string {
	b.Helper()
	all := map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"}
	maps.Copy(all, attributes)
	return b.queue(name, all)
}

// pair creates a queue with a dead-letter queue.
func (b *bench) pair(name string, maxReceives int) (source, dead *string) {
	b.Helper()
	dead = b.queue(name+"-dead", nil)
	return b.queue(name, map[string]string{"RedrivePolicy": redrive(name+"-dead", maxReceives)}), dead
}

func arnOf(name string) string { return "arn:aws:sqs:us-east-1:000000000000:" + name }

func redrive(dead string, maxReceives int) string {
	return `{"deadLetterTargetArn":"` + arnOf(dead) + `","maxReceiveCount":` + strconv.Itoa(maxReceives) + `}`
}

func (b *bench) send(queue *string, bodies ...string) (ids []string) {
	b.Helper()
	for _, body := range bodies {
		sent, err := b.client.SendMessage(b.ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: &body})
		if err != nil {
			b.Fatal(err)
		}
		ids = append(ids, *sent.MessageId)
	}
	return ids
}

func (b *bench) sendTo(queue *string, group, body string) *sqs.SendMessageOutput {
	b.Helper()
	sent, err := b.client.SendMessage(b.ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: &body, MessageGroupId: &group})
	if err != nil {
		b.Fatal(err)
	}
	return sent
}

// receive receives up to ten messages with everything SQS says about them.
func (b *bench) receive(queue *string, change ...func(*sqs.ReceiveMessageInput)) []types.Message {
	b.Helper()
	in := &sqs.ReceiveMessageInput{
		QueueUrl: queue, MaxNumberOfMessages: 10,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"All"},
	}
	for _, c := range change {
		c(in)
	}
	got, err := b.client.ReceiveMessage(b.ctx, in)
	if err != nil {
		b.Fatal(err)
	}
	return got.Messages
}

func waiting(seconds int32) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = seconds }
}

func atMost(n int32) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = n }
}

func hidingFor(seconds int32) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.VisibilityTimeout = seconds }
}

func bodies(messages []types.Message) []string {
	list := []string{}
	for _, m := range messages {
		list = append(list, *m.Body)
	}
	return list
}

func (b *bench) delete(queue *string, m types.Message) error {
	_, err := b.client.DeleteMessage(b.ctx, &sqs.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: m.ReceiptHandle})
	return err
}

func (b *bench) hide(queue *string, m types.Message, seconds int32) error {
	_, err := b.client.ChangeMessageVisibility(b.ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: queue, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds})
	return err
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) set(queue *string, name, value string) error {
	_, err := b.client.SetQueueAttributes(b.ctx, &sqs.SetQueueAttributesInput{QueueUrl: queue, Attributes: map[string]string{name: value}})
	return err
}

func (b *bench) attribute(queue *string, name types.QueueAttributeName) string {
	b.Helper()
	got, err := b.client.GetQueueAttributes(b.ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue, AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		b.Fatal(err)
	}
	return got.Attributes[string(name)]
}

// depth is the queue's visible, in-flight and delayed counts.
func (b *bench) depth(queue *string) [3]string {
	b.Helper()
	return [3]string{
		b.attribute(queue, "ApproximateNumberOfMessages"),
		b.attribute(queue, "ApproximateNumberOfMessagesNotVisible"),
		b.attribute(queue, "ApproximateNumberOfMessagesDelayed"),
	}
}

// codeOf is the error code the SDK reports, empty without an error.
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

// raw calls an operation with a JSON body of one's own, for what the SDK
// cannot say.
func (b *bench) raw(operation string, body map[string]any) error {
	b.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		b.Fatal(err)
	}
	_, err = b.engine.SQS().Invoke(b.ctx, operation, encoded)
	return err
}

func text(s string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &s}
}

// attributes gives each name itself as its value.
func attributes(names ...string) map[string]types.MessageAttributeValue {
	all := map[string]types.MessageAttributeValue{}
	for _, name := range names {
		all[name] = text(name)
	}
	return all
}

func formatMillis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
