package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// iterator opens a shard.
func (p *probe) iterator(arn string, shard streamtypes.Shard, kind streamtypes.ShardIteratorType, number *string) *string {
	p.Helper()
	out, err := p.Streams.GetShardIterator(p.ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: shard.ShardId, ShardIteratorType: kind, SequenceNumber: number})
	p.must(err)
	return out.ShardIterator
}

// drain reads a shard from an iterator on and says whether it came to its end.
func (p *probe) drain(iterator *string) (records []streamtypes.Record, ended bool) {
	p.Helper()
	for iterator != nil {
		out, err := p.Streams.GetRecords(p.ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		p.must(err)
		records, iterator = append(records, out.Records...), out.NextShardIterator
		if len(out.Records) == 0 && iterator != nil {
			return records, false
		}
	}
	return records, true
}

// versions are the attribute v of records' new images.
func versions(records []streamtypes.Record) string {
	var out []string
	for _, r := range records {
		if v, ok := r.Dynamodb.NewImage["v"].(*streamtypes.AttributeValueMemberN); ok {
			out = append(out, v.Value)
		}
	}
	return strings.Join(out, " ")
}

// write puts versions of the item a.
func (p *probe) write(table string, list ...string) {
	p.Helper()
	for _, v := range list {
		p.put(table, item{"p": s("a"), "v": n(v)})
	}
}

// holding are the shards that have records, in the stream's order.
func (p *probe) holding(arn string) []streamtypes.Shard {
	p.Helper()
	return slices.DeleteFunc(p.shards(arn), func(shard streamtypes.Shard) bool {
		records, _ := p.drain(p.iterator(arn, shard, streamtypes.ShardIteratorTypeTrimHorizon, nil))
		return len(records) == 0
	})
}

func TestShardEnd(t *testing.T) {
	check(t, tables, []behaviour{
		{
			name: "a disabled stream is read to its end, where there is no next iterator",
			page: "GetRecords",
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				p.write(table, "1", "2")
				before := p.holding(arn)
				p.see("shards %d", len(before))
				_, ended := p.drain(p.iterator(arn, before[0], streamtypes.ShardIteratorTypeTrimHorizon, nil))
				p.see("ended while enabled %t", ended)
				waiting := p.iterator(arn, before[0], streamtypes.ShardIteratorTypeLatest, nil)
				_, err := p.DynamoDB.UpdateTable(p.ctx, &dynamodb.UpdateTableInput{TableName: &table, StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(false)}})
				p.must(err)
				p.write(table, "3")
				for _, shard := range p.holding(arn) {
					p.see("an end %t", shard.SequenceNumberRange.EndingSequenceNumber != nil)
					records, ended := p.drain(p.iterator(arn, shard, streamtypes.ShardIteratorTypeTrimHorizon, nil))
					p.see("%s, ended %t", versions(records), ended)
				}
				records, ended := p.drain(waiting)
				p.see("who waited: %q, ended %t", versions(records), ended)
				out, err := p.Streams.DescribeStream(p.ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &arn})
				p.must(err)
				p.see("%s", out.StreamDescription.StreamStatus)
			},
			want: `
				shards 1
				ended while enabled false
				an end true
				1 2, ended true
				who waited: "", ended true
				DISABLED`,
		},
	})
}

