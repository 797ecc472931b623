package dynamodb_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

func txPut(table string, it item, condition string) types.TransactWriteItem {
	p := &types.Put{TableName: &table, Item: it}
	if condition != "" {
		p.ConditionExpression = &condition
		p.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	return types.TransactWriteItem{Put: p}
}

func txUpdate(table string, k item, update string, values item) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{TableName: &table, Key: k, UpdateExpression: &update, ExpressionAttributeValues: values}}
}

func txDelete(table string, k item) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{TableName: &table, Key: k}}
}

func txCheck(table string, k item, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: &table, Key: k, ConditionExpression: &condition}}
}

func (r *rig) transact(t *testing.T, items ...types.TransactWriteItem) error {
	t.Helper()
	_, err := r.TransactWriteItems(t.Context(), &sdk.TransactWriteItemsInput{TransactItems: items})
	return err
}

// all returns a table's items by their range key.
func (r *rig) all(t *testing.T, table string) map[string]item {
	t.Helper()
	out, err := r.Scan(t.Context(), &sdk.ScanInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	items := make(map[string]item)
	for _, it := range out.Items {
		items[it["s"].(*types.AttributeValueMemberS).Value] = it
	}
	return items
}

func TestTransactionWritesAcrossTables(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	r.create(t, things("others"))
	r.put(t, "things", item{"p": s("a"), "s": s("1"), "x": n("1")})
	r.put(t, "others", item{"p": s("a"), "s": s("2")})
	if err := r.transact(t,
		txUpdate("things", thingKey(1), "ADD x :one", item{":one": n("1")}),
		txDelete("others", thingKey(2)),
		txPut("others", thingKey(3), "attribute_not_exists(p)"),
		txCheck("things", thingKey(4), "attribute_not_exists(p)"),
	); err != nil {
		t.Fatal(err)
	}
	sameItem(t, "the item updated", item{"p": s("a"), "s": s("1"), "x": n("2")}, r.all(t, "things")["1"])
	others := r.all(t, "others")
	if _, gone := others["2"]; gone || len(others) != 1 {
		t.Errorf("the other table has %v, want item 3 alone", others)
	}
}

func TestCancelledTransactionsSayWhyInOrderAndWriteNothing(t *testing.T) {
	stored := item{"p": s("a"), "s": s("1"), "x": s("text")}
	rows := map[string]struct {
		items    []types.TransactWriteItem
		codes    string
		at       int
		message  string
		withItem bool
	}{
		"a condition":               {[]types.TransactWriteItem{txPut("things", thingKey(2), ""), txPut("things", thingKey(1), "attribute_not_exists(p)")}, "None ConditionalCheckFailed", 1, "The conditional request failed", true},
		"a condition check":         {[]types.TransactWriteItem{txCheck("things", thingKey(5), "attribute_exists(p)"), txPut("things", thingKey(2), "")}, "ConditionalCheckFailed None", 0, "The conditional request failed", false},
		"an update of a wrong type": {[]types.TransactWriteItem{txPut("things", thingKey(2), ""), txUpdate("things", thingKey(1), "SET x = x + :v", item{":v": n("1")})}, "None ValidationError", 1, "incorrect data type", false},
		"a wrong index key":         {[]types.TransactWriteItem{txPut("things", thingKey(2), ""), txPut("things", item{"p": s("a"), "s": s("3"), "g": n("1")}, "")}, "None ValidationError", 1, "Type mismatch for Index Key g", false},
		"a missing key":             {[]types.TransactWriteItem{txPut("things", item{"p": s("a")}, ""), txPut("things", thingKey(2), "")}, "ValidationError None", 0, "Missing the key s in the item", false},
		"an update of a key":        {[]types.TransactWriteItem{txPut("things", thingKey(2), ""), txUpdate("things", thingKey(1), "SET p = :v", item{":v": s("b")})}, "None ValidationError", 1, "This attribute is part of the key", false},
		"an item grown too large":   {[]types.TransactWriteItem{txPut("things", thingKey(2), ""), txUpdate("things", thingKey(1), "SET y = :v", item{":v": s(strings.Repeat("x", 409600))})}, "None ValidationError", 1, "Item size to update has exceeded the maximum allowed size", false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.create(t, things("things"))
			r.put(t, "things", stored)
			var cancelled *types.TransactionCanceledException
			if err := r.transact(t, row.items...); !errors.As(err, &cancelled) {
				t.Fatalf("got %v, want the SDK's TransactionCanceledException", err)
			}
			var codes []string
			for _, reason := range cancelled.CancellationReasons {
				codes = append(codes, aws.ToString(reason.Code))
			}
			if d := cmp.Diff(row.codes, strings.Join(codes, " ")); d != "" {
				t.Errorf("reasons (-want +got):\n%s", d)
			}
			reason := cancelled.CancellationReasons[row.at]
			if !contains(aws.ToString(reason.Message), row.message) {
				t.Errorf("the reason says %q, want %q", aws.ToString(reason.Message), row.message)
			}
			var want item
			if row.withItem {
				want = stored
			}
			sameItem(t, "item of the reason", want, reason.Item)
			if all := r.all(t, "things"); len(all) != 1 {
				t.Errorf("the table has %d items, want the one from before", len(all))
			}
		})
	}
}

