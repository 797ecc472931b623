package sqssub

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// requestBackoff are the pauses between attempts at what is left of a batch.
var requestBackoff = Backoff{Base: 50 * time.Millisecond, Max: 5 * time.Second}

// answer is what SQS said to a batch request: the entries it carried out, by
// Id, and the others with its reasons.
type answer struct {
	done   []*string
	failed []types.BatchResultErrorEntry
}

// inBatch carries out up to ten items by batch requests, the failed ones again
// after a pause, until attempts are used up. It returns each item's fate. The
// call must give its entries the Ids "0", "1", ... in the order of the items.
func inBatch[T any](ctx context.Context, attempts int, random func() float64, items []T,
	call func(context.Context, []T) (answer, error)) []error {
	fates := make([]error, len(items))
	left := make([]int, len(items))
	for i := range items {
		left[i] = i
	}
	for attempt := 1; ; attempt++ {
		batch := items
		if len(left) < len(items) {
			batch = make([]T, len(left))
			for i, at := range left {
				batch[i] = items[at]
			}
		}
		verdicts, err := once(ctx, batch, call)
		if err != nil && len(batch) > 1 && blamesAnEntry(err) {
			half := len(batch) / 2
			verdicts = append(inBatch(ctx, attempts, random, batch[:half], call),
				inBatch(ctx, attempts, random, batch[half:], call)...)
			for i, at := range left {
				fates[at] = verdicts[i]
			}
			return fates
		}
		var again []int
		for i, at := range left {
			cause := err
			if cause == nil {
				cause = verdicts[i]
			}
			fates[at] = cause
			if cause == nil || !retry.Worthwhile(cause) {
				continue
			}
			if attempt >= attempts {
				fates[at] = fmt.Errorf("given up after %d attempts: %w", attempt, cause)
				continue
			}
			again = append(again, at)
		}
		if len(again) == 0 || !sleep(ctx, requestBackoff.Pause(attempt, random)) {
			return fates
		}
		left = again
	}
}

// once makes one request and returns each entry's verdict.
func once[T any](ctx context.Context, batch []T, call func(context.Context, []T) (answer, error)) ([]error, error) {
	said, err := call(ctx, batch)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	verdicts := make([]error, len(batch))
	for i := range verdicts {
		verdicts[i] = retry.ErrUnanswered
	}
	for _, id := range said.done {
		if i, err := strconv.Atoi(aws.ToString(id)); err == nil && i >= 0 && i < len(verdicts) {
			verdicts[i] = nil
		}
	}
	for _, no := range said.failed {
		if i, err := strconv.Atoi(aws.ToString(no.Id)); err == nil && i >= 0 && i < len(verdicts) {
			verdicts[i] = &EntryError{Code: aws.ToString(no.Code), Message: aws.ToString(no.Message), SenderFault: no.SenderFault}
		}
	}
	return verdicts, nil
}

// sleep pauses and says whether the context still lives.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
