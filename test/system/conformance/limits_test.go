package conformance

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestKeysAndLimits(t *testing.T) {
	putCode := func(p *probe, table string, it item) string {
		_, err := p.DynamoDB.PutItem(p.ctx, &dynamodb.PutItemInput{TableName: &table, Item: it})
		return code(err)
	}
	check(t, tables, []behaviour{
		{
			name: "empty texts are values, empty sets are not",
			page: "Supported data types and naming rules in Amazon DynamoDB",
			run: func(p *probe) {
				table := p.table()
				p.see("text %s", putCode(p, table, item{"p": s("a"), "x": s("")}))
				p.see("binary %s", putCode(p, table, item{"p": s("a"), "x": &types.AttributeValueMemberB{Value: []byte{}}}))
				p.see("list and map %s", putCode(p, table, item{"p": s("a"), "x": &types.AttributeValueMemberL{Value: []value{}}, "y": &types.AttributeValueMemberM{Value: item{}}}))
				p.see("set %s", putCode(p, table, item{"p": s("a"), "x": ss()}))
				p.see("set of the empty text %s", putCode(p, table, item{"p": s("b"), "x": ss("")}))
				p.see("set with repetition %s", putCode(p, table, item{"p": s("a"), "x": ss("k", "k")}))
				p.see("set of equal numbers %s", putCode(p, table, item{"p": s("a"), "x": &types.AttributeValueMemberNS{Value: []string{"1", "1.0"}}}))
				p.see("%s", p.get(table, "a"))
			},
			want: `
				text ok
				binary ok
				list and map ok
				set ValidationException
				set of the empty text ok
				set with repetition ValidationException
				set of equal numbers ValidationException
				{p:"a" x:[] y:{}}`,
		},
		{
			name: "keys that are missing, empty, of another type or too long are refused",
			page: "Constraints in Amazon DynamoDB",
			run: func(p *probe) {
				table := p.table()
				p.see("missing %s", putCode(p, table, item{"x": s("a")}))
				p.see("empty %s", putCode(p, table, item{"p": s("")}))
				p.see("number %s", putCode(p, table, item{"p": n("1")}))
				p.see("null %s", putCode(p, table, item{"p": &types.AttributeValueMemberNULL{Value: true}}))
				p.see("2048 bytes %s", putCode(p, table, item{"p": s(strings.Repeat("k", 2048))}))
				p.see("2049 bytes %s", putCode(p, table, item{"p": s(strings.Repeat("k", 2049))}))
				_, err := p.DynamoDB.GetItem(p.ctx, &dynamodb.GetItemInput{TableName: &table, Key: item{"p": s("a"), "x": s("b")}})
				p.see("more than the key %s", code(err))
				_, err = p.DynamoDB.GetItem(p.ctx, &dynamodb.GetItemInput{TableName: aws.String(p.named("none")), Key: item{"p": s("a")}})
				p.see("no table %s", code(err))
				p.see("put into no table %s", putCode(p, p.named("none"), item{"p": s("a")}))
			},
			want: `
				missing ValidationException
				empty ValidationException
				number ValidationException
				null ValidationException
				2048 bytes ok
				2049 bytes ValidationException
				more than the key ValidationException
				no table ResourceNotFoundException
				put into no table ResourceNotFoundException`,
		},
		{
			name: "an index key of another type is refused, a missing one is not",
			page: "Using Global Secondary Indexes in DynamoDB",
			run: func(p *probe) {
				table := p.indexed()
				p.see("missing %s", putCode(p, table, item{"p": s("a")}))
				p.see("another type %s", putCode(p, table, item{"p": s("b"), "g": n("1")}))
				p.see("empty %s", putCode(p, table, item{"p": s("b"), "g": s("")}))
				_, err := p.update(table, "SET g = :v", "", item{":v": n("1")})
				p.see("updated to another type %s", code(err))
				p.see("%s %s", p.get(table, "a"), p.get(table, "b"))
			},
			want: `
				missing ok
				another type ValidationException
				empty ValidationException
				updated to another type ValidationException
				{p:"a"} {}`,
		},
		{
			name: "an item has at most 400 KB, names included",
			page: "Constraints in Amazon DynamoDB",
			run: func(p *probe) {
				table := p.table()
				// The key p with one letter is 2 bytes, the name x one.
				p.see("409600 %s", putCode(p, table, item{"p": s("a"), "x": s(strings.Repeat("v", 400<<10-3))}))
				p.see("409601 %s", putCode(p, table, item{"p": s("b"), "x": s(strings.Repeat("v", 400<<10-2))}))
				_, err := p.update(table, "SET y = :v", "", item{":v": s("")})
				p.see("an update beyond it %s", code(err))
			},
			want: `
				409600 ok
				409601 ValidationException
				an update beyond it ValidationException`,
		},
		{
			name: "values are nested at most 32 deep, the innermost counted",
			page: "Constraints in Amazon DynamoDB",
			run: func(p *probe) {
				table := p.table()
				v := s("leaf")
				for range 31 {
					v = &types.AttributeValueMemberL{Value: []value{v}}
				}
				p.see("32 %s", putCode(p, table, item{"p": s("a"), "x": v}))
				p.see("33 %s", putCode(p, table, item{"p": s("a"), "x": &types.AttributeValueMemberL{Value: []value{v}}}))
			},
			want: `
				32 ok
				33 ValidationException`,
		},
		{
			name: "creating a table twice, deleting and describing none",
			page: "CreateTable",
			run: func(p *probe) {
				table := p.table()
				_, err := p.DynamoDB.CreateTable(p.ctx, definition(table))
				p.see("create %s", code(err))
				none := p.named("none")
				_, err = p.DynamoDB.DescribeTable(p.ctx, &dynamodb.DescribeTableInput{TableName: &none})
				p.see("describe %s", code(err))
				_, err = p.DynamoDB.DeleteTable(p.ctx, &dynamodb.DeleteTableInput{TableName: &none})
				p.see("delete %s", code(err))
				unused := definition(none)
				defines(unused, "unused", "S")
				_, err = p.DynamoDB.CreateTable(p.ctx, unused)
				p.see("an attribute that is no key %s", code(err))
				short := definition("ab")
				_, err = p.DynamoDB.CreateTable(p.ctx, short)
				p.see("a name of two letters %s", code(err))
			},
			want: `
				create ResourceInUseException
				describe ResourceNotFoundException
				delete ResourceNotFoundException
				an attribute that is no key ValidationException
				a name of two letters ValidationException`,
		},
		{
			name: "TTL is described and cannot be enabled twice",
			page: "UpdateTimeToLive",
			run: func(p *probe) {
				table := p.table()
				describe := func() {
					out, err := p.DynamoDB.DescribeTimeToLive(p.ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &table})
					p.must(err)
					p.see("%s %q", out.TimeToLiveDescription.TimeToLiveStatus, aws.ToString(out.TimeToLiveDescription.AttributeName))
				}
				describe()
				in := &dynamodb.UpdateTimeToLiveInput{TableName: &table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("until"), Enabled: aws.Bool(true)}}
				_, err := p.DynamoDB.UpdateTimeToLive(p.ctx, in)
				p.see("enable %s", code(err))
				describe()
				_, err = p.DynamoDB.UpdateTimeToLive(p.ctx, in)
				p.see("again %s", code(err))
				_, err = p.DynamoDB.DescribeTimeToLive(p.ctx, &dynamodb.DescribeTimeToLiveInput{TableName: aws.String(p.named("none"))})
				p.see("no table %s", code(err))
			},
			want: `
				DISABLED ""
				enable ok
				ENABLED "until"
				again ValidationException
				no table ResourceNotFoundException`,
		},
	})
}
