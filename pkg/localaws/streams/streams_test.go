package streams_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/streams"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// rig is one stream of one table behind the real SDK client.
type rig struct {
	*sdk.Client
	t       *testing.T
	clock   *clock
	service *streams.Service
	stream  *streams.Stream
}

func newRig(t *testing.T, shards int) *rig {
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	service := streams.New(streams.Config{Now: c.Now, Shards: shards})
	client := sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://localaws.test"), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient:  &http.Client{Transport: transport{service}},
	})
	r := &rig{Client: client, t: t, clock: c, service: service}
	r.stream = service.Open("things", []streams.KeyElement{{AttributeName: "p", KeyType: "HASH"}}, streams.NewAndOldImages)
	return r
}

type transport struct{ service *streams.Service }

func (tr transport) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	status := http.StatusOK
	answer, err := tr.service.Invoke(req.Context(), operation, body)
	if err != nil {
		var e *wire.Error
		if !errors.As(err, &e) {
			return nil, err
		}
		answer, status = map[string]string{"__type": "com.amazonaws.dynamodb.v20120810#" + e.Code, "message": e.Message}, e.HTTPStatus()
	}
	encoded, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(bytes.NewReader(encoded)), Request: req}, nil
}

// add appends a record of the item with the given key and hash.
func (r *rig) add(key string, hash uint64) {
	r.stream.Append(streams.Change{Hash: hash, Keys: attr.Item{"p": attr.String(key)}, New: attr.Item{"p": attr.String(key)}})
}

func (r *rig) describe(in sdk.DescribeStreamInput) *types.StreamDescription {
	r.t.Helper()
	in.StreamArn = aws.String(r.stream.ARN())
	d, err := r.DescribeStream(r.t.Context(), &in)
	if err != nil {
		r.t.Fatal(err)
	}
	return d.StreamDescription
}

func (r *rig) shard(i int) string {
	r.t.Helper()
	return aws.ToString(r.describe(sdk.DescribeStreamInput{}).Shards[i].ShardId)
}

// iterator asks for a shard iterator; sequence is "" where the type has none.
func (r *rig) iterator(shard string, kind types.ShardIteratorType, sequence string) (string, error) {
	in := &sdk.GetShardIteratorInput{StreamArn: aws.String(r.stream.ARN()), ShardId: &shard, ShardIteratorType: kind}
	if sequence != "" {
		in.SequenceNumber = &sequence
	}
	out, err := r.GetShardIterator(r.t.Context(), in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.ShardIterator), nil
}

func (r *rig) mustIterator(shard string, kind types.ShardIteratorType, sequence string) string {
	r.t.Helper()
	it, err := r.iterator(shard, kind, sequence)
	if err != nil {
		r.t.Fatal(err)
	}
	return it
}

// read makes one GetRecords call: the keys, the sequence numbers and the next
// iterator, "" for none.
func (r *rig) read(iterator string, limit int32) (keys, sequences []string, next string) {
	r.t.Helper()
	out, err := r.GetRecords(r.t.Context(), &sdk.GetRecordsInput{ShardIterator: &iterator, Limit: &limit})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, rec := range out.Records {
		keys = append(keys, rec.Dynamodb.Keys["p"].(*types.AttributeValueMemberS).Value)
		sequences = append(sequences, aws.ToString(rec.Dynamodb.SequenceNumber))
	}
	return keys, sequences, aws.ToString(out.NextShardIterator)
}

func (r *rig) wantKeys(what, iterator string, want ...string) {
	r.t.Helper()
	keys, _, _ := r.read(iterator, 1000)
	if fmt.Sprint(keys) != fmt.Sprint(want) {
		r.t.Errorf("%s gives %v, want %v", what, keys, want)
	}
}

