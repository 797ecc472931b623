package dynamostream_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
)

// relayFunc is a Relay of one function.
type relayFunc func([]replica.Record) map[int]error

func (f relayFunc) Handle(_ context.Context, records []replica.Record) map[int]error {
	return f(records)
}

// throughLambda returns what the relay is given for a Lambda event.
func throughLambda(t *testing.T, event []byte) []replica.Record {
	t.Helper()
	var decoded events.DynamoDBEvent
	if err := json.Unmarshal(event, &decoded); err != nil {
		t.Fatal(err)
	}
	var got []replica.Record
	handler := dynamostream.LambdaHandler(relayFunc(func(records []replica.Record) map[int]error {
		got = records
		return nil
	}), nil)
	if _, err := handler(t.Context(), decoded); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestALambdaEventIsReadInFull(t *testing.T) {
	event, err := os.ReadFile("testdata/lambda-event.json")
	if err != nil {
		t.Fatal(err)
	}
	keys := contracts.Item{"cik": contracts.String("320193"), "part": contracts.Number("7")}
	want := []replica.Record{
		{
			EventID: "3f2c9a0d5b1e4c7790aa61d2ee08b4f1", EventName: replica.Insert,
			SequenceNumber: "111100000000012345678901", Created: time.Unix(1767225600, 0), Keys: keys,
			New: contracts.Item{
				"cik": contracts.String("320193"), "part": contracts.Number("7"), "empty": contracts.String(""),
				"number": contracts.Number("-12345678901234567890123456789012345678"),
				"binary": contracts.Binary([]byte{0, 1, 0xfe, 0xff}), "emptyBinary": contracts.Binary(nil),
				"yes": contracts.Bool(true), "no": contracts.Bool(false), "nothing": contracts.Null(),
				"list": contracts.List(contracts.String("a"), contracts.Number("1"), contracts.List(), contracts.Map(nil), contracts.Null()),
				"map": contracts.Map(map[string]contracts.Value{
					"inner": contracts.Map(map[string]contracts.Value{"deep": contracts.Bool(true)}),
					"tags":  contracts.StringSet("x"),
				}),
				"strings": contracts.StringSet("a", "b"), "numbers": contracts.NumberSet("-2", "1.5"),
				"binaries": contracts.BinarySet([]byte{0}, []byte{0xff}),
			},
		},
		{
			EventID: "a90be7715df14f0e8d0a5ce3c0b61b02", EventName: replica.Remove, ByTTL: true,
			SequenceNumber: "111200000000012345678902", Created: time.Unix(1767225661, 0), Keys: keys, Old: keys,
		},
	}
	got := throughLambda(t, event)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the records differ (-want +got):\n%s", diff)
	}
	if n := got[0].New["number"].Text(); n != "-12345678901234567890123456789012345678" {
		t.Errorf("a number of 38 digits became %s", n)
	}
}

// tap keeps the body of the last answer.
type tap struct {
	inner *http.Client
	last  []byte
}

func (c *tap) Do(req *http.Request) (*http.Response, error) {
	resp, err := c.inner.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if c.last, err = io.ReadAll(resp.Body); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(c.last))
	return resp, nil
}

