package conformance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// mostPages bounds what is read of one Query or of one segment.
const mostPages = 50

// scanning reads a table, or its index, in segments and pages. The engines keep
// items in orders of their own, so that only all together compare.
func (d *draw) scanning() operation {
	in := dynamodb.ScanInput{FilterExpression: d.maybe(), ConsistentRead: aws.Bool(d.IntN(2) == 0)}
	if d.IntN(2) == 0 {
		in.Limit = aws.Int32(int32(1 + d.IntN(4)))
	}
	if d.ranged && d.IntN(2) == 0 {
		in.IndexName = aws.String("by-g")
		in.ConsistentRead = aws.Bool(d.IntN(10) == 0)
	}
	in.ExpressionAttributeValues, in.ExpressionAttributeNames = given(d.values), given(d.names)
	segments := int32(1 + d.IntN(4))
	what := fmt.Sprintf("scan %q in %d segments, limit %d, consistent %t, %s", aws.ToString(in.IndexName), segments, aws.ToInt32(in.Limit), *in.ConsistentRead, d.with(in.FilterExpression))
	return operation{what, func(p *probe, table string) string {
		var found []string
		var count, scanned int32
		for segment := range segments {
			in := in
			in.TableName, in.Segment, in.TotalSegments = &table, &segment, &segments
			for range mostPages {
				out, err := p.DynamoDB.Scan(p.ctx, &in)
				if err != nil {
					return code(err)
				}
				for _, it := range out.Items {
					found = append(found, text(it))
				}
				count, scanned = count+out.Count, scanned+out.ScannedCount
				if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
					break
				}
			}
		}
		slices.Sort(found)
		return fmt.Sprintf("%d of %d: %s", count, scanned, strings.Join(found, " "))
	}}
}

// keyCondition is the key condition of a query.
func (d *draw) keyCondition(hash, sort string, hashes ...string) string {
	condition := hash + " = " + d.ref(s(pick(d, hashes...)))
	if d.IntN(15) == 0 { // of another type
		condition = hash + pick(d, " = ", " < ") + d.ref(n("1"))
	}
	if sort == "" {
		return condition
	}
	switch d.IntN(8) {
	case 0, 1, 2:
		return condition + " AND " + sort + pick(d, " = ", " < ", " <= ", " > ", " >= ") + d.ref(n(d.number()))
	case 3, 4:
		low := d.ref(n(pick(d, "-1", "1", "2")))
		return condition + " AND " + sort + " BETWEEN " + low + " AND " + d.ref(n(pick(d, "0", "2", "3", "1000")))
	case 5:
		// A number has no prefix, and <> is for filters.
		if d.IntN(2) == 0 {
			return condition + " AND begins_with(" + sort + ", " + d.ref(s("x")) + ")"
		}
		return condition + " AND " + sort + " <> " + d.ref(n("1"))
	default:
		return condition
	}
}

// page is one of a query's answers.
type page struct {
	items   string
	scanned int32
	next    string
}

// joined are a query's pages. A limit that is reached with the last item may
// leave a key to go on from or none ("Paginating table query results in
// DynamoDB": a key does not mean that there is more), so that what is compared
// ends with the last page that has read something.
func joined(pages []page) string {
	if last := len(pages) - 1; last > 0 && pages[last].scanned == 0 {
		pages = pages[:last]
	}
	pages[len(pages)-1].next = "the end"
	var out strings.Builder
	for _, one := range pages {
		out.WriteString(one.items + " next " + one.next + "; ")
	}
	return out.String()
}

// querying reads what a key condition selects, page by page.
func (d *draw) querying() operation {
	in := dynamodb.QueryInput{}
	switch {
	case !d.ranged:
		in.KeyConditionExpression = aws.String(d.keyCondition("p", "", "a", "b", "c", "absent"))
	case d.IntN(3) == 0:
		in.IndexName = aws.String("by-g")
		in.KeyConditionExpression = aws.String(d.keyCondition("g", "c", "x", "y"))
	default:
		in.KeyConditionExpression = aws.String(d.keyCondition("p", "r", "a", "a", "b", "absent"))
	}
	if d.IntN(2) == 0 {
		in.FilterExpression = aws.String(d.condition(0))
	}
	if d.IntN(2) == 0 {
		in.Limit = aws.Int32(int32(1 + d.IntN(3)))
	}
	if d.IntN(3) == 0 {
		in.ScanIndexForward = aws.Bool(d.IntN(2) == 0)
	}
	switch d.IntN(6) {
	case 0:
		in.ProjectionExpression = aws.String("x, p, " + pick(d, "y", "z.k", "c, y[0]"))
	case 1:
		in.Select = pick(d, types.SelectCount, types.SelectAllAttributes, types.SelectAllProjectedAttributes)
	case 2:
		in.ConsistentRead = aws.Bool(true)
	}
	in.ExpressionAttributeValues, in.ExpressionAttributeNames = given(d.values), given(d.names)
	what := fmt.Sprintf("query %q %q limit %d forward %t consistent %t select %q project %q %s", aws.ToString(in.IndexName), *in.KeyConditionExpression, aws.ToInt32(in.Limit),
		in.ScanIndexForward == nil || *in.ScanIndexForward, aws.ToBool(in.ConsistentRead), in.Select, aws.ToString(in.ProjectionExpression), d.with(in.FilterExpression))
	return operation{what, func(p *probe, table string) string {
		in := in
		in.TableName = &table
		var found []string
		var pages []page
		var order []string // of an index's sort keys: items with equal ones are in any order
		var count, scanned int32
		for range mostPages {
			out, err := p.DynamoDB.Query(p.ctx, &in)
			if err != nil {
				return code(err)
			}
			for _, it := range out.Items {
				found = append(found, text(it))
				if c, ok := it["c"]; ok {
					order = append(order, render(c))
				}
			}
			count, scanned = count+out.Count, scanned+out.ScannedCount
			pages = append(pages, page{fmt.Sprintf("%d of %d %s", out.Count, out.ScannedCount, texts(out.Items)), out.ScannedCount, text(out.LastEvaluatedKey)})
			if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
				break
			}
		}
		if in.IndexName == nil {
			return joined(pages)
		}
		slices.Sort(found)
		return fmt.Sprintf("%d of %d: %s in order %v", count, scanned, strings.Join(found, " "), order)
	}}
}
