package sqs

import (
	"errors"
	"regexp"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// maxBatchEntries is the limit of every batch operation ("Amazon SQS message
// quotas").
const maxBatchEntries = 10

var batchEntryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// batchFailure is one entry that failed inside a batch that did not.
type batchFailure struct {
	ID          string `json:"Id"`
	Code        string
	Message     string
	SenderFault bool
}

// batchAnswer is what every batch operation returns.
type batchAnswer[T any] struct {
	Successful []T
	Failed     []batchFailure
}

// newBatchAnswer makes an answer whose lists are empty, never null.
func newBatchAnswer[T any]() batchAnswer[T] {
	return batchAnswer[T]{Successful: []T{}, Failed: []batchFailure{}}
}

// fail adds a failed entry.
func (a *batchAnswer[T]) fail(id string, err error) {
	failure := batchFailure{ID: id, Code: "InternalError", Message: err.Error()}
	var answered *wire.Error
	if errors.As(err, &answered) {
		failure.Code, failure.Message, failure.SenderFault = answered.QueryCode, answered.Message, answered.Status < 500
		if failure.Code == "" {
			failure.Code = answered.Code
		}
	}
	a.Failed = append(a.Failed, failure)
}

// checkBatch checks what holds for the entries of every batch.
func checkBatch[T any](kind string, entries []T, id func(T) string) error {
	switch {
	case len(entries) == 0:
		return errorf("EmptyBatchRequest", "There should be at least one %s in the request.", kind)
	case len(entries) > maxBatchEntries:
		return errorf("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", maxBatchEntries, len(entries))
	}
	seen := make(map[string]bool, len(entries))
	for _, entry := range entries {
		switch name := id(entry); {
		case !batchEntryID.MatchString(name):
			return errorf("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		case seen[name]:
			return errorf("BatchEntryIdsNotDistinct", "Id %s repeated.", name)
		default:
			seen[name] = true
		}
	}
	return nil
}