// asLambda makes a Lambda event of the bytes GetRecords answered with. Both
// carry a record in the same JSON form, but for the names in userIdentity.
func asLambda(t *testing.T, answer []byte) []byte {
	t.Helper()
	var out struct{ Records []map[string]json.RawMessage }
	if err := json.Unmarshal(answer, &out); err != nil {
		t.Fatal(err)
	}
	for _, rec := range out.Records {
		rec["eventSourceARN"] = json.RawMessage(`"arn:aws:dynamodb:us-east-1:000000000000:table/things/stream/x"`)
		if who, ok := rec["userIdentity"]; ok {
			who = bytes.ReplaceAll(who, []byte(`"PrincipalId"`), []byte(`"principalId"`))
			rec["userIdentity"] = bytes.ReplaceAll(who, []byte(`"Type"`), []byte(`"type"`))
		}
	}
	event, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// Whatever is written, the poller and Lambda hand the relay the same records.
func TestBothWaysGiveTheSameRecords(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		wire := &tap{inner: r.engine.HTTPClient()}
		cfg := localawstest.Config(r.engine)
		cfg.HTTPClient = wire
		client := dynamodbstreams.NewFromConfig(cfg)
		stream, shards := r.describe()
		at, err := client.GetShardIterator(r.t.Context(), &dynamodbstreams.GetShardIteratorInput{
			StreamArn: &stream, ShardId: &shards[0], ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
		})
		r.must(err)
		iterator := at.ShardIterator
		_, err = r.db.UpdateTimeToLive(r.t.Context(), &dynamodb.UpdateTimeToLiveInput{
			TableName:               aws.String(things),
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expiresAt"), Enabled: aws.Bool(true)},
		})
		r.must(err)

		// A bubble has no Deadline for rapid to ask for.
		rapid.Check(struct{ rapid.TB }{r.t}, func(t *rapid.T) {
			key := contracts.Item{"p": contracts.String(rapid.StringN(1, 8, 40).Draw(t, "key"))}
			states := rapid.SliceOfN(anyItem(), 1, 3).Draw(t, "states")
			for _, state := range states {
				state["p"] = key["p"]
				state["expiresAt"] = contracts.Number(strconv.FormatInt(time.Now().Unix(), 10))
				r.putItem(state)
			}
			if rapid.Bool().Draw(t, "expires") {
				time.Sleep(2 * time.Second) // virtual
				r.engine.DynamoDB().SweepTTL(r.t.Context())
			} else {
				_, err := r.db.DeleteItem(r.t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(things), Key: dynamostore.ToAttributes(key)})
				r.must(err)
			}
			page, err := client.GetRecords(r.t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
			r.must(err)
			iterator = page.NextShardIterator
			var polled []replica.Record
			for i := range page.Records {
				polled = append(polled, dynamostream.FromStream(&page.Records[i]))
			}
			if diff := cmp.Diff(polled, throughLambda(r.t, asLambda(r.t, wire.last))); diff != "" {
				t.Fatalf("the ways differ (-poller +Lambda):\n%s", diff)
			}
			if len(polled) < 2 || polled[0].EventName != replica.Insert || polled[len(polled)-1].EventName != replica.Remove {
				t.Fatalf("%d records: %+v", len(polled), polled)
			}
			last := states[len(states)-1]
			if diff := cmp.Diff(last, polled[len(polled)-1].Old); diff != "" {
				t.Fatalf("the record differs from what was written (-written +read):\n%s", diff)
			}
			for _, rec := range polled {
				if rec.Damaged != nil || rec.Created.IsZero() || rec.SequenceNumber == "" || !rec.Keys.Equal(key) {
					t.Fatalf("read %+v", rec)
				}
			}
		})
	})
}

func (r *rig) putItem(item contracts.Item) {
	r.t.Helper()
	_, err := r.db.PutItem(r.t.Context(), &dynamodb.PutItemInput{TableName: aws.String(things), Item: dynamostore.ToAttributes(item)})
	r.must(err)
}

// anyItem is an item of up to six attributes of any type.
func anyItem() *rapid.Generator[contracts.Item] {
	return rapid.Custom(func(t *rapid.T) contracts.Item {
		fields := rapid.MapOfN(rapid.StringN(1, 8, 40), anyValue(3), 0, 6).Draw(t, "item")
		if fields == nil {
			fields = make(map[string]contracts.Value)
		}
		return fields
	})
}

func anyValue(depth int) *rapid.Generator[contracts.Value] {
	blob := rapid.SliceOfN(rapid.Byte(), 0, 6)
	number := rapid.Custom(func(t *rapid.T) string {
		digits := strconv.FormatInt(rapid.Int64().Draw(t, "digits"), 10)
		return digits + rapid.SampledFrom([]string{"", ".5", ".000000000000000001", "e30", "E-60"}).Draw(t, "rest")
	})
	leaf := []*rapid.Generator[contracts.Value]{
		rapid.Map(rapid.StringN(0, 12, 60), contracts.String),
		rapid.Map(number, contracts.Number),
		rapid.Map(blob, contracts.Binary),
		rapid.Map(rapid.Bool(), contracts.Bool),
		rapid.Just(contracts.Null()),
		rapid.Map(rapid.SliceOfNDistinct(rapid.StringN(1, 6, 30), 1, 4, rapid.ID[string]), func(s []string) contracts.Value { return contracts.StringSet(s...) }),
		rapid.Map(rapid.SliceOfNDistinct(rapid.Int32(), 1, 4, rapid.ID[int32]), func(s []int32) contracts.Value {
			var members []string
			for _, n := range s {
				members = append(members, strconv.Itoa(int(n)))
			}
			return contracts.NumberSet(members...)
		}),
		rapid.Map(rapid.SliceOfNDistinct(rapid.SliceOfN(rapid.Byte(), 1, 4), 1, 4, func(b []byte) string { return string(b) }), func(s [][]byte) contracts.Value {
			return contracts.BinarySet(s...)
		}),
	}
	if depth == 0 {
		return rapid.OneOf(leaf...)
	}
	return rapid.Custom(func(t *rapid.T) contracts.Value {
		inner := anyValue(depth - 1)
		return rapid.OneOf(slices.Concat(leaf, []*rapid.Generator[contracts.Value]{
			rapid.Map(rapid.SliceOfN(inner, 0, 3), func(l []contracts.Value) contracts.Value { return contracts.List(l...) }),
			rapid.Map(rapid.MapOfN(rapid.StringN(1, 5, 20), inner, 0, 3), func(m map[string]contracts.Value) contracts.Value { return contracts.Map(m) }),
		})...).Draw(t, "value")
	})
}
