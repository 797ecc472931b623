package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	wsqs "github.com/ThreeDotsLabs/watermill-aws/sqs"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// publishFloor sends the relay's messages ten a request: those of one batch of
// the relay at the same time, or paced those that are due.
func publishFloor(ctx context.Context, p *publishing) (int, error) {
	records, together := p.settings.RelayBatch, 1
	if p.paced {
		records, together = together, records
	}
	prepared, err := p.prepare(ctx, records)
	if err != nil {
		return 0, err
	}
	messages := 0
	batches := make([][]snstypes.PublishBatchRequestEntry, len(prepared))
	for i, batch := range prepared {
		messages += len(batch)
		for _, msg := range batch {
			batches[i] = append(batches[i], snsEntry(msg))
		}
	}
	topics := sns.NewFromConfig(awsConfig(p.endpoint))
	if err := p.begin(); err != nil {
		return 0, err
	}
	for from := 0; from < len(batches); {
		to, err := p.due(ctx, from, len(batches), together)
		if err != nil {
			return 0, err
		}
		if err := sendFloor(ctx, topics, slices.Concat(batches[from:to]...), p.settings.Publishers); err != nil {
			return 0, err
		}
		from = to
	}
	return messages, nil
}

func sendFloor(ctx context.Context, topics *sns.Client, entries []snstypes.PublishBatchRequestEntry, parallel int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for batch := range slices.Chunk(entries, messagesPerRequest) {
		for i := range batch {
			batch[i].Id = aws.String(strconv.Itoa(i))
		}
		group.Go(func() error {
			out, err := topics.PublishBatch(ctx, &sns.PublishBatchInput{
				TopicArn: aws.String("arn:aws:sns:" + region + ":" + account + ":" + topicName), PublishBatchRequestEntries: batch,
			})
			if err == nil && len(out.Failed) > 0 {
				err = fmt.Errorf("publish: %d entries were not accepted: %s", len(out.Failed), aws.ToString(out.Failed[0].Message))
			}
			return err
		})
	}
	return group.Wait()
}

func snsEntry(msg *message.Message) snstypes.PublishBatchRequestEntry {
	text := func(kind, value string) snstypes.MessageAttributeValue {
		return snstypes.MessageAttributeValue{DataType: aws.String(kind), StringValue: aws.String(value)}
	}
	attributes := map[string]snstypes.MessageAttributeValue{wsqs.UUIDAttribute: text("String", msg.UUID)}
	for name, value := range msg.Metadata {
		kind := "String"
		if name == replica.MetadataChanged {
			kind = "String.Array"
		}
		attributes[name] = text(kind, value)
	}
	return snstypes.PublishBatchRequestEntry{Message: aws.String(string(msg.Payload)), MessageAttributes: attributes}
}

// job is a message on its way through the floor's consumer.
type job struct {
	event   *event
	version contracts.Version
	handle  *string
}

// floor is the consumer: receive, write and delete loops with channels between
// them.
type floor struct {
	*consuming
	queues   *sqs.Client
	database *dynamodb.Client
	url      *string
	received chan job
	settled  chan job
}

// floorQuiet and floorLinger are how long the floor's batches wait to be
// filled; Tributary's wait as long.
const (
	floorQuiet  = time.Millisecond
	floorLinger = 20 * time.Millisecond
	// floorDeleters are the deletes at the same time.
	floorDeleters = 8
)

// consumeFloor is a bare loop over the SDK.
func consumeFloor(ctx context.Context, c *consuming) error {
	cfg := awsConfig(c.endpoint)
	f := &floor{
		consuming: c, queues: sqs.NewFromConfig(cfg, c.meter.client), database: dynamodb.NewFromConfig(cfg),
		received: make(chan job, c.settings.InFlight), settled: make(chan job, c.settings.InFlight),
	}
	found, err := f.queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(queueName)})
	if err != nil {
		return err
	}
	f.url = found.QueueUrl
	writers, most := c.settings.Writers, statementsPerRequest
	if c.variant.single {
		writers, most = c.settings.InFlight, 1
	}
	group, ctx := errgroup.WithContext(ctx)
	for range c.settings.Receivers {
		group.Go(func() error { return f.receive(ctx) })
	}
	gathering := &sync.Mutex{}
	for range writers {
		group.Go(func() error {
			return each(ctx, gathering, f.received, most, floorQuiet, f.write)
		})
	}
	deleting := &sync.Mutex{}
	for range floorDeleters {
		group.Go(func() error {
			return each(ctx, deleting, f.settled, messagesPerRequest, floorLinger, f.delete)
		})
	}
	err = group.Wait()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// each works on what comes, in batches: full ones, or what is there when
