package conformance

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// expiring makes a table with a stream and with TTL on the attribute expires, and
// returns the stream's ARN.
func (p *probe) expiring() (table, arn string) {
	p.Helper()
	table, arn = p.streamed(types.StreamViewTypeNewAndOldImages)
	p.expire(table)
	return table, arn
}

func (p *probe) expire(table string) {
	p.Helper()
	_, err := p.DynamoDB.UpdateTimeToLive(p.ctx, &dynamodb.UpdateTimeToLiveInput{TableName: &table,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(true)}})
	p.must(err)
}

// in is a TTL attribute's value: a time from now, in seconds.
func in(d time.Duration) value { return n(strconv.FormatInt(time.Now().Add(d).Unix(), 10)) }

// swept waits until an item that has expired is gone; localaws is told to look.
func (p *probe) swept(table, key string) {
	p.Helper()
	for p.get(table, key) != "{}" {
		if p.Local != nil {
			_, err := p.Local.DynamoDB().SweepTTL(p.ctx)
			p.must(err)
			continue
		}
		p.pause(200 * time.Millisecond)
	}
}

// deletedBy is who a stream record says has deleted an item.
func deletedBy(p *probe, arn string) {
	for _, r := range p.records(arn) {
		who := "a user"
		if r.UserIdentity != nil {
			who = aws.ToString(r.UserIdentity.Type) + " " + aws.ToString(r.UserIdentity.PrincipalId)
		}
		p.see("%s by %s", strings.Fields(recorded(r))[0], who)
	}
}

// fiveYears is how far five years and something more are away.
func fiveYears(more time.Duration) time.Duration {
	return time.Until(time.Now().AddDate(-5, 0, 0)) - more
}

func TestExpiry(t *testing.T) {
	check(t, tables, []behaviour{
		{
			name: "TTL's deletion is a record by the service, a user's is one by nobody",
			page: "DynamoDB Streams and Time to Live",
			run: func(p *probe) {
				table, arn := p.expiring()
				p.put(table, item{"p": s("kept"), "v": n("1")})
				p.put(table, item{"p": s("gone"), "expires": in(-time.Hour)})
				p.swept(table, "gone")
				_, err := p.DynamoDB.DeleteItem(p.ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: item{"p": s("kept")}})
				p.must(err)
				deletedBy(p, arn)
			},
			want: `
				INSERT by a user
				INSERT by a user
				REMOVE by Service dynamodb.amazonaws.com
				REMOVE by a user`,
			differs: map[string]difference{dynamoDBLocal: {"has no identity for it and an event name that the SDK does not know", `
				INSERT by a user
				INSERT by a user
				UNKNOWN_TO_SDK_VERSION by a user
				REMOVE by a user`}},
		},
		{
			name: "what has expired by up to five years goes; the future, older times and what is no number stay",
			page: "Computing time to live (TTL) in DynamoDB",
			run: func(p *probe) {
				table := p.table()
				p.expire(table)
				p.put(table, item{"p": s("none")})
				p.put(table, item{"p": s("soon"), "expires": in(time.Hour)})
				p.put(table, item{"p": s("text"), "expires": s("1700000000")})
				p.put(table, item{"p": s("list"), "expires": &types.AttributeValueMemberL{Value: []value{in(-time.Hour)}}})
				p.put(table, item{"p": s("milliseconds"), "expires": n(strconv.FormatInt(time.Now().Add(-time.Hour).UnixMilli(), 10))})
				p.put(table, item{"p": s("too-old"), "expires": in(fiveYears(time.Hour))})
				p.put(table, item{"p": s("old"), "expires": in(fiveYears(-time.Hour))})
				p.put(table, item{"p": s("gone"), "expires": in(-2 * time.Second)})
				p.swept(table, "gone")
				p.swept(table, "old")
				// A pass that takes what was put after all these has seen them.
				p.put(table, item{"p": s("later"), "expires": in(-time.Hour)})
				p.swept(table, "later")
				for _, key := range []string{"none", "soon", "text", "list", "milliseconds", "too-old"} {
					p.see("%s stays %t", key, p.get(table, key) != "{}")
				}
			},
			want: `
				none stays true
				soon stays true
				text stays true
				list stays true
				milliseconds stays true
				too-old stays true`,
		},
		{
			name: "a deletion by TTL takes the item out of its indexes",
			page: "Using time to live (TTL) in DynamoDB",
			run: func(p *probe) {
				table := p.indexed()
				p.expire(table)
				p.put(table, item{"p": s("gone"), "g": s("x"), "h": s("y"), "expires": in(-time.Hour)})
				p.swept(table, "gone")
				out, err := p.DynamoDB.Scan(p.ctx, &dynamodb.ScanInput{TableName: &table, IndexName: aws.String("by-g")})
				p.must(err)
				p.see("%d", out.Count)
			},
			want: `0`,
		},
	})
}

