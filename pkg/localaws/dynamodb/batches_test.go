package dynamodb_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func putOf(it item) types.WriteRequest {
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: it}}
}

func deleteOf(k item) types.WriteRequest {
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: k}}
}

func thingKey(i int) item { return item{"p": s("a"), "s": s(strconv.Itoa(i))} }

func TestBatchWriteThenBatchGet(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	r.put(t, "things", thingKey(99))
	var writes []types.WriteRequest
	for i := range 24 {
		writes = append(writes, putOf(thingKey(i)))
	}
	writes = append(writes, deleteOf(thingKey(99)))
	wrote, err := r.BatchWriteItem(t.Context(), &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"things": writes}, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil {
		t.Fatal(err)
	}
	if len(wrote.UnprocessedItems) != 0 || aws.ToFloat64(wrote.ConsumedCapacity[0].CapacityUnits) != 25 {
		t.Errorf("left %v unprocessed and consumed %v", wrote.UnprocessedItems, wrote.ConsumedCapacity)
	}
	var keys []item
	for i := range 100 {
		keys = append(keys, thingKey(i))
	}
	got, err := r.BatchGetItem(t.Context(), &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"things": {Keys: keys, ProjectionExpression: aws.String("s")}}, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil {
		t.Fatal(err)
	}
	if l := len(got.Responses["things"]); l != 24 {
		t.Errorf("found %d items, want the 24 put", l)
	}
	if c := aws.ToFloat64(got.ConsumedCapacity[0].CapacityUnits); c != 50 {
		t.Errorf("consumed %v, want half a unit a key", c)
	}
}

func TestBatchesRefuseAndChangeNothing(t *testing.T) {
	many := func(n int) []types.WriteRequest {
		var list []types.WriteRequest
		for i := range n {
			list = append(list, putOf(thingKey(i)))
		}
		return list
	}
	rows := map[string]struct {
		table  string
		writes []types.WriteRequest
		code   string
		part   string
	}{
		"26 writes":                 {"things", many(26), "ValidationException", "Too many items requested for the BatchWriteItem call"},
		"one item twice":            {"things", []types.WriteRequest{putOf(thingKey(1)), deleteOf(thingKey(1))}, "ValidationException", "Provided list of item keys contains duplicates"},
		"a put without its key":     {"things", []types.WriteRequest{putOf(thingKey(1)), putOf(item{"p": s("a")})}, "ValidationException", "Missing the key s in the item"},
		"a wrong index key":         {"things", []types.WriteRequest{putOf(thingKey(1)), putOf(item{"p": s("a"), "s": s("2"), "g": n("1")})}, "ValidationException", "Type mismatch for Index Key g"},
		"an item over 400 KB":       {"things", []types.WriteRequest{putOf(thingKey(1)), putOf(item{"p": s("a"), "s": s("2"), "x": s(strings.Repeat("x", 409600))})}, "ValidationException", "Item size has exceeded"},
		"a table that is not there": {"nothing", many(1), "ResourceNotFoundException", "Requested resource not found"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.create(t, things("things"))
			_, err := r.BatchWriteItem(t.Context(), &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{row.table: row.writes}})
			wantError(t, err, row.code, row.part)
			out, err := r.Scan(t.Context(), &sdk.ScanInput{TableName: aws.String("things")})
			if err != nil {
				t.Fatal(err)
			}
			if out.Count != 0 {
				t.Errorf("%d items were written all the same", out.Count)
			}
		})
	}
}

func TestBatchGetRefuses(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	var tooMany []item
	for i := range 101 {
		tooMany = append(tooMany, thingKey(i))
	}
	for name, row := range map[string]struct {
		keys []item
		part string
	}{
		"101 keys":      {tooMany, "Too many items requested for the BatchGetItem call"},
		"one key twice": {[]item{thingKey(1), thingKey(1)}, "Provided list of item keys contains duplicates"},
		"half a key":    {[]item{{"p": s("a")}}, "The provided key element does not match the schema"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.BatchGetItem(t.Context(), &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"things": {Keys: row.keys}}})
			wantError(t, err, "ValidationException", row.part)
		})
	}
}

func TestBatchGetLeavesWhatPasses16MegabytesUnprocessed(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	want := make(map[string]bool)
	var keys []item
	for i := range 50 {
		it := thingKey(i)
		keys = append(keys, thingKey(i))
		want[fmt.Sprint(i)] = true
		it["x"] = s(strings.Repeat("x", 400_000))
		r.put(t, "things", it)
	}
	ask := map[string]types.KeysAndAttributes{"things": {Keys: keys}}
	calls := 0
	for ; len(ask) > 0; calls++ {
		out, err := r.BatchGetItem(t.Context(), &sdk.BatchGetItemInput{RequestItems: ask})
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range out.Responses["things"] {
			delete(want, it["s"].(*types.AttributeValueMemberS).Value)
		}
		ask = out.UnprocessedKeys
	}
	if calls != 2 || len(want) != 0 {
		t.Errorf("after %d calls %v are missing, want all of them after 2", calls, slices.Collect(func(yield func(string) bool) {
			for k := range want {
				if !yield(k) {
					return
				}
			}
		}))
	}
}
