package dynamodb_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

// sameItem compares what the SDK gives for an item with what is wanted.
func sameItem(t *testing.T, what string, want, got item) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{}), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestWritesRefuse(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	r.put(t, "things", item{"p": s("a"), "s": s("1"), "x": n("1")})
	put := func(it item) func() error {
		return func() error {
			_, err := r.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("things"), Item: it})
			return err
		}
	}
	get := func(k item) func() error {
		return func() error {
			_, err := r.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("things"), Key: k})
			return err
		}
	}
	update := func(expression string, v types.AttributeValue) func() error {
		return func() error {
			_, err := r.UpdateItem(t.Context(), &sdk.UpdateItemInput{TableName: aws.String("things"), Key: item{"p": s("a"), "s": s("1")}, UpdateExpression: &expression, ExpressionAttributeValues: item{":v": v}})
			return err
		}
	}
	long := strings.Repeat("x", 2049)
	rows := map[string]struct {
		do   func() error
		part string
	}{
		"an item without its range key":     {put(item{"p": s("a")}), "One or more parameter values were invalid: Missing the key s in the item"},
		"a key of another type":             {put(item{"p": s("a"), "s": n("1")}), "Type mismatch for key s expected: S actual: N"},
		"an empty key":                      {put(item{"p": s(""), "s": s("1")}), "cannot contain an empty string value. Key: p"},
		"a hash key over 2048 bytes":        {put(item{"p": s(long), "s": s("1")}), "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		"a range key over 1024 bytes":       {put(item{"p": s("a"), "s": s(long)}), "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"},
		"an index key of another type":      {put(item{"p": s("a"), "s": s("1"), "g": n("1")}), "Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g"},
		"an empty index key":                {put(item{"p": s("a"), "s": s("1"), "h": s("")}), "A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: by-h, IndexKey: h"},
		"an item over 400 KB":               {put(item{"p": s("a"), "s": s("1"), "x": s(strings.Repeat("x", 409600))}), "Item size has exceeded the maximum allowed size"},
		"a get without the range key":       {get(item{"p": s("a")}), "The provided key element does not match the schema"},
		"a get with one attribute too many": {get(item{"p": s("a"), "s": s("1"), "x": s("1")}), "The provided key element does not match the schema"},
		"a get with another key type":       {get(item{"p": s("a"), "s": n("1")}), "The provided key element does not match the schema"},
		"an update of a key":                {update("SET p = :v", s("b")), "Cannot update attribute p. This attribute is part of the key"},
		"an update to a wrong index key":    {update("SET g = :v", n("1")), "Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g"},
		"an update to an empty index key":   {update("SET h = :v", s("")), "The update expression attempted to update a secondary index key to a value that is not supported"},
		"an update to a long index key":     {update("SET h = :v", s(long)), "secondary index key beyond allowed size limits"},
		"an update beyond 400 KB":           {update("SET x = :v", s(strings.Repeat("x", 409600))), "Item size to update has exceeded the maximum allowed size"},
		"an addition to a missing number":   {update("SET y = y + :v", n("1")), "refers to an attribute that does not exist in the item"},
		"values without an expression": {func() error {
			_, err := r.UpdateItem(t.Context(), &sdk.UpdateItemInput{TableName: aws.String("things"), Key: item{"p": s("a"), "s": s("1")}, ExpressionAttributeValues: item{":v": s("1")}})
			return err
		}, "UpdateExpression and ConditionExpression are null"},
		"a return value a put cannot give": {func() error {
			_, err := r.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("things"), Item: item{"p": s("a"), "s": s("1")}, ReturnValues: types.ReturnValueAllNew})
			return err
		}, "ReturnValues can only be ALL_OLD or NONE"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) { wantError(t, row.do(), "ValidationException", row.part) })
	}
	got, err := r.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("things"), Key: item{"p": s("a"), "s": s("1")}})
	if err != nil {
		t.Fatal(err)
	}
	sameItem(t, "what was refused changed the item", item{"p": s("a"), "s": s("1"), "x": n("1")}, got.Item)
}

