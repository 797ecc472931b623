package sqs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

// exhaust receives until the queue has nothing more, letting every timeout
// expire.
func (b *bench) exhaust(queue *string) (receives int) {
	for {
		got := b.receive(queue, hidingFor(1))
		if len(got) == 0 {
			return receives
		}
		receives++
		time.Sleep(time.Second)
	}
}

func TestDeadLetterQueueGetsTheMessageUnchanged(t *testing.T) {
	inBubble(t, func(b *bench) {
		source, dead := b.pair("q", 3)
		sentAt := time.Now()
		sent, err := b.client.SendMessage(b.ctx, &sqs.SendMessageInput{QueueUrl: source, MessageBody: aws.String("x"), MessageAttributes: attributes("a")})
		b.must(err)
		if receives := b.exhaust(source); receives != 3 {
			t.Errorf("received %d times before it moved, want 3", receives)
		}
		got := b.receive(dead)
		if len(got) != 1 || *got[0].MessageId != *sent.MessageId || *got[0].Body != "x" || *got[0].MessageAttributes["a"].StringValue != "a" {
			t.Fatalf("in the dead-letter queue: %v", got)
		}
		if sent := got[0].Attributes["SentTimestamp"]; sent != formatMillis(sentAt) {
			t.Errorf("enqueued at %s, want the first enqueue, %s", sent, formatMillis(sentAt))
		}
		if got[0].Attributes["ApproximateReceiveCount"] != "4" || got[0].Attributes["DeadLetterQueueSourceArn"] != arnOf("q") {
			t.Errorf("attributes: %v", got[0].Attributes)
		}
	})
}

// The retention of a standard dead-letter queue counts from the first enqueue,
// that of a FIFO one from the move ("Using dead-letter queues in Amazon SQS").
func TestRetentionInTheDeadLetterQueue(t *testing.T) {
	inBubble(t, func(b *bench) {
		dead := b.queue("dead", map[string]string{"MessageRetentionPeriod": "600"})
		source := b.queue("q", map[string]string{"RedrivePolicy": redrive("dead", 1)})
		fifoDead := b.fifo("dead.fifo", map[string]string{"MessageRetentionPeriod": "600"})
		fifoSource := b.fifo("q.fifo", map[string]string{"RedrivePolicy": redrive("dead.fifo", 1)})
		b.send(source, "x")
		sent := b.sendTo(fifoSource, "g", "x")
		b.receive(source, hidingFor(300))
		b.receive(fifoSource, hidingFor(300))
		time.Sleep(5 * time.Minute)
		b.receive(source)
		b.receive(fifoSource)
		time.Sleep(5 * time.Minute)
		if got := b.receive(dead); len(got) != 0 {
			t.Error("the standard queue's message outlived its retention")
		}
		got := b.receive(fifoDead)
		if len(got) != 1 || got[0].Attributes["MessageDeduplicationId"] != *sent.MessageId {
			t.Errorf("in the FIFO dead-letter queue: %v", got)
		}
	})
}

func TestALongPollOnTheDeadLetterQueueSeesTheMove(t *testing.T) {
	inBubble(t, func(b *bench) {
		source, dead := b.pair("q", 1)
		b.send(source, "x")
		b.receive(source, hidingFor(5))
		b.later(6*time.Second, func() { b.receive(source) })
		start := time.Now()
		if got := b.receive(dead, waiting(20)); len(got) != 1 || time.Since(start) != 6*time.Second {
			t.Errorf("%d after %s", len(got), time.Since(start))
		}
	})
}

