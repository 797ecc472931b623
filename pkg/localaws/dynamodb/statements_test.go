package dynamodb_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Statements on the table things.
const (
	setX     = `UPDATE "things" SET "x"=? WHERE "p"=? AND "s"=?`
	setNewer = `UPDATE "things" SET "x"=? WHERE "p"=? AND "s"=? AND ("x" IS MISSING OR "x" < ?)`
	insertX  = `INSERT INTO "things" VALUE {'p':?,'s':?,'x':?}`
)

func statement(text string, parameters ...types.AttributeValue) types.BatchStatementRequest {
	return types.BatchStatementRequest{Statement: &text, Parameters: parameters}
}

// wantingOld asks for the item of a failed condition.
func wantingOld(st types.BatchStatementRequest) types.BatchStatementRequest {
	st.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	return st
}

func (r *rig) batch(t tester, list ...types.BatchStatementRequest) []types.BatchStatementResponse {
	t.Helper()
	out, err := r.BatchExecuteStatement(context.Background(), &sdk.BatchExecuteStatementInput{Statements: list})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Responses) != len(list) {
		t.Fatal(fmt.Sprintf("%d responses to %d statements", len(out.Responses), len(list)))
	}
	return out.Responses
}

// answer is a response in a form that compares.
func answer(r types.BatchStatementResponse) string {
	out := aws.ToString(r.TableName)
	if e := r.Error; e != nil {
		out += " " + string(e.Code) + ": " + aws.ToString(e.Message)
		if e.Item != nil {
			out += " " + text(e.Item)
		}
	}
	return out
}

