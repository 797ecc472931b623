package sqssub

import (
	"errors"

	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

var (
	// ErrClosed is returned by Subscribe and SendDelayed after Close.
	ErrClosed = errors.New("the subscriber is closed")
	// ErrDrainTimeout is the cause with which message contexts end when a
	// subscription stops and its handlers do not finish in time.
	ErrDrainTimeout = errors.New("the subscription is stopping and its drain timeout is over")
	// ErrHandlerTimeout is the cause with which a message's context ends after
	// Config.HandlerTimeout.
	ErrHandlerTimeout = errors.New("the handler timeout is over")
	// ErrSettled is the cause with which a message's context ends once the
	// message is acked or nacked.
	ErrSettled = errors.New("the message is settled")
	// ErrNoDeadLetterQueue says that there is nowhere to put a rejected
	// message.
	ErrNoDeadLetterQueue = errors.New("no dead-letter queue: give the queue a RedrivePolicy, or set Config.DeadLetterQueue")
)

// EntryError is SQS's own reason for not carrying out one entry of a batch.
type EntryError = retry.EntryError

// blamesAnEntry says whether a request was refused as a whole for what may be
// the fault of a single entry, so that halving the batch finds it.
func blamesAnEntry(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "BatchRequestTooLong", "InvalidMessageContents", "InvalidParameterValue", "InvalidParameterValueException",
		"ReceiptHandleIsInvalid", "MessageNotInflight", "ValidationError", "ValidationException", "SerializationException",
		"AWS.SimpleQueueService.BatchRequestTooLong", "AWS.SimpleQueueService.MessageNotInflight":
		return true
	}
	return false
}
