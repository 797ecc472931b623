package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/services/profile/internal/company"
)

// What one page may cost: so many items are looked at, tombstones included, in
// so many scans of at least so many items each. A page that ends for that
// reason has fewer companies than asked for, perhaps none, and a Next.
const (
	maxExamined   = 2000
	maxScans      = 20
	leastExamined = 100
)

// Companies returns up to limit companies, limit at most 1000, beginning after
// the place that an earlier page's Next gave, or at the first for "". A company
// that lives throughout is on exactly one page; one that comes or goes
// meanwhile is on one at most. Reads are consistent.
func (r *Repository) Companies(ctx context.Context, limit int, after string) (company.Page, error) {
	page, err := r.companies(ctx, limit, after)
	return page, wrap("list companies", err)
}

func (r *Repository) companies(ctx context.Context, limit int, after string) (company.Page, error) {
	deleted := attribute(r.names.Deleted)
	live, err := expression.NewBuilder().WithFilter(
		expression.AttributeNotExists(deleted).Or(deleted.NotEqual(value(contracts.Bool(true)))),
	).Build()
	if err != nil {
		return company.Page{}, err
	}
	var (
		found []map[string]types.AttributeValue
		start map[string]types.AttributeValue
		room  = maxExamined
	)
	if after != "" {
		start = key(after)
	}
	for scans := 0; len(found) <= limit && room > 0 && scans < maxScans; scans++ {
		out, err := r.client.Scan(ctx, &dynamodb.ScanInput{
			TableName:                 aws.String(r.table),
			ConsistentRead:            aws.Bool(true),
			ExclusiveStartKey:         start,
			Limit:                     aws.Int32(int32(min(room, max(limit+1-len(found), leastExamined)))),
			FilterExpression:          live.Filter(),
			ExpressionAttributeNames:  live.Names(),
			ExpressionAttributeValues: live.Values(),
		})
		if err != nil {
			return company.Page{}, err
		}
		found = append(found, out.Items...)
		room -= int(out.ScannedCount)
		if start = out.LastEvaluatedKey; len(start) == 0 {
			break
		}
	}
	var page company.Page
	if len(found) > limit {
		found = found[:limit]
		start = found[limit-1]
	}
	for _, attributes := range found {
		if err := r.addTo(&page, attributes); err != nil {
			return company.Page{}, err
		}
	}
	if len(start) > 0 {
		at, err := dynamostore.FromAttributes(start)
		if err != nil {
			return company.Page{}, err
		}
		page.Next = at[keyAttribute].Text()
	}
	return page, nil
}

// addTo reads one item of a page. One that cannot be read holds up no other.
func (r *Repository) addTo(page *company.Page, attributes map[string]types.AttributeValue) error {
	item, err := dynamostore.FromAttributes(attributes)
	if err != nil {
		return err
	}
	c, err := r.decode(item)
	if err != nil {
		page.Unreadable = append(page.Unreadable, item[keyAttribute].Text())
		return nil
	}
	page.Companies = append(page.Companies, c)
	return nil
}
