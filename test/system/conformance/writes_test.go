package conformance

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestWrites(t *testing.T) {
	check(t, tables, []behaviour{
		{
			name: "a conditional update that holds answers with the new item",
			page: "Using update expressions in DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": n("1")})
				got, err := p.update(table, "SET v = :new", "v < :new", item{":new": n("2")})
				p.see("%s %s", code(err), text(got))
			},
			want: `ok {p:"a" v:2}`,
		},
		{
			name: "a failed condition answers with the old item if asked",
			page: "UpdateItem",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": n("3"), "kept": s("x")})
				_, err := p.update(table, "SET v = :new", "v < :new", item{":new": n("2")})
				p.see("%s %s", code(err), old(err))
				p.see("%s", p.get(table, "a"))
			},
			want: `
				ConditionalCheckFailedException {kept:"x" p:"a" v:3}
				{kept:"x" p:"a" v:3}`,
		},
		{
			name: "a failed condition on no item has no old item",
			page: "UpdateItem",
			run: func(p *probe) {
				table := p.table()
				_, err := p.update(table, "SET v = :new", "attribute_exists(p)", item{":new": n("2")})
				p.see("%s %s", code(err), old(err))
				p.see("%s", p.get(table, "a"))
			},
			want: `
				ConditionalCheckFailedException no item
				{}`,
		},
		{
			name: "a failed condition of a put keeps the item",
			page: "Condition and filter expressions, operators, and functions in DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": n("3")})
				_, err := p.DynamoDB.PutItem(p.ctx, &dynamodb.PutItemInput{
					TableName: &table, Item: item{"p": s("a")}, ConditionExpression: aws.String("attribute_not_exists(p)"),
					ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
				})
				p.see("%s %s", code(err), old(err))
				p.see("%s", p.get(table, "a"))
			},
			want: `
				ConditionalCheckFailedException {p:"a" v:3}
				{p:"a" v:3}`,
		},
		{
			name: "an update without a condition creates the item",
			page: "UpdateItem",
			run: func(p *probe) {
				got, err := p.update(p.table(), "SET v = :new ADD c :one", "", item{":new": n("2"), ":one": n("1")})
				p.see("%s %s", code(err), text(got))
			},
			want: `ok {c:1 p:"a" v:2}`,
		},
		{
			name: "SET, REMOVE, ADD and DELETE in one update read the item as it was",
			page: "Using update expressions in DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "x": n("1"), "y": n("2"), "z": s("gone"), "c": n("5"), "tags": ss("k", "l")})
				got, err := p.update(table, "SET x = y, y = x REMOVE z ADD c :minus DELETE tags :l", "", item{":minus": n("-7"), ":l": ss("l")})
				p.see("%s %s", code(err), text(got))
			},
			want: `ok {c:-2 p:"a" tags:ss(k) x:2 y:1}`,
		},
		{
			name: "DELETE of a set's last element removes the attribute",
			page: "Using update expressions in DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "tags": ss("k")})
				got, err := p.update(table, "DELETE tags :k", "", item{":k": ss("k", "other")})
				p.see("%s %s", code(err), text(got))
			},
			want: `ok {p:"a"}`,
		},
		{
			name: "if_not_exists, list_append and arithmetic",
			page: "Using update expressions in DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "x": n("1"), "l": &types.AttributeValueMemberL{Value: []value{n("1")}}})
				got, err := p.update(table, "SET x = if_not_exists(x, :d) + :d, y = if_not_exists(y, :d) - x, l = list_append(l, :l)", "",
					item{":d": n("10"), ":l": &types.AttributeValueMemberL{Value: []value{s("two")}}})
				p.see("%s %s", code(err), text(got))
			},
			want: `ok {l:[1 "two"] p:"a" x:11 y:9}`,
		},
		{
			name: "REMOVE of list elements closes the gaps",
			page: "Using update expressions in DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "l": &types.AttributeValueMemberL{Value: []value{n("0"), n("1"), n("2"), n("3")}}})
				got, err := p.update(table, "REMOVE l[0], l[2]", "", nil)
				p.see("%s %s", code(err), text(got))
			},
			want: `ok {l:[1 3] p:"a"}`,
		},
		{
			name: "overlapping paths, a missing value, an unused value and an empty expression are refused",
			page: "Using update expressions in DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "x": n("1")})
				for _, row := range []struct {
					update string
					values item
				}{
					{"SET x = :v, x = :v", item{":v": n("2")}},
					{"SET m.k = :v REMOVE m", item{":v": n("2")}},
					{"SET x = :v", nil},
					{"SET x = :v", item{":v": n("2"), ":w": n("2")}},
					{"", nil},
					{"SET p = :v", item{":v": s("b")}},
					{"SET x = x + :v", item{":v": s("b")}},
					{"SET x = missing + :v", item{":v": n("1")}},
				} {
					_, err := p.update(table, row.update, "", row.values)
					p.see("%s: %s", row.update, code(err))
				}
				p.see("%s", p.get(table, "a"))
			},
			want: `
				SET x = :v, x = :v: ValidationException
				SET m.k = :v REMOVE m: ValidationException
				SET x = :v: ValidationException
				SET x = :v: ValidationException
				: ValidationException
				SET p = :v: ValidationException
				SET x = x + :v: ValidationException
				SET x = missing + :v: ValidationException
				{p:"a" x:1}`,
		},
		{
			name: "a reserved word is no attribute's name in an expression",
			page: "Reserved words in DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a")})
				for _, word := range []string{"name", "Status", "size"} {
					_, err := p.update(table, "SET "+word+" = :v", "", item{":v": n("1")})
					p.see("%s %s", word, code(err))
				}
			},
			want: `
				name ValidationException
				Status ValidationException
				size ValidationException`,
			differs: map[string]difference{dynamoDBLocal: {"takes size, which the page lists", `
				name ValidationException
				Status ValidationException
				size ok`}},
		},
		{
			name: "numbers are answered in their normal form",
			page: "Supported data types and naming rules in Amazon DynamoDB",
			run: func(p *probe) {
				table := p.table()
				for _, number := range []string{"1.0", "-0", "0010", "1e3", "1.50E-2", ".5", "100000000000000000000000000000000000000",
					"12345678901234567890123456789012345678", "0.00000000000000000000000000000000000001", "1e125", "-9.5e-130"} {
					p.put(table, item{"p": s("a"), "x": n(number)})
					p.see("%s %s", number, p.get(table, "a"))
				}
			},
			want: `
				1.0 {p:"a" x:1}
				-0 {p:"a" x:0}
				0010 {p:"a" x:10}
				1e3 {p:"a" x:1000}
				1.50E-2 {p:"a" x:0.015}
				.5 {p:"a" x:0.5}
				100000000000000000000000000000000000000 {p:"a" x:100000000000000000000000000000000000000}
				12345678901234567890123456789012345678 {p:"a" x:12345678901234567890123456789012345678}
				0.00000000000000000000000000000000000001 {p:"a" x:0.00000000000000000000000000000000000001}
				1e125 {p:"a" x:1` + strings.Repeat("0", 125) + `}
				-9.5e-130 {p:"a" x:-0.` + strings.Repeat("0", 129) + `95}`,
		},
		{
			name: "numbers beyond 38 digits or the range are refused",
			page: "Supported data types and naming rules in Amazon DynamoDB",
			run: func(p *probe) {
				table := p.table()
				for _, number := range []string{"123456789012345678901234567890123456789", "1e126", "1e-131", "", "x", "1_0", "NaN"} {
					_, err := p.DynamoDB.PutItem(p.ctx, &dynamodb.PutItemInput{TableName: &table, Item: item{"p": s("a"), "x": n(number)}})
					p.see("%q %s", number, code(err))
				}
				p.put(table, item{"p": s("a"), "x": n("99999999999999999999999999999999999999")})
				_, err := p.update(table, "ADD x :tiny", "", item{":tiny": n("0.1")})
				p.see("sum of more than 38 digits %s %s", code(err), p.get(table, "a"))
			},
			want: `
				"123456789012345678901234567890123456789" ValidationException
				"1e126" ValidationException
				"1e-131" ValidationException
				"" ValidationException
				"x" ValidationException
				"1_0" ValidationException
				"NaN" ValidationException
				sum of more than 38 digits ValidationException {p:"a" x:99999999999999999999999999999999999999}`,
		},
		{
			name: "a key's numbers that are equal are one item",
			page: "Supported data types and naming rules in Amazon DynamoDB",
			run: func(p *probe) {
				table := p.ranged()
				for _, number := range []string{"1", "1.0", "10e-1"} {
					p.put(table, item{"p": s("a"), "r": n(number)})
				}
				out, err := p.DynamoDB.Scan(p.ctx, &dynamodb.ScanInput{TableName: &table})
				p.must(err)
				p.see("%d %s", out.Count, text(out.Items[0]))
			},
			want: `1 {p:"a" r:1}`,
		},
	})
}
