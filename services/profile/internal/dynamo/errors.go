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

	"github.com/tributary-dev/tributary/services/profile/internal/company"
)

// wrap names the operation an error comes from, and marks it ErrUnavailable
// where the same call may succeed later: what the SDK itself retries
// (throttling, 5xx, connections), a deadline that has passed, a transaction of
// somebody else's on the item, and a table that is not there yet.
func wrap(operation string, err error) error {
	switch {
	case err == nil:
		return nil
	case transient(err):
		return fmt.Errorf("%s: %w: %w", operation, company.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", operation, err)
}

func transient(err error) bool {
	switch {
	case errors.Is(err, context.Canceled):
		return false // the caller has gone: nobody will try again
	case errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, io.ErrUnexpectedEOF), // an answer that was cut, which the SDK leaves at that
		is[*types.ResourceNotFoundException](err),
		is[*types.RequestLimitExceeded](err),
		is[*types.TransactionConflictException](err),
		is[*types.ReplicatedWriteConflictException](err),
		is[*ratelimit.QuotaExceededError](err):
		return true
	}
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