func TestTransactionsRefuse(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	var tooMany []types.TransactWriteItem
	var large []types.TransactWriteItem
	for i := range 101 {
		tooMany = append(tooMany, txPut("things", thingKey(i), ""))
	}
	for i := range 11 {
		it := thingKey(i)
		it["x"] = s(strings.Repeat("x", 400_000))
		large = append(large, txPut("things", it, ""))
	}
	for name, row := range map[string]struct {
		items      []types.TransactWriteItem
		code, part string
	}{
		"one item twice":             {[]types.TransactWriteItem{txPut("things", thingKey(1), ""), txDelete("things", thingKey(1))}, "ValidationException", "Transaction request cannot include multiple operations on one item"},
		"101 items":                  {tooMany, "ValidationException", "less than or equal to 100"},
		"more than 4 MB":             {large, "ValidationException", "4 MB"},
		"an empty key":               {[]types.TransactWriteItem{txPut("things", item{"p": s(""), "s": s("1")}, "")}, "ValidationException", "cannot contain an empty string value"},
		"an action with two verbs":   {[]types.TransactWriteItem{{Put: &types.Put{TableName: aws.String("things"), Item: thingKey(1)}, Delete: &types.Delete{TableName: aws.String("things"), Key: thingKey(2)}}}, "ValidationException", "TransactItems can only contain one of"},
		"a table that is not there":  {[]types.TransactWriteItem{txPut("nothing", thingKey(1), "")}, "ResourceNotFoundException", "Requested resource not found"},
		"an expression with a fault": {[]types.TransactWriteItem{txPut("things", thingKey(1), "x y")}, "ValidationException", "Invalid ConditionExpression"},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, r.transact(t, row.items...), row.code, row.part) })
	}
	if all := r.all(t, "things"); len(all) != 0 {
		t.Errorf("the table has %d items", len(all))
	}
}

