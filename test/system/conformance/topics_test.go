package conformance

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// topic makes a topic; one whose name ends in .fifo is a FIFO topic.
func (p *probe) topic(suffix string) string {
	p.Helper()
	in := &sns.CreateTopicInput{Name: aws.String(p.named(suffix))}
	if strings.HasSuffix(suffix, ".fifo") {
		in.Attributes = map[string]string{"FifoTopic": "true"}
	}
	out, err := p.SNS.CreateTopic(p.ctx, in)
	p.must(err)
	return *out.TopicArn
}

// subscriber makes a queue that may be delivered to and subscribes it with
// attributes, as name and value in turn. It returns the queue's URL.
func (p *probe) subscriber(topic, suffix string, attributes ...string) string {
	p.Helper()
	url, arn := p.queue(suffix, "Policy", fromTopics)
	given := make(map[string]string)
	for pair := range slices.Chunk(attributes, 2) {
		given[pair[0]] = pair[1]
	}
	_, err := p.SNS.Subscribe(p.ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &arn, Attributes: given, ReturnSubscriptionArn: true})
	p.must(err)
	return url
}

// raw are the attributes of a subscription with raw delivery and, if given, a
// filter policy.
func raw(policy ...string) []string {
	out := []string{"RawMessageDelivery", "true"}
	for _, text := range policy {
		out = append(out, "FilterPolicy", text)
	}
	return out
}

func texted(kind, v string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: &kind, StringValue: &v}
}

// event are the attributes of a change: who it is for and what changed.
func event(audience, changed string) map[string]types.MessageAttributeValue {
	return map[string]types.MessageAttributeValue{"audience": texted("String", audience), "changed": texted("String.Array", changed)}
}

func (p *probe) publish(topic, body string, attributes map[string]types.MessageAttributeValue) {
	p.Helper()
	_, err := p.SNS.Publish(p.ctx, &sns.PublishInput{TopicArn: &topic, Message: &body, MessageAttributes: attributes})
	p.must(err)
}

// publishBatch notes how a batch is answered.
func (p *probe) publishBatch(topic string, entries ...types.PublishBatchRequestEntry) {
	p.Helper()
	out, err := p.SNS.PublishBatch(p.ctx, &sns.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: append([]types.PublishBatchRequestEntry{}, entries...)})
	if err != nil {
		p.see("the call: %s", code(err))
		return
	}
	var parts []string
	for _, e := range out.Successful {
		parts = append(parts, aws.ToString(e.Id)+" ok")
	}
	for _, e := range out.Failed {
		parts = append(parts, aws.ToString(e.Id)+" "+aws.ToString(e.Code)+" sender "+strconv.FormatBool(e.SenderFault))
	}
	slices.Sort(parts)
	p.see("answered %s", strings.Join(parts, ", "))
}

func entry(id, body string) types.PublishBatchRequestEntry {
	return types.PublishBatchRequestEntry{Id: &id, Message: &body}
}

