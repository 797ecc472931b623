package sqssub

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// flight is a message from its receive to the end of its delete or return.
// subscription.mu guards the fields below the line.
type flight struct {
	delivery *Delivery
	raw      types.Message
	msg      *message.Message
	// unreadable is why there is no msg.
	unreadable error
	ctx        context.Context
	cancel     context.CancelCauseFunc

	// receipt is the newest receipt handle. A message received again while it
	// is held must be settled by the newest one ("DeleteMessage"). The older
	// ones are deleted as well: where SQS delivered a second copy, rather than
	// the same one twice, the first copy would come again.
	receipt string
	older   []string
	// receivedAt is a moment before SQS handed the message out, from which its
	// twelve hours count; visibleFrom is when its visibility was last set.
	receivedAt, visibleFrom time.Time
	// settling says that the message is acked or rejected, and that only its
	// delete is missing.
	settling bool
	// extending says that an extension is on its way; whenExtended is then done
	// after it, so that the extension cannot undo a return.
	extending    bool
	whenExtended func()
	// lost says that SQS no longer accepts the receipt handle, or that the
	// twelve hours are over: the message will come again.
	lost bool
}

// newFlight reads a message that a receive sent at the time begun has brought.
func (s *subscription) newFlight(raw *types.Message, begun, now time.Time) *flight {
	known := &deliveryContext{Context: s.values, delivery: newDelivery(s.queue.name, raw)}
	f := &flight{delivery: &known.delivery, raw: *raw, receipt: aws.ToString(raw.ReceiptHandle),
		receivedAt: begun, visibleFrom: now}
	f.msg, f.unreadable = decode(s.cfg.Unmarshaler, raw)
	// The context has no parent that ends: the subscription ends those of its
	// flights itself, which costs less than to enter each one with a parent.
	ctx, cancel := context.WithCancelCause(known)
	f.ctx, f.cancel = replica.WithSettlement(ctx), cancel
	if f.msg != nil {
		f.msg.SetContext(f.ctx)
	}
	return f
}

// visibilityLeft returns by how much a message may still be extended.
func visibilityLeft(received, now time.Time) time.Duration {
	return MaxVisibility - now.Sub(received)
}

// join takes a further delivery of the message in.
func (f *flight) join(receipt string, begun, now time.Time) {
	if receipt == f.receipt {
		return
	}
	f.older = append(f.older, f.receipt)
	f.receipt, f.receivedAt, f.visibleFrom, f.lost = receipt, begun, now, false
}