func wantError(t *testing.T, err error, code string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestIteratorsStartWhereTheirTypeSays(t *testing.T) {
	r := newRig(t, 1)
	for _, key := range []string{"a", "b", "c"} {
		r.add(key, 7)
	}
	shard := r.shard(0)
	_, sequences, _ := r.read(r.mustIterator(shard, types.ShardIteratorTypeTrimHorizon, ""), 1000)
	latest := r.mustIterator(shard, types.ShardIteratorTypeLatest, "")
	r.add("d", 7)
	r.wantKeys("TRIM_HORIZON", r.mustIterator(shard, types.ShardIteratorTypeTrimHorizon, ""), "a", "b", "c", "d")
	r.wantKeys("LATEST before d", latest, "d")
	r.wantKeys("LATEST after d", r.mustIterator(shard, types.ShardIteratorTypeLatest, ""))
	r.wantKeys("AT b", r.mustIterator(shard, types.ShardIteratorTypeAtSequenceNumber, sequences[1]), "b", "c", "d")
	r.wantKeys("AFTER b", r.mustIterator(shard, types.ShardIteratorTypeAfterSequenceNumber, sequences[1]), "c", "d")

	for what, row := range map[string]struct {
		shard    string
		kind     types.ShardIteratorType
		sequence string
		code     string
	}{
		"a sequence number of no record":        {shard, types.ShardIteratorTypeAtSequenceNumber, "199999999999999999999", "ValidationException"},
		"a sequence number from before":         {shard, types.ShardIteratorTypeAtSequenceNumber, "100000000000000000000", "ValidationException"},
		"a malformed sequence number":           {shard, types.ShardIteratorTypeAtSequenceNumber, strings.Repeat("x", 21), "ValidationException"},
		"no sequence number":                    {shard, types.ShardIteratorTypeAfterSequenceNumber, "", "ValidationException"},
		"a sequence number where there is none": {shard, types.ShardIteratorTypeLatest, sequences[0], "ValidationException"},
		"a type that does not exist":            {shard, "SOMEWHERE", "", "ValidationException"},
		"a shard that does not exist":           {"shardId-00000000000000000000-00000000", types.ShardIteratorTypeLatest, "", "ResourceNotFoundException"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := r.iterator(row.shard, row.kind, row.sequence)
			wantError(t, err, row.code)
		})
	}
}

func TestGetRecordsPages(t *testing.T) {
	r := newRig(t, 1)
	var want []string
	for i := range 25 {
		want = append(want, fmt.Sprint(i))
		r.add(fmt.Sprint(i), 7)
	}
	var got []string
	iterator := r.mustIterator(r.shard(0), types.ShardIteratorTypeTrimHorizon, "")
	for range 4 {
		keys, _, next := r.read(iterator, 10)
		got = append(got, keys...)
		if next == "" {
			t.Fatal("an open shard gave no next iterator")
		}
		iterator = next
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v", got)
	}
	_, err := r.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: &iterator, Limit: aws.Int32(1001)})
	wantError(t, err, "ValidationException")
	_, err = r.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: aws.String("junk")})
	wantError(t, err, "ValidationException")
}

func TestGetRecordsStopsAtOneMegabyte(t *testing.T) {
	r := newRig(t, 1)
	big := attr.Item{"p": attr.String("a"), "x": attr.String(strings.Repeat("x", 300_000))}
	for range 5 {
		r.stream.Append(streams.Change{Hash: 7, Keys: attr.Item{"p": attr.String("a")}, New: big})
	}
	keys, _, next := r.read(r.mustIterator(r.shard(0), types.ShardIteratorTypeTrimHorizon, ""), 1000)
	rest, _, _ := r.read(next, 1000)
	if len(keys) != 3 || len(rest) != 2 {
		t.Errorf("read %d and then %d records of 300 KB, want 3 and 2", len(keys), len(rest))
	}
}

