package sqs

import (
	"fmt"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const (
	codeInvalidParameter = "InvalidParameterValueException"
	codeMissingParameter = "MissingRequiredParameterException"
	queryPrefix          = "AWS.SimpleQueueService."
)

// queryCodes are the codes by which the older query protocol knew an error.
// AWS sends them in the x-amzn-query-error header, and the SDK's ErrorCode
// returns them ("Error handling", SQS developer guide: JSON protocol).
var queryCodes = map[string]string{
	codeInvalidParameter:           "InvalidParameterValue",
	codeMissingParameter:           "MissingParameter",
	"QueueDoesNotExist":            queryPrefix + "NonExistentQueue",
	"QueueNameExists":              "QueueAlreadyExists",
	"QueueDeletedRecently":         queryPrefix + "QueueDeletedRecently",
	"PurgeQueueInProgress":         queryPrefix + "PurgeQueueInProgress",
	"MessageNotInflight":           queryPrefix + "MessageNotInflight",
	"UnsupportedOperation":         queryPrefix + "UnsupportedOperation",
	"EmptyBatchRequest":            queryPrefix + "EmptyBatchRequest",
	"TooManyEntriesInBatchRequest": queryPrefix + "TooManyEntriesInBatchRequest",
	"BatchEntryIdsNotDistinct":     queryPrefix + "BatchEntryIdsNotDistinct",
	"BatchRequestTooLong":          queryPrefix + "BatchRequestTooLong",
	"InvalidBatchEntryId":          queryPrefix + "InvalidBatchEntryId",
}

func errorf(code, format string, args ...any) *wire.Error {
	return &wire.Error{Code: code, QueryCode: queryCodes[code], Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *wire.Error {
	return errorf(codeInvalidParameter, format, args...)
}

func missing(parameter string) *wire.Error {
	return errorf(codeMissingParameter, "The request must contain the parameter %s.", parameter)
}

func unsupported(format string, args ...any) *wire.Error {
	return errorf("UnsupportedOperation", format, args...)
}

func noSuchQueue() *wire.Error {
	return errorf("QueueDoesNotExist", "The specified queue does not exist.")
}
