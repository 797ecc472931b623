package dynamodb_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	streamsdk "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func (r *rig) streamARN(t tester, table string) string {
	t.Helper()
	d, err := r.DescribeTable(context.Background(), &sdk.DescribeTableInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(d.Table.LatestStreamArn)
}

func (r *rig) shards(t tester, arn string) []streamtypes.Shard {
	t.Helper()
	var list []streamtypes.Shard
	in := &streamsdk.DescribeStreamInput{StreamArn: &arn, Limit: aws.Int32(3)}
	for {
		d, err := r.streams.DescribeStream(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, d.StreamDescription.Shards...)
		if d.StreamDescription.LastEvaluatedShardId == nil {
			return list
		}
		in.ExclusiveStartShardId = d.StreamDescription.LastEvaluatedShardId
	}
}

// readShard reads a shard to its end, or to where an open shard has no more.
func (r *rig) readShard(t tester, arn, shard string, limit int32) []streamtypes.Record {
	t.Helper()
	it, err := r.streams.GetShardIterator(context.Background(), &streamsdk.GetShardIteratorInput{StreamArn: &arn, ShardId: &shard, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
	if err != nil {
		t.Fatal(err)
	}
	var list []streamtypes.Record
	for next := it.ShardIterator; next != nil; {
		out, err := r.streams.GetRecords(context.Background(), &streamsdk.GetRecordsInput{ShardIterator: next, Limit: &limit})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, out.Records...)
		next = out.NextShardIterator
		if len(out.Records) == 0 {
			break
		}
	}
	return list
}

// records reads a whole stream, parents before their children.
func (r *rig) records(t tester, table string) []streamtypes.Record {
	t.Helper()
	arn := r.streamARN(t, table)
	var list []streamtypes.Record
	read := make(map[string]bool)
	for _, shard := range r.shards(t, arn) {
		if p := aws.ToString(shard.ParentShardId); p != "" && !read[p] {
			t.Fatal("shard " + aws.ToString(shard.ShardId) + " is listed before its parent " + p)
		}
		read[aws.ToString(shard.ShardId)] = true
		list = append(list, r.readShard(t, arn, aws.ToString(shard.ShardId), 7)...)
	}
	return list
}

// text is an item or image in a form that compares.
func text[V any](it map[string]V) string {
	out := ""
	names := make([]string, 0, len(it))
	for name := range it {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch v := any(it[name]).(type) {
		case *types.AttributeValueMemberS:
			out += fmt.Sprintf("%s=%q ", name, v.Value)
		case *types.AttributeValueMemberN:
			out += fmt.Sprintf("%s=%s ", name, v.Value)
		case *streamtypes.AttributeValueMemberS:
			out += fmt.Sprintf("%s=%q ", name, v.Value)
		case *streamtypes.AttributeValueMemberN:
			out += fmt.Sprintf("%s=%s ", name, v.Value)
		}
	}
	return out
}

// Whatever is written and however the shards are split meanwhile, replaying
// the stream rebuilds the table: every record's old image is what the replay
// has, and at the end both are the same.
func TestReplayingTheStreamRebuildsTheTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		r.create(t, things("things"))
		for range rapid.IntRange(0, 60).Draw(t, "writes") {
			drawWrite(t, r)
		}
		replica := make(map[string]string)
		last := make(map[string]string)
		for _, rec := range r.records(t, "things") {
			d := rec.Dynamodb
			k := text(d.Keys)
			if old := text(d.OldImage); old != replica[k] {
				t.Fatalf("%s of %s has old image %q, the replay has %q", rec.EventName, k, old, replica[k])
			}
			if now := text(d.NewImage); now == replica[k] {
				t.Fatalf("%s of %s changes nothing: %q", rec.EventName, k, now)
			}
			want := streamtypes.OperationTypeModify
			switch {
			case d.OldImage == nil:
				want = streamtypes.OperationTypeInsert
			case d.NewImage == nil:
				want = streamtypes.OperationTypeRemove
			}
			if rec.EventName != want {
				t.Fatalf("%s of %s with old %q and new %q", rec.EventName, k, text(d.OldImage), text(d.NewImage))
			}
			sequence := aws.ToString(d.SequenceNumber)
			if len(sequence) < 21 || (last[k] != "" && sequence <= last[k]) {
				t.Fatalf("%s has sequence number %s after %s", k, sequence, last[k])
			}
			last[k] = sequence
			replica[k] = text(d.NewImage)
			if d.NewImage == nil {
				delete(replica, k)
			}
		}
		table := make(map[string]string)
		pages := sdk.NewScanPaginator(r, &sdk.ScanInput{TableName: aws.String("things")})
		for pages.HasMorePages() {
			page, err := pages.NextPage(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range page.Items {
				table[text(item{"p": it["p"], "s": it["s"]})] = text(it)
			}
		}
		if d := cmp.Diff(table, replica); d != "" {
			t.Fatalf("table and replay differ (-table +replay):\n%s", d)
		}
	})
}

