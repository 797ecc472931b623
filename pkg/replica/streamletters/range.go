package streamletters

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// errGone says that the stream does not hold a range any more.
var errGone = errors.New("the stream keeps records for 24 hours, and does not hold this range any more")

// maxRecords is how many records a batch of Lambda's has at the most ("Lambda
// parameters for Amazon DynamoDB event source mappings", BatchSize). A range with
// more is none that Lambda wrote, and the whole day would have to be read for it.
const maxRecords = 10_000

// errTooLong says that a range has more.
var errTooLong = fmt.Errorf("the range has more than %d records, which is more than a batch of Lambda's", maxRecords)

// maxEmptyReads is how many reads in a row may bring nothing: a shard that has
// the range's last record answers with records, sooner or later.
const maxEmptyReads = 100

// emptyWait is the pause after such a read.
const emptyWait = 250 * time.Millisecond

// records reads a range back from the stream, and counts each request for
// records in reads.
func (r *Range) records(ctx context.Context, client *dynamodbstreams.Client, reads *int) ([]Record, error) {
	at, err := client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: aws.String(r.Stream), ShardId: aws.String(r.Shard),
		ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber, SequenceNumber: aws.String(r.First)})
	if err != nil {
		return nil, r.gone(ctx, err)
	}
	var records []Record
	for iterator, empty := at.ShardIterator, 0; iterator != nil && empty < maxEmptyReads; {
		*reads++
		out, err := client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		if err != nil {
			return nil, r.gone(ctx, err)
		}
		for i := range out.Records {
			record, sequence := fromStream(&out.Records[i], r.Table())
			if isAfter(sequence, r.Last) {
				return records, nil
			}
			if len(records) == 0 && isAfter(sequence, r.First) {
				return nil, errGone // its beginning was trimmed
			}
			if len(records) == maxRecords {
				return nil, errTooLong
			}
			records = append(records, record)
			if !isAfter(r.Last, sequence) {
				return records, nil
			}
		}
		if iterator = out.NextShardIterator; len(out.Records) > 0 {
			empty = 0
			continue
		}
		empty++
		select {
		case <-time.After(emptyWait):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return nil, errGone
}

// gone tells that the range is lost from other failures. A shard is forgotten
// some time after its last record ("DynamoDB Streams").
func (r *Range) gone(ctx context.Context, err error) error {
	_, trimmed := errors.AsType[*types.TrimmedDataAccessException](err)
	_, missing := errors.AsType[*types.ResourceNotFoundException](err)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case trimmed || missing:
		return fmt.Errorf("%w: %w", errGone, err)
	default:
		return err
	}
}

// fromStream is a record of the stream as a letter's would be.
func fromStream(r *types.Record, table string) (record Record, sequence string) {
	record = Record{EventID: aws.ToString(r.EventID), Table: table}
	if c := r.Dynamodb; c != nil {
		sequence = aws.ToString(c.SequenceNumber)
		record.SequenceNumber, record.Created, record.Keys = sequence, aws.ToTime(c.ApproximateCreationDateTime), streamScalars(c.Keys)
		for _, image := range []map[string]types.AttributeValue{c.OldImage, c.NewImage} {
			if len(image) > 0 {
				record.Images = append(record.Images, streamImage(image))
			}
		}
	}
	return record, sequence
}

// streamImage is imageOf for a record of the stream.
func streamImage(from map[string]types.AttributeValue) contracts.Item {
	item := streamScalars(from)
	for name, v := range from {
		if _, known := item[name]; known {
			continue
		}
		if set, ok := v.(*types.AttributeValueMemberSS); ok {
			item[name] = contracts.StringSet(set.Value...)
		} else {
			item[name] = contracts.Null()
		}
	}
	return item
}

func streamScalars(from map[string]types.AttributeValue) contracts.Item {
	item := make(contracts.Item, len(from))
	for name, v := range from {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			item[name] = contracts.String(v.Value)
		case *types.AttributeValueMemberN:
			item[name] = contracts.Number(v.Value)
		case *types.AttributeValueMemberB:
			item[name] = contracts.Binary(v.Value)
		case *types.AttributeValueMemberBOOL:
			item[name] = contracts.Bool(v.Value)
		}
	}
	return item
}
