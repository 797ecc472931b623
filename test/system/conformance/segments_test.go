package conformance

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// segment reads a segment page by page and returns its items, as text, and how
// many items the pages say were scanned.
func (p *probe) segment(in dynamodb.ScanInput, segment, total int32) (found []string, scanned int) {
	p.Helper()
	in.Segment, in.TotalSegments = &segment, &total
	pages := dynamodb.NewScanPaginator(p.DynamoDB, &in)
	for pages.HasMorePages() {
		out, err := pages.NextPage(p.ctx)
		p.must(err)
		for _, it := range out.Items {
			found = append(found, text(it))
		}
		scanned += int(out.ScannedCount)
	}
	return found, scanned
}

// many makes a table of so many items, every third of them even.
func (p *probe) many(count int) string {
	p.Helper()
	table := p.table()
	for i := range count {
		p.put(table, item{"p": s(fmt.Sprintf("%02d", i)), "third": &types.AttributeValueMemberBOOL{Value: i%3 == 0}})
	}
	return table
}

func TestSegments(t *testing.T) {
	check(t, tables, []behaviour{
		{
			name: "every item is in one segment, whatever their number, the page and the consistency",
			page: "Scanning tables in DynamoDB",
			run: func(p *probe) {
				table := p.many(20)
				for _, total := range []int32{1, 2, 3, 7, 64} {
					var all []string
					for segment := range total {
						in := dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(total%2 == 0), ProjectionExpression: aws.String("p")}
						if total < 10 {
							in.Limit = aws.Int32(1 + total)
						}
						found, _ := p.segment(in, segment, total)
						all = append(all, found...)
					}
					slices.Sort(all)
					p.see("%d segments: %d, different %d", total, len(all), len(slices.Compact(slices.Clone(all))))
				}
			},
			want: `
				1 segments: 20, different 20
				2 segments: 20, different 20
				3 segments: 20, different 20
				7 segments: 20, different 20
				64 segments: 20, different 20`,
		},
		{
			name: "a segment has the same items each time",
			page: "Scan",
			run: func(p *probe) {
				table := p.many(20)
				for segment := range int32(3) {
					one, _ := p.segment(dynamodb.ScanInput{TableName: &table}, segment, 3)
					other, _ := p.segment(dynamodb.ScanInput{TableName: &table, Limit: aws.Int32(2)}, segment, 3)
					slices.Sort(one)
					slices.Sort(other)
					p.see("same %t", slices.Equal(one, other))
				}
			},
			want: `
				same true
				same true
				same true`,
		},
		{
			name: "a filter is applied after the limit, in each segment",
			page: "Scanning tables in DynamoDB",
			run: func(p *probe) {
				table := p.many(21)
				kept, scanned := 0, 0
				for segment := range int32(4) {
					found, n := p.segment(dynamodb.ScanInput{TableName: &table, Limit: aws.Int32(2), FilterExpression: aws.String("third = :t"),
						ExpressionAttributeValues: item{":t": &types.AttributeValueMemberBOOL{Value: true}}}, segment, 4)
					kept, scanned = kept+len(found), scanned+n
				}
				p.see("%d of %d", kept, scanned)
			},
			want: `7 of 21`,
		},
		{
			name: "an index is scanned in segments, with the items that are in it",
			page: "Scan",
			run: func(p *probe) {
				table := p.indexed()
				for i := range 12 {
					it := item{"p": s(fmt.Sprintf("%02d", i))}
					if i%2 == 0 {
						it["g"] = s(fmt.Sprint(i % 3))
					}
					p.put(table, it)
				}
				var all []string
				for segment := range int32(3) {
					found, _ := p.segment(dynamodb.ScanInput{TableName: &table, IndexName: aws.String("by-g"), Limit: aws.Int32(1)}, segment, 3)
					all = append(all, found...)
				}
				slices.Sort(all)
				p.see("%d, different %d", len(all), len(slices.Compact(all)))
			},
			want: `6, different 6`,
		},
		{
			name: "segments are numbered from 0 below their total of 1 to 1000000, and keep their keys",
			page: "Scan",
			run: func(p *probe) {
				table := p.many(10)
				scan := func(what string, in dynamodb.ScanInput) *dynamodb.ScanOutput {
					in.TableName = &table
					out, err := p.DynamoDB.Scan(p.ctx, &in)
					p.see("%s %s", what, code(err))
					return out
				}
				at := func(segment, total int32) dynamodb.ScanInput {
					return dynamodb.ScanInput{Segment: &segment, TotalSegments: &total}
				}
				scan("0 of 1", at(0, 1))
				scan("999999 of 1000000", at(999_999, 1_000_000))
				scan("0 of 1000001", at(0, 1_000_001))
				scan("0 of 0", at(0, 0))
				scan("-1 of 2", at(-1, 2))
				scan("2 of 2", at(2, 2))
				scan("only a segment", dynamodb.ScanInput{Segment: aws.Int32(0)})
				scan("only a total", dynamodb.ScanInput{TotalSegments: aws.Int32(2)})
				limited := dynamodb.ScanInput{Limit: aws.Int32(0)}
				scan("a limit of 0", limited)
				for segment := range int32(2) {
					in := at(segment, 2)
					in.Limit = aws.Int32(1)
					out := scan("first page", in)
					if out == nil || out.LastEvaluatedKey == nil {
						continue
					}
					other := at(1-segment, 2)
					other.ExclusiveStartKey = out.LastEvaluatedKey
					scan("its key in the other segment", other)
				}
			},
			want: `
				0 of 1 ok
				999999 of 1000000 ok
				0 of 1000001 ValidationException
				0 of 0 ValidationException
				-1 of 2 ValidationException
				2 of 2 ValidationException
				only a segment ValidationException
				only a total ValidationException
				a limit of 0 ValidationException
				first page ok
				its key in the other segment ValidationException
				first page ok
				its key in the other segment ValidationException`,
		},
	})
}
