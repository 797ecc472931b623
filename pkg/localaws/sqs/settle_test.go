package sqs_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

const (
	notInFlight = "AWS.SimpleQueueService.MessageNotInflight"
	invalid     = "InvalidParameterValue"
	badHandle   = "ReceiptHandleIsInvalid"
)

// What a receipt handle is still good for after something happened to its
// message.
func TestReceiptHandles(t *testing.T) {
	other := func(b *bench, _ *string, m types.Message) types.Message {
		another := b.queue("another", nil)
		b.send(another, "y")
		m.ReceiptHandle = b.receive(another)[0].ReceiptHandle
		return m
	}
	expire := func(b *bench, _ *string, m types.Message) types.Message { time.Sleep(30 * time.Second); return m }
	again := func(b *bench, q *string, m types.Message) types.Message {
		time.Sleep(30 * time.Second)
		b.receive(q)
		return m
	}
	for name, c := range map[string]struct {
		happen       func(b *bench, q *string, m types.Message) types.Message
		onDelete     string
		deletes      bool
		onChange     string
		fifoDelete   string
		fifoOnChange string
	}{
		"in flight":        {func(_ *bench, _ *string, m types.Message) types.Message { return m }, "", true, "", "", ""},
		"visible again":    {expire, "", true, notInFlight, invalid, invalid},
		"received again":   {again, "", false, notInFlight, invalid, invalid},
		"deleted":          {func(b *bench, q *string, m types.Message) types.Message { b.must(b.delete(q, m)); return m }, "", true, invalid, "", invalid},
		"of another queue": {other, badHandle, false, badHandle, badHandle, badHandle},
		"garbage": {func(_ *bench, _ *string, m types.Message) types.Message {
			m.ReceiptHandle = aws.String("garbage")
			return m
		}, badHandle, false, badHandle, badHandle, badHandle},
		"with a flipped letter": {func(_ *bench, _ *string, m types.Message) types.Message {
			m.ReceiptHandle = flip(m.ReceiptHandle)
			return m
		}, badHandle, false, badHandle, badHandle, badHandle},
		"of an earlier queue of the name": {func(b *bench, q *string, m types.Message) types.Message {
			b.must(b.raw("DeleteQueue", map[string]any{"QueueUrl": *q}))
			time.Sleep(time.Minute)
			if isFIFO(q) {
				b.fifo("q.fifo", nil)
			} else {
				b.queue("q", nil)
			}
			return m
		}, badHandle, true, badHandle, badHandle, badHandle},
	} {
		for _, kind := range []string{"standard", "fifo"} {
			t.Run(name+", "+kind, func(t *testing.T) {
				inBubble(t, func(b *bench) {
					queue, onDelete, onChange := b.queue("q", nil), c.onDelete, c.onChange
					deletes := c.deletes
					if kind == "fifo" {
						queue, onDelete, onChange = b.fifo("q.fifo", nil), c.fifoDelete, c.fifoOnChange
						deletes = deletes && onDelete == "" || name == "of an earlier queue of the name"
						b.sendTo(queue, "g", "x")
					} else {
						b.send(queue, "x")
					}
					m := c.happen(b, queue, b.receive(queue)[0])
					if got := codeOf(b.hide(queue, m, 10)); got != onChange {
						t.Errorf("ChangeMessageVisibility: %q, want %q", got, onChange)
					}
					if got := codeOf(b.delete(queue, m)); got != onDelete {
						t.Errorf("DeleteMessage: %q, want %q", got, onDelete)
					}
					time.Sleep(time.Minute)
					if got := b.receive(queue); (len(got) == 0) != deletes {
						t.Errorf("%d messages are left, want deleted: %v", len(got), deletes)
					}
				})
			})
		}
	}
}

func flip(handle *string) *string {
	letters := []byte(*handle)
	if letters[20] == 'A' {
		letters[20] = 'B'
	} else {
		letters[20] = 'A'
	}
	return aws.String(string(letters))
}

func isFIFO(queue *string) bool { return (*queue)[len(*queue)-5:] == ".fifo" }

func TestVisibilityTimeoutEndsAfterTwelveHours(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		b.send(queue, "x")
		m := b.receive(queue, hidingFor(43_200))[0]
		time.Sleep(6 * time.Hour)
		if got := codeOf(b.hide(queue, m, 6*3600+1)); got != invalid {
			t.Errorf("beyond twelve hours since the receive: %q", got)
		}
		b.must(b.hide(queue, m, 6*3600))
		time.Sleep(6*time.Hour - time.Second)
		if got := b.receive(queue); len(got) != 0 {
			t.Error("visible before twelve hours were over")
		}
		time.Sleep(time.Second)
		if got := b.receive(queue); len(got) != 1 {
			t.Error("not visible after twelve hours")
		}
	})
}

// The timeout that was changed is the receive's, not the message's
// ("ChangeMessageVisibility", API reference).
func TestChangedVisibilityLastsForOneReceive(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", map[string]string{"VisibilityTimeout": "10"})
		b.send(queue, "x")
		b.must(b.hide(queue, b.receive(queue)[0], 2))
		time.Sleep(2 * time.Second)
		b.receive(queue)
		time.Sleep(2 * time.Second)
		if got := b.receive(queue); len(got) != 0 {
			t.Error("the second receive had the first one's timeout")
		}
	})
}

func TestInFlightLimit(t *testing.T) {
	withConfig(t, localaws.Config{SQSMaxInFlight: 3}, func(b *bench) {
		standard, fifo := b.queue("q", nil), b.fifo("q.fifo", nil)
		for _, body := range []string{"1", "2", "3", "4"} {
			b.send(standard, body)
			b.sendTo(fifo, body, body)
		}
		got := b.receive(standard)
		if len(got) != 3 || len(b.receive(fifo)) != 3 {
			t.Fatalf("received %d, want as many as the limit has room for", len(got))
		}
		if err := b.raw("ReceiveMessage", map[string]any{"QueueUrl": *standard}); err == nil || err.Error()[:9] != "OverLimit" {
			t.Errorf("short poll at the limit: %v", err)
		}
		start := time.Now()
		if more := b.receive(standard, waiting(10)); len(more) != 0 || time.Since(start) != 10*time.Second {
			t.Errorf("long poll at the limit: %d messages after %s", len(more), time.Since(start))
		}
		if more := b.receive(fifo); len(more) != 0 {
			t.Error("a FIFO queue at its limit delivered")
		}
		b.later(time.Second, func() { b.must(b.delete(standard, got[0])) })
		if more := b.receive(standard, waiting(10)); len(more) != 1 {
			t.Error("a delete below the limit did not wake the long poll")
		}
	})
}