func TestASplitShardEndsAndItsChildrenGoOn(t *testing.T) {
	r := newRig(t, 1)
	r.add("low", 1)
	r.add("high", math.MaxUint64)
	parent := r.shard(0)
	r.stream.Split()
	r.add("low", 1)
	r.add("high", math.MaxUint64)

	d := r.describe(sdk.DescribeStreamInput{})
	if len(d.Shards) != 3 || d.Shards[0].SequenceNumberRange.EndingSequenceNumber == nil {
		t.Fatalf("shards are %+v", d.Shards)
	}
	keys, sequences, next := r.read(r.mustIterator(parent, types.ShardIteratorTypeTrimHorizon, ""), 1000)
	if fmt.Sprint(keys) != "[low high]" || next != "" {
		t.Errorf("the parent gives %v and next %q, want low and high and no next", keys, next)
	}
	var children []string
	for _, sh := range d.Shards[1:] {
		if aws.ToString(sh.ParentShardId) != parent || sh.SequenceNumberRange.EndingSequenceNumber != nil {
			t.Errorf("child is %+v", sh)
		}
		keys, after, next := r.read(r.mustIterator(aws.ToString(sh.ShardId), types.ShardIteratorTypeTrimHorizon, ""), 1000)
		if next == "" || len(after) != 1 || after[0] <= sequences[1] {
			t.Errorf("child gives %v at %v, next %q", keys, after, next)
		}
		children = append(children, keys...)
	}
	if fmt.Sprint(children) != "[low high]" {
		t.Errorf("the children give %v, want low in one and high in the other", children)
	}

	filtered := r.describe(sdk.DescribeStreamInput{ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeChildShards, ShardId: &parent}})
	if len(filtered.Shards) != 2 {
		t.Errorf("the parent's child shards are %+v", filtered.Shards)
	}
	page := r.describe(sdk.DescribeStreamInput{Limit: aws.Int32(2)})
	rest := r.describe(sdk.DescribeStreamInput{Limit: aws.Int32(2), ExclusiveStartShardId: page.LastEvaluatedShardId})
	if len(page.Shards) != 2 || len(rest.Shards) != 1 || rest.LastEvaluatedShardId != nil {
		t.Errorf("pages of two hold %d and %d shards", len(page.Shards), len(rest.Shards))
	}
}

func TestARotatedShardHasOneChild(t *testing.T) {
	r := newRig(t, 3)
	r.stream.Rotate()
	parents := make(map[string]int)
	for _, sh := range r.describe(sdk.DescribeStreamInput{}).Shards[3:] {
		parents[aws.ToString(sh.ParentShardId)]++
	}
	if len(parents) != 3 {
		t.Errorf("the three new shards have parents %v, want one each", parents)
	}
}

func TestRecordsAreTrimmedAfter24Hours(t *testing.T) {
	r := newRig(t, 1)
	shard := r.shard(0)
	r.add("old", 7)
	_, sequences, _ := r.read(r.mustIterator(shard, types.ShardIteratorTypeTrimHorizon, ""), 1000)
	r.clock.advance(23 * time.Hour)
	r.add("young", 7)
	held := r.mustIterator(shard, types.ShardIteratorTypeTrimHorizon, "")
	r.wantKeys("an hour before", held, "old", "young")

	r.clock.advance(time.Hour - 5*time.Minute)
	held = r.mustIterator(shard, types.ShardIteratorTypeTrimHorizon, "")
	r.clock.advance(6 * time.Minute)
	_, err := r.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: &held})
	wantError(t, err, "TrimmedDataAccessException")
	for _, kind := range []types.ShardIteratorType{types.ShardIteratorTypeAtSequenceNumber, types.ShardIteratorTypeAfterSequenceNumber} {
		_, err = r.iterator(shard, kind, sequences[0])
		var trimmed *types.TrimmedDataAccessException
		if !errors.As(err, &trimmed) {
			t.Errorf("%s a trimmed record gives %v, want the SDK's TrimmedDataAccessException", kind, err)
		}
	}
	r.wantKeys("TRIM_HORIZON", r.mustIterator(shard, types.ShardIteratorTypeTrimHorizon, ""), "young")
}