// nothing has come for a while. One loop at a time gathers.
func each(ctx context.Context, gathering *sync.Mutex, in <-chan job, most int, quiet time.Duration, work func(context.Context, []job) error) error {
	for {
		gathering.Lock()
		batch, err := gather(ctx, in, most, quiet)
		gathering.Unlock()
		if err != nil {
			return err
		}
		if err := work(ctx, batch); err != nil {
			return err
		}
	}
}

func gather(ctx context.Context, in <-chan job, most int, quiet time.Duration) ([]job, error) {
	batch := make([]job, 0, most)
	var idle <-chan time.Time
	var timer *time.Timer
	for len(batch) < most {
		select {
		case j := <-in:
			batch = append(batch, j)
			continue
		default:
		}
		if len(batch) > 0 && timer == nil {
			timer = time.NewTimer(quiet)
			defer timer.Stop()
			idle = timer.C
		}
		select {
		case j := <-in:
			batch = append(batch, j)
		case <-idle:
			return batch, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return batch, nil
}

func (f *floor) receive(ctx context.Context) error {
	for {
		out, err := f.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: f.url, MaxNumberOfMessages: messagesPerRequest, WaitTimeSeconds: 20,
			VisibilityTimeout: int32(visibilityTimeout / time.Second), MessageAttributeNames: []string{"All"},
			MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameApproximateReceiveCount},
		})
		if err != nil {
			return err
		}
		for _, m := range out.Messages {
			e, version, err := readEvent([]byte(aws.ToString(m.Body)))
			if err != nil {
				return err
			}
			select {
			case f.received <- job{e, version, m.ReceiptHandle}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// write writes a batch, the latest of each item, and hands all of it on to be
// deleted.
func (f *floor) write(ctx context.Context, batch []job) error {
	var err error
	if f.variant.single {
		if _, err = f.database.UpdateItem(ctx, batch[0].event.update()); stale(err) {
			err = nil
		}
	} else {
		err = f.execute(ctx, batch)
	}
	if err != nil {
		return err
	}
	for _, j := range batch {
		f.meter.settle(j.event.Subject, j.version)
		select {
		case f.settled <- j:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (f *floor) execute(ctx context.Context, batch []job) error {
	latest := make(map[string]int, len(batch))
	for i, j := range batch {
		if at, ok := latest[j.event.Subject]; !ok || batch[at].version < j.version {
			latest[j.event.Subject] = i
		}
	}
	statements := make([]dbtypes.BatchStatementRequest, 0, len(latest))
	for _, i := range latest {
		statements = append(statements, batch[i].event.statement())
	}
	out, err := f.database.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: statements})
	if err != nil {
		return err
	}
	for _, response := range out.Responses {
		if e := response.Error; e != nil && (e.Code != dbtypes.BatchStatementErrorCodeEnumConditionalCheckFailed || len(e.Item) == 0) {
			text, _ := json.Marshal(e) // for the message alone
			return fmt.Errorf("write: %s", text)
		}
	}
	return nil
}

func (f *floor) delete(ctx context.Context, batch []job) error {
	entries := make([]sqstypes.DeleteMessageBatchRequestEntry, len(batch))
	for i, j := range batch {
		entries[i] = sqstypes.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: j.handle}
	}
	out, err := f.queues.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: f.url, Entries: entries})
	if err == nil && len(out.Failed) > 0 {
		err = fmt.Errorf("delete: %d messages were not deleted: %s", len(out.Failed), aws.ToString(out.Failed[0].Message))
	}
	return err
}
