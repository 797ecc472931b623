package status

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// place is what a poller keeps of one shard (package dynamostore, Checkpoints).
type place struct {
	sequence string
	finished bool
	saved    time.Time
}

// relay fills in how the topic's relay stands.
func (l *look) relay(ctx context.Context, t *Topic) {
	r := t.Relay
	unread := func(stream Cell[string], why string) {
		r.Stream, r.Followed, r.Saved, r.Behind = stream, without[Instant](why), without[Instant](why), without[Lag](why)
	}
	missing := func(why string) {
		r.Stream, r.Followed, r.Saved, r.Behind = Cell[string]{Missing: true}, unknown[Instant](why), unknown[Instant](why), unknown[Lag](why)
	}
	published, err := l.Set.Publication(t.Contract)
	if err != nil {
		unread(failed[string](l, connect.Streams, err), "the contract is unknown here")
		return
	}
	out, err := l.Clients.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(r.Table)})
	switch _, absent := errors.AsType[*types.ResourceNotFoundException](err); {
	case absent:
		missing("the source table does not exist")
		return
	case err != nil:
		unread(failed[string](l, connect.DynamoDB, err), "the source table could not be described")
		return
	case aws.ToString(out.Table.LatestStreamArn) == "" || out.Table.StreamSpecification == nil || !aws.ToBool(out.Table.StreamSpecification.StreamEnabled):
		missing("the source table's stream is off")
		return
	}
	stream := aws.ToString(out.Table.LatestStreamArn)
	r.Stream = known(stream)
	l.poller(ctx, r, published, stream)
}

// poller fills in what the poller has kept, and what it is not done with.
func (l *look) poller(ctx context.Context, r *Relay, published target.Published, stream string) {
	kept, err := l.place(ctx, published, stream, dynamostream.FollowedShard)
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		r.Followed, r.Saved = Cell[Instant]{Missing: true}, Cell[Instant]{Missing: true}
		r.Behind = unknown[Lag]("the checkpoint table does not exist, as under Lambda")
		return
	}
	if err != nil {
		r.Followed = failed[Instant](l, connect.DynamoDB, err)
		r.Saved, r.Behind = without[Instant]("see followed"), without[Lag]("the checkpoints could not be read")
		return
	}
	r.Followed, r.Saved = known(Instant{}), known(Instant{})
	if seconds, err := strconv.ParseInt(kept.sequence, 10, 64); err == nil {
		r.Followed = known(l.ago(time.Unix(seconds, 0).UTC()))
	}
	shards, err := l.shards(ctx, stream)
	if err != nil {
		r.Behind = failed[Lag](l, connect.Streams, err)
		return
	}
	var saved, oldest time.Time
	for _, shard := range shards {
		at, err := l.place(ctx, published, stream, shard)
		if err != nil {
			r.Saved = failed[Instant](l, connect.DynamoDB, err)
			r.Behind = without[Lag]("the checkpoints could not be read")
			return
		}
		if at.saved.After(saved) {
			saved = at.saved
			r.Saved = known(l.ago(saved))
		}
		if at.finished || kept.sequence == "" {
			continue
		}
		next, err := l.nextRecord(ctx, stream, shard, at.sequence)
		if err != nil {
			r.Behind = failed[Lag](l, connect.Streams, err)
			return
		}
		if !next.IsZero() && (oldest.IsZero() || next.Before(oldest)) {
			oldest = next
		}
	}
	switch {
	case kept.sequence == "":
		r.Behind = unknown[Lag]("no poller has ever followed the stream: the relay runs under Lambda, which keeps its own place, or has never run")
	case oldest.IsZero():
		r.Behind = known(Lag{Kind: None})
	default:
		r.Behind = known(Lag{Kind: Exact, Seconds: max(0, l.Now().Sub(oldest).Seconds())})
	}
}

// place reads what the poller keeps under a shard's name; zero for nothing.
// The key is the poller's name, the stream and the shard; a service's poller
// has its name.
func (l *look) place(ctx context.Context, published target.Published, stream, shard string) (place, error) {
	out, err := l.Clients.DynamoDB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(published.Publication.CheckpointTable), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{manifest.CheckpointKey: &types.AttributeValueMemberS{Value: published.Service() + "/" + stream + "/" + shard}},
	})
	if err != nil {
		return place{}, err
	}
	var p place
	if sequence, ok := out.Item["sequence"].(*types.AttributeValueMemberS); ok {
		p.sequence = sequence.Value
	}
	if finished, ok := out.Item["finished"].(*types.AttributeValueMemberBOOL); ok {
		p.finished = finished.Value
	}
	if saved, ok := out.Item["updatedAt"].(*types.AttributeValueMemberS); ok {
		if p.saved, err = time.Parse(time.RFC3339, saved.Value); err != nil {
			return place{}, fmt.Errorf("the checkpoint of %s was kept at %q, no time", shard, saved.Value)
		}
	}
	return p, nil
}

func (l *look) shards(ctx context.Context, stream string) ([]string, error) {
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(stream)}
	var all []string
	for {
		out, err := l.Clients.Streams.DescribeStream(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, s := range out.StreamDescription.Shards {
			all = append(all, aws.ToString(s.ShardId))
		}
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return all, nil
		}
	}
}

// emptyReads is how many reads in a row that bring nothing show that a shard has
// no further record: an empty answer alone may only mean that the records come
// later (GetRecords, DynamoDB Streams API reference).
const (
	emptyReads = 10
	// emptyWait is the pause after each of those: the relay reads the same
	// shard, and both are throttled together.
	emptyWait = 50 * time.Millisecond
)

// nextRecord returns when the first record after a place was created, zero if
// there is none. What comes after a place that was trimmed away is the oldest
// there still is.
func (l *look) nextRecord(ctx context.Context, stream, shard, after string) (time.Time, error) {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: aws.String(stream), ShardId: aws.String(shard), ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon}
	if after != "" {
		in.ShardIteratorType, in.SequenceNumber = streamtypes.ShardIteratorTypeAfterSequenceNumber, aws.String(after)
	}
	out, err := l.Clients.Streams.GetShardIterator(ctx, in)
	if _, gone := errors.AsType[*streamtypes.ResourceNotFoundException](err); gone {
		return time.Time{}, nil // with all that was in it
	}
	if _, trimmed := errors.AsType[*streamtypes.TrimmedDataAccessException](err); trimmed && after != "" {
		return l.nextRecord(ctx, stream, shard, "")
	}
	if err != nil {
		return time.Time{}, err
	}
	for iterator, empty := out.ShardIterator, 0; iterator != nil && empty < emptyReads; empty++ {
		page, err := l.Clients.Streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator, Limit: aws.Int32(1)})
		if _, trimmed := errors.AsType[*streamtypes.TrimmedDataAccessException](err); trimmed && after != "" {
			return l.nextRecord(ctx, stream, shard, "")
		}
		if err != nil {
			return time.Time{}, err
		}
		for _, r := range page.Records {
			if r.Dynamodb != nil {
				return aws.ToTime(r.Dynamodb.ApproximateCreationDateTime), nil
			}
		}
		iterator = page.NextShardIterator
		select {
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		case <-time.After(emptyWait):
		}
	}
	return time.Time{}, nil
}
