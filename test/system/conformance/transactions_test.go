package conformance

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// reasons are a cancelled transaction's, in order, with their items.
func reasons(err error) string {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return code(err)
	}
	parts := make([]string, len(cancelled.CancellationReasons))
	for i, r := range cancelled.CancellationReasons {
		parts[i] = aws.ToString(r.Code)
		if r.Item != nil {
			parts[i] += " " + text(r.Item)
		}
	}
	return "cancelled: " + strings.Join(parts, ", ")
}

// conditional is the put of an item under a condition, which wants the old one
// if it fails.
func conditional(table string, it item, condition string) types.TransactWriteItem {
	put := &types.Put{TableName: &table, Item: it, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}
	if condition != "" {
		put.ConditionExpression = &condition
	}
	return types.TransactWriteItem{Put: put}
}

func TestTransactions(t *testing.T) {
	check(t, tables, []behaviour{
		{
			name: "a transaction's reasons are in the order of its items, and nothing is written",
			page: "TransactWriteItems",
			run: func(p *probe) {
				table := p.table(item{"p": s("there"), "v": n("1")})
				_, err := p.DynamoDB.TransactWriteItems(p.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
					conditional(table, item{"p": s("new")}, ""),
					conditional(table, item{"p": s("there")}, "attribute_not_exists(p)"),
					{ConditionCheck: &types.ConditionCheck{TableName: &table, Key: item{"p": s("absent")}, ConditionExpression: aws.String("attribute_exists(p)")}},
					{Delete: &types.Delete{TableName: &table, Key: item{"p": s("other")}}},
				}})
				p.see("%s", reasons(err))
				p.see("%s %s", p.get(table, "new"), p.get(table, "there"))
			},
			want: `
				cancelled: None, ConditionalCheckFailed {p:"there" v:1}, ConditionalCheckFailed, None
				{} {p:"there" v:1}`,
		},
		{
			name: "a transaction writes all or nothing over tables",
			page: "TransactWriteItems",
			run: func(p *probe) {
				table, other := p.table(item{"p": s("a"), "v": n("1")}), p.ranged()
				items := []types.TransactWriteItem{
					{Update: &types.Update{TableName: &table, Key: item{"p": s("a")}, UpdateExpression: aws.String("ADD v :one"),
						ConditionExpression: aws.String("v = :one"), ExpressionAttributeValues: item{":one": n("1")}}},
					{Put: &types.Put{TableName: &other, Item: item{"p": s("b"), "r": n("1")}}},
				}
				for range 2 { // each call with a token of its own, which the SDK makes
					_, err := p.DynamoDB.TransactWriteItems(p.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
					p.see("%s %s", reasons(err), p.get(table, "a"))
				}
			},
			want: `
				ok {p:"a" v:2}
				cancelled: ConditionalCheckFailed, None {p:"a" v:2}`,
		},
		{
			name: "one item twice, no item and more than 100 are refused",
			page: "TransactWriteItems",
			run: func(p *probe) {
				table := p.table()
				write := func(list ...types.TransactWriteItem) {
					_, err := p.DynamoDB.TransactWriteItems(p.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: list})
					p.see("%s", reasons(err))
				}
				write(conditional(table, item{"p": s("a")}, ""), conditional(table, item{"p": s("a")}, ""))
				write([]types.TransactWriteItem{}...) // nil would not leave the SDK
				var many []types.TransactWriteItem
				for i := range 101 {
					many = append(many, conditional(table, item{"p": s(fmt.Sprint(i))}, ""))
				}
				write(many...)
				write(many[:100]...)
			},
			want: `
				ValidationException
				ValidationException
				ValidationException
				ok`,
		},
		{
			name: "a value that does not fit its item is a reason",
			page: "TransactWriteItems",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": s("text")})
				_, err := p.DynamoDB.TransactWriteItems(p.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
					{Update: &types.Update{TableName: &table, Key: item{"p": s("a")}, UpdateExpression: aws.String("SET v = v + :one"), ExpressionAttributeValues: item{":one": n("1")}}},
					conditional(table, item{"p": s("b")}, ""),
				}})
				p.see("%s", reasons(err))
				_, err = p.DynamoDB.TransactWriteItems(p.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
					conditional(table, item{"p": s("b")}, ""), conditional(table, item{"p": n("1")}, ""),
				}})
				p.see("%s", reasons(err))
				p.see("%s", p.get(table, "b"))
			},
			want: `
				cancelled: ValidationError, None
				cancelled: None, ValidationError
				{}`,
			differs: map[string]difference{dynamoDBLocal: {"refuses the call for an operand's type; the page lists it as a reason", `
				ValidationException
				cancelled: None, ValidationError
				{}`}},
		},
		{
			name: "a client's token makes a transaction once, and refuses another one",
			page: "TransactWriteItems",
			run: func(p *probe) {
				table := p.table()
				add := func(by string) {
					_, err := p.DynamoDB.TransactWriteItems(p.ctx, &dynamodb.TransactWriteItemsInput{ClientRequestToken: aws.String(p.named("token")),
						TransactItems: []types.TransactWriteItem{{Update: &types.Update{TableName: &table, Key: item{"p": s("a")},
							UpdateExpression: aws.String("ADD v :by"), ExpressionAttributeValues: item{":by": n(by)}}}}})
					p.see("%s %s", reasons(err), p.get(table, "a"))
				}
				add("1")
				add("1")
				add("2")
			},
			want: `
				ok {p:"a" v:1}
				ok {p:"a" v:1}
				IdempotentParameterMismatchException {p:"a" v:1}`,
		},
		{
			name: "a reading transaction answers in order, absent items too",
			page: "TransactGetItems",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": n("1")}, item{"p": s("c"), "v": n("3")})
				in := &dynamodb.TransactGetItemsInput{}
				for _, key := range []string{"c", "b", "a"} {
					in.TransactItems = append(in.TransactItems, types.TransactGetItem{Get: &types.Get{TableName: &table, Key: item{"p": s(key)}}})
				}
				out, err := p.DynamoDB.TransactGetItems(p.ctx, in)
				p.must(err)
				for _, r := range out.Responses {
					p.see("%s", text(r.Item))
				}
			},
			want: `
				{p:"c" v:3}
				{}
				{p:"a" v:1}`,
		},
	})
}
