package conformance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// indexed makes a table whose index by-g has the keys g and p and all
// attributes, and whose index by-h has the key h and keys only.
func (p *probe) indexed(items ...item) string {
	p.Helper()
	name := p.named("indexed")
	in := definition(name)
	defines(in, "g", "S", "h", "S")
	in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{
		{IndexName: aws.String("by-g"), KeySchema: keyed("g", "p"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}},
		{IndexName: aws.String("by-h"), KeySchema: keyed("h"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}},
	}
	p.create(in)
	for _, it := range items {
		p.put(name, it)
	}
	return name
}

// texts are items, one after the other.
func texts(items []item) string {
	parts := make([]string, len(items))
	for i, it := range items {
		parts[i] = text(it)
	}
	return strings.Join(parts, " ")
}

func TestReads(t *testing.T) {
	check(t, tables, []behaviour{
		{
			name: "a query of an index pages by its keys and ends without one",
			page: "Paginating table query results in DynamoDB",
			run: func(p *probe) {
				table := p.indexed(item{"p": s("a"), "g": s("x"), "v": n("1")}, item{"p": s("b"), "g": s("y")}, item{"p": s("c")},
					item{"p": s("d"), "g": s("x"), "v": n("2")}, item{"p": s("e"), "g": s("x")})
				in := &dynamodb.QueryInput{TableName: &table, IndexName: aws.String("by-g"), Limit: aws.Int32(2),
					KeyConditionExpression: aws.String("g = :g"), ExpressionAttributeValues: item{":g": s("x")}}
				for range 3 {
					out, err := p.DynamoDB.Query(p.ctx, in)
					p.must(err)
					p.see("%d %s next %s", out.Count, texts(out.Items), text(out.LastEvaluatedKey))
					if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
						return
					}
				}
			},
			want: `
				2 {g:"x" p:"a" v:1} {g:"x" p:"d" v:2} next {g:"x" p:"d"}
				1 {g:"x" p:"e"} next {}`,
		},
		{
			name: "an index of keys only has no other attributes",
			page: "Using Global Secondary Indexes in DynamoDB",
			run: func(p *probe) {
				table := p.indexed(item{"p": s("a"), "h": s("x"), "v": n("1")})
				in := &dynamodb.QueryInput{TableName: &table, IndexName: aws.String("by-h"),
					KeyConditionExpression: aws.String("h = :h"), ExpressionAttributeValues: item{":h": s("x")}}
				out, err := p.DynamoDB.Query(p.ctx, in)
				p.must(err)
				p.see("%s", texts(out.Items))
				in.ConsistentRead = aws.Bool(true)
				_, err = p.DynamoDB.Query(p.ctx, in)
				p.see("consistent %s", code(err))
				in.ConsistentRead, in.IndexName = nil, aws.String("none")
				_, err = p.DynamoDB.Query(p.ctx, in)
				p.see("no such index %s", code(err))
			},
			want: `
				{h:"x" p:"a"}
				consistent ValidationException
				no such index ValidationException`,
		},
		{
			name: "a changed index key moves the item, a removed one takes it out",
			page: "Using Global Secondary Indexes in DynamoDB",
			run: func(p *probe) {
				table := p.indexed(item{"p": s("a"), "g": s("x")})
				look := func(g string) {
					out, err := p.DynamoDB.Query(p.ctx, &dynamodb.QueryInput{TableName: &table, IndexName: aws.String("by-g"),
						KeyConditionExpression: aws.String("g = :g"), ExpressionAttributeValues: item{":g": s(g)}})
					p.must(err)
					p.see("%s: %s", g, texts(out.Items))
				}
				_, err := p.update(table, "SET g = :g", "", item{":g": s("y")})
				p.must(err)
				look("x")
				look("y")
				_, err = p.update(table, "REMOVE g", "", nil)
				p.must(err)
				look("y")
			},
			want: `
				x:
				y: {g:"y" p:"a"}
				y:`,
		},
		{
			name: "sort key conditions, backwards and with a filter after the limit",
			page: "Key condition expressions for the Query operation in DynamoDB",
			run: func(p *probe) {
				table := p.ranged()
				for i := range 6 {
					p.put(table, item{"p": s("a"), "r": n(strconv.Itoa(i)), "even": &types.AttributeValueMemberBOOL{Value: i%2 == 0}})
				}
				query := func(condition string, values item, change func(*dynamodb.QueryInput)) {
					values[":p"] = s("a")
					in := &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: aws.String("p = :p" + condition),
						ExpressionAttributeValues: values, ProjectionExpression: aws.String("r")}
					change(in)
					out, err := p.DynamoDB.Query(p.ctx, in)
					if err != nil {
						p.see("%s", code(err))
						return
					}
					p.see("%d of %d %s next %s", out.Count, out.ScannedCount, texts(out.Items), text(out.LastEvaluatedKey))
				}
				as := func(*dynamodb.QueryInput) {}
				query(" AND r BETWEEN :l AND :u", item{":l": n("1"), ":u": n("3")}, as)
				query(" AND r >= :l", item{":l": n("4")}, func(in *dynamodb.QueryInput) { in.ScanIndexForward = aws.Bool(false) })
				query("", item{":t": &types.AttributeValueMemberBOOL{Value: true}}, func(in *dynamodb.QueryInput) {
					in.FilterExpression, in.Limit = aws.String("even = :t"), aws.Int32(3)
				})
				query(" AND r <> :l", item{":l": n("4")}, as)
				query(" OR r = :l", item{":l": n("4")}, as)
				query(" AND begins_with(r, :l)", item{":l": n("4")}, as)
				query("", item{":l": n("4")}, func(in *dynamodb.QueryInput) { in.FilterExpression = aws.String("r = :l") })
			},
			want: `
				3 of 3 {r:1} {r:2} {r:3} next {}
				2 of 2 {r:5} {r:4} next {}
				2 of 3 {r:0} {r:2} next {p:"a" r:2}
				ValidationException
				ValidationException
				ValidationException
				ValidationException`,
		},
		{
			name: "projections take paths and leave out what is not there",
			page: "Using projection expressions in DynamoDB",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "m": &types.AttributeValueMemberM{Value: item{"k": n("1"), "j": n("2")}},
					"l": &types.AttributeValueMemberL{Value: []value{n("0"), n("1"), n("2")}}})
				for _, projection := range []string{"p, m.k", "l[2], l[0]", "absent, m.absent, l[7]", "m, m.k", "l["} {
					out, err := p.DynamoDB.GetItem(p.ctx, &dynamodb.GetItemInput{TableName: &table, Key: item{"p": s("a")}, ProjectionExpression: &projection})
					if err != nil {
						p.see("%s: %s", projection, code(err))
						continue
					}
					p.see("%s: %s", projection, text(out.Item))
				}
			},
			want: `
				p, m.k: {m:{k:1} p:"a"}
				l[2], l[0]: {l:[0 2]}
				absent, m.absent, l[7]: {}
				m, m.k: ValidationException
				l[: ValidationException`,
		},
		{
			name: "the segments of a scan have every item once",
			page: "Scanning tables in DynamoDB",
			run: func(p *probe) {
				table := p.table()
				for i := range 30 {
					p.put(table, item{"p": s(fmt.Sprintf("%02d", i))})
				}
				var found []string
				for segment := range int32(4) {
					pages := dynamodb.NewScanPaginator(p.DynamoDB, &dynamodb.ScanInput{TableName: &table, Segment: &segment, TotalSegments: aws.Int32(4), Limit: aws.Int32(3)})
					for pages.HasMorePages() {
						out, err := pages.NextPage(p.ctx)
						p.must(err)
						for _, it := range out.Items {
							found = append(found, text(it))
						}
					}
				}
				slices.Sort(found)
				p.see("%d, %d of them different", len(found), len(slices.Compact(found)))
				_, err := p.DynamoDB.Scan(p.ctx, &dynamodb.ScanInput{TableName: &table, Segment: aws.Int32(4), TotalSegments: aws.Int32(4)})
				p.see("segment 4 of 4 %s", code(err))
				_, err = p.DynamoDB.Scan(p.ctx, &dynamodb.ScanInput{TableName: &table, Segment: aws.Int32(0)})
				p.see("a segment without their number %s", code(err))
			},
			want: `
				30, 30 of them different
				segment 4 of 4 ValidationException
				a segment without their number ValidationException`,
		},
		{
			name: "BatchGetItem leaves out what is not there and refuses a key twice",
			page: "BatchGetItem",
			run: func(p *probe) {
				table := p.table(item{"p": s("a"), "v": n("1")})
				get := func(keys ...string) {
					asked := types.KeysAndAttributes{}
					for _, key := range keys {
						asked.Keys = append(asked.Keys, item{"p": s(key)})
					}
					out, err := p.DynamoDB.BatchGetItem(p.ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: asked}})
					if err != nil {
						p.see("%s", code(err))
						return
					}
					p.see("%s unprocessed %d", texts(out.Responses[table]), len(out.UnprocessedKeys))
				}
				get("a", "b")
				get("a", "a")
				var many []string
				for i := range 101 {
					many = append(many, strconv.Itoa(i))
				}
				get(many...)
			},
			want: `
				{p:"a" v:1} unprocessed 0
				ValidationException
				ValidationException`,
		},
		{
			name: "BatchWriteItem writes 25, answers no unprocessed ones and refuses 26 and a key twice",
			page: "BatchWriteItem",
			run: func(p *probe) {
				table := p.table(item{"p": s("old")})
				write := func(requests ...types.WriteRequest) {
					out, err := p.DynamoDB.BatchWriteItem(p.ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: requests}})
					if err != nil {
						p.see("%s", code(err))
						return
					}
					p.see("unprocessed: there %t, tables %d", out.UnprocessedItems != nil, len(out.UnprocessedItems))
				}
				put := func(key string) types.WriteRequest {
					return types.WriteRequest{PutRequest: &types.PutRequest{Item: item{"p": s(key)}}}
				}
				remove := func(key string) types.WriteRequest {
					return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: item{"p": s(key)}}}
				}
				full := []types.WriteRequest{remove("old")}
				for i := range 24 {
					full = append(full, put(strconv.Itoa(i)))
				}
				write(full...)
				write(append(full, put("more"))...)
				write(put("twice"), remove("twice"))
				write(put("poisoned"), put(""))
				write()
				out, err := p.DynamoDB.Scan(p.ctx, &dynamodb.ScanInput{TableName: &table})
				p.must(err)
				p.see("items %d, %s", out.Count, p.get(table, "poisoned"))
			},
			want: `
				unprocessed: there true, tables 0
				ValidationException
				ValidationException
				ValidationException
				ValidationException
				items 24, {}`,
		},
	})
}
