package sqs_test

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestSentMessageArrivesUnchanged(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		body := "line\n\ttab \"quotes\" <tag> & \U0001F600 \uFFFD"
		sent := map[string]types.MessageAttributeValue{
			"string": text("é \U0001F600"),
			"number": {DataType: aws.String("Number"), StringValue: aws.String("-12.50e3")},
			"binary": {DataType: aws.String("Binary.jpg"), BinaryValue: []byte{0, 255, 1}},
			"custom": {DataType: aws.String("String.uuid"), StringValue: aws.String("x")},
		}
		answer, err := b.client.SendMessage(b.ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: &body, MessageAttributes: sent})
		b.must(err)
		got := b.receive(queue)[0]
		if *got.Body != body || *got.MessageId != *answer.MessageId {
			t.Errorf("received %q as %s", *got.Body, *got.MessageId)
		}
		if diff := cmp.Diff(sent, got.MessageAttributes, cmpopts.IgnoreUnexported(types.MessageAttributeValue{})); diff != "" {
			t.Error(diff)
		}
		digest := digestByTheBook(sent)
		if *answer.MD5OfMessageAttributes != digest || *got.MD5OfMessageAttributes != digest {
			t.Errorf("attribute digests %s and %s, want %s", *answer.MD5OfMessageAttributes, *got.MD5OfMessageAttributes, digest)
		}
	})
}

// digestByTheBook follows the steps of "Calculating the MD5 message digest
// for message attributes" on the SDK's types.
func digestByTheBook(attributes map[string]types.MessageAttributeValue) string {
	names := []string{}
	for name := range attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	var encoded []byte
	add := func(part []byte) {
		encoded = binary.BigEndian.AppendUint32(encoded, uint32(len(part)))
		encoded = append(encoded, part...)
	}
	for _, name := range names {
		add([]byte(name))
		add([]byte(*attributes[name].DataType))
		if value := attributes[name].StringValue; value != nil {
			encoded = append(encoded, 1)
			add([]byte(*value))
		} else {
			encoded = append(encoded, 2)
			add(attributes[name].BinaryValue)
		}
	}
	sum := md5.Sum(encoded)
	return hex.EncodeToString(sum[:])
}

// The digest of one attribute as moto answers it, so that the book was read
// rightly.
func TestAttributeDigestOfAKnownMessage(t *testing.T) {
	if got := digestByTheBook(map[string]types.MessageAttributeValue{"a": text("x")}); got != "a512aac9938034acb0b3c3d965944bf1" {
		t.Errorf("digest %s, want moto's", got)
	}
}

func TestDelays(t *testing.T) {
	for name, c := range map[string]struct {
		queueDelay string
		message    any // DelaySeconds, nil for none
		after      time.Duration
	}{
		"no delay":                             {"0", nil, 0},
		"the queue's delay":                    {"5", nil, 5 * time.Second},
		"the message's delay":                  {"0", 3, 3 * time.Second},
		"the message's delay wins":             {"5", 3, 3 * time.Second},
		"a message's zero wins as well":        {"5", 0, 0},
		"the longest delay is fifteen minutes": {"0", 900, 900 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				queue := b.queue("q", map[string]string{"DelaySeconds": c.queueDelay})
				request := map[string]any{"QueueUrl": *queue, "MessageBody": "x"}
				if c.message != nil {
					request["DelaySeconds"] = c.message
				}
				b.must(b.raw("SendMessage", request))
				if c.after > 0 {
					if depth := b.depth(queue); depth != [3]string{"0", "0", "1"} {
						t.Errorf("depth while delayed: %v", depth)
					}
					time.Sleep(c.after - time.Millisecond)
					if got := b.receive(queue); len(got) != 0 {
						t.Error("received before the delay ended")
					}
					time.Sleep(time.Millisecond)
				}
				if got := b.receive(queue); len(got) != 1 {
					t.Error("not received after the delay ended")
				}
			})
		})
	}
}

