package statstest

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

// Topic is the owner's topic, to which the service's queue is subscribed as the
// manifest says: raw delivery, its filter policy.
type Topic struct {
	publisher *snspub.Publisher
	name      string
}

// Subscribe makes the topic that the manifest names and subscribes the queue.
func (w *World) Subscribe(t testing.TB, q *Queue) *Topic {
	t.Helper()
	topics := sns.NewFromConfig(w.AWS)
	topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String(q.subscription.Topic)})
	if err != nil {
		t.Fatal(err)
	}
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},
		"Action":"sqs:SendMessage","Resource":%q,"Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`, q.arn(t), aws.ToString(topic.TopicArn))
	if _, err := q.client.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl: aws.String(q.url), Attributes: map[string]string{"Policy": policy},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := topics.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(q.arn(t)),
		Attributes: map[string]string{"RawMessageDelivery": "true", "FilterPolicy": q.subscription.FilterPolicy(w.Manifest.Service)},
	}); err != nil {
		t.Fatal(err)
	}
	publisher, err := snspub.New(topics, snspub.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := publisher.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Topic{publisher: publisher, name: q.subscription.Topic}
}

// Publish publishes a change to an audience: one service, or replica.AudienceAll.
func (topic *Topic) Publish(t testing.TB, change *contracts.Change, audience string) {
	t.Helper()
	msg, err := replica.NewMessage(t.Context(), change, audience)
	if err != nil {
		t.Fatal(err)
	}
	if err := topic.publisher.Publish(topic.name, msg); err != nil {
		t.Fatal(err)
	}
}
