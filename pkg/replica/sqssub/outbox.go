package sqssub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// Outgoing is a message on its way into a queue.
type Outgoing struct {
	Body []byte
	// Attributes are at most MaxAttributes, and sent as they are.
	Attributes map[string]types.MessageAttributeValue
}

// Outbox puts messages as they are into one queue. It is safe for concurrent
// use and has no goroutines of its own.
type Outbox struct {
	client *sqs.Client
	queue  queue
	counts counts
}

// OpenOutbox returns the outbox to the queue of a name or URL.
func OpenOutbox(ctx context.Context, client *sqs.Client, name string) (*Outbox, error) {
	to, err := newQueues(client, nil, slog.New(slog.DiscardHandler)).find(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("open queue %s: %w", name, err)
	}
	if to.fifo {
		return nil, fmt.Errorf("open queue %s: %w", name, ErrFIFO)
	}
	return &Outbox{client: client, queue: to}, nil
}

// Name returns the queue's name.
func (o *Outbox) Name() string { return o.queue.name }

// Backlog returns how many messages the queue has, visible or in flight. SQS
// counts approximately, and as of some moments ago ("GetQueueAttributes").
func (o *Outbox) Backlog(ctx context.Context) (int, error) {
	counted := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible}
	out, err := o.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(o.queue.url), AttributeNames: counted})
	if err != nil {
		return 0, fmt.Errorf("count the messages of %s: %w", o.queue.name, err)
	}
	total := 0
	for _, name := range counted {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("count the messages of %s: %w", o.queue.name, err)
		}
		total += n
	}
	return total, nil
}

// Send puts messages into the queue, up to ten a request, and returns what kept
// each from it, nil where SQS has stored it: an *EntryError where the message
// itself is what SQS does not take, as when it is too large. Entries that fail inside a request
// that succeeds, and requests that fail for a while, are tried again. Where an
// error is the connection's or ctx's, the message may have been stored all the
// same.
func (o *Outbox) Send(ctx context.Context, messages []Outgoing) []error {
	fates := make([]error, len(messages))
	var batch []*parcel
	start, weight := 0, 0
	flush := func(next int) {
		if len(batch) > 0 {
			for i, fate := range sendBatch(ctx, o.client, o.queue.url, rand.Float64, batch, &o.counts) {
				fates[start+i] = itsOwn(fate)
			}
		}
		batch, start, weight = nil, next, 0
	}
	for i, msg := range messages {
		p := &parcel{bytes: len(msg.Body) + attributeBytes(msg.Attributes), entry: types.SendMessageBatchRequestEntry{
			MessageBody: aws.String(string(msg.Body)), MessageAttributes: msg.Attributes}}
		if len(batch) == MaxBatchMessages || len(batch) > 0 && weight+p.bytes > sendBatchBytes {
			flush(i)
		}
		batch = append(batch, p)
		weight += p.bytes
	}
	flush(len(messages))
	return fates
}

// itsOwn makes a refusal of a whole request an entry's: halved and halved again,
// the request had only that one.
func itsOwn(fate error) error {
	var api smithy.APIError
	if fate == nil || !blamesAnEntry(fate) || !errors.As(fate, &api) {
		return fate
	}
	return &EntryError{Code: api.ErrorCode(), Message: api.ErrorMessage(), SenderFault: true}
}