// TestExpiredItems is what happens before TTL's own process comes by, which is
// when a case says so.
func TestExpiredItems(t *testing.T) {
	check(t, controlled, []behaviour{
		{
			name: "an expired item is read, found, updated and written over until it is deleted",
			page: "Working with expired items and time to live (TTL)",
			run: func(p *probe) {
				table, arn := p.expiring()
				p.put(table, item{"p": s("a"), "expires": in(time.Hour)})
				p.Advance(20 * time.Hour)
				p.see("read %t", p.get(table, "a") != "{}")
				scanned, err := p.DynamoDB.Scan(p.ctx, &dynamodb.ScanInput{TableName: &table})
				p.must(err)
				queried, err := p.DynamoDB.Query(p.ctx, &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: aws.String("p = :p"), ExpressionAttributeValues: item{":p": s("a")}})
				p.must(err)
				p.see("scanned %d, queried %d", scanned.Count, queried.Count)
				live, err := p.DynamoDB.Scan(p.ctx, &dynamodb.ScanInput{TableName: &table, FilterExpression: aws.String("expires > :now"), ExpressionAttributeValues: item{":now": in(20 * time.Hour)}})
				p.must(err)
				p.see("filtered %d", live.Count)
				_, err = p.DynamoDB.PutItem(p.ctx, &dynamodb.PutItemInput{TableName: &table, Item: item{"p": s("a")}, ConditionExpression: aws.String("attribute_not_exists(p)")})
				p.see("a put if it is not there %s", code(err))
				_, err = p.update(table, "SET x = :x", "attribute_exists(p)", item{":x": n("1")})
				p.see("an update %s", code(err))
				p.swept(table, "a")
				_, err = p.update(table, "SET x = :x", "attribute_exists(p)", item{":x": n("1")})
				p.see("an update after the deletion %s", code(err))
				deletedBy(p, arn)
			},
			want: `
				read true
				scanned 1, queried 1
				filtered 0
				a put if it is not there ConditionalCheckFailedException
				an update ok
				an update after the deletion ConditionalCheckFailedException
				INSERT by a user
				MODIFY by a user
				REMOVE by Service dynamodb.amazonaws.com`,
		},
		{
			name: "an expired item whose time is put off or taken away before the deletion stays",
			page: "Using time to live (TTL) in DynamoDB",
			run: func(p *probe) {
				table, _ := p.expiring()
				for _, key := range []string{"a", "b"} {
					p.put(table, item{"p": s(key), "expires": in(time.Hour)})
				}
				p.Advance(24 * time.Hour)
				_, err := p.update(table, "SET expires = :u", "", item{":u": in(48 * time.Hour)})
				p.must(err)
				p.put(table, item{"p": s("b")})
				sweep(p)
				p.see("%t %t", p.get(table, "a") != "{}", p.get(table, "b") != "{}")
				p.Advance(48 * time.Hour)
				sweep(p)
				p.see("%t %t", p.get(table, "a") != "{}", p.get(table, "b") != "{}")
			},
			want: `
				true true
				false true`,
		},
		{
			name: "the time itself has not expired, nor has anything once TTL is off",
			page: "UpdateTimeToLive",
			run: func(p *probe) {
				table, _ := p.expiring()
				p.put(table, item{"p": s("a"), "expires": in(2 * time.Hour)})
				p.Advance(2*time.Hour - time.Minute)
				sweep(p)
				p.see("before %t", p.get(table, "a") != "{}")
				_, err := p.DynamoDB.UpdateTimeToLive(p.ctx, &dynamodb.UpdateTimeToLiveInput{TableName: &table,
					TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(false)}})
				p.see("off %s", code(err))
				p.Advance(time.Hour)
				sweep(p)
				p.see("after %t", p.get(table, "a") != "{}")
			},
			want: `
				before true
				off ok
				after true`,
		},
	})
}

// sweep has localaws delete what has expired.
func sweep(p *probe) {
	p.Helper()
	_, err := p.Local.DynamoDB().SweepTTL(p.ctx)
	p.must(err)
}
