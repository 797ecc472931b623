package sns_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/localaws/sns"
)

func ordered(group, deduplication string) func(*sdk.PublishInput) {
	return func(in *sdk.PublishInput) {
		in.MessageGroupId = &group
		if deduplication != "" {
			in.MessageDeduplicationId = &deduplication
		}
	}
}

func TestFIFOAsksForIDs(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t.fifo", "FifoTopic", "true")
	for name, row := range map[string]struct {
		change func(*sdk.PublishInput)
		want   string
	}{
		"a group":                    {func(*sdk.PublishInput) {}, "The MessageGroupId parameter is required for FIFO topics"},
		"a deduplication id":         {ordered("g", ""), "should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided"},
		"a group without spaces":     {ordered("g g", "d"), "MessageGroupId Reason"},
		"a deduplication id of 128":  {ordered("g", strings.Repeat("d", 129)), "MessageDeduplicationId Reason"},
		"a group that is not empty":  {ordered("", "d"), "MessageGroupId Reason"},
		"printable ASCII in a group": {ordered("gä", "d"), "MessageGroupId Reason"},
	} {
		t.Run(name, func(t *testing.T) {
			in := &sdk.PublishInput{TopicArn: &topic, Message: aws.String("m")}
			row.change(in)
			_, err := w.Publish(t.Context(), in)
			wantError[*types.InvalidParameterException](t, err, row.want)
		})
	}
	_, err := w.PublishBatch(t.Context(), &sdk.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{entry("a", "m")}})
	wantError[*types.InvalidParameterException](t, err, "MessageGroupId parameter is required")
}

func TestFIFODeduplication(t *testing.T) {
	for name, row := range map[string]struct {
		attributes []string
		again      func(*sdk.PublishInput)
		message    string
		later      time.Duration
		delivered  int
	}{
		"the same id":                     {nil, ordered("g", "d"), "other", 0, 1},
		"the same id in another group":    {nil, ordered("h", "d"), "m", 0, 1},
		"in its group's scope":            {[]string{"FifoThroughputScope", "MessageGroup"}, ordered("h", "d"), "m", 0, 2},
		"another id":                      {nil, ordered("g", "e"), "m", 0, 2},
		"just before five minutes passed": {nil, ordered("g", "d"), "m", 5*time.Minute - time.Millisecond, 1},
		"after five minutes":              {nil, ordered("g", "d"), "m", 5 * time.Minute, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				topic := w.topic("t.fifo", append(row.attributes, "FifoTopic", "true")...)
				w.subscribe(topic, "q.fifo", "RawMessageDelivery", "true")
				first := w.publish(topic, "m", ordered("g", "d"))
				time.Sleep(row.later)
				second := w.publish(topic, row.message, row.again)
				if got := len(w.queues.take("q.fifo")); got != row.delivered {
					t.Errorf("delivered %d, want %d", got, row.delivered)
				}
				if same := *first.MessageId == *second.MessageId && *first.SequenceNumber == *second.SequenceNumber; same != (row.delivered == 1) {
					t.Errorf("answered %s, then %s", *first.MessageId, *second.MessageId)
				}
			})
		})
	}
}

func TestFIFOContentDeduplicationAcrossBatches(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t.fifo", "FifoTopic", "true", "ContentBasedDeduplication", "true")
	w.subscribe(topic, "q.fifo", "RawMessageDelivery", "true")
	w.subscribe(topic, "q", "RawMessageDelivery", "true")
	batch := func(messages ...string) (sequence []string) {
		var entries []types.PublishBatchRequestEntry
		for i, message := range messages {
			e := entry(fmt.Sprint(i), message)
			e.MessageGroupId = aws.String("g")
			entries = append(entries, e)
		}
		out, err := w.PublishBatch(t.Context(), &sdk.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: entries})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range out.Successful {
			sequence = append(sequence, *s.SequenceNumber)
		}
		return sequence
	}
	first, second := batch("a", "b", "a"), batch("b", "c")
	if first[0] != first[2] || first[1] != second[0] || first[0] >= first[1] || first[1] >= second[1] || len(first[0]) != 20 {
		t.Errorf("sequence numbers %v, then %v", first, second)
	}
	got := w.queues.take("q.fifo")
	if diff := cmp.Diff([]string{"a", "b", "c"}, bodies(got)); diff != "" {
		t.Fatal(diff)
	}
	// SHA-256 of "a": the id goes to a FIFO queue and no other.
	if id := got[0].DeduplicationID; id != "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" || got[0].GroupID != "g" {
		t.Errorf("group %q, deduplication id %q", got[0].GroupID, id)
	}
	standard := w.queues.take("q")
	if diff := cmp.Diff([]string{"a", "b", "c"}, bodies(standard)); diff != "" {
		t.Fatal(diff)
	}
	if id := standard[0].DeduplicationID; id != "" {
		t.Errorf("a standard queue got the deduplication id %q", id)
	}
	counters := w.service.Counters().Topics[topic]
	if diff := cmp.Diff(sns.TopicCounters{Published: 3, Deduplicated: 2}, counters); diff != "" {
		t.Error(diff)
	}
}

