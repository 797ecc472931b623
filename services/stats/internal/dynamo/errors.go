package dynamo

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

// Why an attempt is made again.
var (
	// errUnprocessed is an answer that leaves out what was asked for: DynamoDB
	// throttled a part of the request and says so inside HTTP 200 (AWS,
	// "BatchGetItem", API reference), where the SDK does not retry.
	errUnprocessed = errors.New("DynamoDB left keys unprocessed")
	// errOtherWriters is a condition that failed: the item is no longer what
	// was read.
	errOtherWriters = errors.New("another writer was faster")
)

// wrap names the operation an error comes from and marks it ErrUnavailable
// where the same call may succeed later: what the SDK itself retries
// (throttling, 5xx, connections), a deadline that has passed, other writers at
// every attempt, and a table that is not there yet.
func wrap(operation string, err error) error {
	switch {
	case err == nil:
		return nil
	case transient(err) && !errors.Is(err, company.ErrUnavailable):
		return fmt.Errorf("%s: %w: %w", operation, company.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", operation, err)
}

func transient(err error) bool {
	var (
		missing   *types.ResourceNotFoundException
		throttled *types.RequestLimitExceeded
		quota     *ratelimit.QuotaExceededError
		cancelled *types.TransactionCanceledException
	)
	switch {
	case errors.Is(err, context.Canceled):
		return false // the caller has gone: nobody will try again
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, replica.ErrContended),
		errors.Is(err, io.ErrUnexpectedEOF), // an answer that was cut, which the SDK leaves at that
		errors.As(err, &missing), errors.As(err, &throttled), errors.As(err, &quota):
		return true
	case errors.As(err, &cancelled):
		return cancelledForNow(cancelled)
	}
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}

// conditionFailed reports whether a write's condition was not met, and returns
// the item it met if the write asked for that; nil where there is none.
func conditionFailed(err error) (found item, failed bool) {
	condition, failed := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !failed || len(condition.Item) == 0 {
		return nil, failed
	}
	return condition.Item, true
}

// conflicting reports whether a single write met a transaction on its item,
// which is over in a moment (AWS, "Amazon DynamoDB transactions: How it
// works"): an entry that is added to a watchlist checks its company's item. The
// SDK does not try it again.
func conflicting(err error) bool {
	_, ok := errors.AsType[*types.TransactionConflictException](err)
	return ok
}

// cancelledForNow reports whether each reason of a cancelled transaction is one
// that passes (AWS, "TransactWriteItems", API reference).
func cancelledForNow(cancelled *types.TransactionCanceledException) bool {
	found := false
	for _, reason := range cancelled.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case "", "None":
		case "TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError":
			found = true
		default:
			return false
		}
	}
	return found
}
