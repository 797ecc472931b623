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
	"golang.org/x/sync/errgroup"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
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
	unanswered := func(stream Cell[string], why string) {
		r.Stream, r.Followed, r.Saved, r.Behind = stream, without[Instant](why), without[Instant](why), without[lag.Age](why)
	}
	missing := func(why string) {
		r.Stream, r.Followed, r.Saved, r.Behind = Cell[string]{Missing: true}, unknown[Instant](why), unknown[Instant](why), unknown[lag.Age](why)
	}
	published, err := l.Set.Publication(t.Contract)
	if err != nil {
		unanswered(unread[string](l, err.Error()), "the contract is unknown here")
		return
	}
	out, err := l.Clients.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(r.Table)})
	switch _, absent := errors.AsType[*types.ResourceNotFoundException](err); {
	case absent:
		missing("the source table does not exist")
		return
	case err != nil:
		unanswered(failed[string](l, connect.DynamoDB, "table "+r.Table, err), "the source table could not be described")
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
		r.Behind = unknown[lag.Age]("the checkpoint table does not exist, as under Lambda")
		return
	}
	if err != nil {
		r.Followed = failed[Instant](l, connect.DynamoDB, "table "+published.Publication.CheckpointTable, err)
		r.Saved, r.Behind = without[Instant]("see followed"), without[lag.Age]("the checkpoints could not be read")
		return
	}
	r.Followed, r.Saved = known(Instant{}), known(Instant{})
	var followed time.Time
	if seconds, err := strconv.ParseInt(kept.sequence, 10, 64); err == nil {
		followed = time.Unix(seconds, 0).UTC()
		r.Followed = known(l.ago(followed))
	}
	shards, err := l.shards(ctx, stream)
	if err != nil {
		r.Behind = failed[lag.Age](l, connect.Streams, "the stream of table "+r.Table, err)
		return
	}
	places := make(map[string]place, len(shards))
	var saved time.Time
	for _, shard := range shards {
		id := aws.ToString(shard.ShardId)
		if places[id], err = l.place(ctx, published, stream, id); err != nil {
			r.Saved = failed[Instant](l, connect.DynamoDB, "table "+published.Publication.CheckpointTable, err)
			r.Behind = without[lag.Age]("the checkpoints could not be read")
			return
		}
		if at := places[id].saved; at.After(saved) {
			saved = at
			r.Saved = known(l.ago(saved))
		}
	}
	if kept.sequence == "" {
		r.Behind = unknown[lag.Age]("no poller has ever followed the stream: the relay runs under Lambda, which keeps its own place, or has never run")
		return
	}
	if r.Behind, err = l.behind(ctx, stream, shards, places, followed); err != nil {
		r.Behind = failed[lag.Age](l, connect.Streams, "the stream of table "+r.Table, err)
	}
}

// behind is the age of the oldest record after the places. Each shard's end takes
// a while to find, so several are looked at at once.
func (l *look) behind(ctx context.Context, stream string, shards []streamtypes.Shard, places map[string]place, followed time.Time) (Cell[lag.Age], error) {
	next := make([]time.Time, len(shards))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(maxParallel)
	for i, shard := range shards {
		id := aws.ToString(shard.ShardId)
		if places[id].finished {
			continue
		}
		group.Go(func() (err error) {
			next[i], err = l.nextRecord(within, stream, id, places[id].sequence)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return Cell[lag.Age]{}, err
	}
	var oldest time.Time
	lost := false // whether the oldest is of a shard whose place is not known
	for i, shard := range shards {
		if next[i].IsZero() || !oldest.IsZero() && !next[i].Before(oldest) {
			continue
		}
		oldest = next[i]
		// A shard is begun when its parent is done with, and has no place before
		// its first record is. What came after the poller's last word it has not
		// seen.
		lost = places[aws.ToString(shard.ShardId)].sequence == "" && !places[aws.ToString(shard.ParentShardId)].finished && !oldest.After(followed)
	}
	age := lag.Age{Kind: lag.Exact, At: &oldest, Seconds: max(0, l.Now().Sub(oldest).Seconds())}
	switch {
	case oldest.IsZero():
		age = lag.Age{Kind: lag.None}
	case lost:
		age.Kind, age.Note = lag.LessThan, "no place is kept for the shard with the oldest record: either the checkpoint table was lost, and a place is kept again after the next change; or the relay is not done with one record yet, which its log tells"
	}
	return known(age), nil
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

func (l *look) shards(ctx context.Context, stream string) ([]streamtypes.Shard, error) {
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(stream)}
	var all []streamtypes.Shard
	for {
		out, err := l.Clients.Streams.DescribeStream(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, out.StreamDescription.Shards...)
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
	// emptyWait is the pause between them: the relay reads the same
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
		if empty > 0 {
			select {
			case <-ctx.Done():
				return time.Time{}, context.Cause(ctx)
			case <-time.After(emptyWait):
			}
		}
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
	}
	return time.Time{}, nil
}