func TestLineage(t *testing.T) {
	const page = "Change data capture for DynamoDB Streams"
	const horizon = streamtypes.ShardIteratorTypeTrimHorizon
	split := func(p *probe, table string) { p.must(p.Local.DynamoDB().SplitShards(table)) }
	check(t, controlled, []behaviour{
		{
			name: "a split shard ends and has two children, which name it",
			page: page,
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				before := p.shards(arn)
				split(p, table)
				children := make(map[string]int)
				open := 0
				for _, shard := range p.shards(arn) {
					if shard.ParentShardId != nil {
						children[*shard.ParentShardId]++
					}
					if shard.SequenceNumberRange.EndingSequenceNumber == nil {
						open++
					}
				}
				all := true
				for _, shard := range before {
					all = all && children[*shard.ShardId] == 2
				}
				p.see("two children each %t, open ones only they %t", all && len(children) == len(before), open == 2*len(before))
			},
			want: `two children each true, open ones only they true`,
		},
		{
			name: "read parents first, an item's records are in order across splits and rotations",
			page: page,
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				p.write(table, "1", "2")
				split(p, table)
				p.write(table, "3")
				p.must(p.Local.DynamoDB().RotateShards(table))
				split(p, table)
				p.write(table, "4", "5")
				shards := p.holding(arn)
				for i, shard := range shards {
					records, ended := p.drain(p.iterator(arn, shard, horizon, nil))
					p.see("%s, ended %t", versions(records), ended)
					if i > 0 && !descends(p.shards(arn), shard, shards[i-1]) {
						p.see("not from the shard before it")
					}
				}
			},
			want: `
				1 2, ended true
				3, ended true
				4 5, ended false`,
		},
		{
			name: "a child begins at its own horizon, and what comes after a parent's end is not in the parent",
			page: "GetShardIterator",
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				p.write(table, "1")
				parent := p.holding(arn)[0]
				waiting := p.iterator(arn, parent, streamtypes.ShardIteratorTypeLatest, nil)
				split(p, table)
				p.write(table, "2")
				records, ended := p.drain(waiting)
				p.see("who waited at the parent: %q, ended %t", versions(records), ended)
				records, ended = p.drain(p.iterator(arn, parent, streamtypes.ShardIteratorTypeLatest, nil))
				p.see("latest of the parent: %q, ended %t", versions(records), ended)
				child := p.holding(arn)[1]
				records, _ = p.drain(p.iterator(arn, child, horizon, nil))
				p.see("child: %q", versions(records))
				first := records[0].Dynamodb.SequenceNumber
				_, err := p.Streams.GetShardIterator(p.ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: parent.ShardId,
					ShardIteratorType: streamtypes.ShardIteratorTypeAtSequenceNumber, SequenceNumber: first})
				p.see("a child's record in the parent: %s", code(err))
			},
			want: `
				who waited at the parent: "", ended true
				latest of the parent: "", ended true
				child: "2"
				a child's record in the parent: ValidationException`,
		},
		{
			name: "after 24 hours records are gone: the horizon begins later, their numbers are refused",
			page: "TrimmedDataAccessException",
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				p.write(table, "1", "2")
				shard := p.holding(arn)[0]
				records, _ := p.drain(p.iterator(arn, shard, horizon, nil))
				p.Advance(23*time.Hour + 55*time.Minute)
				p.write(table, "3")
				waiting := p.iterator(arn, shard, horizon, nil)
				late := p.iterator(arn, shard, streamtypes.ShardIteratorTypeLatest, nil)
				p.Advance(10 * time.Minute)
				for _, kind := range []streamtypes.ShardIteratorType{streamtypes.ShardIteratorTypeAtSequenceNumber, streamtypes.ShardIteratorTypeAfterSequenceNumber} {
					_, err := p.Streams.GetShardIterator(p.ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: shard.ShardId,
						ShardIteratorType: kind, SequenceNumber: records[0].Dynamodb.SequenceNumber})
					p.see("%s: %s", kind, code(err))
				}
				_, err := p.Streams.GetRecords(p.ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: waiting})
				p.see("an iterator from before: %s", code(err))
				left, _ := p.drain(p.iterator(arn, shard, horizon, nil))
				p.see("horizon: %s", versions(left))
				p.write(table, "4")
				left, _ = p.drain(late)
				p.see("latest from before: %s", versions(left))
			},
			want: `
				AT_SEQUENCE_NUMBER: TrimmedDataAccessException
				AFTER_SEQUENCE_NUMBER: TrimmedDataAccessException
				an iterator from before: TrimmedDataAccessException
				horizon: 3
				latest from before: 4`,
		},
		{
			name: "an iterator expires 15 minutes after it was given, one more call gives another",
			page: "GetShardIterator",
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				p.write(table, "1")
				shard := p.holding(arn)[0]
				iterator := p.iterator(arn, shard, horizon, nil)
				p.Advance(14 * time.Minute)
				out, err := p.Streams.GetRecords(p.ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
				p.see("14 minutes: %s", code(err))
				p.Advance(2 * time.Minute)
				_, err = p.Streams.GetRecords(p.ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
				p.see("16 minutes: %s", code(err))
				_, err = p.Streams.GetRecords(p.ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: out.NextShardIterator})
				p.see("the next one: %s", code(err))
			},
			want: `
				14 minutes: ok
				16 minutes: ExpiredIteratorException
				the next one: ok`,
		},
		{
			name: "closed shards leave the description 24 hours after their end, open ones stay",
			page: page,
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				p.write(table, "1")
				closed := p.shards(arn)
				split(p, table)
				p.Advance(23 * time.Hour)
				p.see("after 23 hours %d", len(p.shards(arn))-2*len(closed))
				p.Advance(2 * time.Hour)
				left := p.shards(arn)
				p.see("after 25 hours %d", len(left)-2*len(closed))
				known := slices.ContainsFunc(left, func(shard streamtypes.Shard) bool {
					return slices.ContainsFunc(closed, func(gone streamtypes.Shard) bool { return *gone.ShardId == aws.ToString(shard.ParentShardId) })
				})
				p.see("children still name their parents %t", known)
				_, err := p.Streams.GetShardIterator(p.ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: closed[0].ShardId, ShardIteratorType: horizon})
				p.see("a parent's iterator: %s", code(err))
			},
			want: `
				after 23 hours 2
				after 25 hours 0
				children still name their parents true
				a parent's iterator: ResourceNotFoundException`,
		},
		{
			name: "a description in pages has every shard once",
			page: "DescribeStream",
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				split(p, table)
				split(p, table)
				whole := p.shards(arn)
				var paged []streamtypes.Shard
				in := &dynamodbstreams.DescribeStreamInput{StreamArn: &arn, Limit: aws.Int32(3)}
				for range whole {
					out, err := p.Streams.DescribeStream(p.ctx, in)
					p.must(err)
					paged = append(paged, out.StreamDescription.Shards...)
					if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
						break
					}
				}
				same := slices.EqualFunc(whole, paged, func(a, b streamtypes.Shard) bool { return *a.ShardId == *b.ShardId })
				p.see("the same %t", same)
			},
			want: `the same true`,
		},
	})
}

// descends says whether a shard has another among its ancestors.
func descends(all []streamtypes.Shard, shard, from streamtypes.Shard) bool {
	for parent := shard.ParentShardId; parent != nil; {
		if *parent == *from.ShardId {
			return true
		}
		at := slices.IndexFunc(all, func(one streamtypes.Shard) bool { return *one.ShardId == *parent })
		if at < 0 {
			return false
		}
		parent = all[at].ParentShardId
	}
	return false
}
