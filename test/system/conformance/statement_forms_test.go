package conformance

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestStatementForms(t *testing.T) {
	check(t, tables, []behaviour{
		{
			name: "conditions with OR, NOT, parentheses and other attributes",
			page: "PartiQL update statements for DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": n("1"), "w": n("2"), "t": s("x")})
				for _, condition := range []string{
					`"v" = 1 OR "v" = 5`, `("v" = 5 OR "w" = 2) AND "t" = 'x'`, `NOT "v" = 1`, `NOT ("v" = 5)`, `"v" < "w"`, `"t" IS MISSING`,
					`"absent" IS MISSING AND "v" IS NOT MISSING`, `"v" <> 1`, `"v" != 2`, `"t" > 'w'`,
				} {
					out, err := p.DynamoDB.BatchExecuteStatement(p.ctx, &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{
						{Statement: aws.String(`UPDATE "` + table + `" SET "seen"=true WHERE "p"='a' AND (` + condition + `)`)}}})
					if err != nil {
						p.see("%s: the call: %s", condition, code(err))
						continue
					}
					p.see("%s: %s", condition, answered(out.Responses[0]))
				}
			},
			want: `
				"v" = 1 OR "v" = 5: ok {}
				("v" = 5 OR "w" = 2) AND "t" = 'x': ok {}
				NOT "v" = 1: ConditionalCheckFailed
				NOT ("v" = 5): ok {}
				"v" < "w": ok {}
				"t" IS MISSING: ConditionalCheckFailed
				"absent" IS MISSING AND "v" IS NOT MISSING: ok {}
				"v" <> 1: ConditionalCheckFailed
				"v" != 2: ok {}
				"t" > 'w': ok {}`,
		},
		{
			name: "reads and writes do not mix in a batch, and nothing is written",
			page: "BatchExecuteStatement",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": n("1")}, item{"p": s("b")})
				p.execute(table,
					statement{`UPDATE @ SET "v"=? WHERE "p"=?`, []value{n("2"), s("a")}},
					statement{`SELECT * FROM @ WHERE "p"=?`, []value{s("b")}},
				)
				p.see("%s", p.get(table, "a"))
			},
			want: `
				the call: ValidationException
				{p:"a" v:1}`,
		},
		{
			name: "a failed condition has its item only if it is asked for",
			page: "BatchStatementRequest",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": n("1")})
				text := aws.String(`UPDATE "` + table + `" SET "v"=2 WHERE "p"='a' AND "v"=7`)
				for _, want := range []types.ReturnValuesOnConditionCheckFailure{"", types.ReturnValuesOnConditionCheckFailureNone, types.ReturnValuesOnConditionCheckFailureAllOld} {
					out, err := p.DynamoDB.BatchExecuteStatement(p.ctx, &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{
						{Statement: text, ReturnValuesOnConditionCheckFailure: want}}})
					p.must(err)
					p.see("%q: %s", want, answered(out.Responses[0]))
				}
			},
			want: `
				"": ConditionalCheckFailed
				"NONE": ConditionalCheckFailed
				"ALL_OLD": ConditionalCheckFailed {p:"a" v:1}`,
		},
		{
			name: "a statement names the whole key of one item, and inserts it",
			page: "PartiQL insert statements for DynamoDB",
			run: func(p *probe) {
				table := p.ranged()
				p.execute(table,
					statement{`INSERT INTO @ VALUE {'p':?, 'r':?, 'm':?}`, []value{s("a"), n("1"), &types.AttributeValueMemberM{Value: item{"k": n("1")}}}},
					statement{`INSERT INTO @ VALUE {'p':?}`, []value{s("b")}},
					statement{`UPDATE @ SET "x"=1 WHERE "p"=?`, []value{s("c")}},
					statement{`UPDATE @ SET "x"=1 WHERE "p"=? AND "r">?`, []value{s("d"), n("0")}},
					statement{`UPDATE @ SET "x"=1 WHERE "p"=? OR "r"=?`, []value{s("e"), n("1")}},
				)
				p.execute(table, statement{`UPDATE @ SET "x"=1 REMOVE "m" WHERE "r"=? AND "p"=?`, []value{n("1.0"), s("a")}})
				out, err := p.DynamoDB.Scan(p.ctx, &dynamodb.ScanInput{TableName: &table})
				p.must(err)
				p.see("%s", texts(out.Items))
			},
			want: `
				0 ok {}
				1 ValidationError
				2 ValidationError
				3 ValidationError
				4 ValidationError
				0 ok {}
				{p:"a" r:1 x:1}`,
		},
		{
			name: "statements are at most 8192 characters",
			page: "BatchStatementRequest",
			run: func(p *probe) {
				table := p.table(item{"p": s("a")})
				for _, length := range []int{8192, 8193} {
					start, end := `UPDATE "`+table+`" SET "x"='`, `' WHERE "p"='a'`
					filling := make([]byte, length-len(start)-len(end))
					for i := range filling {
						filling[i] = 'v'
					}
					_, err := p.DynamoDB.BatchExecuteStatement(p.ctx, &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{
						{Statement: aws.String(start + string(filling) + end)}}})
					p.see("%d: %s", length, code(err))
				}
			},
			want: `
				8192: ok
				8193: ValidationException`,
		},
	})
}
