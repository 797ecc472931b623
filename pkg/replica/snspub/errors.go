package snspub

import (
	"errors"

	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// ErrClosed is returned by Publish after Close.
var ErrClosed = errors.New("publish: the publisher is closed")

// EntryError is SNS's own reason for not accepting one entry of a batch.
type EntryError = retry.EntryError

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
