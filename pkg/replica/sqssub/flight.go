package sqssub

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// flight is a message from its receive to the end of its delete or return.
// subscription.mu guards the fields below the line.
type flight struct {
	delivery Delivery
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
