package sqs_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

func TestFIFOGroupIsBlockedWhileInFlight(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.fifo("q.fifo", nil)
		for _, m := range [][2]string{{"a", "a1"}, {"b", "b1"}, {"a", "a2"}, {"a", "a3"}, {"b", "b2"}} {
			b.sendTo(queue, m[0], m[1])
		}
		// As many of one group as possible come first, in order.
		first := b.receive(queue, atMost(2))
		if diff := cmp.Diff([]string{"a1", "a2"}, bodies(first)); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff([]string{"b1", "b2"}, bodies(b.receive(queue))); diff != "" {
			t.Error(diff)
		}
		b.must(b.delete(queue, first[1]))
		if got := b.receive(queue); len(got) != 0 {
			t.Errorf("received %v while a1 is in flight", bodies(got))
		}
		b.must(b.delete(queue, first[0]))
		if diff := cmp.Diff([]string{"a3"}, bodies(b.receive(queue))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFIFORedeliversInOrderAfterExpiry(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.fifo("q.fifo", nil)
		for _, body := range []string{"1", "2", "3"} {
			b.sendTo(queue, "g", body)
		}
		got := b.receive(queue, atMost(2), hidingFor(10))
		b.must(b.hide(queue, got[1], 60))
		time.Sleep(10 * time.Second)
		if more := b.receive(queue); len(more) != 0 {
			t.Errorf("received %v while 2 is in flight", bodies(more))
		}
		time.Sleep(50 * time.Second)
		if diff := cmp.Diff([]string{"1", "2", "3"}, bodies(b.receive(queue))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFIFODeduplication(t *testing.T) {
	sent := func(group, id string) *sqs.SendMessageInput {
		return &sqs.SendMessageInput{MessageBody: aws.String("body"), MessageGroupId: &group, MessageDeduplicationId: &id}
	}
	byContent := func(group, body string) *sqs.SendMessageInput {
		return &sqs.SendMessageInput{MessageBody: &body, MessageGroupId: &group}
	}
	sum := sha256.Sum256([]byte("one"))
	perGroup := map[string]string{"DeduplicationScope": "messageGroup"}
	for name, c := range map[string]struct {
		attributes    map[string]string
		first, second *sqs.SendMessageInput
		gap           time.Duration
		delivered     int
	}{
		"the same id":                             {nil, sent("g", "1"), sent("g", "1"), 0, 1},
		"the same id in another group":            {nil, sent("g", "1"), sent("h", "1"), 0, 1},
		"the same id in another group, by group":  {perGroup, sent("g", "1"), sent("h", "1"), 0, 2},
		"the same id in the same group, by group": {perGroup, sent("g", "1"), sent("g", "1"), 0, 1},
		"just inside the interval":                {nil, sent("g", "1"), sent("g", "1"), 5*time.Minute - time.Millisecond, 1},
		"after the interval":                      {nil, sent("g", "1"), sent("g", "1"), 5 * time.Minute, 2},
		"another id":                              {nil, sent("g", "1"), sent("g", "2"), 0, 2},
		"the same content":                        {nil, byContent("g", "one"), byContent("g", "one"), 0, 1},
		"other content":                           {nil, byContent("g", "one"), byContent("g", "two"), 0, 2},
		"an id that is the other's content hash":  {nil, byContent("g", "one"), sent("g", hex.EncodeToString(sum[:])), 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				queue := b.fifo("q.fifo", c.attributes)
				c.first.QueueUrl, c.second.QueueUrl = queue, queue
				first, err := b.client.SendMessage(b.ctx, c.first)
				b.must(err)
				received := b.receive(queue)
				b.must(b.delete(queue, received[0])) // ids are remembered beyond
				time.Sleep(c.gap)
				second, err := b.client.SendMessage(b.ctx, c.second)
				b.must(err)
				received = append(received, b.receive(queue)...)
				if len(received) != c.delivered {
					t.Errorf("delivered %d, want %d", len(received), c.delivered)
				}
				same := *first.MessageId == *second.MessageId && *first.SequenceNumber == *second.SequenceNumber
				if same != (c.delivered == 1) {
					t.Errorf("answers %s %s and %s %s", *first.MessageId, *first.SequenceNumber, *second.MessageId, *second.SequenceNumber)
				}
				if c.delivered == 2 && *first.SequenceNumber >= *second.SequenceNumber {
					t.Error("sequence numbers do not increase")
				}
			})
		})
	}
}

func TestFIFORefusals(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*sqs.SendMessageInput)
		code   string
	}{
		"no group":                   {func(in *sqs.SendMessageInput) { in.MessageGroupId = nil }, "MissingParameter"},
		"no deduplication id":        {func(in *sqs.SendMessageInput) { in.MessageDeduplicationId = nil }, invalid},
		"a delay of its own":         {func(in *sqs.SendMessageInput) { in.DelaySeconds = 1 }, invalid},
		"a blank in the id":          {func(in *sqs.SendMessageInput) { in.MessageDeduplicationId = aws.String("a b") }, invalid},
		"everything as it should be": {func(*sqs.SendMessageInput) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				queue := b.queue("q.fifo", map[string]string{"FifoQueue": "true"})
				in := &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("x"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("1")}
				c.change(in)
				if _, err := b.client.SendMessage(b.ctx, in); codeOf(err) != c.code {
					t.Errorf("%v, want %q", err, c.code)
				}
			})
		})
	}
}

