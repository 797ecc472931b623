package conformance

import (
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// statement is one of a batch. An @ in it stands for the table's name in
// quotes.
type statement struct {
	text       string
	parameters []value
}

// The statements that a versioned write is made of.
const (
	newer  = `UPDATE @ SET "v"=? WHERE "p"=? AND ("v" IS MISSING OR "v" < ?)`
	insert = `INSERT INTO @ VALUE {'p':?, 'v':?}`
)

// execute runs statements in one call, asking for the items of failed
// conditions, and notes how each is answered.
func (p *probe) execute(table string, list ...statement) {
	p.Helper()
	in := &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{}}
	for _, st := range list {
		in.Statements = append(in.Statements, types.BatchStatementRequest{
			Statement: aws.String(strings.ReplaceAll(st.text, "@", `"`+table+`"`)), Parameters: st.parameters,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
	}
	out, err := p.DynamoDB.BatchExecuteStatement(p.ctx, in)
	if err != nil {
		p.see("the call: %s", code(err))
		return
	}
	for i, r := range out.Responses {
		p.see("%d %s", i, answered(r))
	}
}

// answered is how a statement was answered.
func answered(r types.BatchStatementResponse) string {
	if r.Error == nil {
		return "ok " + text(r.Item)
	}
	if r.Error.Item == nil {
		return string(r.Error.Code)
	}
	return string(r.Error.Code) + " " + text(r.Error.Item)
}

func TestStatements(t *testing.T) {
	check(t, tables, []behaviour{
		{
			name: "each statement of a batch is answered alone, in order",
			page: "BatchExecuteStatement",
			run: func(p *probe) {
				table := p.table(item{"p": s("old"), "v": n("1")}, item{"p": s("new"), "v": n("9")})
				p.execute(table,
					statement{newer, []value{n("5"), s("old"), n("5")}},
					statement{newer, []value{n("5"), s("new"), n("5")}},
					statement{newer, []value{n("5"), s("absent"), n("5")}},
					statement{insert, []value{s("inserted"), n("5")}},
				)
				p.see("%s %s %s %s", p.get(table, "old"), p.get(table, "new"), p.get(table, "absent"), p.get(table, "inserted"))
			},
			want: `
				0 ok {}
				1 ConditionalCheckFailed {p:"new" v:9}
				2 ConditionalCheckFailed
				3 ok {}
				{p:"old" v:5} {p:"new" v:9} {} {p:"inserted" v:5}`,
		},
		{
			name: "an equal version is stale",
			page: "PartiQL update statements for DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": n("5"), "x": s("kept")})
				p.execute(table, statement{`UPDATE @ SET "v"=? SET "x"=? WHERE "p"=? AND "v" < ?`, []value{n("5"), s("other"), s("a"), n("5")}})
				p.see("%s", p.get(table, "a"))
			},
			want: `
				0 ConditionalCheckFailed {p:"a" v:5 x:"kept"}
				{p:"a" v:5 x:"kept"}`,
		},
		{
			name: "an insert of what exists is a duplicate and changes nothing",
			page: "PartiQL insert statements for DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "x": s("kept")})
				p.execute(table, statement{insert, []value{s("a"), n("5")}})
				p.see("%s", p.get(table, "a"))
			},
			want: `
				0 DuplicateItem
				{p:"a" x:"kept"}`,
		},
		{
			name: "SET and REMOVE of several attributes",
			page: "PartiQL update statements for DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "x": s("1"), "y": s("2"), "z": s("3")})
				p.execute(table, statement{`UPDATE @ SET "x"=? SET "w"='it''s' REMOVE "y" REMOVE "absent" WHERE "p"='a'`, []value{n("1.50")}})
				p.see("%s", p.get(table, "a"))
			},
			want: `
				0 ok {}
				{p:"a" w:"it's" x:1.5 z:"3"}`,
			differs: map[string]difference{dynamoDBLocal: {"keeps a statement's number as it is written; Supported data types: trailing zeroes are trimmed", `
				0 ok {}
				{p:"a" w:"it's" x:1.50 z:"3"}`}},
		},
		{
			name: "a poisoned statement fails alone",
			page: "BatchExecuteStatement",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": n("1")}, item{"p": s("d")})
				p.execute(table,
					statement{`UPDATE @ SET "v"=? WHERE "p"=?`, []value{n("2"), s("a")}},
					statement{`UPDATE @ SET "v"=? WHERE "v"=?`, []value{n("2"), n("1")}},
					statement{`UPDATE @ SET "v"=? WHERE "p"=?`, []value{n("2"), n("1")}},
					statement{`UPDATE @ SET "v"=? WHERE "p"=?`, []value{n("2")}},
					statement{`UPDATE @ SET "v"=? WHERE "p"=?`, []value{n("2"), s("")}},
					statement{`UPDATE "` + p.named("none") + `" SET "v"=? WHERE "p"=?`, []value{n("2"), s("b")}},
					statement{`UPDATE @ SET "p"=? WHERE "p"=?`, []value{s("c"), s("d")}},
					statement{insert, []value{s("e"), s(strings.Repeat("v", 400<<10))}},
				)
				p.see("%s %s", p.get(table, "a"), p.get(table, "e"))
			},
			want: `
				0 ok {}
				1 ValidationError
				2 ValidationError
				3 ValidationError
				4 ValidationError
				5 ResourceNotFound
				6 ValidationError
				7 ValidationError
				{p:"a" v:2} {}`,
		},
		{
			name: "25 statements are a batch, 26 and none are not",
			page: "BatchExecuteStatement",
			run: func(p *probe) {
				table := p.table()
				var list []statement
				for i := range 26 {
					list = append(list, statement{insert, []value{s(strconv.Itoa(i)), n("1")}})
				}
				p.execute(table, list...)
				p.execute(table)
				p.see("%s", p.get(table, "0"))
				p.execute(table, list[:25]...)
			},
			want: `
				the call: ValidationException
				the call: ValidationException
				{}` + func() string {
				var out strings.Builder
				for i := range 25 {
					out.WriteString("\n" + strconv.Itoa(i) + " ok {}")
				}
				return out.String()
			}(),
		},
		{
			name: "an item twice in a batch is refused",
			page: "BatchExecuteStatement",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": n("1")})
				p.execute(table,
					statement{`UPDATE @ SET "v"=? WHERE "p"=?`, []value{n("2"), s("a")}},
					statement{`UPDATE @ SET "v"=? WHERE "p"=?`, []value{n("3"), s("a")}},
				)
				p.see("applied %t", p.get(table, "a") != `{p:"a" v:1}`)
			},
			want: `
				the call: ValidationException
				applied false`,
			differs: map[string]difference{dynamoDBLocal: {"applies statements before it refuses the call", `
				the call: ValidationException
				applied true`}},
		},
		{
			name: "what is no statement fails alone",
			page: "BatchExecuteStatement",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": n("1")})
				p.execute(table,
					statement{`UPDATE @ SET "v"=? WHERE "p"=?`, []value{n("2"), s("a")}},
					statement{`UPDATE @ SET "v"=`, nil},
				)
			},
			want: `
				0 ok {}
				1 ValidationError`,
		},
		{
			name: "the types of compared values matter, numbers are compared as numbers",
			page: "PartiQL update statements for DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": n("10")}, item{"p": s("b"), "v": s("10")}, item{"p": s("c"), "v": n("1e1")})
				p.execute(table,
					statement{`UPDATE @ SET "x"=1 WHERE "p"=? AND "v" > ?`, []value{s("a"), n("9")}},
					statement{`UPDATE @ SET "x"=1 WHERE "p"=? AND "v" > ?`, []value{s("b"), n("9")}},
					statement{`UPDATE @ SET "x"=1 WHERE "p"=? AND "v" = ?`, []value{s("c"), n("10.0")}},
				)
			},
			want: `
				0 ok {}
				1 ConditionalCheckFailed {p:"b" v:"10"}
				2 ok {}`,
		},
	})
}
