package dynamostore

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// MaxScanSegments is the most segments a parallel scan has ("Scan", Amazon
// DynamoDB API Reference: TotalSegments).
const MaxScanSegments = 1_000_000

// Scan reads whole tables, page by page and in segments that may be read at the
// same time. It needs the right to Scan and is safe for concurrent use.
type Scan struct{ client *dynamodb.Client }

// NewScan returns a Scan.
func NewScan(client *dynamodb.Client) *Scan { return &Scan{client: client} }

// Segment reads one page of one of the table's segments, of at most limit items
// and 1 MB, consistently: it shows every write that was answered before the
// call. start is where the page begins, nil for the segment's first; next is
// where the next one does, nil at the end. A page may be empty and yet not the
// last. An item is in one segment, the same for every number of segments that is
// asked for again.
func (s *Scan) Segment(ctx context.Context, table string, segment, of int, start contracts.Item, limit int) (items []contracts.Item, next contracts.Item, err error) {
	in := &dynamodb.ScanInput{
		TableName:      aws.String(table),
		ConsistentRead: aws.Bool(true),
		Segment:        aws.Int32(int32(segment)),
		TotalSegments:  aws.Int32(int32(of)),
		Limit:          aws.Int32(int32(limit)),
	}
	if start != nil {
		in.ExclusiveStartKey = ToAttributes(start)
	}
	out, err := s.client.Scan(ctx, in)
	if err != nil {
		return nil, nil, fmt.Errorf("scan %s, segment %d of %d: %w", table, segment+1, of, err)
	}
	items = make([]contracts.Item, len(out.Items))
	for i, attributes := range out.Items {
		if items[i], err = FromAttributes(attributes); err != nil {
			return nil, nil, fmt.Errorf("scan %s: %w", table, err)
		}
	}
	if len(out.LastEvaluatedKey) == 0 {
		return items, nil, nil
	}
	next, err = FromAttributes(out.LastEvaluatedKey)
	return items, next, err
}