func TestUpdateReturnsWhatItIsAskedFor(t *testing.T) {
	old := item{"p": s("a"), "s": s("1"), "x": n("1"), "y": n("5")}
	next := item{"p": s("a"), "s": s("1"), "x": n("3"), "z": s("new")}
	rows := map[types.ReturnValue]item{
		types.ReturnValueNone:       nil,
		types.ReturnValueAllOld:     old,
		types.ReturnValueAllNew:     next,
		types.ReturnValueUpdatedOld: {"x": n("1"), "y": n("5")},
		types.ReturnValueUpdatedNew: {"x": n("3"), "z": s("new")},
	}
	for how, want := range rows {
		t.Run(string(how), func(t *testing.T) {
			r := newRig(t)
			r.create(t, things("things"))
			r.put(t, "things", old)
			out, err := r.UpdateItem(t.Context(), &sdk.UpdateItemInput{
				TableName: aws.String("things"), Key: item{"p": s("a"), "s": s("1")}, ReturnValues: how,
				UpdateExpression:          aws.String("SET x = x + :two, z = :new REMOVE y"),
				ExpressionAttributeValues: item{":two": n("2"), ":new": s("new")},
			})
			if err != nil {
				t.Fatal(err)
			}
			sameItem(t, "attributes returned", want, out.Attributes)
		})
	}
}

func TestUpdateCreatesAMissingItem(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	k := item{"p": s("a"), "s": s("1")}
	out, err := r.UpdateItem(t.Context(), &sdk.UpdateItemInput{TableName: aws.String("things"), Key: k, ReturnValues: types.ReturnValueAllNew})
	if err != nil {
		t.Fatal(err)
	}
	sameItem(t, "an update without expression creates the key", k, out.Attributes)
	_, err = r.UpdateItem(t.Context(), &sdk.UpdateItemInput{TableName: aws.String("things"), Key: item{"p": s("b"), "s": s("1")}, UpdateExpression: aws.String("SET x = :v"), ConditionExpression: aws.String("attribute_exists(p)"), ExpressionAttributeValues: item{":v": n("1")}})
	wantError(t, err, "ConditionalCheckFailedException", "The conditional request failed")
	got, err := r.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("things"), Key: item{"p": s("b"), "s": s("1")}})
	if err != nil {
		t.Fatal(err)
	}
	sameItem(t, "a failed condition creates nothing", nil, got.Item)
}

func TestAFailedConditionReturnsTheItemIfAsked(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	stored := item{"p": s("a"), "s": s("1"), "x": n("1")}
	r.put(t, "things", stored)
	k := item{"p": s("a"), "s": s("1")}
	condition, values := aws.String("x > :v"), item{":v": n("7")}
	writes := map[string]func(how types.ReturnValuesOnConditionCheckFailure) error{
		"put": func(how types.ReturnValuesOnConditionCheckFailure) error {
			_, err := r.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("things"), Item: k, ConditionExpression: condition, ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: how})
			return err
		},
		"update": func(how types.ReturnValuesOnConditionCheckFailure) error {
			_, err := r.UpdateItem(t.Context(), &sdk.UpdateItemInput{TableName: aws.String("things"), Key: k, UpdateExpression: aws.String("REMOVE x"), ConditionExpression: condition, ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: how})
			return err
		},
		"delete": func(how types.ReturnValuesOnConditionCheckFailure) error {
			_, err := r.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String("things"), Key: k, ConditionExpression: condition, ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: how})
			return err
		},
	}
	for name, write := range writes {
		for how, want := range map[types.ReturnValuesOnConditionCheckFailure]item{"": nil, "NONE": nil, "ALL_OLD": stored} {
			t.Run(name+" "+string(how), func(t *testing.T) {
				var failed *types.ConditionalCheckFailedException
				if err := write(how); !errors.As(err, &failed) {
					t.Fatalf("got %v, want the SDK's ConditionalCheckFailedException", err)
				}
				sameItem(t, "item of the error", want, failed.Item)
			})
		}
	}
}

