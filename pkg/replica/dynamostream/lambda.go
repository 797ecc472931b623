package dynamostream

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// Relay handles a batch of one shard's records, in order, and returns those
// that failed by position. *replica.Relay is one.
type Relay interface {
	Handle(ctx context.Context, records []replica.Record) map[int]error
}

var _ Relay = (*replica.Relay)(nil)

// LambdaHandler returns the function that Lambda's event source mapping calls.
// The mapping must have ReportBatchItemFailures on: the batch's lowest failed
// sequence number is returned and Lambda resumes there, so what was published
// after it is published again, which changes nothing (Reporting batch item
// failures for Lambda with DynamoDB, Lambda developer guide). A batch that does not fit into the function's timeout is answered
// shortly before it, so that what was done of it counts.
func LambdaHandler(relay Relay, logger *slog.Logger) func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
	if logger == nil {
		logger = slog.Default()
	}
	return func(ctx context.Context, event events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		ctx, cancel := early(ctx)
		defer cancel()
		records := make([]replica.Record, len(event.Records))
		for i := range event.Records {
			records[i] = fromLambda(&event.Records[i])
		}
		failed := relay.Handle(ctx, records)
		response := events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}
		if len(failed) == 0 {
			return response, nil
		}
		// The batch comes in the shard's order, so the first position is the
		// lowest sequence number.
		first := slices.Min(slices.Collect(maps.Keys(failed)))
		logger.LogAttrs(ctx, slog.LevelError, "batch failed in part",
			slog.Int("records", len(records)),
			slog.Int("failed", len(failed)),
			slog.String("sequence_number", records[first].SequenceNumber),
			slog.Any("cause", failed[first]))
		response.BatchItemFailures = append(response.BatchItemFailures, events.DynamoDBBatchItemFailure{ItemIdentifier: records[first].SequenceNumber})
		return response, nil
	}
}

// answerTime is what is left of a function's timeout to answer in.
const answerTime = time.Second

// errLambdaTime is why a batch is cut off.
var errLambdaTime = errors.New("the function's timeout is near: raise it, or lower the batch size")

// early returns a context that ends a little before ctx does: a function that
// runs into its timeout is killed without a report, and begins the whole batch
// again, for ever if that never fits.
func early(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, deadline.Add(-min(answerTime, time.Until(deadline)/10)), errLambdaTime)
}