// drawWrite does one random write or split.
func drawWrite(t *rapid.T, r *rig) {
	k := func() item {
		return item{"p": s(strconv.Itoa(rapid.IntRange(0, 5).Draw(t, "p"))), "s": s(strconv.Itoa(rapid.IntRange(0, 1).Draw(t, "s")))}
	}
	full := func() item {
		it := k()
		it["x"] = n(strconv.Itoa(rapid.IntRange(0, 2).Draw(t, "x")))
		return it
	}
	table, ctx := aws.String("things"), context.Background()
	one := item{":one": n("1")}
	var err error
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		_, err = r.PutItem(ctx, &sdk.PutItemInput{TableName: table, Item: full()})
	case 1:
		_, err = r.UpdateItem(ctx, &sdk.UpdateItemInput{TableName: table, Key: k(), UpdateExpression: aws.String("SET y = :one"), ExpressionAttributeValues: one})
	case 2:
		_, err = r.DeleteItem(ctx, &sdk.DeleteItemInput{TableName: table, Key: k()})
	case 3:
		a, b := full(), k()
		if text(item{"p": a["p"], "s": a["s"]}) == text(b) {
			return
		}
		_, err = r.TransactWriteItems(ctx, &sdk.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{txPut("things", a, ""), txUpdate("things", b, "ADD z :one", one)}})
	case 4:
		_, err = r.BatchWriteItem(ctx, &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"things": {putOf(full())}}})
	case 5:
		if rapid.IntRange(0, 3).Draw(t, "split") == 0 {
			err = r.service.SplitShards("things")
		}
		r.clock.advance(time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatChangesNothingWritesNoRecord(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	it := item{"p": s("a"), "s": s("1"), "x": n("1")}
	r.put(t, "things", it)
	r.put(t, "things", it)
	r.put(t, "things", item{"p": s("a"), "s": s("1"), "x": n("1.0")}) // the same number
	if _, err := r.UpdateItem(t.Context(), &sdk.UpdateItemInput{TableName: aws.String("things"), Key: thingKey(1), UpdateExpression: aws.String("SET x = x REMOVE y")}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String("things"), Key: thingKey(9)}); err != nil {
		t.Fatal(err)
	}
	if err := r.transact(t, txCheck("things", thingKey(1), "x = x"), txPut("things", thingKey(9), "attribute_exists(p)")); err == nil {
		t.Fatal("the transaction did not fail")
	}
	if got := r.records(t, "things"); len(got) != 1 || got[0].EventName != streamtypes.OperationTypeInsert {
		t.Errorf("the stream has %d records, want the first put's alone", len(got))
	}
}

func TestARecordCarriesWhatItsViewSays(t *testing.T) {
	for view, want := range map[types.StreamViewType][2]bool{ // new, old
		types.StreamViewTypeKeysOnly:        {false, false},
		types.StreamViewTypeNewImage:        {true, false},
		types.StreamViewTypeOldImage:        {false, true},
		types.StreamViewTypeNewAndOldImages: {true, true},
	} {
		t.Run(string(view), func(t *testing.T) {
			r := newRig(t)
			in := things("things")
			in.StreamSpecification.StreamViewType = view
			r.create(t, in)
			r.put(t, "things", item{"p": s("a"), "s": s("1"), "x": n("1")})
			r.clock.advance(1500 * time.Millisecond)
			r.put(t, "things", item{"p": s("a"), "s": s("1"), "x": n("2")})
			records := r.records(t, "things")
			if len(records) != 2 || records[0].EventName != streamtypes.OperationTypeInsert || records[1].EventName != streamtypes.OperationTypeModify {
				t.Fatalf("got %d records: %+v", len(records), records)
			}
			rec := records[1]
			d := rec.Dynamodb
			if got := [2]bool{d.NewImage != nil, d.OldImage != nil}; got != want {
				t.Errorf("new and old image are there: %v, want %v", got, want)
			}
			if text(d.Keys) != text(thingKey(1)) || string(d.StreamViewType) != string(view) || aws.ToString(rec.EventSource) != "aws:dynamodb" || aws.ToString(rec.AwsRegion) != "us-east-1" || aws.ToString(rec.EventVersion) == "" || rec.UserIdentity != nil {
				t.Errorf("the record is %+v of %s", rec, text(d.Keys))
			}
			if want := r.clock.Now().Truncate(time.Second); !d.ApproximateCreationDateTime.Equal(want) {
				t.Errorf("created at %v, want %v: whole seconds", d.ApproximateCreationDateTime, want)
			}
			size := int64(len("pa") + len("s1"))
			for _, there := range want {
				if there {
					size += int64(len("pa")+len("s1")+len("x")) + 2
				}
			}
			if got := aws.ToInt64(d.SizeBytes); got != size {
				t.Errorf("size is %d, want %d", got, size)
			}
		})
	}
}

