package conformance

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/tributary-dev/tributary/test/system/internal/engine"
)

// streamed makes a table with a stream and returns the stream's ARN.
func (p *probe) streamed(view types.StreamViewType) (table, arn string) {
	p.Helper()
	table = p.named("streamed")
	in := definition(table)
	in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: view}
	p.create(in)
	out, err := p.DynamoDB.DescribeTable(p.ctx, &dynamodb.DescribeTableInput{TableName: &table})
	p.must(err)
	return table, aws.ToString(out.Table.LatestStreamArn)
}

// shards are a stream's.
func (p *probe) shards(arn string) []streamtypes.Shard {
	p.Helper()
	out, err := p.Streams.DescribeStream(p.ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &arn})
	p.must(err)
	return out.StreamDescription.Shards
}

// from reads what follows an iterator until there is nothing more.
func (p *probe) from(in *dynamodbstreams.GetShardIteratorInput) []streamtypes.Record {
	p.Helper()
	out, err := p.Streams.GetShardIterator(p.ctx, in)
	p.must(err)
	return p.follow(out.ShardIterator)
}

func (p *probe) follow(iterator *string) []streamtypes.Record {
	p.Helper()
	var records []streamtypes.Record
	for iterator != nil {
		got, err := p.Streams.GetRecords(p.ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		if code(err) == unanswered { // a broken connection is no engine's answer
			p.Logf("%s: read again after %v", p.Name, err)
			got, err = p.Streams.GetRecords(p.ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		}
		p.must(err)
		if len(got.Records) == 0 {
			break
		}
		records, iterator = append(records, got.Records...), got.NextShardIterator
	}
	return records
}

// records are all of a stream's, a shard after the other.
func (p *probe) records(arn string) []streamtypes.Record {
	p.Helper()
	var records []streamtypes.Record
	for _, shard := range p.shards(arn) {
		records = append(records, p.from(&dynamodbstreams.GetShardIteratorInput{
			StreamArn: &arn, ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})...)
	}
	return records
}

// recorded is a stream record in a form that compares.
func recorded(r streamtypes.Record) string {
	image := func(it map[string]streamtypes.AttributeValue) string {
		if it == nil {
			return "-"
		}
		return text(engine.Item(it))
	}
	return strings.Join([]string{string(r.EventName), image(r.Dynamodb.Keys), image(r.Dynamodb.OldImage), image(r.Dynamodb.NewImage)}, " ")
}

func (p *probe) seeRecords(arn string) {
	p.Helper()
	for _, r := range p.records(arn) {
		p.see("%s", recorded(r))
	}
}

func TestStreams(t *testing.T) {
	check(t, tables, []behaviour{
		{
			name: "insert, modify and remove are records with both images",
			page: "Change data capture for DynamoDB Streams",
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				p.put(table, item{"p": s("a"), "v": n("1")})
				_, err := p.update(table, "SET v = :v", "", item{":v": n("2")})
				p.must(err)
				_, err = p.DynamoDB.DeleteItem(p.ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: item{"p": s("a")}})
				p.must(err)
				p.seeRecords(arn)
			},
			want: `
				INSERT {p:"a"} - {p:"a" v:1}
				MODIFY {p:"a"} {p:"a" v:1} {p:"a" v:2}
				REMOVE {p:"a"} {p:"a" v:2} -`,
		},
		{
			name: "what changes nothing writes no record",
			page: "Change data capture for DynamoDB Streams",
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				p.put(table, item{"p": s("a"), "v": n("1"), "tags": ss("k", "l")})
				p.put(table, item{"p": s("a"), "v": n("1.0"), "tags": ss("l", "k")})
				_, err := p.update(table, "SET v = :v", "", item{":v": n("1")})
				p.must(err)
				_, err = p.update(table, "SET v = :v", "v = :w", item{":v": n("2"), ":w": n("7")})
				p.see("failed condition: %s", code(err))
				_, err = p.DynamoDB.DeleteItem(p.ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: item{"p": s("none")}})
				p.must(err)
				p.seeRecords(arn)
			},
			want: `
				failed condition: ConditionalCheckFailedException
				INSERT {p:"a"} - {p:"a" tags:ss(k l) v:1}`,
		},
		{
			name: "an empty map is one in a record too",
			page: "AttributeValue",
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				p.put(table, item{"p": s("a"), "m": &types.AttributeValueMemberM{Value: item{}}})
				for _, r := range p.records(arn) {
					_, is := r.Dynamodb.NewImage["m"].(*streamtypes.AttributeValueMemberM)
					p.see("a map %t", is)
				}
			},
			want: `a map true`,
			differs: map[string]difference{dynamoDBLocal: {"writes it as a value without a type, and the SDK then takes another attribute's",
				`a map false`}},
		},
		{
			name: "a stream of keys has no images, one of new images no old ones",
			page: "StreamSpecification",
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeKeysOnly)
				p.put(table, item{"p": s("a"), "v": n("1")})
				p.seeRecords(arn)
				in := definition(p.named("new"))
				in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage}
				p.create(in)
				out, err := p.DynamoDB.DescribeTable(p.ctx, &dynamodb.DescribeTableInput{TableName: in.TableName})
				p.must(err)
				for _, v := range []string{"1", "2"} {
					p.put(*in.TableName, item{"p": s("a"), "v": n(v)})
				}
				p.seeRecords(*out.Table.LatestStreamArn)
			},
			want: `
				INSERT {p:"a"} - -
				INSERT {p:"a"} - {p:"a" v:1}
				MODIFY {p:"a"} - {p:"a" v:2}`,
		},
		{
			name: "sequence numbers of an item rise, have 21 to 40 digits, and event ids differ",
			page: "StreamRecord",
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				for _, v := range []string{"1", "2", "3", "4"} {
					p.put(table, item{"p": s("a"), "v": n(v)})
				}
				last, ids, rising := new(big.Int), []string{}, true
				for _, r := range p.records(arn) {
					number, ok := new(big.Int).SetString(aws.ToString(r.Dynamodb.SequenceNumber), 10)
					digits := len(aws.ToString(r.Dynamodb.SequenceNumber))
					rising = rising && ok && number.Cmp(last) > 0 && digits >= 21 && digits <= 40
					last, ids = number, append(ids, aws.ToString(r.EventID))
				}
				slices.Sort(ids)
				p.see("rising %t, ids %d", rising, len(slices.Compact(ids)))
			},
			want: `rising true, ids 4`,
		},
		{
			name: "transactions, batches and statements are recorded item by item",
			page: "Change data capture for DynamoDB Streams",
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				_, err := p.DynamoDB.TransactWriteItems(p.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
					conditional(table, item{"p": s("a")}, ""), conditional(table, item{"p": s("b")}, "")}})
				p.must(err)
				_, err = p.DynamoDB.BatchWriteItem(p.ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: {
					{DeleteRequest: &types.DeleteRequest{Key: item{"p": s("b")}}}}}})
				p.must(err)
				p.execute(table, statement{`UPDATE @ SET "x"=? WHERE "p"=?`, []value{n("1"), s("a")}},
					statement{`UPDATE @ SET "x"=? WHERE "p"=?`, []value{n("1"), s("none")}})
				var got []string
				for _, r := range p.records(arn) {
					got = append(got, recorded(r))
				}
				slices.Sort(got) // a transaction's records are in any order
				p.see("%s", strings.Join(got, ", "))
			},
			want: `
				0 ok {}
				1 ConditionalCheckFailed
				INSERT {p:"a"} - {p:"a"}, INSERT {p:"b"} - {p:"b"}, MODIFY {p:"a"} {p:"a"} {p:"a" x:1}, REMOVE {p:"b"} {p:"b"} -`,
		},
		{
			name: "iterators begin at the horizon, at a record, after it, and at what comes",
			page: "GetShardIterator",
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeKeysOnly)
				latest := make(map[string]*string)
				open := func() {
					for _, shard := range p.shards(arn) {
						out, err := p.Streams.GetShardIterator(p.ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeLatest})
						p.must(err)
						latest[*shard.ShardId] = out.ShardIterator
					}
				}
				p.put(table, item{"p": s("a"), "v": n("1")})
				open()
				for _, v := range []string{"2", "3"} {
					p.put(table, item{"p": s("a"), "v": n(v)})
				}
				for _, shard := range p.shards(arn) {
					at := func(kind streamtypes.ShardIteratorType, number *string) int {
						return len(p.from(&dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: shard.ShardId, ShardIteratorType: kind, SequenceNumber: number}))
					}
					all := p.from(&dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
					if len(all) == 0 {
						continue // the item is in another shard
					}
					second := all[1].Dynamodb.SequenceNumber
					p.see("horizon %d, at the second %d, after it %d, latest %d", len(all), at(streamtypes.ShardIteratorTypeAtSequenceNumber, second),
						at(streamtypes.ShardIteratorTypeAfterSequenceNumber, second), len(p.follow(latest[*shard.ShardId])))
				}
			},
			want: `horizon 3, at the second 2, after it 1, latest 2`,
		},
		{
			name: "streams, shards and iterators that are not there",
			page: "GetShardIterator",
			run: func(p *probe) {
				_, arn := p.streamed(types.StreamViewTypeKeysOnly)
				shard := p.shards(arn)[0].ShardId
				iterate := func(what string, in *dynamodbstreams.GetShardIteratorInput) {
					_, err := p.Streams.GetShardIterator(p.ctx, in)
					p.see("%s %s", what, code(err))
				}
				none := strings.Replace(arn, p.named("streamed"), p.named("none"), 1)
				iterate("no stream", &dynamodbstreams.GetShardIteratorInput{StreamArn: &none, ShardId: shard, ShardIteratorType: streamtypes.ShardIteratorTypeLatest})
				iterate("no shard", &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: aws.String("shardId-00000000000000000000-00000000"), ShardIteratorType: streamtypes.ShardIteratorTypeLatest})
				iterate("no sequence number", &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: shard, ShardIteratorType: streamtypes.ShardIteratorTypeAtSequenceNumber})
				_, err := p.Streams.DescribeStream(p.ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &none})
				var gone *streamtypes.ResourceNotFoundException
				p.see("describe no stream %t", errors.As(err, &gone))
				_, err = p.Streams.GetRecords(p.ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: aws.String("made up")})
				p.see("made up %s", code(err))
			},
			want: `
				no stream ResourceNotFoundException
				no shard ResourceNotFoundException
				no sequence number ValidationException
				describe no stream true
				made up ValidationException`,
		},
		{
			name: "a described stream has its view, its status and open shards without an end; it is listed",
			page: "DescribeStream",
			run: func(p *probe) {
				table, arn := p.streamed(types.StreamViewTypeNewAndOldImages)
				out, err := p.Streams.DescribeStream(p.ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &arn})
				p.must(err)
				d := out.StreamDescription
				open := 0
				for _, shard := range d.Shards {
					if shard.SequenceNumberRange.StartingSequenceNumber != nil && shard.SequenceNumberRange.EndingSequenceNumber == nil {
						open++
					}
				}
				p.see("%s %s, all open %t, next %q", d.StreamViewType, d.StreamStatus, open == len(d.Shards) && open > 0, aws.ToString(d.LastEvaluatedShardId))
				listed, err := p.Streams.ListStreams(p.ctx, &dynamodbstreams.ListStreamsInput{TableName: &table})
				p.must(err)
				for _, stream := range listed.Streams {
					p.see("itself %t", aws.ToString(stream.StreamArn) == arn && aws.ToString(stream.TableName) == table)
				}
			},
			want: `
				NEW_AND_OLD_IMAGES ENABLED, all open true, next ""
				itself true`,
		},
	})
}
