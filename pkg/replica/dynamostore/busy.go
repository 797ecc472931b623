package dynamostore

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// passing says that an error is one item's or one table's and may go away by
// itself in a moment: throttling, or a transaction on the item. The codes are
// those of statements (BatchStatementError, DynamoDB API reference) and those
// of calls (Error Handling with DynamoDB, developer guide).
func passing(code string) bool {
	switch code {
	case "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "InternalServerError", "TransactionConflict",
		"ThrottlingException", "ProvisionedThroughputExceededException", "TransactionConflictException":
		return true
	}
	return false
}

// writeOnce is Write for a write that others wait for: where it would be tried
// again after a pause, the error is a *replica.BusyError at once.
func (s *Store) writeOnce(ctx context.Context, w *replica.Write) (replica.WriteResult, error) {
	_, err := s.client.UpdateItem(ctx, updateItem(w), withoutPauses)
	if api, ok := errors.AsType[smithy.APIError](err); ok && passing(api.ErrorCode()) {
		return replica.WriteResult{}, &replica.BusyError{Err: err}
	}
	return written(err)
}

// withoutPauses keeps the SDK from trying a throttled call again. Other errors,
// a broken connection among them, it tries again as usual.
func withoutPauses(o *dynamodb.Options) {
	if usual, ok := o.Retryer.(aws.RetryerV2); ok {
		o.Retryer = impatient{usual}
	}
}

type impatient struct{ aws.RetryerV2 }

// IsErrorRetryable implements aws.Retryer.
func (r impatient) IsErrorRetryable(err error) bool {
	if api, ok := errors.AsType[smithy.APIError](err); ok && passing(api.ErrorCode()) {
		return false
	}
	return r.RetryerV2.IsErrorRetryable(err)
}
