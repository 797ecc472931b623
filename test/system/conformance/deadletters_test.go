package conformance

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// fromTopics is a queue policy that lets topics send.
const fromTopics = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}]}`

// lost subscribes a queue with a dead-letter queue of the subscription and
// deletes the queue, so that nothing can be delivered to it. It returns the
// dead-letter queue's URL.
func (p *probe) lost(topic string, attributes ...string) (dead string) {
	p.Helper()
	dead, arn := p.queue("dead", "Policy", fromTopics)
	url := p.subscriber(topic, "gone", append(attributes, "RedrivePolicy", `{"deadLetterTargetArn":"`+arn+`"}`)...)
	_, err := p.SQS.DeleteQueue(p.ctx, &sqs.DeleteQueueInput{QueueUrl: &url})
	p.must(err)
	return dead
}

// attributed are so many attributes.
func attributed(count int) map[string]types.MessageAttributeValue {
	out := make(map[string]types.MessageAttributeValue)
	for i := range count {
		out["a"+strconv.Itoa(i)] = texted("String", "x")
	}
	return out
}

func TestSubscriptionDeadLetters(t *testing.T) {
	const page = "Amazon SNS dead-letter queues"
	fails := map[string]difference{moto: {"refuses to publish to a queue that is gone", `published: AWS.SimpleQueueService.NonExistentQueue`}}
	check(t, messages, []behaviour{
		{
			name: "what cannot be delivered raw is in the dead-letter queue, body and attributes",
			page: page,
			run: func(p *probe) {
				topic := p.topic("t")
				dead := p.lost(topic, raw()...)
				_, err := p.SNS.Publish(p.ctx, &sns.PublishInput{TopicArn: &topic, Message: aws.String("x"), MessageAttributes: event("stats", `["name"]`)})
				p.see("published: %s", code(err))
				if err != nil {
					return
				}
				for _, m := range p.collect(dead, 1) {
					p.see("%s, %d attributes, %s %s", *m.Body, len(m.MessageAttributes), aws.ToString(m.MessageAttributes["changed"].DataType), aws.ToString(m.MessageAttributes["changed"].StringValue))
				}
			},
			want: `
				published: ok
				x, 2 attributes, String.Array ["name"]`,
			differs: fails,
		},
		{
			name: "what cannot be delivered wrapped is wrapped in the dead-letter queue",
			page: page,
			run: func(p *probe) {
				topic := p.topic("t")
				dead := p.lost(topic)
				_, err := p.SNS.Publish(p.ctx, &sns.PublishInput{TopicArn: &topic, Message: aws.String("x"), MessageAttributes: event("stats", `["name"]`)})
				p.see("published: %s", code(err))
				if err != nil {
					return
				}
				for _, m := range p.collect(dead, 1) {
					var body struct {
						Type, TopicArn, Message string
						MessageAttributes       map[string]struct{ Type, Value string }
					}
					p.must(json.Unmarshal([]byte(*m.Body), &body))
					p.see("%s %s, topic %t, %v, own %d", body.Type, body.Message, body.TopicArn == topic, body.MessageAttributes, len(m.MessageAttributes))
				}
			},
			want: `
				published: ok
				Notification x, topic true, map[audience:{String stats} changed:{String.Array ["name"]}], own 0`,
			differs: fails,
		},
		{
			name: "each message of a batch that cannot be delivered is in the dead-letter queue, the other subscription has all",
			page: page,
			run: func(p *probe) {
				topic := p.topic("t")
				dead := p.lost(topic, raw(`{"audience":["stats"]}`)...)
				other := p.subscriber(topic, "other", raw()...)
				for_, not := entry("for", "x"), entry("not", "y")
				for_.MessageAttributes, not.MessageAttributes = event("stats", `[]`), event("billing", `[]`)
				p.publishBatch(topic, for_, not)
				p.see("dead %s, other %s", sorted(p.collect(dead, 2)), sorted(p.collect(other, 2)))
			},
			want: `
				answered for ok, not ok
				dead x, other x y`,
			differs: map[string]difference{moto: {"fails the entry for a queue that is gone, for all subscriptions", `
				answered not ok
				dead , other y`}},
		},
		{
			name: "a queue that does not let the topic send is as good as gone",
			page: page,
			run: func(p *probe) {
				topic := p.topic("t")
				dead, arn := p.queue("dead", "Policy", fromTopics)
				url := p.subscriber(topic, "q", append(raw(), "RedrivePolicy", `{"deadLetterTargetArn":"`+arn+`"}`)...)
				_, err := p.SQS.SetQueueAttributes(p.ctx, &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"Policy": ""}})
				p.must(err)
				p.publish(topic, "x", nil)
				p.see("dead %q", bodies(p.collect(dead, 1)))
				p.see("queue %q", bodies(p.collect(url, 1)))
			},
			want: `
				dead "x"
				queue ""`,
			differs: map[string]difference{moto: {"asks no queue's policy", `
				dead ""
				queue "x"`}},
		},
		{
			name: "a redrive policy names a queue of the same account, region and kind",
			page: page,
			run: func(p *probe) {
				topic, ordered := p.topic("t"), p.topic("t.fifo")
				_, standard := p.queue("dead")
				_, fifo := p.queue("dead.fifo")
				_, arn := p.queue("q")
				_, arnFIFO := p.queue("q.fifo")
				subscribe := func(what, topic, queue, policy string) {
					_, err := p.SNS.Subscribe(p.ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &queue, Attributes: map[string]string{"RedrivePolicy": policy}})
					p.see("%s: %s", what, code(err))
				}
				subscribe("no JSON", topic, arn, `{`)
				subscribe("no queue", topic, arn, `{}`)
				subscribe("no ARN", topic, arn, `{"deadLetterTargetArn":"dead"}`)
				subscribe("another region", topic, arn, `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead"}`)
				subscribe("a FIFO queue for a standard topic", topic, arn, `{"deadLetterTargetArn":"`+fifo+`"}`)
				subscribe("a standard queue for a FIFO topic", ordered, arnFIFO, `{"deadLetterTargetArn":"`+standard+`"}`)
				subscribe("right", topic, arn, `{"deadLetterTargetArn":"`+standard+`"}`)
			},
			want: `
				no JSON: InvalidParameter
				no queue: InvalidParameter
				no ARN: InvalidParameter
				another region: InvalidParameter
				a FIFO queue for a standard topic: InvalidParameter
				a standard queue for a FIFO topic: InvalidParameter
				right: ok`,
			differs: map[string]difference{moto: {"takes any redrive policy", `
				no JSON: ok
				no queue: ok
				no ARN: ok
				another region: ok
				a FIFO queue for a standard topic: ok
				a standard queue for a FIFO topic: ok
				right: ok`}},
		},
		{
			name: "a raw delivery carries ten attributes; a message with more is discarded for it, not for a wrapped one",
			page: "Amazon SNS message attributes",
			run: func(p *probe) {
				topic := p.topic("t")
				plain, wrapped := p.subscriber(topic, "raw", raw()...), p.subscriber(topic, "wrapped")
				p.publish(topic, "ten", attributed(10))
				p.publish(topic, "eleven", attributed(11))
				for _, m := range p.collect(plain, 2) {
					p.see("%s with %d", *m.Body, len(m.MessageAttributes))
				}
				p.see("wrapped %d", len(p.collect(wrapped, 2)))
			},
			want: `
				ten with 10
				wrapped 2`,
			differs: map[string]difference{moto: {"delivers more than ten raw", `
				ten with 10
				eleven with 11
				wrapped 2`}},
		},
		{
			name: "a message with too many attributes for a raw delivery is a dead letter",
			page: page,
			run: func(p *probe) {
				topic := p.topic("t")
				dead, arn := p.queue("dead", "Policy", fromTopics)
				url := p.subscriber(topic, "q", append(raw(), "RedrivePolicy", `{"deadLetterTargetArn":"`+arn+`"}`)...)
				p.publish(topic, "x", attributed(11))
				p.see("queue %d, dead %d", len(p.collect(url, 1)), len(p.collect(dead, 1)))
			},
			want: `queue 0, dead 1`,
			differs: map[string]difference{moto: {"delivers more than ten raw",
				`queue 1, dead 0`}},
		},
	})
}
