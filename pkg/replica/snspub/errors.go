package snspub

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// ErrClosed is returned by Publish after Close.
var ErrClosed = errors.New("publish: the publisher is closed")

// EntryError is SNS's own reason for not accepting one entry of a batch.
type EntryError struct {
	Code, Message string
	// SenderFault says that SNS holds the message itself responsible, so that
	// sending it again is useless.
	SenderFault bool
}

func (e *EntryError) Error() string { return e.Code + ": " + e.Message }

// throttled says whether an error code only asks for patience. SNS reports a
// throttled KMS key under a code of its own ("PublishBatch", Errors:
// KMSThrottling).
func throttled(code string) bool {
	if _, ok := retry.DefaultThrottleErrorCodes[code]; ok {
		return true
	}
	return code == "KMSThrottling" || code == "KMS.ThrottlingException" || code == "KMSThrottlingException"
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

// rejected marks a failure for which SNS blames what this one entry holds, so
// that its owner dead-letters it. Denied access, an unreadable key or a missing
// topic are blamed on the sender as well, but are mended without touching the
// message; and a call that is refused as a whole may be refused for its topic,
// unless that topic took others at the same time.
func rejected(err error) error {
	var entry *EntryError
	if errors.As(err, &entry) && entry.SenderFault && blamesContent(entry.Code) {
		return refusedAlone(err)
	}
	return err
}

// refusedAlone marks a failure that is an entry's own.
func refusedAlone(err error) error {
	return &replica.RejectedError{Reason: "refused by SNS", Err: err}
}

// blamesAnEntry says whether a request was refused as a whole for what may be
// the fault of a single entry, so that halving the batch finds it.
func blamesAnEntry(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	return blamesContent(api.ErrorCode())
}

// blamesContent says whether an error code is about what a message holds.
func blamesContent(code string) bool {
	switch code {
	case "BatchRequestTooLong", "BatchRequestTooLongException", "InvalidParameter", "InvalidParameterException",
		"ParameterValueInvalid", "InvalidParameterValue", "InvalidParameterValueException",
		"ValidationError", "ValidationException", "MalformedInput":
		return true
	}
	return false
}
