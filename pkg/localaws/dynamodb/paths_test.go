package dynamodb_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A key attribute is a scalar: a path into one is refused before any item is
// looked at, in every expression of every operation.
func TestNoPathLeadsIntoAKeyAttribute(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	r.put(t, "things", item{"p": s("a"), "s": s("1"), "x": n("1")})
	ctx, table, key := t.Context(), aws.String("things"), thingKey(1)
	update := func(text string) func() error {
		return func() error {
			_, err := r.UpdateItem(ctx, &sdk.UpdateItemInput{TableName: table, Key: key, UpdateExpression: aws.String(text)})
			return err
		}
	}
	const ofTable, ofIndex = "not allowed: Key: p", "not allowed: IndexKey: h"
	for name, row := range map[string]struct {
		call func() error
		part string
	}{
		"a put's condition": {func() error {
			_, err := r.PutItem(ctx, &sdk.PutItemInput{TableName: table, Item: key, ConditionExpression: aws.String("attribute_not_exists(p.x)")})
			return err
		}, ofTable},
		"a deletion's condition": {func() error {
			_, err := r.DeleteItem(ctx, &sdk.DeleteItemInput{TableName: table, Key: key, ConditionExpression: aws.String("attribute_not_exists(h[0])")})
			return err
		}, ofIndex},
		"what an update reads":    {update("SET y = if_not_exists(p.x, x)"), ofTable},
		"what an update sets":     {update("SET h.x = x"), ofIndex},
		"what an update removes":  {update("REMOVE h[1]"), ofIndex},
		"the table's key first":   {update("SET y = if_not_exists(h.x, x), z = if_not_exists(p.x, x)"), ofTable},
		"a transaction's check":   {func() error { return r.transact(t, txCheck("things", key, "attribute_not_exists(p.x)")) }, ofTable},
		"a transaction's update":  {func() error { return r.transact(t, txUpdate("things", key, "REMOVE h.x", nil)) }, ofIndex},
		"a read's projection":     {func() error { return r.get(ctx, key, "h.x") }, ofIndex},
		"a batch's projection":    {func() error { return r.batchGet(ctx, key, "x, p[0]") }, ofTable},
		"a transaction's reading": {func() error { return r.transactGet(ctx, key, "p.x") }, ofTable},
		"a query's filter": {func() error {
			_, err := r.Query(ctx, &sdk.QueryInput{TableName: table, KeyConditionExpression: aws.String("p = :p"), FilterExpression: aws.String("h.x = :p"), ExpressionAttributeValues: item{":p": s("a")}})
			return err
		}, ofIndex},
		"an index query's filter": {func() error {
			_, err := r.Query(ctx, &sdk.QueryInput{TableName: table, IndexName: aws.String("by-h"), KeyConditionExpression: aws.String("h = :p"), FilterExpression: aws.String("p.x = :p"), ExpressionAttributeValues: item{":p": s("a")}})
			return err
		}, ofTable},
		"a scan's projection": {func() error {
			_, err := r.Scan(ctx, &sdk.ScanInput{TableName: table, ProjectionExpression: aws.String("x, h.x")})
			return err
		}, ofIndex},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, row.call(), "ValidationException", row.part)
		})
	}
	if err := update("SET x = s")(); err != nil {
		t.Errorf("a key attribute as a whole is refused: %v", err)
	}
}

func (r *rig) get(ctx context.Context, key item, projection string) error {
	_, err := r.GetItem(ctx, &sdk.GetItemInput{TableName: aws.String("things"), Key: key, ProjectionExpression: aws.String(projection)})
	return err
}

func (r *rig) batchGet(ctx context.Context, key item, projection string) error {
	_, err := r.BatchGetItem(ctx, &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		"things": {Keys: []map[string]types.AttributeValue{key}, ProjectionExpression: aws.String(projection)},
	}})
	return err
}

func (r *rig) transactGet(ctx context.Context, key item, projection string) error {
	_, err := r.TransactGetItems(ctx, &sdk.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: aws.String("things"), Key: key, ProjectionExpression: aws.String(projection)}},
	}})
	return err
}

// To a scan of an index, an attribute that the index does not carry is
// absent; only a query refuses to filter by it.
func TestAScanOfAnIndexSeesWhatTheIndexCarries(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	r.put(t, "things", item{"p": s("a"), "s": s("1"), "h": s("h"), "l": n("1"), "x": n("1")})
	for _, index := range []string{"by-h", "by-l"} {
		for filter, want := range map[string]int32{"attribute_exists(x)": 0, "attribute_not_exists(x)": 1, "attribute_exists(p)": 1} {
			t.Run(index+" "+filter, func(t *testing.T) {
				out, err := r.Scan(t.Context(), &sdk.ScanInput{TableName: aws.String("things"), IndexName: aws.String(index), FilterExpression: aws.String(filter)})
				if err != nil {
					t.Fatal(err)
				}
				if out.Count != want || out.ScannedCount != 1 {
					t.Errorf("it gives %d of %d items, want %d of 1", out.Count, out.ScannedCount, want)
				}
			})
		}
	}
}