func TestEachStatementIsAnsweredAlone(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	r.create(t, &sdk.CreateTableInput{TableName: aws.String("numbers"), AttributeDefinitions: defs("n", "N"), KeySchema: key("n"), BillingMode: types.BillingModePayPerRequest})
	r.put(t, "things", item{"p": s("a"), "s": s("1"), "x": n("5")})
	r.put(t, "numbers", item{"n": n("7")})
	const failed = "ConditionalCheckFailed: The conditional request failed"
	rows := []struct {
		what string
		st   types.BatchStatementRequest
		want string
	}{
		{"a stale update", statement(setNewer, n("4"), s("a"), s("1"), n("4")), "things " + failed},
		{"an update of nothing", wantingOld(statement(setNewer, n("4"), s("none"), s("1"), n("4"))), "things " + failed},
		{"an update without a condition creates nothing either", statement(setX, n("4"), s("none"), s("2")), "things " + failed},
		{"an insert", statement(insertX, s("a"), s("2"), n("1")), "things"},
		{"another table", statement(`UPDATE "numbers" SET "y"='t' REMOVE "z" WHERE "n"=7.0`), "numbers"},
		{"no such table", statement(`UPDATE "nothing" SET "x"=? WHERE "p"=?`, n("1"), s("a")), " ResourceNotFound: Cannot do operations on a non-existent table"},
		{"too few parameters", statement(setX, n("1")), " ValidationError: Number of parameters in request and statement don't match."},
		{"half a key", statement(`UPDATE "things" SET "x"=? WHERE "p"=?`, n("1"), s("a")), " ValidationError: Where clause does not contain a mandatory equality on all key attributes"},
		{"a key under OR", statement(`UPDATE "things" SET "x"=? WHERE "p"=? OR "s"=?`, n("1"), s("a"), s("1")), " ValidationError: Where clause does not contain a mandatory equality on all key attributes"},
		{"no WHERE", statement(`UPDATE "things" SET "x"=?`, n("1")), " ValidationError: Where clause does not contain a mandatory equality on all key attributes"},
		{"two keys", statement(setX+` AND "p"='b'`, n("1"), s("a"), s("8")), " ValidationError: Multiple conditions on same key p. Only single item Update/Insert/Delete are supported"},
		{"a key of another type", statement(setX, n("1"), n("1"), s("1")), " ValidationError: Key attribute's data type should match its data type in table's schema: Key p"},
		{"a key of no key's type", statement(setX, n("1"), &types.AttributeValueMemberNULL{Value: true}, s("1")), " ValidationError: Key value must be of type S, N, or B. Key name: p, Key type: NULL"},
		{"an empty key", statement(setX, n("1"), s(""), s("1")), "things ValidationError: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p"},
		{"an insert without its key", statement(`INSERT INTO "things" VALUE {'p':?}`, s("k")), " ValidationError: Key attribute should be present in the item: Key s"},
		{"an insert with a name twice", statement(`INSERT INTO "things" VALUE {'p':?,'s':?,'p':?}`, s("k"), s("k"), s("k")), " ValidationError: Duplicate keys in tuple. Key: p under root at 1:41:3"},
		{"one attribute set and removed", statement(`UPDATE "things" SET "x"=? REMOVE "x" WHERE "p"=? AND "s"=?`, n("1"), s("k"), s("k")), " ValidationError: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [x], path two: [x]"},
		{"a name like a placeholder", statement(`UPDATE "things" SET "#x"=? WHERE "p"=? AND "s"=?`, n("1"), s("k"), s("k")), " ValidationError: An expression attribute name used in the document path is not defined; attribute name: #x"},
		{"an order of what has none", statement(setX+` AND "x" < ?`, n("1"), s("k"), s("k"), &types.AttributeValueMemberBOOL{Value: true}), " ValidationError: Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"},
		{"a list of REMOVEs", statement(`UPDATE "things" REMOVE "x","y" WHERE "p"=? AND "s"=?`, s("k"), s("k")), ` ValidationError: Statement wasn't well formed, can't be processed: UPDATE "things" REMOVE "x","y" WHERE "p"=? AND "s"=?`},
		{"no statement", statement(" "), " ValidationError: Statement wasn't well formed, can't be processed:  "},
		{"an index key of another type", statement(`INSERT INTO "things" VALUE {'p':?,'s':?,'g':1}`, s("k"), s("3")), "things ValidationError: One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g"},
		{"an item over 400 KB", statement(insertX, s("k"), s("4"), s(strings.Repeat("x", 400<<10))), "things ValidationError: Item size has exceeded the maximum allowed size"},
		{"one parameter too many", statement(insertX, s("a"), s("3"), n("1"), n("2")), "things"},
	}
	var list []types.BatchStatementRequest
	for _, row := range rows {
		list = append(list, row.st)
	}
	for i, got := range r.batch(t, list...) {
		if answer(got) != rows[i].want {
			t.Errorf("%s: %s\nwant %s", rows[i].what, answer(got), rows[i].want)
		}
	}
	if got := len(r.all(t, "things")); got != 3 {
		t.Errorf("%d things, want the one that was and the two inserted", got)
	}
	old := `things ` + failed + ` p="a" s="1" x=5 `
	if got := answer(r.batch(t, wantingOld(statement(setNewer, n("4"), s("a"), s("1"), n("4"))))[0]); got != old {
		t.Errorf("a stale update that wants the item: %s\nwant %s", got, old)
	}
	if got := answer(r.batch(t, wantingOld(statement(insertX, s("a"), s("1"), n("9"))))[0]); got != "things DuplicateItem: Duplicate primary key exists in table" {
		t.Errorf("an insert of what is there: %s", got)
	}
	if got := answer(r.batch(t, statement(`UPDATE "things" SET "p"=? WHERE "p"=? AND "s"=?`, s("b"), s("a"), s("1")))[0]); !strings.Contains(got, "Cannot update attribute p") {
		t.Errorf("an update of the key: %s", got)
	}
}