// For FIFO queues the queue's delay is retroactive, for standard ones it is
// not ("Amazon SQS delay queues").
func TestChangedDelay(t *testing.T) {
	inBubble(t, func(b *bench) {
		standard := b.queue("q", map[string]string{"DelaySeconds": "60"})
		fifo := b.fifo("q.fifo", map[string]string{"DelaySeconds": "60"})
		b.send(standard, "x")
		b.sendTo(fifo, "g", "x")
		time.Sleep(10 * time.Second)
		b.must(b.set(standard, "DelaySeconds", "5"))
		b.must(b.set(fifo, "DelaySeconds", "5"))
		if got := b.receive(standard); len(got) != 0 {
			t.Error("the standard queue's message was affected")
		}
		if got := b.receive(fifo); len(got) != 1 {
			t.Error("the FIFO queue's message was not affected")
		}
	})
}

func TestReceiveRequestAttempts(t *testing.T) {
	for name, c := range map[string]struct {
		happen func(b *bench, queue *string, first []types.Message)
		repeat bool
	}{
		"repeated at once":                 {func(*bench, *string, []types.Message) {}, true},
		"repeated after a delete":          {func(b *bench, q *string, m []types.Message) { b.must(b.delete(q, m[0])) }, false},
		"repeated after a changed timeout": {func(b *bench, q *string, m []types.Message) { b.must(b.hide(q, m[1], 60)) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				queue := b.fifo("q.fifo", nil)
				b.sendTo(queue, "g", "1")
				b.sendTo(queue, "g", "2")
				attempt := func(in *sqs.ReceiveMessageInput) { in.ReceiveRequestAttemptId = aws.String("attempt") }
				first := b.receive(queue, attempt)
				time.Sleep(20 * time.Second)
				c.happen(b, queue, first)
				second := b.receive(queue, attempt)
				if !c.repeat {
					if len(second) != 0 {
						t.Errorf("received %v", bodies(second))
					}
					return
				}
				if len(second) != 2 || *second[0].ReceiptHandle != *first[0].ReceiptHandle || second[0].Attributes["ApproximateReceiveCount"] != "1" {
					t.Errorf("the repeated receive is another one: %v", bodies(second))
				}
				time.Sleep(29 * time.Second)
				if got := b.receive(queue); len(got) != 0 {
					t.Error("the repeated receive did not start the timeout again")
				}
			})
		})
	}
}

func TestAttemptIDIsForFIFOQueuesOnly(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		_, err := b.client.ReceiveMessage(b.ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, ReceiveRequestAttemptId: aws.String("a")})
		if codeOf(err) != invalid {
			t.Errorf("%v", err)
		}
	})
}
