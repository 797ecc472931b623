package sqssub

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// receiveBackoff are the pauses after receives that failed.
var receiveBackoff = Backoff{Base: 100 * time.Millisecond, Max: 20 * time.Second}

// roomPatience is how long a receive loop waits for room for ten messages
// where there is room for some: a receive costs the same for one.
const roomPatience = 10 * time.Millisecond

// receiveGrace is how long a receive under way may still bring messages when
// the subscription stops. Under load it answers within that, and what it brings
// is given back; cut off, it would leave messages invisible until their
// visibility timeout is over.
const receiveGrace = 200 * time.Millisecond

// received is one message as it came, and what became of reading it.
type received struct {
	raw        types.Message
	delivery   Delivery
	receipt    string
	msg        *message.Message
	unreadable error
}

// receive is one receive loop. No error ends it; only the end of ctx does, and
// that of request ends a receive under way.
func (s *subscription) receive(ctx, request context.Context) {
	failures, early := 0, 0
	for {
		want := s.room.take(ctx, MaxBatchMessages, roomPatience)
		if want == 0 {
			return
		}
		begun := time.Now()
		out, err := s.client.ReceiveMessage(request, s.receiveInput(want))
		s.counts.receives.Add(1)
		if err != nil {
			s.room.release(want)
			if ctx.Err() != nil {
				// What SQS handed out for an answer that nobody read becomes
				// visible by itself.
				return
			}
			failures++
			s.counts.receiveErrors.Add(1)
			s.logger.Warn("receive failed; trying again", "error", err, "failures", failures)
			sleep(ctx, receiveBackoff.Pause(failures, s.cfg.Random))
			continue
		}
		failures = 0
		fresh := s.admit(s.read(out.Messages), begun)
		s.room.release(want - fresh)
		// A long poll without messages that ends early means that the queue has
		// its most messages in flight, which SQS need not report as an error
		// ("ChangeMessageVisibility"), or an engine that does not wait; asking
		// again at once would spin.
		if len(out.Messages) > 0 || time.Since(begun) > s.cfg.WaitTime/2 {
			early = 0
			continue
		}
		early++
		if early == 10 {
			s.logger.Warn("long polls end early without messages; perhaps the queue has reached its limit of messages in flight")
		}
		sleep(ctx, receiveBackoff.Pause(early, s.cfg.Random))
	}
}

func (s *subscription) receiveInput(want int) *sqs.ReceiveMessageInput {
	in := &sqs.ReceiveMessageInput{
		QueueUrl:                    aws.String(s.queue.url),
		MaxNumberOfMessages:         int32(want),
		WaitTimeSeconds:             int32(s.cfg.WaitTime / time.Second),
		VisibilityTimeout:           int32(s.cfg.VisibilityTimeout / time.Second),
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: deliveryAttributes,
	}
	if s.queue.fifo {
		// With it, the SDK's own retry of a receive whose answer was lost brings
		// the same messages instead of a blocked group ("ReceiveMessage").
		in.ReceiveRequestAttemptId = aws.String(uuid.NewString())
	}
	return in
}

func (s *subscription) read(messages []types.Message) []received {
	all := make([]received, len(messages))
	for i := range messages {
		raw := &messages[i]
		msg, err := decode(s.cfg.Unmarshaler, raw)
		all[i] = received{raw: *raw, delivery: newDelivery(s.queue.name, raw),
			receipt: aws.ToString(raw.ReceiptHandle), msg: msg, unreadable: err}
	}
	return all
}

func (s *subscription) newFlight(r received, begun, now time.Time) *flight {
	f := &flight{delivery: r.delivery, raw: r.raw, msg: r.msg, unreadable: r.unreadable,
		receipt: r.receipt, receivedAt: begun, visibleFrom: now}
	ctx, cancel := context.WithCancelCause(context.WithValue(s.messages, deliveryKey{}, r.delivery))
	f.ctx, f.cancel = replica.WithSettlement(ctx), cancel
	if f.msg != nil {
		f.msg.SetContext(f.ctx)
	}
	return f
}
