// Package retry says which failures of SNS's and SQS's batch requests are worth
// another attempt, and how long to wait for it. It retries nothing itself.
package retry

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// ErrUnanswered is the fate of an entry of a batch that the answer does not
// mention.
var ErrUnanswered = errors.New("the service answered without a word on this entry")

// EntryError is the service's own reason for not carrying out one entry of a
// batch.
type EntryError struct {
	Code, Message string
	// SenderFault says that the service holds the entry itself responsible, so
	// that sending it again is useless.
	SenderFault bool
}

func (e *EntryError) Error() string { return e.Code + ": " + e.Message }

// Worthwhile says whether a failure may go away by itself. What is unknown is
// retried; what the service blames on the request is not.
func Worthwhile(err error) bool {
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

// denials are the codes by which services refuse whoever asks. Not every
// service's errors say whose fault these are ("Common errors", DynamoDB API
// reference).
var denials = []string{
	"AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException",
	"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException",
}

// Denied says whether a service refuses whoever asks. A process that is there to
// stay may wait for the right; a person who started a run is told at once.
func Denied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(denials, api.ErrorCode())
}

// throttled says whether an error code only asks for patience. The services
// report a throttled KMS key, and SQS too many messages in flight, under codes
// of their own that the SDK does not know ("PublishBatch", "ReceiveMessage",
// Errors).
func throttled(code string) bool {
	if _, ok := retry.DefaultThrottleErrorCodes[code]; ok {
		return true
	}
	switch code {
	case "KMSThrottling", "KMSThrottlingException", "KMS.ThrottlingException", "KmsThrottled", "OverLimit":
		return true
	}
	return false
}

// Backoff are exponential pauses: the n-th is Base doubled n-1 times, at most
// Max, of which a random half at most is taken off.
type Backoff struct {
	Base, Max time.Duration
}

// Pause returns the n-th pause, n from 1; random returns numbers from 0 to
// below 1.
func (b Backoff) Pause(n int, random func() float64) time.Duration {
	d := b.Base
	for i := 1; i < n && d < b.Max; i++ {
		d *= 2
	}
	d = min(d, b.Max)
	return d - time.Duration(random()*float64(d)/2)
}
