package sqssub

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// DeadLetters is a replica.DeadLetterQueue on SQS. It is safe for concurrent
// use and has no goroutines of its own.
type DeadLetters struct {
	client *sqs.Client
	queues *queues
	queue  string
	source string
	counts counts
}

var _ replica.DeadLetterQueue = (*DeadLetters)(nil)

// NewDeadLetters returns the dead-letter queue of the given name or URL. Source
// names the queue or stream whose letters it takes, for the attribute
// replica.DeadLetterSource.
func NewDeadLetters(client *sqs.Client, queue, source string) *DeadLetters {
	return &DeadLetters{client: client, queue: queue, source: source,
		queues: newQueues(client, nil, slog.New(slog.DiscardHandler))}
}

// Send stores a letter. What SQS's throttling or a lost connection prevents is
// tried again for some seconds; a letter that is too large even when compressed
// is an error that names both sizes.
func (d *DeadLetters) Send(ctx context.Context, dead replica.DeadLetter) error {
	to, err := d.queues.find(ctx, d.queue)
	if err != nil {
		return fmt.Errorf("send to dead-letter queue %s: %w", d.queue, err)
	}
	attributes := make(map[string]types.MessageAttributeValue, len(dead.Attributes))
	for name, value := range dead.Attributes {
		if value != "" {
			attributes[name] = stringAttribute(value)
		}
	}
	p, err := letter{
		body: string(dead.Body), attributes: attributes, reason: dead.Reason, detail: dead.Detail,
		source: d.source, group: d.source, deduplication: uuid.NewString(),
	}.pack(to, d.queues.limitBytes(ctx, to.url))
	if err != nil {
		return fmt.Errorf("send to dead-letter queue %s: %w", d.queue, err)
	}
	if err := sendBatch(ctx, d.client, to.url, rand.Float64, []*parcel{p}, &d.counts)[0]; err != nil {
		return fmt.Errorf("send to dead-letter queue %s: %w", d.queue, err)
	}
	return nil
}
