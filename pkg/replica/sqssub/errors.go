package sqssub

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
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

// errUnanswered is the fate of an entry SQS said nothing about.
var errUnanswered = errors.New("SQS answered without a word on this entry")

// EntryError is SQS's own reason for not carrying out one entry of a batch.
type EntryError struct {
	Code, Message string
	// SenderFault says that SQS holds the entry itself responsible, so that
	// sending it again is useless.
	SenderFault bool
}

func (e *EntryError) Error() string { return e.Code + ": " + e.Message }

// throttled says whether an error code only asks for patience. A throttled KMS
// key has a code of its own ("ReceiveMessage", Errors: KmsThrottled).
func throttled(code string) bool {
	if _, ok := retry.DefaultThrottleErrorCodes[code]; ok {
		return true
	}
	return code == "KmsThrottled" || code == "KMS.ThrottlingException" || code == "OverLimit"
}

// worthRetrying says whether a failure may go away by itself. What is unknown
// is retried; what the service blames on the request is not.
func worthRetrying(err error) bool {
	var entry *EntryError
	if errors.As(err, &entry) {
		return !entry.SenderFault || throttled(entry.Code)
	}
	if errors.Is(err, context.Canceled) {
		return false
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return true
	}
	if throttled(api.ErrorCode()) || retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary {
		return true
	}
	return api.ErrorFault() != smithy.FaultClient
}

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
