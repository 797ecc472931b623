package sqssub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	wsns "github.com/ThreeDotsLabs/watermill-aws/sns"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// account makes topics, queues and subscriptions as they are asked for, as
// infrastructure code does beforehand.
type account struct {
	sns *sns.Client
	sqs *sqs.Client
}

func newAccount(engine *localaws.Engine) account {
	cfg := localawstest.Config(engine)
	return account{sns.NewFromConfig(cfg), sqs.NewFromConfig(cfg)}
}

// ResolveTopic creates the topic where it is missing.
func (a account) ResolveTopic(ctx context.Context, topic string) (wsns.TopicArn, error) {
	in := &sns.CreateTopicInput{Name: &topic}
	if strings.HasSuffix(topic, ".fifo") {
		in.Attributes = map[string]string{"FifoTopic": "true"}
	}
	created, err := a.sns.CreateTopic(ctx, in)
	if err != nil {
		return "", err
	}
	return wsns.TopicArn(aws.ToString(created.TopicArn)), nil
}

// subscribe creates a queue that gets everything of a topic, raw.
func (a account) subscribe(ctx context.Context, topic, queue string) error {
	arn, err := a.ResolveTopic(ctx, topic)
	if err != nil {
		return err
	}
	queueARN := "arn:aws:sqs:us-east-1:000000000000:" + queue
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":%q}]}`, queueARN)
	in := &sqs.CreateQueueInput{QueueName: &queue, Attributes: map[string]string{"Policy": policy}}
	if strings.HasSuffix(queue, ".fifo") {
		in.Attributes["FifoQueue"] = "true"
	}
	if _, err := a.sqs.CreateQueue(ctx, in); err != nil {
		return err
	}
	_, err = a.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: aws.String(string(arn)), Protocol: aws.String("sqs"),
		Endpoint: &queueARN, Attributes: map[string]string{"RawMessageDelivery": "true"}})
	return err
}

// provisioned is a Subscriber whose queues are made for it.
type provisioned struct {
	*sqssub.Subscriber
	account          account
	topicOf, queueOf func(topic string) string
}

func (p *provisioned) SubscribeInitialize(topic string) error {
	return p.account.subscribe(context.Background(), p.topicOf(topic), p.queueOf(topic))
}

func (p *provisioned) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	if err := p.SubscribeInitialize(topic); err != nil {
		return nil, err
	}
	return p.Subscriber.Subscribe(ctx, p.queueOf(topic))
}

// pair makes the publisher and the subscriber that Watermill's suite tests.
func (a account) pair(t *testing.T, queueOf func(string) string) (message.Publisher, *provisioned) {
	publisher, err := snspub.New(a.sns, snspub.Config{TopicResolver: a})
	if err != nil {
		t.Fatal(err)
	}
	subscriber, err := sqssub.New(a.sqs, sqssub.Config{DrainTimeout: 2 * time.Second, WaitTime: 5 * time.Second})
	if err != nil {
		t.Fatal(errors.Join(err, publisher.Close()))
	}
	t.Cleanup(func() { // not every test of the suite closes what it made
		if err := errors.Join(publisher.Close(), subscriber.Close()); err != nil {
			t.Error(err)
		}
	})
	return publisher, &provisioned{subscriber, a, func(topic string) string { return topic }, queueOf}
}

// Watermill's own tests for every Pub/Sub, in real time.
func TestWatermillsSuite(t *testing.T) {
	engine := localaws.New(localaws.Config{})
	t.Cleanup(engine.Close)
	a := newAccount(engine)
	tests.TestPubSub(t,
		tests.Features{ConsumerGroups: true, Persistent: true, ForceShort: true},
		func(t *testing.T) (message.Publisher, message.Subscriber) {
			return a.pair(t, func(topic string) string { return topic })
		},
		func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
			return a.pair(t, func(string) string { return group })
		},
	)
}

// Those of Watermill's tests that are about order, on FIFO topics and queues.
func TestWatermillsSuiteInOrder(t *testing.T) {
	engine := localaws.New(localaws.Config{})
	t.Cleanup(engine.Close)
	a := newAccount(engine)
	pair := func(t *testing.T) (message.Publisher, message.Subscriber) {
		publisher, subscriber := a.pair(t, func(topic string) string { return topic + ".fifo" })
		subscriber.topicOf = subscriber.queueOf
		return oneGroup{publisher}, subscriber
	}
	for name, test := range map[string]func(*testing.T, tests.TestContext, tests.PubSubConstructor){
		"PublishSubscribeInOrder":           tests.TestPublishSubscribeInOrder,
		"NoAck":                             tests.TestNoAck,
		"Topic":                             tests.TestTopic,
		"ContinueAfterSubscribeClose":       tests.TestContinueAfterSubscribeClose,
		"ConcurrentSubscribeMultipleTopics": tests.TestConcurrentSubscribeMultipleTopics,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, tests.TestContext{TestID: tests.NewTestID(),
				Features: tests.Features{Persistent: true, GuaranteedOrder: true, ForceShort: true}}, pair)
		})
	}
}

// oneGroup publishes everything in one message group of a FIFO topic.
type oneGroup struct{ message.Publisher }

func (p oneGroup) Publish(topic string, messages ...*message.Message) error {
	grouped := make([]*message.Message, len(messages))
	for i, msg := range messages {
		grouped[i] = msg.Copy()
		grouped[i].Metadata.Set(wsns.MessageGroupIdMetadataField, "all")
		grouped[i].Metadata.Set(wsns.MessageDeduplicationIdMetadataField, msg.UUID)
	}
	return p.Publisher.Publish(topic+".fifo", grouped...)
}