func TestRefusedMessages(t *testing.T) {
	many := []string{}
	for i := range 11 {
		many = append(many, strings.Repeat("a", i+1))
	}
	typed := func(kind, value string) map[string]types.MessageAttributeValue {
		return map[string]types.MessageAttributeValue{"a": {DataType: &kind, StringValue: &value}}
	}
	for name, c := range map[string]struct {
		change func(*sqs.SendMessageInput)
		code   string
	}{
		"an empty body":                 {func(in *sqs.SendMessageInput) { in.MessageBody = aws.String("") }, "MissingParameter"},
		"a control character":           {func(in *sqs.SendMessageInput) { in.MessageBody = aws.String("a\x01") }, "InvalidMessageContents"},
		"a noncharacter":                {func(in *sqs.SendMessageInput) { in.MessageBody = aws.String("a\uFFFE") }, "InvalidMessageContents"},
		"a message over the limit":      {func(in *sqs.SendMessageInput) { in.MessageBody = aws.String(strings.Repeat("a", 1025)) }, "InvalidParameterValue"},
		"attributes over the limit":     {func(in *sqs.SendMessageInput) { in.MessageAttributes = typed("String", strings.Repeat("a", 1024)) }, "InvalidParameterValue"},
		"eleven attributes":             {func(in *sqs.SendMessageInput) { in.MessageAttributes = attributes(many...) }, "InvalidParameterValue"},
		"a delay over fifteen minutes":  {func(in *sqs.SendMessageInput) { in.DelaySeconds = 901 }, "InvalidParameterValue"},
		"an unknown attribute type":     {func(in *sqs.SendMessageInput) { in.MessageAttributes = typed("Text", "x") }, "InvalidParameterValue"},
		"an attribute without a type":   {func(in *sqs.SendMessageInput) { in.MessageAttributes = typed("", "x") }, "InvalidParameterValue"},
		"an empty attribute":            {func(in *sqs.SendMessageInput) { in.MessageAttributes = typed("String", "") }, "InvalidParameterValue"},
		"a number that is none":         {func(in *sqs.SendMessageInput) { in.MessageAttributes = typed("Number", "twelve") }, "InvalidParameterValue"},
		"a reserved attribute name":     {func(in *sqs.SendMessageInput) { in.MessageAttributes = attributes("aws.x") }, "InvalidParameterValue"},
		"a blank in an attribute name":  {func(in *sqs.SendMessageInput) { in.MessageAttributes = attributes("a b") }, "InvalidParameterValue"},
		"two periods in a name":         {func(in *sqs.SendMessageInput) { in.MessageAttributes = attributes("a..b") }, "InvalidParameterValue"},
		"a deduplication id":            {func(in *sqs.SendMessageInput) { in.MessageDeduplicationId = aws.String("d") }, "InvalidParameterValue"},
		"a group id of 129 characters":  {func(in *sqs.SendMessageInput) { in.MessageGroupId = aws.String(strings.Repeat("g", 129)) }, "InvalidParameterValue"},
		"a queue that does not exist":   {func(in *sqs.SendMessageInput) { *in.QueueUrl += "x" }, "AWS.SimpleQueueService.NonExistentQueue"},
		"a queue of another account":    {func(in *sqs.SendMessageInput) { *in.QueueUrl = "http://localaws.test/111111111111/q" }, "AWS.SimpleQueueService.NonExistentQueue"},
		"an address that is no queue's": {func(in *sqs.SendMessageInput) { *in.QueueUrl = "http://localaws.test/q" }, "InvalidAddress"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				queue := b.queue("q", map[string]string{"MaximumMessageSize": "1024"})
				in := &sqs.SendMessageInput{QueueUrl: aws.String(*queue), MessageBody: aws.String("x")}
				c.change(in)
				_, err := b.client.SendMessage(b.ctx, in)
				if codeOf(err) != c.code {
					t.Errorf("code %q, want %q (%v)", codeOf(err), c.code, err)
				}
				if got := b.receive(queue); len(got) != 0 {
					t.Error("a refused message was delivered")
				}
			})
		})
	}
}

func TestSizeCountsBodyAndAttributes(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", map[string]string{"MaximumMessageSize": "1024"})
		// name 1, type 6, value 17: 24 bytes of attributes leave 1,000.
		in := &sqs.SendMessageInput{QueueUrl: queue, MessageAttributes: map[string]types.MessageAttributeValue{"n": text(strings.Repeat("v", 17))}}
		in.MessageBody = aws.String(strings.Repeat("b", 1000))
		_, err := b.client.SendMessage(b.ctx, in)
		b.must(err)
		in.MessageBody = aws.String(strings.Repeat("b", 1001))
		if _, err = b.client.SendMessage(b.ctx, in); codeOf(err) != "InvalidParameterValue" {
			t.Errorf("one byte more: %v", err)
		}
	})
}

// A message may have 1 MiB, which is also the default ("Amazon SQS message
// quotas").
func TestLargestMessage(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		largest := strings.Repeat("\n", 1<<20) // every byte needs an escape
		b.send(queue, largest)
		if got := b.receive(queue); len(got) != 1 || *got[0].Body != largest {
			t.Error("the largest message did not arrive")
		}
	})
}

