package dynamodb_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// Writers count up a few items at once, shards split and readers read
// meanwhile: no increment is lost and the stream has every step of every item
// in order.
func TestConcurrentWritersLoseNothingAndStayInOrder(t *testing.T) {
	const writers, each, items = 4, 100, 5
	r := newRig(t)
	r.create(t, things("things"))
	var work sync.WaitGroup
	for w := range writers {
		work.Go(func() {
			for i := range each {
				_, err := r.UpdateItem(t.Context(), &sdk.UpdateItemInput{
					TableName: aws.String("things"), Key: item{"p": s(strconv.Itoa((w + i) % items)), "s": s("1")},
					UpdateExpression: aws.String("ADD x :one SET h = :h"), ExpressionAttributeValues: item{":one": n("1"), ":h": s(fmt.Sprint("h", i%3))},
				})
				if err != nil {
					t.Error(err)
				}
				if w == 0 && i%25 == 0 {
					if err := r.service.SplitShards("things"); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	work.Go(func() {
		for i := range each {
			out, err := r.Query(t.Context(), &sdk.QueryInput{TableName: aws.String("things"), IndexName: aws.String("by-h"), KeyConditionExpression: aws.String("h = :h"), ExpressionAttributeValues: item{":h": s(fmt.Sprint("h", i%3))}})
			if err != nil {
				t.Error(err)
				return
			}
			if out.Count > items {
				t.Errorf("the index shows %d of %d items", out.Count, items)
			}
		}
	})
	work.Wait()

	steps := make(map[string]int)
	for _, rec := range r.records(t, "things") {
		k := text(rec.Dynamodb.Keys)
		steps[k]++
		if got := rec.Dynamodb.NewImage["x"].(*streamtypes.AttributeValueMemberN).Value; got != strconv.Itoa(steps[k]) {
			t.Fatalf("record %d of %s has x = %s", steps[k], k, got)
		}
	}
	out, err := r.Scan(t.Context(), &sdk.ScanInput{TableName: aws.String("things")})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, it := range out.Items {
		x, err := strconv.Atoi(it["x"].(*types.AttributeValueMemberN).Value)
		if err != nil {
			t.Fatal(err)
		}
		if k := text(item{"p": it["p"], "s": it["s"]}); steps[k] != x {
			t.Errorf("%s counts %d and has %d records", k, x, steps[k])
		}
		total += x
	}
	if total != writers*each {
		t.Errorf("%d increments made %d", writers*each, total)
	}
}