func TestWhatRefusesAWholeBatch(t *testing.T) {
	many := make([]types.BatchStatementRequest, 26)
	for i := range many {
		many[i] = statement(setX, n("6"), s("a"), s(fmt.Sprint(i)))
	}
	ok := statement(setX, n("6"), s("a"), s("1"))
	numbered := func(number string) types.BatchStatementRequest {
		return statement(`UPDATE "numbers" SET "x"=? WHERE "n"=?`, n("6"), n(number))
	}
	for name, row := range map[string]struct {
		list []types.BatchStatementRequest
		part string
	}{
		"no statement":                     {[]types.BatchStatementRequest{}, "The statement was empty."},
		"an empty statement":               {[]types.BatchStatementRequest{ok, statement("")}, "The statement was empty."},
		"26 statements":                    {many, "cannot write more than 25 items"},
		"a statement over 8,192 bytes":     {[]types.BatchStatementRequest{ok, statement(setX + strings.Repeat(" ", 8192))}, "length less than or equal to 8192"},
		"an invalid number":                {[]types.BatchStatementRequest{ok, statement(setX, n("1x"), s("a"), s("2"))}, "cannot be converted into a number"},
		"an empty set":                     {[]types.BatchStatementRequest{ok, statement(setX, &types.AttributeValueMemberSS{Value: []string{}}, s("a"), s("2"))}, "string set  may not be empty"},
		"one item twice":                   {[]types.BatchStatementRequest{ok, statement(insertX, s("a"), s("1"), n("1"))}, "Provided list of item keys contains duplicates"},
		"one number twice":                 {[]types.BatchStatementRequest{ok, numbered("1"), numbered("1.0")}, "Provided list of item keys contains duplicates"},
		"one item twice, one not written":  {[]types.BatchStatementRequest{ok, statement(`UPDATE "things" SET "p"=? WHERE "p"=? AND "s"=?`, s("b"), s("a"), s("1"))}, "contains duplicates"},
		"a read among writes":              {[]types.BatchStatementRequest{ok, statement(`SELECT * FROM "things" WHERE "p"=?`, s("a"))}, "Read and write requests together"},
		"a read":                           {[]types.BatchStatementRequest{statement(` select * FROM "things"`)}, "Statements[0]: localaws does not know SELECT in a PartiQL statement"},
		"a form localaws does not know":    {[]types.BatchStatementRequest{ok, statement(`DELETE FROM "things" WHERE "p"=?`, s("a"))}, "Statements[1]: localaws does not know DELETE"},
		"an unknown way to return an item": {[]types.BatchStatementRequest{{Statement: aws.String(setX), ReturnValuesOnConditionCheckFailure: "SOME"}}, "returnValuesOnConditionCheckFailure"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.create(t, things("things"))
			r.create(t, &sdk.CreateTableInput{TableName: aws.String("numbers"), AttributeDefinitions: defs("n", "N"), KeySchema: key("n"), BillingMode: types.BillingModePayPerRequest})
			r.put(t, "things", item{"p": s("a"), "s": s("1"), "x": n("5")})
			_, err := r.BatchExecuteStatement(t.Context(), &sdk.BatchExecuteStatementInput{Statements: row.list})
			wantError(t, err, "ValidationException", row.part)
			if got := text(r.all(t, "things")["1"]); !strings.Contains(got, "x=5") {
				t.Errorf("the batch changed something all the same: %s", got)
			}
		})
	}
}

func TestParametersOfABatchThatAreNotKnownAreRefused(t *testing.T) {
	r := newRig(t)
	for body, name := range map[string]string{
		`{"Statements":[{"Statement":"x","ConsistentRead":true}]}`:      "ConsistentRead",
		`{"Statements":[{"Statement":"x"}],"NextToken":"t"}`:            "NextToken",
		`{"Statements":[{"Statement":"x","Limit":1}]}`:                  "Limit",
		`{"Statements":[{"Statement":"x","Parameters":[{"S":1}]}]}`:     "",
		`{"Statements":[{"Statement":"x","Parameters":[null]}]}`:        "empty",
		`{"Statements":[{"Statement":"x","Parameters":[{"Q":"1"}]}]}`:   "Q",
		`{"Statements":[{"Statement":"x","Parameters":{"S":"1"}}]}`:     "Start of structure",
		`{"Statements":[{"Statement":"x"}],"ReturnConsumedCapacity":1}`: "ReturnConsumedCapacity",
	} {
		code, message := r.post(t, "BatchExecuteStatement", body)
		if code != "ValidationException" && code != "SerializationException" || !strings.Contains(message, name) {
			t.Errorf("%s: %s: %s", body, code, message)
		}
	}
	for _, operation := range []string{"ExecuteStatement", "ExecuteTransaction"} {
		if code, message := r.post(t, operation, `{}`); code != "UnknownOperationException" || !strings.Contains(message, operation) {
			t.Errorf("%s: %s: %s", operation, code, message)
		}
	}
}
