package sqs_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/localaws"
	localsqs "github.com/tributary-dev/tributary/pkg/localaws/sqs"
)

func TestLongPollWakes(t *testing.T) {
	for name, arrange := range map[string]struct {
		prepare func(b *bench, queue *string)
		after   time.Duration
		got     int
	}{
		"at once for a message that waits":     {func(b *bench, q *string) { b.send(q, "x") }, 0, 1},
		"at once for a message that arrives":   {func(b *bench, q *string) { b.later(3*time.Second, func() { b.send(q, "x") }) }, 3 * time.Second, 1},
		"when a delay ends":                    {func(b *bench, q *string) { b.sendDelayed(q, "x", 7) }, 7 * time.Second, 1},
		"when a visibility timeout ends":       {func(b *bench, q *string) { b.send(q, "x"); b.receive(q, hidingFor(9)) }, 9 * time.Second, 1},
		"when a message is given back":         {func(b *bench, q *string) { b.send(q, "x"); giveBackAfter(b, q, 4*time.Second, 0) }, 4 * time.Second, 1},
		"when a timeout is made shorter":       {func(b *bench, q *string) { b.send(q, "x"); giveBackAfter(b, q, 4*time.Second, 2) }, 6 * time.Second, 1},
		"empty-handed when its time is over":   {func(*bench, *string) {}, 20 * time.Second, 0},
		"not for a message delayed for longer": {func(b *bench, q *string) { b.sendDelayed(q, "x", 21) }, 20 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				queue := b.queue("q", nil)
				arrange.prepare(b, queue)
				start := time.Now()
				got := b.receive(queue, waiting(20))
				if len(got) != arrange.got || time.Since(start) != arrange.after {
					t.Errorf("received %d after %s, want %d after %s", len(got), time.Since(start), arrange.got, arrange.after)
				}
			})
		})
	}
}

func (b *bench) sendDelayed(queue *string, body string, seconds int32) {
	b.Helper()
	_, err := b.client.SendMessage(b.ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: &body, DelaySeconds: seconds})
	b.must(err)
}

func giveBackAfter(b *bench, queue *string, after time.Duration, seconds int32) {
	got := b.receive(queue, hidingFor(600))
	b.later(after, func() { b.must(b.hide(queue, got[0], seconds)) })
}

// Every waiting poll gets a message when there are enough, without waiting
// for its own timeout: a wake-up that one poll does not need is handed on.
func TestManyLongPollsShareTheMessages(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		const polls = 20
		var mu sync.Mutex
		var received []string
		var running sync.WaitGroup
		start := time.Now()
		for range polls {
			running.Go(func() {
				got := b.receive(queue, waiting(20), atMost(1))
				mu.Lock()
				defer mu.Unlock()
				received = append(received, bodies(got)...)
			})
		}
		gone, cancel := context.WithCancel(b.ctx)
		for range polls { // polls whose clients go away take nothing with them
			running.Go(func() {
				_, err := b.client.ReceiveMessage(gone, &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 20})
				if !errors.Is(err, context.Canceled) {
					t.Errorf("an abandoned poll ended with %v", err)
				}
			})
		}
		time.Sleep(time.Second)
		cancel()
		time.Sleep(time.Second)
		want := []string{}
		for i := range polls {
			want = append(want, strconv.Itoa(i))
		}
		b.send(queue, want...)
		running.Wait()
		slices.Sort(received)
		slices.Sort(want)
		if diff := cmp.Diff(want, received); diff != "" || time.Since(start) != 2*time.Second {
			t.Errorf("after %s (want 2s):\n%s", time.Since(start), diff)
		}
	})
}

func TestDeletingTheQueueEndsItsLongPolls(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		b.later(time.Second, func() {
			_, err := b.client.DeleteQueue(b.ctx, &sqs.DeleteQueueInput{QueueUrl: queue})
			b.must(err)
		})
		_, err := b.client.ReceiveMessage(b.ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 20})
		if got := codeOf(err); got != "AWS.SimpleQueueService.NonExistentQueue" {
			t.Errorf("the poll ended with %q", got)
		}
	})
}