func TestRefusedBatches(t *testing.T) {
	entries := func(n int, body string) []types.SendMessageBatchRequestEntry {
		list := []types.SendMessageBatchRequestEntry{}
		for i := range n {
			list = append(list, types.SendMessageBatchRequestEntry{Id: aws.String(strings.Repeat("i", i+1)), MessageBody: &body})
		}
		return list
	}
	for name, c := range map[string]struct {
		entries []types.SendMessageBatchRequestEntry
		code    string
	}{
		"no entries":               {entries(0, "x"), "EmptyBatchRequest"},
		"eleven entries":           {entries(11, "x"), "TooManyEntriesInBatchRequest"},
		"the same id twice":        {append(entries(1, "x"), entries(1, "x")...), "BatchEntryIdsNotDistinct"},
		"an id with a blank":       {[]types.SendMessageBatchRequestEntry{{Id: aws.String("a b"), MessageBody: aws.String("x")}}, "InvalidBatchEntryId"},
		"an id of 81 characters":   {[]types.SendMessageBatchRequestEntry{{Id: aws.String(strings.Repeat("i", 81)), MessageBody: aws.String("x")}}, "InvalidBatchEntryId"},
		"one byte more than 1 MiB": {append(entries(2, strings.Repeat("x", 1<<19)), types.SendMessageBatchRequestEntry{Id: aws.String("last"), MessageBody: aws.String("x")}), "BatchRequestTooLong"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				queue := b.queue("q", nil)
				_, err := b.client.SendMessageBatch(b.ctx, &sqs.SendMessageBatchInput{QueueUrl: queue, Entries: c.entries})
				if codeOf(err) != "AWS.SimpleQueueService."+c.code {
					t.Errorf("%v, want %s", err, c.code)
				}
			})
		})
	}
}

func TestBatchesFailInPart(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		sent, err := b.client.SendMessageBatch(b.ctx, &sqs.SendMessageBatchInput{QueueUrl: queue, Entries: []types.SendMessageBatchRequestEntry{
			{Id: aws.String("good"), MessageBody: aws.String("1")},
			{Id: aws.String("bad"), MessageBody: aws.String("\x02")},
			{Id: aws.String("late"), MessageBody: aws.String("2"), DelaySeconds: 60},
		}})
		b.must(err)
		if len(sent.Successful) != 2 || len(sent.Failed) != 1 {
			t.Fatalf("%d sent, %d failed", len(sent.Successful), len(sent.Failed))
		}
		if failed := sent.Failed[0]; *failed.Id != "bad" || *failed.Code != "InvalidMessageContents" || !failed.SenderFault {
			t.Errorf("failed: %s %s", *failed.Id, *failed.Code)
		}
		got := b.receive(queue)
		if diff := cmp.Diff([]string{"1"}, bodies(got)); diff != "" {
			t.Fatal(diff)
		}
		changed, err := b.client.ChangeMessageVisibilityBatch(b.ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: queue, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("good"), ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 5},
			{Id: aws.String("long"), ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 43_201},
		}})
		b.must(err)
		if len(changed.Successful) != 1 || len(changed.Failed) != 1 || *changed.Failed[0].Id != "long" {
			t.Errorf("visibility batch: %d and %d", len(changed.Successful), len(changed.Failed))
		}
		deleted, err := b.client.DeleteMessageBatch(b.ctx, &sqs.DeleteMessageBatchInput{QueueUrl: queue, Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: aws.String("bad"), ReceiptHandle: aws.String("garbage")},
			{Id: aws.String("good"), ReceiptHandle: got[0].ReceiptHandle},
		}})
		b.must(err)
		if len(deleted.Successful) != 1 || len(deleted.Failed) != 1 || *deleted.Failed[0].Code != "ReceiptHandleIsInvalid" {
			t.Errorf("delete batch: %d and %d", len(deleted.Successful), len(deleted.Failed))
		}
		if depth := b.depth(queue); depth != [3]string{"0", "0", "1"} {
			t.Errorf("depth: %v", depth)
		}
	})
}

// MessageGroupId on a standard queue asks for fair queues: it is kept and
// orders nothing ("SendMessage", API reference).
func TestStandardQueuesTakeGroups(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		b.sendTo(queue, "tenant", "1")
		b.sendTo(queue, "tenant", "2")
		got := b.receive(queue, atMost(1))
		if got[0].Attributes["MessageGroupId"] != "tenant" {
			t.Errorf("attributes: %v", got[0].Attributes)
		}
		if more := b.receive(queue); len(more) != 1 {
			t.Error("a group on a standard queue blocked")
		}
	})
}