func TestFIFONotificationIsNumberedAndNotSigned(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t.fifo", "FifoTopic", "true")
	w.subscribe(topic, "q.fifo")
	out := w.publish(topic, "m", ordered("g", "d"))
	document := unwrap(t, w.queues.take("q.fifo")[0])
	if document["SequenceNumber"] != *out.SequenceNumber || document["Signature"] != nil || document["Message"] != "m" {
		t.Errorf("got %v", document)
	}
}

// TestFIFOKeepsOrderThroughRetries has the first message of a group fail for
// a while: the group waits behind it, another group and another queue do not.
func TestFIFOKeepsOrderThroughRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.queues.fail = func(d sns.Delivery, attempt int) error {
			if d.QueueARN == queueARN("slow.fifo") && d.Body == "g1" && attempt <= 6 {
				return errBroken
			}
			if d.Body == "g3" {
				return errQueueGone
			}
			return nil
		}
		topic := w.topic("t.fifo", "FifoTopic", "true", "ContentBasedDeduplication", "true")
		w.subscribe(topic, "slow.fifo", "RawMessageDelivery", "true")
		w.subscribe(topic, "fast.fifo", "RawMessageDelivery", "true")
		for _, message := range []string{"g1", "g2", "h1", "g3", "g4"} {
			w.publish(topic, message, ordered(message[:1], ""))
		}
		if diff := cmp.Diff([]string{"h1"}, bodies(w.queues.take("slow.fifo"))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"g1", "g2", "h1", "g4"}, bodies(w.queues.take("fast.fifo"))); diff != "" {
			t.Error(diff)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]string{"g1", "g2", "g4"}, bodies(w.queues.take("slow.fifo"))); diff != "" {
			t.Error(diff)
		}
	})
}

// TestFIFOOrderIsTheSequence publishes to a few groups at once, to queues of
// varying speed: every queue sees each group by sequence number, and each
// message before its Publish returned.
func TestFIFOOrderIsTheSequence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var deliveries atomic.Int64
		w.queues.slow = func(sns.Delivery) time.Duration {
			return time.Duration(deliveries.Add(1)*7%5) * time.Millisecond
		}
		topic := w.topic("t.fifo", "FifoTopic", "true", "ContentBasedDeduplication", "true")
		w.subscribe(topic, "a.fifo")
		w.subscribe(topic, "b.fifo")
		w.subscribe(topic, "raw.fifo", "RawMessageDelivery", "true")
		var publishers sync.WaitGroup
		for p := range 8 {
			publishers.Go(func() {
				for i := range 25 {
					message := fmt.Sprintf("%d-%d", p, i)
					w.publish(topic, message, ordered(fmt.Sprint(p%3), ""))
					if !w.queues.has("raw.fifo", message) {
						t.Errorf("%s was not delivered when its Publish returned", message)
					}
				}
			})
		}
		publishers.Wait()
		for _, queue := range []string{"a.fifo", "b.fifo"} {
			last, got := map[string]string{}, w.queues.take(queue)
			if len(got) != 200 {
				t.Errorf("%s got %d messages when all were published, want 200", queue, len(got))
			}
			for _, d := range got {
				sequence := unwrap(t, d)["SequenceNumber"].(string)
				if sequence <= last[d.GroupID] {
					t.Fatalf("%s: %s came after %s", queue, sequence, last[d.GroupID])
				}
				last[d.GroupID] = sequence
			}
		}
	})
}
