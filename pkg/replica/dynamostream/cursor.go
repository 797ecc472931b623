package dynamostream

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// cursor is a place in a shard.
type cursor struct {
	key shardKey

	last     string  // sequence number read last
	iterator *string // nil to begin anew after last, and once the shard is read to its end
	horizon  bool    // what follows last is trimmed: read what is left
}

// next reads one page after the record read last. The caller moves last on as
// it takes the records over.
func (c *cursor) next(ctx context.Context, client *dynamodbstreams.Client, limit int) (*dynamodbstreams.GetRecordsOutput, error) {
	if c.iterator == nil {
		in := &dynamodbstreams.GetShardIteratorInput{
			StreamArn:         aws.String(c.key.stream),
			ShardId:           aws.String(c.key.shard),
			ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
		}
		if c.last != "" && !c.horizon {
			in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, aws.String(c.last)
		}
		out, err := within(ctx, in, client.GetShardIterator)
		if err != nil {
			return nil, err
		}
		c.iterator = out.ShardIterator
	}
	out, err := within(ctx, &dynamodbstreams.GetRecordsInput{
		ShardIterator: c.iterator,
		Limit:         aws.Int32(int32(limit)),
	}, client.GetRecords)
	if err == nil {
		c.iterator = out.NextShardIterator
	}
	return out, err
}
