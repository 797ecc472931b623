package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A batch costs what its writes cost, table by table; a condition that failed
// is charged in the total alone.
func TestWhatABatchConsumes(t *testing.T) {
	list := []types.BatchStatementRequest{
		statement(`UPDATE "things" SET "h"=? WHERE "p"=? AND "s"=?`, s("new"), s("a"), s("2")),                 // 1, and 1 for by-h
		statement(`INSERT INTO "others" VALUE {'p':?,'s':?,'x':?}`, s("a"), s("1"), n("1")),                    // 1
		statement(setNewer, n("4"), s("a"), s("1"), n("4")),                                                    // stale: 3
		statement(setNewer, n("4"), s("none"), s("1"), n("4")),                                                 // missing: 1
		statement(insertX, s("none"), s("2"), n("1")),                                                          // 1
		statement(insertX, s("a"), s("3"), s(strings.Repeat("x", 2000))),                                       // there already: 2
		statement(`INSERT INTO "nothing" VALUE {'p':?,'s':?}`, s("a"), s("1")),                                 // nothing
		statement(`UPDATE "things" SET "x"=? WHERE "p"=?`, n("1"), s("a")),                                     // nothing
		statement(`UPDATE "things" SET "x"=? WHERE "p"=? AND "s"=? AND "x">?`, n("1"), s("a"), s("4"), n("1")), // missing: 1
	}
	for how, want := range map[types.ReturnConsumedCapacity][]string{
		types.ReturnConsumedCapacityNone:    nil,
		types.ReturnConsumedCapacityTotal:   {"things 10", "others 1"},
		types.ReturnConsumedCapacityIndexes: {"things 10 table 2 by-h 1", "others 1 table 1"},
	} {
		t.Run(string(how), func(t *testing.T) {
			r := newRig(t)
			r.create(t, things("things"))
			r.create(t, things("others"))
			r.put(t, "things", item{"p": s("a"), "s": s("1"), "x": n("5"), "big": s(strings.Repeat("x", 2500))})
			r.put(t, "things", item{"p": s("a"), "s": s("2"), "x": n("5")})
			r.put(t, "things", item{"p": s("a"), "s": s("3")})
			out, err := r.BatchExecuteStatement(t.Context(), &sdk.BatchExecuteStatementInput{Statements: list, ReturnConsumedCapacity: how})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range out.ConsumedCapacity {
				line := fmt.Sprint(aws.ToString(c.TableName), " ", aws.ToFloat64(c.CapacityUnits))
				if c.Table != nil {
					line += fmt.Sprint(" table ", aws.ToFloat64(c.Table.CapacityUnits))
				}
				for _, index := range slices.Sorted(maps.Keys(c.GlobalSecondaryIndexes)) {
					line += fmt.Sprint(" ", index, " ", aws.ToFloat64(c.GlobalSecondaryIndexes[index].CapacityUnits))
				}
				got = append(got, line)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// write is one random write, to be done by a statement or by a call of its own.
type write struct {
	insert bool
	key    item
	set    item
	remove []string
	newer  string // the condition "v IS MISSING OR v < newer" if not empty
}

func drawOneWrite(t *rapid.T) write {
	value := func(name string) types.AttributeValue {
		if name == "l" || name == "v" || rapid.Bool().Draw(t, "number") {
			return n(strconv.Itoa(rapid.IntRange(0, 4).Draw(t, name)))
		}
		return s(rapid.SampledFrom([]string{"", "a", "é'\""}).Draw(t, name))
	}
	w := write{insert: rapid.IntRange(0, 3).Draw(t, "kind") == 0, set: item{},
		key: item{"p": s(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "p")), "s": s(strconv.Itoa(rapid.IntRange(0, 3).Draw(t, "s")))}}
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", `y"z`, "g", "h", "l", "v"}), 1, 5, rapid.ID).Draw(t, "names") {
		if !w.insert && rapid.IntRange(0, 2).Draw(t, "remove") == 0 {
			w.remove = append(w.remove, name)
		} else {
			w.set[name] = value(name)
		}
	}
	if !w.insert && rapid.Bool().Draw(t, "conditional") {
		w.newer = strconv.Itoa(rapid.IntRange(0, 5).Draw(t, "newer"))
	}
	return w
}

func quote(name, mark string) string { return mark + strings.ReplaceAll(name, mark, mark+mark) + mark }

// statement is the write in PartiQL.
func (w write) statement() types.BatchStatementRequest {
	var text string
	var parameters []types.AttributeValue
	if w.insert {
		fields := []string{"'p':?", "'s':?"}
		parameters = append(parameters, w.key["p"], w.key["s"])
		for _, name := range slices.Sorted(maps.Keys(w.set)) {
			fields = append(fields, quote(name, "'")+":?")
			parameters = append(parameters, w.set[name])
		}
		return statement(`INSERT INTO "things" VALUE {`+strings.Join(fields, ",")+"}", parameters...)
	}
	for _, name := range slices.Sorted(maps.Keys(w.set)) {
		text += " SET " + quote(name, `"`) + "=?"
		parameters = append(parameters, w.set[name])
	}
	for _, name := range w.remove {
		text += " REMOVE " + quote(name, `"`)
	}
	text += ` WHERE "p"=? AND "s"=?`
	parameters = append(parameters, w.key["p"], w.key["s"])
	if w.newer != "" {
		text += ` AND ("v" IS MISSING OR "v" < ?)`
		parameters = append(parameters, n(w.newer))
	}
	return wantingOld(statement(`UPDATE "things"`+text, parameters...))
}

// alone does the write by PutItem or UpdateItem and says what it answers, as a
// statement would say it.
func (w write) alone(t tester, r *rig) string {
	const table = "things"
	var err error
	if w.insert {
		whole := maps.Clone(w.key)
		maps.Copy(whole, w.set)
		_, err = r.PutItem(context.Background(), &sdk.PutItemInput{TableName: aws.String(table), Item: whole, ConditionExpression: aws.String("attribute_not_exists(p)")})
	} else {
		in := &sdk.UpdateItemInput{TableName: aws.String(table), Key: w.key, ConditionExpression: aws.String("attribute_exists(p)"),
			ExpressionAttributeNames: map[string]string{}, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}
		values := item{}
		var sets, removes []string
		for i, name := range slices.Sorted(maps.Keys(w.set)) {
			in.ExpressionAttributeNames[fmt.Sprint("#s", i)] = name
			values[fmt.Sprint(":s", i)] = w.set[name]
			sets = append(sets, fmt.Sprintf("#s%d=:s%d", i, i))
		}
		for i, name := range w.remove {
			in.ExpressionAttributeNames[fmt.Sprint("#r", i)] = name
			removes = append(removes, fmt.Sprint("#r", i))
		}
		update := ""
		if len(sets) > 0 {
			update = "SET " + strings.Join(sets, ", ")
		}
		if len(removes) > 0 {
			update += " REMOVE " + strings.Join(removes, ", ")
		}
		in.UpdateExpression = &update
		if w.newer != "" {
			in.ConditionExpression = aws.String("attribute_exists(p) AND (attribute_not_exists(v) OR v < :newer)")
			values[":newer"] = n(w.newer)
		}
		if len(values) > 0 {
			in.ExpressionAttributeValues = values
		}
		_, err = r.UpdateItem(context.Background(), in)
	}
	var failed *types.ConditionalCheckFailedException
	var api smithy.APIError
	switch {
	case err == nil:
		return table
	case errors.As(err, &failed) && w.insert:
		return table + " DuplicateItem: Duplicate primary key exists in table"
	case errors.As(err, &failed) && failed.Item != nil:
		return table + " ConditionalCheckFailed: " + failed.ErrorMessage() + " " + text(failed.Item)
	case errors.As(err, &failed):
		return table + " ConditionalCheckFailed: " + failed.ErrorMessage()
	case errors.As(err, &api) && api.ErrorCode() == "ValidationException":
		return table + " ValidationError: " + api.ErrorMessage()
	}
	t.Fatal(err)
	return ""
}

// Whatever statements a batch has, it answers each as the equivalent UpdateItem
// or PutItem is answered, and leaves the same table and the same stream records
// as they leave one by one.
func TestABatchDoesWhatItsWritesDoAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		batched, single := newRig(t), newRig(t)
		for _, r := range []*rig{batched, single} {
			r.create(t, things("things"))
		}
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			writes := rapid.SliceOfNDistinct(rapid.Custom(drawOneWrite), 1, 8, func(w write) string { return text(w.key) }).Draw(t, "writes")
			var list []types.BatchStatementRequest
			var want []string
			for _, w := range writes {
				list = append(list, w.statement())
				want = append(want, w.alone(t, single))
			}
			var got []string
			for _, response := range batched.batch(t, list...) {
				got = append(got, answer(response))
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("answers (-alone +batched):\n%s", d)
			}
		}
		if d := cmp.Diff(single.changes(t), batched.changes(t)); d != "" {
			t.Fatalf("stream records (-alone +batched):\n%s", d)
		}
		for _, index := range []string{"", "by-g", "by-h", "by-l"} {
			if d := cmp.Diff(single.contents(t, index), batched.contents(t, index)); d != "" {
				t.Fatalf("items of %q (-alone +batched):\n%s", index, d)
			}
		}
	})
}

