package dynamostore

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A write that meets a transaction on the same item is refused at once, and the
// SDK does not try it again (TransactionConflictException, DynamoDB API
// reference). Transactions are over within milliseconds, so it is tried again
// here; giving the message back would cost a delivery, and an item that is
// busy for long could take an innocent message to the dead-letter queue.
const (
	conflictAttempts   = 8
	firstConflictPause = 5 * time.Millisecond
)

// withoutConflict calls do until it meets no conflict with a transaction, up to
// conflictAttempts times.
func withoutConflict(ctx context.Context, do func() error) error {
	for attempt := 0; ; attempt++ {
		err := do()
		if !conflicting(err) || attempt == conflictAttempts-1 {
			return err
		}
		most := firstConflictPause << attempt
		timer := time.NewTimer(most/2 + rand.N(most/2))
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}

const transactionConflict = "TransactionConflict"

func conflicting(err error) bool {
	if _, ok := errors.AsType[*types.TransactionConflictException](err); ok {
		return true
	}
	cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
	return ok && slices.ContainsFunc(cancelled.CancellationReasons, func(r types.CancellationReason) bool {
		return aws.ToString(r.Code) == transactionConflict
	})
}