func TestConsumedCapacity(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	big := strings.Repeat("x", 3000)
	put := func(it item) *types.ConsumedCapacity {
		t.Helper()
		out, err := r.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("things"), Item: it, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes})
		if err != nil {
			t.Fatal(err)
		}
		return out.ConsumedCapacity
	}
	get := func(consistent bool) *types.ConsumedCapacity {
		t.Helper()
		out, err := r.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("things"), Key: item{"p": s("a"), "s": s("1")}, ConsistentRead: &consistent, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
		if err != nil {
			t.Fatal(err)
		}
		return out.ConsumedCapacity
	}
	check := func(what string, c *types.ConsumedCapacity, total, table, g, h, l float64) {
		t.Helper()
		unit := func(m map[string]types.Capacity, name string) float64 { return aws.ToFloat64(m[name].CapacityUnits) }
		tableUnits := table
		if c.Table != nil {
			tableUnits = aws.ToFloat64(c.Table.CapacityUnits)
		}
		got := []float64{aws.ToFloat64(c.CapacityUnits), tableUnits, unit(c.GlobalSecondaryIndexes, "by-g"), unit(c.GlobalSecondaryIndexes, "by-h"), unit(c.LocalSecondaryIndexes, "by-l")}
		if d := cmp.Diff([]float64{total, table, g, h, l}, got); d != "" {
			t.Errorf("%s: total, table, by-g, by-h, by-l (-want +got):\n%s", what, d)
		}
	}
	check("a new item in every index", put(item{"p": s("a"), "s": s("1"), "g": s("g"), "h": s("h"), "l": n("1"), "x": s(big)}), 8, 3, 3, 1, 1)
	check("an identical put", put(item{"p": s("a"), "s": s("1"), "g": s("g"), "h": s("h"), "l": n("1"), "x": s(big)}), 3, 3, 0, 0, 0)
	check("a change that keys-only indexes do not carry", put(item{"p": s("a"), "s": s("1"), "g": s("g"), "h": s("h"), "l": n("1"), "x": s(big), "y": s("1")}), 6, 3, 3, 0, 0)
	check("a move within an index", put(item{"p": s("a"), "s": s("1"), "g": s("g"), "h": s("k"), "l": n("1"), "x": s(big), "y": s("1")}), 8, 3, 3, 2, 0)
	check("leaving the indexes", put(item{"p": s("a"), "s": s("1"), "x": s(big)}), 8, 3, 3, 1, 1)
	check("an eventually consistent read", get(false), 0.5, 0.5, 0, 0, 0)
	check("a consistent read", get(true), 1, 1, 0, 0, 0)
}

func TestAProjectionThatKeepsNothingGivesAnEmptyItem(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	r.put(t, "things", thingKey(1))
	for k, there := range map[int]bool{1: true, 2: false} {
		out, err := r.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("things"), Key: thingKey(k), ProjectionExpression: aws.String("x")})
		if err != nil {
			t.Fatal(err)
		}
		if (out.Item != nil) != there || len(out.Item) != 0 {
			t.Errorf("item %d gives %v, want an empty item only if it exists", k, out.Item)
		}
	}
}

func TestATableGoesByItsARNToo(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	r.put(t, "arn:aws:dynamodb:us-east-1:000000000000:table/things", thingKey(1))
	if all := r.all(t, "things"); len(all) != 1 {
		t.Errorf("the table has %d items", len(all))
	}
}

func TestEqualNumbersAreOneKey(t *testing.T) {
	r := newRig(t)
	r.create(t, rowsTable())
	for _, number := range []string{"1", "1.0", "1e0", "0.01E2"} {
		r.put(t, "rows", item{"p": s("a"), "s": n(number)})
	}
	out, err := r.Scan(t.Context(), &sdk.ScanInput{TableName: aws.String("rows")})
	if err != nil {
		t.Fatal(err)
	}
	if out.Count != 1 {
		t.Errorf("one number made %d items", out.Count)
	}
}
