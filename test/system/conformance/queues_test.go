package conformance

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestQueues(t *testing.T) {
	check(t, messages, []behaviour{
		{
			name: "the receive count rises with every receive",
			page: "ReceiveMessage",
			run: func(p *probe) {
				url, _ := p.queue("q")
				p.send(url, "x")
				for range 3 {
					for _, m := range p.takeAndReturn(url) {
						p.see("%s", m.Attributes["ApproximateReceiveCount"])
					}
				}
			},
			want: `
				1
				2
				3`,
		},
		{
			name: "a received message is hidden until its visibility is changed to nothing",
			page: "Amazon SQS visibility timeout",
			run: func(p *probe) {
				url, _ := p.queue("q")
				p.send(url, "x")
				m := p.receive(url, 30, 1)
				p.see("%q then %q", bodies(m), bodies(p.receive(url, 30, 0)))
				_, err := p.SQS.ChangeMessageVisibility(p.ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: m[0].ReceiptHandle, VisibilityTimeout: 0})
				p.see("%s %q", code(err), bodies(p.receive(url, 30, 1)))
			},
			want: `
				"x" then ""
				ok "x"`,
		},
		{
			name: "a message comes back after its visibility timeout",
			page: "Amazon SQS visibility timeout",
			run: func(p *probe) {
				url, _ := p.queue("q")
				p.send(url, "x")
				p.see("%q", bodies(p.receive(url, 1, 1)))
				for _, m := range p.receive(url, 30, 4) {
					p.see("%q %s", *m.Body, m.Attributes["ApproximateReceiveCount"])
				}
			},
			want: `
				"x"
				"x" 2`,
		},
		{
			name: "a batch of visibility changes fails in part",
			page: "ChangeMessageVisibilityBatch",
			run: func(p *probe) {
				url, _ := p.queue("q")
				p.send(url, "x", "y")
				var got []types.Message
				for len(got) < 2 {
					got = append(got, p.receive(url, 30, 1)...)
				}
				out, err := p.SQS.ChangeMessageVisibilityBatch(p.ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
					{Id: aws.String("good"), ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 0},
					{Id: aws.String("unknown"), ReceiptHandle: aws.String("made up"), VisibilityTimeout: 0},
					{Id: aws.String("long"), ReceiptHandle: got[1].ReceiptHandle, VisibilityTimeout: 43201},
				}})
				if err != nil {
					p.see("the call: %s", code(err))
					return
				}
				for _, entry := range out.Successful {
					p.see("%s", *entry.Id)
				}
				p.see("%s", failed(out.Failed))
				p.see("back %t", bodies(p.receive(url, 30, 1)) == *got[0].Body)
			},
			want: `
				good
				long InvalidParameterValue sender true, unknown ReceiptHandleIsInvalid sender true
				back true`,
		},
		{
			name: "a message with a delay comes after it",
			page: "Amazon SQS message timers",
			run: func(p *probe) {
				url, _ := p.queue("q")
				_, err := p.SQS.SendMessage(p.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x"), DelaySeconds: 2})
				p.must(err)
				p.see("%q then %q", bodies(p.receive(url, 30, 0)), bodies(p.receive(url, 30, 4)))
				_, err = p.SQS.SendMessage(p.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x"), DelaySeconds: 901})
				p.see("%s", code(err))
			},
			want: `
				"" then "x"
				InvalidParameterValue`,
		},
		{
			name: "a message received too often moves to the dead-letter queue with its id",
			page: "Using dead-letter queues in Amazon SQS",
			run: func(p *probe) {
				dead, arn := p.queue("dead")
				url, _ := p.queue("q", "RedrivePolicy", `{"deadLetterTargetArn":"`+arn+`","maxReceiveCount":2}`)
				p.send(url, "x")
				id := ""
				for range 3 {
					got := p.takeAndReturn(url)
					p.see("%q", bodies(got))
					if len(got) > 0 {
						id = *got[0].MessageId
					}
				}
				for _, m := range p.collect(dead, 1) {
					p.see("dead %q, same id %t", *m.Body, *m.MessageId == id)
				}
			},
			want: `
				"x"
				"x"
				""
				dead "x", same id true`,
		},
		{
			name: "a message group keeps its order and waits for what is in flight",
			page: "FIFO queue delivery logic in Amazon SQS",
			run: func(p *probe) {
				url, _ := p.queue("q.fifo")
				p.sendGroup(url, "g", "1", "2", "3")
				one, err := p.SQS.ReceiveMessage(p.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 1, VisibilityTimeout: 30})
				p.must(err)
				p.sendGroup(url, "h", "4")
				p.see("%s, in flight: %s", bodies(one.Messages), bodies(p.receive(url, 30, 1)))
				_, err = p.SQS.DeleteMessage(p.ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: one.Messages[0].ReceiptHandle})
				p.must(err)
				p.see("%s", bodies(p.receive(url, 30, 1)))
			},
			want: `
				1, in flight: 4
				2 3`,
		},
		{
			name: "a message sent twice to a FIFO queue is one, also across batches and after its deletion",
			page: "Amazon SQS FIFO queue key terms",
			run: func(p *probe) {
				url, _ := p.queue("q.fifo")
				p.sendGroup(url, "g", "1", "1")
				batch := &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{
					{Id: aws.String("a"), MessageBody: aws.String("1"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("1")},
					{Id: aws.String("b"), MessageBody: aws.String("2"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("2")},
				}}
				out, err := p.SQS.SendMessageBatch(p.ctx, batch)
				p.must(err)
				p.see("accepted %d", len(out.Successful))
				p.see("%s", bodies(p.collect(url, 2)))
				p.sendGroup(url, "g", "1", "3")
				p.see("%s", bodies(p.collect(url, 1)))
			},
			want: `
				accepted 2
				1 2
				3`,
			differs: map[string]difference{moto: {"forgets deduplication ids when messages are deleted", `
				accepted 2
				1 2
				1 3`}},
		},
		{
			name: "FIFO queues want a group and a deduplication id, or a digest of the content",
			page: "SendMessage",
			run: func(p *probe) {
				url, _ := p.queue("q.fifo")
				_, err := p.SQS.SendMessage(p.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x"), MessageDeduplicationId: aws.String("x")})
				p.see("no group %s", code(err))
				_, err = p.SQS.SendMessage(p.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x"), MessageGroupId: aws.String("x")})
				p.see("no deduplication %s", code(err))
				digesting, _ := p.queue("d.fifo", "ContentBasedDeduplication", "true")
				for range 2 {
					_, err = p.SQS.SendMessage(p.ctx, &sqs.SendMessageInput{QueueUrl: &digesting, MessageBody: aws.String("x"), MessageGroupId: aws.String("x")})
					p.must(err)
				}
				p.see("%s", bodies(p.receive(digesting, 30, 1)))
			},
			want: `
				no group MissingParameter
				no deduplication InvalidParameterValue
				x`,
		},
		{
			name: "batches have one to ten entries with ids that differ",
			page: "SendMessageBatch",
			run: func(p *probe) {
				url, _ := p.queue("q")
				send := func(what, body string, ids ...string) {
					entries := []types.SendMessageBatchRequestEntry{}
					for _, id := range ids {
						entries = append(entries, types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body})
					}
					_, err := p.SQS.SendMessageBatch(p.ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
					p.see("%s %s", what, strings.TrimPrefix(code(err), "AWS.SimpleQueueService."))
				}
				send("ten", "x", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
				send("eleven", "x", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
				send("none", "x")
				send("an id twice", "x", "0", "0")
				send("an id with a space", "x", "0 1")
				send("more than 1 MiB", strings.Repeat("x", 600<<10), "0", "1")
			},
			want: `
				ten ok
				eleven TooManyEntriesInBatchRequest
				none EmptyBatchRequest
				an id twice BatchEntryIdsNotDistinct
				an id with a space InvalidBatchEntryId
				more than 1 MiB BatchRequestTooLong`,
		},
		{
			name: "a batch of messages fails in part",
			page: "SendMessageBatch",
			run: func(p *probe) {
				url, _ := p.queue("q")
				out, err := p.SQS.SendMessageBatch(p.ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{
					{Id: aws.String("good"), MessageBody: aws.String("x")},
					{Id: aws.String("late"), MessageBody: aws.String("y"), DelaySeconds: 901},
					{Id: aws.String("odd"), MessageBody: aws.String("\x01")},
				}})
				if err != nil {
					p.see("the call: %s", code(err))
					return
				}
				p.see("successful %d", len(out.Successful))
				p.see("%s", failed(out.Failed))
				p.see("%s", bodies(p.collect(url, 1)))
			},
			want: `
				successful 1
				late InvalidParameterValue sender true, odd InvalidMessageContents sender true
				x`,
			differs: map[string]difference{moto: {"its answer is malformed, the SDK refuses it", `the call: no answer`}},
		},
		{
			name: "a batch of deletions fails in part",
			page: "DeleteMessageBatch",
			run: func(p *probe) {
				url, _ := p.queue("q")
				p.send(url, "x")
				got := p.receive(url, 1, 1)
				out, err := p.SQS.DeleteMessageBatch(p.ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
					{Id: aws.String("good"), ReceiptHandle: got[0].ReceiptHandle}, {Id: aws.String("unknown"), ReceiptHandle: aws.String("made up")},
				}})
				p.must(err)
				for _, entry := range out.Successful {
					p.see("%s", *entry.Id)
				}
				p.see("%s", failed(out.Failed))
				p.see("left %q", bodies(p.receive(url, 1, 2)))
			},
			want: `
				good
				unknown ReceiptHandleIsInvalid sender true
				left ""`,
		},
		{
			name: "receives take at most ten messages and wait at most 20 seconds",
			page: "ReceiveMessage",
			run: func(p *probe) {
				url, _ := p.queue("q")
				_, err := p.SQS.ReceiveMessage(p.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 11})
				p.see("eleven %s", code(err))
				_, err = p.SQS.ReceiveMessage(p.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 21})
				p.see("21 seconds %s", code(err))
				_, err = p.SQS.ReceiveMessage(p.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, VisibilityTimeout: 43201})
				p.see("hidden for 43201 %s", code(err))
			},
			want: `
				eleven InvalidParameterValue
				21 seconds InvalidParameterValue
				hidden for 43201 InvalidParameterValue`,
		},
		{
			name: "a long poll ends when a message comes",
			page: "Amazon SQS short and long polling",
			run: func(p *probe) {
				url, _ := p.queue("q")
				sent := make(chan error, 1)
				began := time.Now()
				timer := time.AfterFunc(300*time.Millisecond, func() {
					_, err := p.SQS.SendMessage(context.WithoutCancel(p.ctx), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
					sent <- err
				})
				got := p.receive(url, 30, 20)
				took := time.Since(began)
				if !timer.Stop() {
					p.must(<-sent)
				}
				p.see("%q, waited %t, before the end %t", bodies(got), took >= 300*time.Millisecond, took < 15*time.Second)
			},
			want: `"x", waited true, before the end true`,
		},
		{
			name: "message attributes arrive with their types and their MD5",
			page: "Amazon SQS message metadata",
			run: func(p *probe) {
				url, _ := p.queue("q")
				attributes := map[string]types.MessageAttributeValue{
					"version": {DataType: aws.String("Number"), StringValue: aws.String("12345678901234567890")},
					"kind":    {DataType: aws.String("String.custom"), StringValue: aws.String("größe")},
					"blob":    {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1, 255}},
				}
				out, err := p.SQS.SendMessage(p.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x"), MessageAttributes: attributes})
				p.must(err)
				p.see("sent as computed %t", aws.ToString(out.MD5OfMessageAttributes) == digest(attributes))
				for _, m := range p.collect(url, 1) {
					p.see("%s %s", aws.ToString(m.MessageAttributes["version"].StringValue), aws.ToString(m.MessageAttributes["version"].DataType))
					p.see("%s %s", aws.ToString(m.MessageAttributes["kind"].StringValue), aws.ToString(m.MessageAttributes["kind"].DataType))
					p.see("%x", m.MessageAttributes["blob"].BinaryValue)
					p.see("received as computed %t", aws.ToString(m.MD5OfMessageAttributes) == digest(attributes))
				}
			},
			want: `
				sent as computed true
				12345678901234567890 Number
				größe String.custom
				0001ff
				received as computed true`,
		},
		{
			name: "what a queue has is counted by state",
			page: "GetQueueAttributes",
			run: func(p *probe) {
				url, _ := p.queue("q")
				for i := range 4 {
					p.send(url, strconv.Itoa(i))
				}
				_, err := p.SQS.SendMessage(p.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x"), DelaySeconds: 600})
				p.must(err)
				one, err := p.SQS.ReceiveMessage(p.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 1, VisibilityTimeout: 600, WaitTimeSeconds: 1})
				p.must(err)
				p.see("%d received", len(one.Messages))
				p.see("visible %s, in flight %s, delayed %s", p.attribute(url, "ApproximateNumberOfMessages"),
					p.attribute(url, "ApproximateNumberOfMessagesNotVisible"), p.attribute(url, "ApproximateNumberOfMessagesDelayed"))
			},
			want: `
				1 received
				visible 3, in flight 1, delayed 1`,
		},
		{
			name: "queues that are not there and attributes that are not right",
			page: "CreateQueue",
			run: func(p *probe) {
				url, _ := p.queue("q")
				gone := strings.Replace(url, p.named("q"), p.named("none"), 1)
				_, err := p.SQS.SendMessage(p.ctx, &sqs.SendMessageInput{QueueUrl: &gone, MessageBody: aws.String("x")})
				p.see("send %s", code(err))
				_, err = p.SQS.GetQueueUrl(p.ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(p.named("none"))})
				p.see("url %s", code(err))
				create := func(what, name string, value string) {
					_, err := p.SQS.CreateQueue(p.ctx, &sqs.CreateQueueInput{QueueName: aws.String(p.named(what)), Attributes: map[string]string{name: value}})
					p.see("%s %s", what, code(err))
				}
				create("q", "VisibilityTimeout", "7")
				create("range", "VisibilityTimeout", "43201")
				create("none", "Colour", "red")
				create("redrive", "RedrivePolicy", `{"deadLetterTargetArn":"`+p.attribute(url, "QueueArn")+`"}`)
			},
			want: `
				send AWS.SimpleQueueService.NonExistentQueue
				url AWS.SimpleQueueService.NonExistentQueue
				q QueueAlreadyExists
				range InvalidAttributeValue
				none InvalidAttributeName
				redrive InvalidParameterValue`,
			differs: map[string]difference{moto: {"takes attributes out of range and unknown ones", `
				send AWS.SimpleQueueService.NonExistentQueue
				url AWS.SimpleQueueService.NonExistentQueue
				q QueueAlreadyExists
				range ok
				none ok
				redrive InvalidParameterValue`}},
		},
	})
}