func TestAnIteratorExpiresAfter15Minutes(t *testing.T) {
	r := newRig(t, 1)
	held := r.mustIterator(r.shard(0), types.ShardIteratorTypeLatest, "")
	r.clock.advance(15 * time.Minute)
	_, _, next := r.read(held, 10)
	r.clock.advance(time.Second)
	_, err := r.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: &held})
	var expired *types.ExpiredIteratorException
	if !errors.As(err, &expired) {
		t.Errorf("got %v, want the SDK's ExpiredIteratorException", err)
	}
	r.clock.advance(14 * time.Minute)
	r.read(next, 10) // a next iterator has 15 minutes of its own
}

func TestADisabledStreamCanBeReadForADay(t *testing.T) {
	r := newRig(t, 1)
	shard := r.shard(0)
	r.clock.advance(time.Hour)
	r.add("a", 7)
	r.stream.Disable()
	r.add("late", 7)
	if d := r.describe(sdk.DescribeStreamInput{}); d.StreamStatus != types.StreamStatusDisabled {
		t.Errorf("its status is %s", d.StreamStatus)
	}
	keys, _, next := r.read(r.mustIterator(shard, types.ShardIteratorTypeTrimHorizon, ""), 1000)
	if fmt.Sprint(keys) != "[a]" || next != "" {
		t.Errorf("it gives %v, next %q", keys, next)
	}
	again := r.service.Open("things", nil, streams.KeysOnly)
	third := r.service.Open("things", nil, streams.KeysOnly)
	if again.ARN() == third.ARN() {
		t.Error("two streams opened at one instant have one ARN")
	}
	list, err := r.ListStreams(t.Context(), &sdk.ListStreamsInput{TableName: aws.String("things"), Limit: aws.Int32(2)})
	if err != nil {
		t.Fatal(err)
	}
	rest, err := r.ListStreams(t.Context(), &sdk.ListStreamsInput{TableName: aws.String("things"), ExclusiveStartStreamArn: list.LastEvaluatedStreamArn})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Streams) != 2 || len(rest.Streams) != 1 {
		t.Errorf("listed %d and %d streams, want 2 and 1", len(list.Streams), len(rest.Streams))
	}
	r.clock.advance(24*time.Hour + time.Second)
	_, err = r.DescribeStream(t.Context(), &sdk.DescribeStreamInput{StreamArn: aws.String(r.stream.ARN())})
	wantError(t, err, "ResourceNotFoundException")
}

func TestAClosedShardVanishesAfter24Hours(t *testing.T) {
	r := newRig(t, 1)
	parent := r.shard(0)
	held := r.mustIterator(parent, types.ShardIteratorTypeTrimHorizon, "")
	r.stream.Split()
	r.clock.advance(24*time.Hour + time.Second)
	r.stream.Trim()
	for _, sh := range r.describe(sdk.DescribeStreamInput{}).Shards {
		if id := aws.ToString(sh.ShardId); id == parent {
			t.Errorf("%s is still listed", id)
		}
	}
	_, err := r.iterator(parent, types.ShardIteratorTypeTrimHorizon, "")
	wantError(t, err, "ResourceNotFoundException")
	_, err = r.GetRecords(t.Context(), &sdk.GetRecordsInput{ShardIterator: &held})
	wantError(t, err, "ExpiredIteratorException")
}

func TestEveryHashHasItsShard(t *testing.T) {
	for _, shards := range []int{1, 2, 3, 7} {
		r := newRig(t, shards)
		hashes := []uint64{0, 1, math.MaxUint64 / 3, math.MaxUint64/3 + 1, math.MaxUint64 / 2, math.MaxUint64/2 + 1, math.MaxUint64 - 1, math.MaxUint64}
		for i, h := range hashes {
			r.add(fmt.Sprint(i), h)
		}
		r.stream.Split()
		for i, h := range hashes {
			r.add(fmt.Sprint(i), h)
		}
		total := 0
		for i := range r.describe(sdk.DescribeStreamInput{}).Shards {
			keys, _, _ := r.read(r.mustIterator(r.shard(i), types.ShardIteratorTypeTrimHorizon, ""), 1000)
			total += len(keys)
		}
		if total != 2*len(hashes) {
			t.Errorf("%d shards keep %d of %d records", shards, total, 2*len(hashes))
		}
	}
}
