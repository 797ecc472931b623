package sqssub

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"
)

// receiveBackoff are the pauses after receives that failed.
var receiveBackoff = Backoff{Base: 100 * time.Millisecond, Max: 20 * time.Second}

// roomPatience is how long a receive loop waits for room for ten messages
// where there is room for some: a receive costs the same for one, and where
// handlers are what everything waits for, a pause of this length costs nothing
// but the tenth of the room that it leaves empty.
const roomPatience = 50 * time.Millisecond

// receiveGrace is how long a receive under way may still bring messages when
// the subscription stops. Under load it answers within that, and what it brings
// is given back; cut off, it would leave messages invisible until their
// visibility timeout is over.
const receiveGrace = 200 * time.Millisecond

// receiver is one receive loop that is awake.
type receiver struct {
	*subscription
	wait time.Duration // of a long poll
	load load
	// failures and early count the last receives in a row that failed, and that
	// ended early without messages.
	failures, early int
}

// receive is the loop that always polls. No error ends it; only the end of ctx
// does, and that of request ends a receive under way.
func (s *subscription) receive(ctx, request context.Context) {
	r := receiver{subscription: s, wait: s.cfg.WaitTime}
	for ctx.Err() == nil {
		if _, err := r.once(ctx, request); err != nil {
			r.failures++
			sleep(ctx, receiveBackoff.Pause(r.failures, s.cfg.Random))
			continue
		}
		r.failures = 0
		if r.early > 0 {
			sleep(ctx, receiveBackoff.Pause(r.early, s.cfg.Random))
		}
	}
}

// wake starts a further loop, unless there are as many as there may be.
func (s *subscription) wake(ctx, request context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.awake < s.cfg.Receivers {
		s.awake++
		s.receivers.Go(func() { s.receiveMore(ctx, request) })
	}
}

// receiveMore is a further loop. It ends once there is little to fetch, or when
// a receive fails: while SQS throttles or is away, the loop that always polls
// tries alone.
func (s *subscription) receiveMore(ctx, request context.Context) {
	r := receiver{subscription: s, wait: min(furtherWait, s.cfg.WaitTime)}
	for ctx.Err() == nil {
		if wanted, err := r.once(ctx, request); err != nil || !wanted {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.awake--
}

// once receives once, and says whether the loop is worth its requests.
func (r *receiver) once(ctx, request context.Context) (wanted bool, err error) {
	room := r.room.take(ctx, MaxBatchMessages, roomPatience)
	if room == 0 {
		return false, nil
	}
	begun := time.Now()
	out, err := r.client.ReceiveMessage(request, r.input(room))
	r.counts.receives.Add(1)
	if err != nil {
		r.room.release(room)
		if ctx.Err() != nil {
			// What SQS handed out for an answer that nobody read becomes visible
			// by itself.
			return false, nil
		}
		r.counts.receiveErrors.Add(1)
		r.logger.Warn("receive failed; trying again", "error", err, "failures", r.failures+1)
		return false, err
	}
	messages := len(out.Messages)
	fresh := r.admit(out.Messages, begun)
	r.room.release(room - fresh)
	took := time.Since(begun)
	r.noteEarly(messages, took)
	if room < MaxBatchMessages {
		return messages > 0, nil // handlers are what is missing, not loops
	}
	more, less := r.load.note(messages, took)
	if more {
		r.wake(ctx, request)
	}
	return !less, nil
}

// noteEarly notices long polls that end early without messages: the queue has
// its most messages in flight, which SQS need not report as an error
// ("ChangeMessageVisibility"), or the engine does not wait; asking again at
// once would spin.
func (r *receiver) noteEarly(messages int, took time.Duration) {
	if messages > 0 || took > r.wait/2 {
		r.early = 0
		return
	}
	r.early++
	if r.early == 10 {
		r.logger.Warn("long polls end early without messages; perhaps the queue has reached its limit of messages in flight")
	}
}

func (r *receiver) input(room int) *sqs.ReceiveMessageInput {
	in := &sqs.ReceiveMessageInput{
		QueueUrl:                    aws.String(r.queue.url),
		MaxNumberOfMessages:         int32(room),
		WaitTimeSeconds:             int32(r.wait / time.Second),
		VisibilityTimeout:           int32(r.cfg.VisibilityTimeout / time.Second),
		MessageAttributeNames:       allAttributes,
		MessageSystemAttributeNames: deliveryAttributes,
	}
	if r.queue.fifo {
		// With it, the SDK's own retry of a receive whose answer was lost brings
		// the same messages instead of a blocked group ("ReceiveMessage").
		in.ReceiveRequestAttemptId = aws.String(uuid.NewString())
	}
	return in
}

var allAttributes = []string{"All"}