// A message that is moved away does not block its group, but leaves a gap in
// its order.
func TestFIFOGroupGoesOnAfterAMove(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.fifo("dead.fifo", nil)
		source := b.fifo("q.fifo", map[string]string{"RedrivePolicy": redrive("dead.fifo", 1)})
		b.sendTo(source, "g", "1")
		b.sendTo(source, "g", "2")
		b.receive(source, atMost(1), hidingFor(1))
		time.Sleep(time.Second)
		if diff := cmp.Diff([]string{"2"}, bodies(b.receive(source))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRefusedRedrivePolicies(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		b.queue("dead", nil)
		b.queue("closed", map[string]string{"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`})
		b.queue("others", map[string]string{"RedriveAllowPolicy": `{"redrivePermission":"byQueue","sourceQueueArns":["` + arnOf("x") + `"]}`})
		b.queue("mine", map[string]string{"RedriveAllowPolicy": `{"redrivePermission":"byQueue","sourceQueueArns":["` + arnOf("q") + `"]}`})
		b.fifo("dead.fifo", nil)
		for name, c := range map[string]struct {
			policy string
			reason string // empty: accepted
		}{
			"complete":                   {redrive("dead", 1000), ""},
			"a count in quotes":          {`{"deadLetterTargetArn":"` + arnOf("dead") + `","maxReceiveCount":"5"}`, ""},
			"this queue is on the list":  {redrive("mine", 5), ""},
			"removed":                    {"", ""},
			"no count":                   {`{"deadLetterTargetArn":"` + arnOf("dead") + `"}`, "mandatory attribute: maxReceiveCount"},
			"no target":                  {`{"maxReceiveCount":5}`, "mandatory attribute: deadLetterTargetArn"},
			"a count of zero":            {redrive("dead", 0), "valid values are from 1 to 1000"},
			"a count over 1000":          {redrive("dead", 1001), "valid values are from 1 to 1000"},
			"a target that is not there": {redrive("absent", 5), "does not exist"},
			"a target of the other kind": {redrive("dead.fifo", 5), "same type"},
			"a target that denies all":   {redrive("closed", 5), "RedriveAllowPolicy"},
			"a target for other queues":  {redrive("others", 5), "RedriveAllowPolicy"},
			"an unknown member":          {`{"deadLetterTargetArn":"` + arnOf("dead") + `","maxReceiveCount":5,"extra":1}`, "extra"},
			"no JSON":                    {"x", "invalid character"},
		} {
			err := b.set(queue, "RedrivePolicy", c.policy)
			if c.reason == "" {
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if codeOf(err) != invalid || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("%s: %v, want %q", name, err, c.reason)
			}
		}
	})
}

func TestListDeadLetterSourceQueues(t *testing.T) {
	inBubble(t, func(b *bench) {
		dead := b.queue("dead", nil)
		var want []string
		for _, name := range []string{"a", "b", "c"} {
			want = append(want, *b.queue(name, map[string]string{"RedrivePolicy": redrive("dead", 5)}))
		}
		b.queue("d", nil)
		var got []string
		pages := sqs.NewListDeadLetterSourceQueuesPaginator(b.client, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: dead, MaxResults: aws.Int32(2)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(b.ctx)
			b.must(err)
			got = append(got, page.QueueUrls...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func (b *bench) startMove(dead string, rate *int32, destination *string) (string, error) {
	started, err := b.client.StartMessageMoveTask(b.ctx, &sqs.StartMessageMoveTaskInput{
		SourceArn: aws.String(arnOf(dead)), MaxNumberOfMessagesPerSecond: rate, DestinationArn: destination,
	})
	if err != nil {
		return "", err
	}
	return *started.TaskHandle, nil
}

func (b *bench) task(dead string) types.ListMessageMoveTasksResultEntry {
	b.Helper()
	listed, err := b.client.ListMessageMoveTasks(b.ctx, &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(arnOf(dead))})
	b.must(err)
	return listed.Results[0]
}

// fillDead puts messages into a dead-letter queue the way SQS does.
func (b *bench) fillDead(source *string, n int) {
	for range n {
		b.send(source, "x")
	}
	for got := b.receive(source, hidingFor(1)); len(got) > 0; got = b.receive(source, hidingFor(1)) {
		continue
	}
	time.Sleep(time.Second)
	b.receive(source)
}

func TestMessageMoveTask(t *testing.T) {
	inBubble(t, func(b *bench) {
		source, dead := b.pair("q", 1)
		id := b.send(source, "x")[0]
		b.fillDead(source, 24)
		handle, err := b.startMove("q-dead", aws.Int32(5), nil)
		b.must(err)
		if _, err := b.startMove("q-dead", nil, nil); codeOf(err) != invalid {
			t.Errorf("a second task at once: %v", err)
		}
		time.Sleep(2*time.Second + 100*time.Millisecond)
		running := b.task("q-dead")
		if *running.Status != "RUNNING" || *running.TaskHandle != handle || running.ApproximateNumberOfMessagesMoved != 11 || *running.ApproximateNumberOfMessagesToMove != 25 {
			t.Errorf("after two seconds at five a second: %s, %d of %d", *running.Status, running.ApproximateNumberOfMessagesMoved, *running.ApproximateNumberOfMessagesToMove)
		}
		time.Sleep(5 * time.Second)
		done := b.task("q-dead")
		if *done.Status != "COMPLETED" || done.TaskHandle != nil || done.ApproximateNumberOfMessagesMoved != 25 {
			t.Errorf("at the end: %s, %d moved", *done.Status, done.ApproximateNumberOfMessagesMoved)
		}
		if depth := b.depth(dead); depth != [3]string{"0", "0", "0"} {
			t.Errorf("the dead-letter queue still has %v", depth)
		}
		for _, m := range b.receive(source) {
			if *m.MessageId == id || m.Attributes["ApproximateReceiveCount"] != "1" {
				t.Error("a redriven message is not a new one")
			}
		}
	})
}

func TestCancelledMessageMoveTask(t *testing.T) {
	inBubble(t, func(b *bench) {
		source, _ := b.pair("q", 1)
		b.fillDead(source, 20)
		handle, err := b.startMove("q-dead", aws.Int32(1), nil)
		b.must(err)
		time.Sleep(3*time.Second + time.Millisecond)
		cancelled, err := b.client.CancelMessageMoveTask(b.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: &handle})
		b.must(err)
		time.Sleep(time.Minute)
		if moved := b.task("q-dead").ApproximateNumberOfMessagesMoved; cancelled.ApproximateNumberOfMessagesMoved != 4 || moved != 4 {
			t.Errorf("moved %d at the cancellation and %d later, want 4", cancelled.ApproximateNumberOfMessagesMoved, moved)
		}
		_, err = b.client.CancelMessageMoveTask(b.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: &handle})
		if codeOf(err) != "AWS.SimpleQueueService.UnsupportedOperation" {
			t.Errorf("cancelling again: %v", err)
		}
		_, err = b.client.CancelMessageMoveTask(b.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: aws.String("x")})
		if codeOf(err) != "ResourceNotFoundException" {
			t.Errorf("cancelling what never was: %v", err)
		}
	})
}

// SQS does not know where a message came from that somebody sent to the
// dead-letter queue; with a destination it need not ("StartMessageMoveTask").
func TestMoveTaskAndMessagesOfUnknownSource(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.pair("q", 1)
		elsewhere := b.queue("elsewhere", nil)
		b.send(b.queue("q-dead", nil), "x")
		_, err := b.startMove("q-dead", nil, nil)
		b.must(err)
		time.Sleep(time.Second)
		if failed := b.task("q-dead"); *failed.Status != "FAILED" || *failed.FailureReason != "CouldNotDetermineMessageSource" {
			t.Errorf("without a destination: %s %v", *failed.Status, failed.FailureReason)
		}
		_, err = b.startMove("q-dead", nil, aws.String(arnOf("elsewhere")))
		b.must(err)
		time.Sleep(time.Second)
		if got := b.receive(elsewhere); len(got) != 1 {
			t.Error("not moved to the destination")
		}
		listed, err := b.client.ListMessageMoveTasks(b.ctx, &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(arnOf("q-dead")), MaxResults: aws.Int32(10)})
		b.must(err)
		if len(listed.Results) != 2 || *listed.Results[0].Status != "COMPLETED" {
			t.Errorf("%d tasks, the newest first", len(listed.Results))
		}
	})
}

func TestRefusedMoveTasks(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.pair("q", 1)
		b.queue("plain", nil)
		b.fifo("plain.fifo", nil)
		for name, c := range map[string]struct {
			source, destination string
			rate                int32
			code                string
		}{
			"a queue that is no dead-letter queue": {"plain", "", 1, invalid},
			"a queue that is not there":            {"absent", "", 1, "ResourceNotFoundException"},
			"a destination that is not there":      {"q-dead", "absent", 1, "ResourceNotFoundException"},
			"a destination of the other kind":      {"q-dead", "plain.fifo", 1, invalid},
			"onto itself":                          {"q-dead", "q-dead", 1, invalid},
			"more than 500 a second":               {"q-dead", "", 501, invalid},
		} {
			var destination *string
			if c.destination != "" {
				destination = aws.String(arnOf(c.destination))
			}
			if _, err := b.startMove(c.source, &c.rate, destination); codeOf(err) != c.code {
				t.Errorf("%s: %v, want %s", name, err, c.code)
			}
		}
	})
}