func TestReceiveCountsSurviveVisibilityExpiry(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		sentAt := time.Now()
		b.send(queue, "x")
		for count := 1; count <= 3; count++ {
			got := b.receive(queue, hidingFor(10))
			if len(got) != 1 {
				t.Fatalf("receive %d returned %d messages", count, len(got))
			}
			want := map[string]string{
				"SenderId":                         "000000000000",
				"SentTimestamp":                    strconv.FormatInt(sentAt.UnixMilli(), 10),
				"ApproximateReceiveCount":          strconv.Itoa(count),
				"ApproximateFirstReceiveTimestamp": strconv.FormatInt(sentAt.UnixMilli(), 10),
			}
			if diff := cmp.Diff(want, got[0].Attributes); diff != "" {
				t.Error(diff)
			}
			if depth := b.depth(queue); depth != [3]string{"0", "1", "0"} {
				t.Errorf("depth in flight: %v", depth)
			}
			time.Sleep(10*time.Second - time.Millisecond)
			if early := b.receive(queue); len(early) != 0 {
				t.Error("the message was visible before its timeout ended")
			}
			time.Sleep(time.Millisecond)
		}
	})
}

func TestReceivedAttributesAreThoseAskedFor(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		_, err := b.client.SendMessage(b.ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("x"),
			MessageAttributes: attributes("trace.id", "trace.parent", "kind", "tracer")})
		b.must(err)
		for name, c := range map[string]struct{ ask, want []string }{
			"none without a name": {nil, nil},
			"one by its name":     {[]string{"kind", "absent"}, []string{"kind"}},
			"a prefix":            {[]string{"trace.*"}, []string{"trace.id", "trace.parent", "tracer"}},
			"all of them":         {[]string{"All"}, []string{"kind", "trace.id", "trace.parent", "tracer"}},
			"all by pattern":      {[]string{".*"}, []string{"kind", "trace.id", "trace.parent", "tracer"}},
		} {
			got := b.receive(queue, func(in *sqs.ReceiveMessageInput) { in.MessageAttributeNames = c.ask })
			var names []string
			for name := range got[0].MessageAttributes {
				names = append(names, name)
			}
			slices.Sort(names)
			if diff := cmp.Diff(c.want, names); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
			b.must(b.hide(queue, got[0], 0))
		}
	})
}

func TestRetentionEndsMessages(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", map[string]string{"MessageRetentionPeriod": "60"})
		b.send(queue, "visible", "in flight")
		b.receive(queue, atMost(1), hidingFor(3600))
		b.sendDelayed(queue, "delayed", 900)
		time.Sleep(59 * time.Second)
		if depth := b.depth(queue); depth != [3]string{"1", "1", "1"} {
			t.Errorf("depth before the end: %v", depth)
		}
		time.Sleep(time.Second)
		if depth := b.depth(queue); depth != [3]string{"0", "0", "0"} {
			t.Errorf("depth after the end: %v", depth)
		}
	})
}

// A shorter retention ends messages that are already there ("CreateQueue",
// MessageRetentionPeriod).
func TestRetentionIsRetroactive(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		b.send(queue, "x")
		time.Sleep(2 * time.Minute)
		b.must(b.set(queue, "MessageRetentionPeriod", "60"))
		if got := b.receive(queue); len(got) != 0 {
			t.Errorf("received %v", bodies(got))
		}
	})
}

func TestShuffledQueueDeliversEverythingInAnotherOrder(t *testing.T) {
	order := func(seed uint64) []string {
		var received []string
		withConfig(t, localaws.Config{Shuffle: true, Seed: seed}, func(b *bench) {
			queue := b.queue("q", nil)
			for i := range 30 {
				b.send(queue, strconv.Itoa(100+i))
			}
			for range 3 {
				received = append(received, bodies(b.receive(queue))...)
			}
		})
		return received
	}
	first, second, again := order(1), order(2), order(1)
	if slices.Equal(first, second) || slices.IsSorted(first) {
		t.Error("the order does not depend on the seed")
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same seed gave another order:\n%s", diff)
	}
	slices.Sort(first)
	if len(slices.Compact(first)) != 30 {
		t.Errorf("received %d different messages, want 30", len(first))
	}
}

func TestDisturbedMessages(t *testing.T) {
	disturb := func(a localsqs.Arrival) []time.Duration {
		switch a.Body {
		case "twice":
			return []time.Duration{0, 5 * time.Second}
		case "never":
			return nil
		}
		return []time.Duration{0}
	}
	withConfig(t, localaws.Config{DisturbSQS: disturb}, func(b *bench) {
		queue := b.queue("q", nil)
		ids := b.send(queue, "twice", "never", "once")
		first := b.receive(queue, hidingFor(600))
		if diff := cmp.Diff([]string{"twice", "once"}, bodies(first)); diff != "" {
			t.Error(diff)
		}
		b.must(b.delete(queue, first[0]))
		second := b.receive(queue, waiting(20))
		if len(second) != 1 || *second[0].MessageId != ids[0] {
			t.Errorf("the duplicate is %v, want message %s", second, ids[0])
		}
	})
}
