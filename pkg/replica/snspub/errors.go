package snspub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// ErrClosed is returned by Publish after Close.
var ErrClosed = errors.New("publish: the publisher is closed")

// RefusedError is returned before anything is sent when messages of a Publish
// call could never be accepted, for another reason than their size: more than
// ten attributes, an empty payload, text that is not UTF-8.
type RefusedError struct {
	// Causes holds what is wrong by the message's position in the call.
	Causes map[int]error
}

func (e *RefusedError) Error() string {
	first := slices.Min(slices.Collect(maps.Keys(e.Causes)))
	return fmt.Sprintf("publish: message %d %v; nothing of this call was sent", first+1, e.Causes[first])
}

// Unwrap returns the causes.
func (e *RefusedError) Unwrap() []error { return slices.Collect(maps.Values(e.Causes)) }

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

// blamesAnEntry says whether a request was refused as a whole for what may be
// the fault of a single entry, so that halving the batch finds it.
func blamesAnEntry(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "BatchRequestTooLong", "BatchRequestTooLongException", "InvalidParameter", "InvalidParameterException",
		"ParameterValueInvalid", "InvalidParameterValue", "InvalidParameterValueException",
		"ValidationError", "ValidationException", "MalformedInput":
		return true
	}
	return false
}