func TestAClientTokenMakesATransactionIdempotentForTenMinutes(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	add := func(by string) (*sdk.TransactWriteItemsOutput, error) {
		return r.TransactWriteItems(t.Context(), &sdk.TransactWriteItemsInput{
			ClientRequestToken: aws.String("once"), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
			TransactItems: []types.TransactWriteItem{txUpdate("things", thingKey(1), "ADD x :n", item{":n": n(by)})},
		})
	}
	value := func() string {
		t.Helper()
		return r.all(t, "things")["1"]["x"].(*types.AttributeValueMemberN).Value
	}
	first, err := add("1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := add("1")
	if err != nil {
		t.Fatal(err)
	}
	if got := value(); got != "1" {
		t.Errorf("after the repetition x is %s", got)
	}
	if aws.ToFloat64(first.ConsumedCapacity[0].WriteCapacityUnits) != 2 || aws.ToFloat64(again.ConsumedCapacity[0].ReadCapacityUnits) != 2 || again.ConsumedCapacity[0].WriteCapacityUnits != nil {
		t.Errorf("consumed %+v and then %+v, want 2 write units and then 2 read units", first.ConsumedCapacity[0], again.ConsumedCapacity[0])
	}
	_, err = add("2")
	var mismatch *types.IdempotentParameterMismatchException
	if !errors.As(err, &mismatch) {
		t.Errorf("another request with the token gives %v", err)
	}
	r.clock.advance(10*time.Minute + time.Second)
	if _, err := add("2"); err != nil {
		t.Fatal(err)
	}
	if got := value(); got != "3" {
		t.Errorf("after ten minutes x is %s, want the second addition", got)
	}
}

func TestAFailedTransactionDoesNotUseUpItsToken(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	try := func() error {
		_, err := r.TransactWriteItems(t.Context(), &sdk.TransactWriteItemsInput{
			ClientRequestToken: aws.String("again"),
			TransactItems:      []types.TransactWriteItem{txPut("things", thingKey(2), ""), txCheck("things", thingKey(1), "attribute_exists(p)")},
		})
		return err
	}
	wantError(t, try(), "TransactionCanceledException", "ConditionalCheckFailed")
	r.put(t, "things", thingKey(1))
	if err := try(); err != nil {
		t.Fatal(err)
	}
}

func TestTransactGet(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	r.put(t, "things", item{"p": s("a"), "s": s("1"), "x": n("1"), "y": n("2")})
	get := func(k item, projection *string) types.TransactGetItem {
		return types.TransactGetItem{Get: &types.Get{TableName: aws.String("things"), Key: k, ProjectionExpression: projection}}
	}
	out, err := r.TransactGetItems(t.Context(), &sdk.TransactGetItemsInput{
		TransactItems:          []types.TransactGetItem{get(thingKey(9), nil), get(thingKey(1), aws.String("x"))},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		t.Fatal(err)
	}
	sameItem(t, "the missing item", nil, out.Responses[0].Item)
	sameItem(t, "the projected item", item{"x": n("1")}, out.Responses[1].Item)
	if c := aws.ToFloat64(out.ConsumedCapacity[0].CapacityUnits); c != 4 {
		t.Errorf("consumed %v, want 2 an item", c)
	}
	_, err = r.TransactGetItems(t.Context(), &sdk.TransactGetItemsInput{TransactItems: []types.TransactGetItem{get(thingKey(1), nil), get(thingKey(1), nil)}})
	wantError(t, err, "ValidationException", "multiple operations on one item")
}

// Money moves between four accounts in two tables by transactions that lock
// the tables in either order, while readers add it up.
func TestTransactionsAreSerializable(t *testing.T) {
	const accounts, each, workers, moves = 4, 100, 4, 150
	r := newRig(t)
	tables := [2]string{"things", "others"}
	table := func(i int) string { return tables[i%2] }
	for _, name := range tables {
		r.create(t, things(name))
	}
	for i := range accounts {
		r.put(t, table(i), item{"p": s("a"), "s": s(strconv.Itoa(i)), "x": n(strconv.Itoa(each))})
	}
	var work sync.WaitGroup
	for w := range workers {
		work.Go(func() {
			for i := range moves {
				from, to := (w+i)%accounts, (w+i+1+i%3)%accounts
				take := txUpdate(table(from), thingKey(from), "SET x = x - :n", item{":n": n("1")})
				take.Update.ConditionExpression = aws.String("x >= :n")
				err := r.transact(t, take, txUpdate(table(to), thingKey(to), "SET x = x + :n", item{":n": n("1")}))
				var cancelled *types.TransactionCanceledException
				if err != nil && !errors.As(err, &cancelled) {
					t.Errorf("move from %d to %d: %v", from, to, err)
				}
			}
		})
		work.Go(func() {
			for range moves {
				var gets []types.TransactGetItem
				for i := range accounts {
					gets = append(gets, types.TransactGetItem{Get: &types.Get{TableName: aws.String(table(i)), Key: thingKey(i)}})
				}
				out, err := r.TransactGetItems(t.Context(), &sdk.TransactGetItemsInput{TransactItems: gets})
				var cancelled *types.TransactionCanceledException
				if errors.As(err, &cancelled) {
					continue // a conflict with a transfer on its way
				}
				if err != nil {
					t.Error(err)
					return
				}
				sum := 0
				for _, got := range out.Responses {
					x, err := strconv.Atoi(got.Item["x"].(*types.AttributeValueMemberN).Value)
					if err != nil {
						t.Error(err)
					}
					sum += x
				}
				if sum != accounts*each {
					t.Errorf("a reader counted %d, want %d", sum, accounts*each)
				}
			}
		})
	}
	work.Wait()
}
