package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

// errUnprocessed is an answer that leaves out what was asked for: DynamoDB
// throttled a part of the request and says so inside HTTP 200 (AWS,
// "BatchGetItem", API reference), where the SDK does not retry.
var errUnprocessed = errors.New("DynamoDB left keys unprocessed")

// wrap names the operation an error comes from and marks it ErrUnavailable
// where the same call may succeed later: what the SDK itself retries
// (throttling, 5xx, connections), a deadline that has passed, and a table that
// is not there yet.
func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	if transient(err) {
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
	case errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &missing), errors.As(err, &throttled), errors.As(err, &quota):
		return true
	case errors.As(err, &cancelled):
		return cancelledBy(cancelled, transientReasons)
	}
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}

// The codes of CancellationReasons (AWS, "TransactWriteItems", API reference).
var (
	conflictReasons  = map[string]bool{"ConditionalCheckFailed": true, "TransactionConflict": true}
	transientReasons = map[string]bool{"TransactionConflict": true, "ProvisionedThroughputExceeded": true, "ThrottlingError": true}
)

// worthAnotherAttempt reports whether reading and writing once more may
// succeed: a transaction lost against another writer and has no other fault, or
// the reading was not complete.
func worthAnotherAttempt(err error) bool {
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		return cancelledBy(cancelled, conflictReasons)
	}
	var conflict *types.TransactionConflictException
	var running *types.TransactionInProgressException
	return errors.Is(err, errUnprocessed) || errors.As(err, &conflict) || errors.As(err, &running)
}

// cancelledBy reports whether there is a reason and all are among codes.
func cancelledBy(cancelled *types.TransactionCanceledException, codes map[string]bool) bool {
	found := false
	for _, reason := range cancelled.CancellationReasons {
		code := aws.ToString(reason.Code)
		if code == "" || code == "None" {
			continue
		}
		if !codes[code] {
			return false
		}
		found = true
	}
	return found
}
