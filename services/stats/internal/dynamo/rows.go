package dynamo

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

// Attempts to write a row against other writers of the same company, and the
// longest delay between two of them.
const (
	maxAttempts  = 30
	firstBackoff = 5 * time.Millisecond
	maxBackoff   = 250 * time.Millisecond
)

// PutRow stores the row and the company's summary with it, in one transaction
// on condition that the summary is the one that was read, and reports whether
// the row is new. Storing a row that is there already with the same figures
// writes nothing. The error is company.ErrTooManyTickers where the company has
// no room for another ticker, and company.ErrUnavailable where the database is
// not available or other writers of the company were faster every time.
func (s *Store) PutRow(ctx context.Context, row company.Row) (created bool, err error) {
	operation := "put statistics " + row.CIK + " " + dateTicker(row)
	backoff := firstBackoff
	for attempt := 1; ; attempt++ {
		created, err := s.putRow(ctx, row)
		switch {
		case err == nil:
			return created, nil
		case !worthAnotherAttempt(err):
			return false, wrap(operation, err)
		case attempt == maxAttempts:
			return false, fmt.Errorf("%s: %w: given up after %d attempts: %w", operation, company.ErrUnavailable, attempt, err)
		}
		if err := sleep(ctx, s.jitter(backoff)); err != nil {
			return false, wrap(operation, err)
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// putRow is one attempt. Company and row are read by one request but not at one
// moment; the transaction's conditions make sure that both are still what was
// read.
func (s *Store) putRow(ctx context.Context, row company.Row) (created bool, err error) {
	held, revision, stored, err := s.readForPut(ctx, row)
	if err != nil {
		return false, err
	}
	next := held.With(row)
	if len(next.Latest) > company.MaxTickers {
		return false, company.ErrTooManyTickers
	}
	if stored != nil && next.Equal(held) {
		var old rowItem
		if err := attributevalue.UnmarshalMap(stored, &old); err != nil {
			return false, fmt.Errorf("read the row: %w", err)
		}
		if old.Figures == row.Figures {
			return false, nil
		}
	}
	encoded, err := encodeRow(row)
	if err != nil {
		return false, fmt.Errorf("encode the row: %w", err)
	}
	update, err := summaryUpdate(row.CIK, next, revision)
	if err != nil {
		return false, err
	}
	unchanged := "attribute_exists(#cik)"
	if stored == nil {
		unchanged = "attribute_not_exists(#cik)"
	}
	_, err = s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{
				TableName: aws.String(RowTable), Item: encoded,
				ConditionExpression:      aws.String(unchanged),
				ExpressionAttributeNames: map[string]string{"#cik": attrCIK},
			}},
			{Update: update},
		},
	})
	return stored == nil, err
}

// summaryUpdate replaces the company's summary if it is still at revision. It
// touches our own attributes only.
func summaryUpdate(cik string, next company.Summary, revision int64) (*types.Update, error) {
	latest, err := attributevalue.Marshal(next.Latest)
	if err != nil {
		return nil, fmt.Errorf("encode the summary: %w", err)
	}
	names := map[string]string{
		"#latest": attrLatest, "#latestDate": attrLatestDate, "#marketCap": attrMarketCap, "#revision": attrRevision,
	}
	values := item{
		":latest": latest, ":latestDate": text(next.LatestDate()), ":next": number(strconv.FormatInt(revision+1, 10)),
	}
	set := []string{"#latest = :latest", "#latestDate = :latestDate", "#revision = :next"}
	remove := " REMOVE #marketCap"
	if marketCap := next.MarketCap(); marketCap != "" {
		set, remove = append(set, "#marketCap = :marketCap"), ""
		values[":marketCap"] = number(string(marketCap))
	}
	condition := "attribute_not_exists(#revision)"
	if revision > 0 {
		condition = "#revision = :revision"
		values[":revision"] = number(strconv.FormatInt(revision, 10))
	}
	return &types.Update{
		TableName:                 aws.String(CompanyTable),
		Key:                       companyKey(cik),
		UpdateExpression:          aws.String("SET " + strings.Join(set, ", ") + remove),
		ConditionExpression:       aws.String(condition),
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
	}, nil
}

// readForPut reads the company's summary with its revision, which is 0 for a
// company without one, and the stored row, nil if there is none.
func (s *Store) readForPut(ctx context.Context, row company.Row) (held company.Summary, revision int64, stored item, err error) {
	out, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{
			CompanyTable: {
				Keys: []map[string]types.AttributeValue{companyKey(row.CIK)}, ConsistentRead: aws.Bool(true),
				ProjectionExpression:     aws.String("#latest, #revision"),
				ExpressionAttributeNames: map[string]string{"#latest": attrLatest, "#revision": attrRevision},
			},
			RowTable: {Keys: []map[string]types.AttributeValue{rowKey(row)}, ConsistentRead: aws.Bool(true)},
		},
	})
	if err != nil {
		return held, 0, nil, err
	}
	if len(out.UnprocessedKeys) > 0 {
		return held, 0, nil, errUnprocessed
	}
	if found := out.Responses[RowTable]; len(found) > 0 {
		stored = found[0]
	}
	if found := out.Responses[CompanyTable]; len(found) > 0 {
		c, i, err := decodeCompany(found[0])
		if err != nil {
			return held, 0, nil, err
		}
		held = c.Summary
		if revision, err = revisionOf(i); err != nil {
			return held, 0, nil, err
		}
	}
	return held, revision, stored, nil
}

// get reads an item consistently; nil if there is none.
func (s *Store) get(ctx context.Context, table string, key item) (item, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(table), Key: key, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
