package conformance

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// batchWriting puts and deletes several items; some batches are wrong.
func (d *draw) batchWriting() operation {
	var keys []item
	keys = append(keys, d.primaries(1+d.IntN(5))...)
	if d.IntN(10) == 0 {
		keys = append(keys, keys[0])
	}
	var requests []types.WriteRequest
	what := "batch"
	for _, key := range keys {
		if d.IntN(3) == 0 {
			requests = append(requests, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}})
			what += " delete " + text(key)
			continue
		}
		it := d.attributes(copied(key))
		if d.IntN(20) == 0 {
			it["p"] = pick(d, s(""), n("1"))
		}
		if d.ranged && d.IntN(20) == 0 {
			it["g"] = n("1")
		}
		requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
		what += " put " + text(it)
	}
	return operation{what, func(p *probe, table string) string {
		out, err := p.DynamoDB.BatchWriteItem(p.ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: requests}})
		if err != nil {
			return code(err)
		}
		return fmt.Sprintf("ok, left %d", len(out.UnprocessedItems))
	}}
}

// copied is an item of its own.
func copied(it item) item {
	out := make(item, len(it))
	for name, v := range it {
		out[name] = v
	}
	return out
}

// transaction is a TransactWriteItems call, but for its table.
type transaction struct {
	parts []types.TransactWriteItem // without tables
	token string
	what  string
	plain bool // it is certainly valid
}

// transacting writes several items or none. Some transactions come again with
// the token that they had, and some tokens come again with another one.
func (d *draw) transacting() operation {
	if d.last != nil && d.IntN(4) == 0 {
		return d.last.operation()
	}
	t := &transaction{what: "transact"}
	if d.last != nil && d.IntN(6) == 0 {
		it := d.item()
		t.parts = []types.TransactWriteItem{{Put: &types.Put{Item: it}}}
		t.what += " put " + text(it)
		t.token, t.plain = d.last.token, true
		return t.operation()
	}
	for _, key := range d.primaries(1 + d.IntN(3)) {
		t.add(d, key)
	}
	if d.IntN(2) == 0 {
		d.tokens++
		t.token = fmt.Sprintf("%d-%d-%d", *seed, d.round, d.tokens)
		d.last = t
	}
	return t.operation()
}

// add draws what becomes of one item.
func (t *transaction) add(d *draw, key item) {
	d.fresh()
	failed := types.ReturnValuesOnConditionCheckFailureAllOld
	switch d.IntN(5) {
	case 0, 1:
		put := &types.Put{Item: d.attributes(copied(key)), ConditionExpression: d.maybe(), ReturnValuesOnConditionCheckFailure: failed}
		put.ExpressionAttributeValues, put.ExpressionAttributeNames = given(d.values), given(d.names)
		t.what += " put " + text(put.Item) + " " + d.with(put.ConditionExpression)
		t.parts = append(t.parts, types.TransactWriteItem{Put: put})
	case 2:
		update := &types.Update{Key: key, UpdateExpression: aws.String(d.update()), ConditionExpression: d.maybe(), ReturnValuesOnConditionCheckFailure: failed}
		update.ExpressionAttributeValues, update.ExpressionAttributeNames = given(d.values), given(d.names)
		t.what += fmt.Sprintf(" update %s %q %s", text(key), *update.UpdateExpression, d.with(update.ConditionExpression))
		t.parts = append(t.parts, types.TransactWriteItem{Update: update})
	case 3:
		remove := &types.Delete{Key: key, ConditionExpression: d.maybe(), ReturnValuesOnConditionCheckFailure: failed}
		remove.ExpressionAttributeValues, remove.ExpressionAttributeNames = given(d.values), given(d.names)
		t.what += " delete " + text(key) + " " + d.with(remove.ConditionExpression)
		t.parts = append(t.parts, types.TransactWriteItem{Delete: remove})
	default:
		check := &types.ConditionCheck{Key: key, ConditionExpression: aws.String(d.condition(0)), ReturnValuesOnConditionCheckFailure: failed}
		check.ExpressionAttributeValues, check.ExpressionAttributeNames = given(d.values), given(d.names)
		t.what += " check " + text(key) + " " + d.with(check.ConditionExpression)
		t.parts = append(t.parts, types.TransactWriteItem{ConditionCheck: check})
	}
}

// operation is the transaction as a call.
func (t *transaction) operation() operation {
	return operation{t.what + " with token " + t.token, func(p *probe, table string) string {
		in := &dynamodb.TransactWriteItemsInput{}
		if t.token != "" {
			in.ClientRequestToken = &t.token
		}
		for _, part := range t.parts {
			in.TransactItems = append(in.TransactItems, on(table, part))
		}
		_, err := p.DynamoDB.TransactWriteItems(p.ctx, in)
		answer := reasons(err)
		switch {
		case t.plain:
			return answer
		case strings.Contains(answer, "ValidationE"):
			// TestTransactions says how DynamoDB Local reports an operand's type.
			return "invalid"
		case answer == "IdempotentParameterMismatchException":
			// What is wrong by itself may be refused for that or for its token.
			return "invalid"
		}
		return answer
	}}
}

// on is a part of a transaction on a table.
func on(table string, part types.TransactWriteItem) types.TransactWriteItem {
	switch {
	case part.Put != nil:
		put := *part.Put
		put.TableName = &table
		return types.TransactWriteItem{Put: &put}
	case part.Update != nil:
		update := *part.Update
		update.TableName = &table
		return types.TransactWriteItem{Update: &update}
	case part.Delete != nil:
		remove := *part.Delete
		remove.TableName = &table
		return types.TransactWriteItem{Delete: &remove}
	default:
		check := *part.ConditionCheck
		check.TableName = &table
		return types.TransactWriteItem{ConditionCheck: &check}
	}
}