// changes are the stream's records in a form that compares.
func (r *rig) changes(t tester) []string {
	t.Helper()
	var list []string
	for _, rec := range r.records(t, "things") {
		list = append(list, fmt.Sprint(rec.EventName, " ", text(rec.Dynamodb.Keys), "from ", text(rec.Dynamodb.OldImage), "to ", text(rec.Dynamodb.NewImage)))
	}
	return list
}

// contents are the items of the table or of one of its indexes.
func (r *rig) contents(t tester, index string) []string {
	t.Helper()
	in := &sdk.ScanInput{TableName: aws.String("things")}
	if index != "" {
		in.IndexName = &index
	}
	out, err := r.Scan(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]string, len(out.Items))
	for i, it := range out.Items {
		list[i] = text(it)
	}
	return list
}

func TestLiteralsStandBesideParameters(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	st := statement(`UPDATE "things" SET "x"=?, "y"='it''s' WHERE "p"='a' AND "s"=? AND "x"=4.0`, n("5"), s("1"))
	for x, want := range map[string]string{"4": `p="a" s="1" x=5 y="it's" `, "3": `p="a" s="1" x=3 `} {
		r.put(t, "things", item{"p": s("a"), "s": s("1"), "x": n(x)})
		r.batch(t, st)
		if got := text(r.all(t, "things")["1"]); got != want {
			t.Errorf("of x=%s it made %s, want %s", x, got, want)
		}
	}
}