func TestTheSweepDeletesWhatExpiredAndSaysSo(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	if _, err := r.UpdateTimeToLive(t.Context(), &sdk.UpdateTimeToLiveInput{TableName: aws.String("things"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("e"), Enabled: aws.Bool(true)}}); err != nil {
		t.Fatal(err)
	}
	now := r.clock.Now().Unix()
	at := func(d time.Duration) types.AttributeValue {
		return n(strconv.FormatInt(now+int64(d.Seconds()), 10))
	}
	fiveYears := r.clock.Now().AddDate(-5, 0, 0).Sub(r.clock.Now())
	stays := map[string]types.AttributeValue{
		"due in an hour":           at(time.Hour),
		"due this very second":     at(0),
		"over five years ago":      at(fiveYears - time.Second),
		"milliseconds, not a time": n(strconv.FormatInt(now*1000, 10)),
		"a string":                 s(strconv.FormatInt(now-3600, 10)),
	}
	goes := map[string]types.AttributeValue{
		"due an hour ago":     at(-time.Hour),
		"due five years ago":  at(fiveYears),
		"due a fraction back": n(strconv.FormatInt(now-1, 10) + ".5"),
	}
	for _, list := range []map[string]types.AttributeValue{stays, goes} {
		for name, e := range list {
			r.put(t, "things", item{"p": s("a"), "s": s(name), "e": e, "h": s("h")})
		}
	}
	r.put(t, "things", item{"p": s("a"), "s": s("without expiry")})
	if all := r.all(t, "things"); len(all) != len(stays)+len(goes)+1 {
		t.Fatalf("before the sweep %d items are readable", len(all))
	}
	swept, err := r.service.SweepTTL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := r.all(t, "things")
	for name := range goes {
		if _, ok := all[name]; ok {
			t.Errorf("%q is still there", name)
		}
	}
	if swept != len(goes) || len(all) != len(stays)+1 {
		t.Errorf("swept %d and left %d, want %d and %d", swept, len(all), len(goes), len(stays)+1)
	}
	removed := 0
	for _, rec := range r.records(t, "things") {
		if rec.EventName != streamtypes.OperationTypeRemove {
			if rec.UserIdentity != nil {
				t.Errorf("a user's write has identity %+v", rec.UserIdentity)
			}
			continue
		}
		removed++
		if id := rec.UserIdentity; id == nil || aws.ToString(id.PrincipalId) != "dynamodb.amazonaws.com" || aws.ToString(id.Type) != "Service" || rec.Dynamodb.OldImage == nil {
			t.Errorf("the sweep's record has identity %+v and old image %s", id, text(rec.Dynamodb.OldImage))
		}
	}
	if removed != len(goes) {
		t.Errorf("%d records of removals, want %d", removed, len(goes))
	}
	if _, err := r.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String("things"), Key: item{"p": s("a"), "s": s("due in an hour")}}); err != nil {
		t.Fatal(err)
	}
	records := r.records(t, "things")
	last := slices.MaxFunc(records, func(a, b streamtypes.Record) int {
		return cmpText(aws.ToString(a.Dynamodb.SequenceNumber), aws.ToString(b.Dynamodb.SequenceNumber))
	})
	if last.EventName != streamtypes.OperationTypeRemove || last.UserIdentity != nil {
		t.Errorf("a user's deletion is a %s by %+v", last.EventName, last.UserIdentity)
	}
}

func cmpText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