func TestTopics(t *testing.T) {
	check(t, messages, []behaviour{
		{
			name: "raw delivery keeps body and attributes",
			page: "Amazon SNS raw message delivery",
			run: func(p *probe) {
				topic := p.topic("t")
				url := p.subscriber(topic, "q", raw()...)
				p.publish(topic, "x", event("stats", `["name"]`))
				for _, m := range p.collect(url, 1) {
					p.see("%s", *m.Body)
					for _, name := range []string{"audience", "changed"} {
						a := m.MessageAttributes[name]
						p.see("%s %s", aws.ToString(a.DataType), aws.ToString(a.StringValue))
					}
				}
			},
			want: `
				x
				String stats
				String.Array ["name"]`,
		},
		{
			name: "raw delivery keeps binary attributes",
			page: "Amazon SNS raw message delivery",
			run: func(p *probe) {
				topic := p.topic("t")
				url := p.subscriber(topic, "q", raw()...)
				_, err := p.SNS.Publish(p.ctx, &sns.PublishInput{TopicArn: &topic, Message: aws.String("x"), MessageAttributes: map[string]types.MessageAttributeValue{
					"blob": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}}}})
				p.see("published %t", err == nil)
				out, err := p.SQS.ReceiveMessage(p.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 2, MessageAttributeNames: []string{"All"}})
				p.see("received %s", code(err))
				if err != nil {
					return
				}
				for _, m := range out.Messages {
					p.see("%x", m.MessageAttributes["blob"].BinaryValue)
				}
			},
			want: `
				published true
				received ok
				00ff`,
			differs: map[string]difference{moto: {"breaks when the message is received", `
				published true
				received no answer`}},
		},
		{
			name: "a wrapped message has its attributes in its body, and none of its own",
			page: "Amazon SNS message attributes",
			run: func(p *probe) {
				topic := p.topic("t")
				url := p.subscriber(topic, "q")
				_, err := p.SNS.Publish(p.ctx, &sns.PublishInput{TopicArn: &topic, Message: aws.String("x"), Subject: aws.String("s"), MessageAttributes: event("stats", `["name"]`)})
				p.must(err)
				for _, m := range p.collect(url, 1) {
					var body struct {
						Type, TopicArn, Message, Subject, MessageId, UnsubscribeURL string
						MessageAttributes                                           map[string]struct{ Type, Value string }
					}
					p.must(json.Unmarshal([]byte(*m.Body), &body))
					p.see("%s %s %s, topic %t, id %t, unsubscribe %t", body.Type, body.Message, body.Subject, body.TopicArn == topic, body.MessageId != "", body.UnsubscribeURL != "")
					p.see("%v, own %d", body.MessageAttributes, len(m.MessageAttributes))
				}
			},
			want: `
				Notification x s, topic true, id true, unsubscribe true
				map[audience:{String stats} changed:{String.Array ["name"]}], own 0`,
		},
		{
			name: "a batch is published to every subscription, each entry with its attributes",
			page: "PublishBatch",
			run: func(p *probe) {
				topic := p.topic("t")
				all, some := p.subscriber(topic, "all", raw()...), p.subscriber(topic, "some", raw(`{"audience":["stats"]}`)...)
				one, other := entry("1", "one"), entry("2", "two")
				one.MessageAttributes, other.MessageAttributes = event("stats", `[]`), event("billing", `[]`)
				p.publishBatch(topic, one, other)
				p.see("%s, %s", sorted(p.collect(all, 2)), sorted(p.collect(some, 2)))
			},
			want: `
				answered 1 ok, 2 ok
				one two, one`,
		},
		{
			name: "a batch has one to ten entries with ids that differ and 256 KiB",
			page: "PublishBatch",
			run: func(p *probe) {
				topic := p.topic("t")
				var many []types.PublishBatchRequestEntry
				for i := range 11 {
					many = append(many, entry(strconv.Itoa(i), "x"))
				}
				p.publishBatch(topic, many...)
				p.publishBatch(topic)
				p.publishBatch(topic, entry("0", "x"), entry("0", "y"))
				p.publishBatch(topic, entry("0 1", "x"))
				p.publishBatch(topic, entry("0", strings.Repeat("x", 200<<10)), entry("1", strings.Repeat("x", 57<<10)))
				p.publishBatch(strings.Replace(topic, p.named("t"), p.named("none"), 1), entry("0", "x"))
			},
			want: `
				the call: TooManyEntriesInBatchRequest
				the call: EmptyBatchRequest
				the call: BatchEntryIdsNotDistinct
				the call: InvalidBatchEntryId
				the call: BatchRequestTooLong
				the call: NotFound`,
			differs: map[string]difference{moto: {"checks only the number of entries and that ids differ", `
				the call: TooManyEntriesInBatchRequest
				answered
				the call: BatchEntryIdsNotDistinct
				answered 0 1 ok
				answered 0 ok, 1 ok
				the call: NotFound`}},
		},
		{
			name: "a batch fails in part",
			page: "PublishBatch",
			run: func(p *probe) {
				topic := p.topic("t")
				url := p.subscriber(topic, "q", raw()...)
				odd := entry("odd", "y")
				odd.MessageAttributes = map[string]types.MessageAttributeValue{"a": texted("Number", "many")}
				p.publishBatch(topic, entry("good", "x"), odd, entry("empty", ""))
				p.see("arrived %s", sorted(p.collect(url, 2)))
			},
			want: `
				answered empty InvalidParameter sender true, good ok, odd ParameterValueInvalid sender true
				arrived x`,
			differs: map[string]difference{moto: {"refuses the batch for one entry", `
				the call: InvalidParameter
				arrived`}},
		},
		{
			name: "a FIFO topic keeps order and deduplicates",
			page: "Message ordering and deduplication strategies using Amazon SNS FIFO topics",
			run: func(p *probe) {
				topic := p.topic("t.fifo")
				url := p.subscriber(topic, "q.fifo", raw()...)
				for _, body := range []string{"1", "2", "2", "3", "1"} {
					_, err := p.SNS.Publish(p.ctx, &sns.PublishInput{TopicArn: &topic, Message: &body, MessageGroupId: aws.String("g"), MessageDeduplicationId: &body})
					p.must(err)
				}
				p.see("%s", bodies(p.collect(url, 3)))
				_, err := p.SNS.Publish(p.ctx, &sns.PublishInput{TopicArn: &topic, Message: aws.String("x")})
				p.see("no group %s", strings.TrimSuffix(code(err), "Exception"))
			},
			want: `
				1 2 3
				no group InvalidParameter`,
			differs: map[string]difference{moto: {"has another code for a missing group", `
				1 2 3
				no group MissingParameter`}},
		},
		{
			name: "subscribing again is the same subscription, unsubscribing ends it",
			page: "Subscribe",
			run: func(p *probe) {
				topic := p.topic("t")
				url := p.subscriber(topic, "q", raw()...)
				arn := p.attribute(url, "QueueArn")
				list, err := p.SNS.ListSubscriptionsByTopic(p.ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
				p.must(err)
				out, err := p.SNS.Subscribe(p.ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &arn, Attributes: map[string]string{"RawMessageDelivery": "true"}})
				p.must(err)
				p.see("%d, same %t", len(list.Subscriptions), *out.SubscriptionArn == *list.Subscriptions[0].SubscriptionArn)
				_, err = p.SNS.Unsubscribe(p.ctx, &sns.UnsubscribeInput{SubscriptionArn: out.SubscriptionArn})
				p.must(err)
				p.publish(topic, "x", nil)
				p.see("%d", len(p.collect(url, 1)))
			},
			want: `
				1, same true
				0`,
		},
	})
}
