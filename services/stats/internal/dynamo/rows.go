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
		case !conflicting(err):
			return false, wrap(operation, err)
		case attempt == maxAttempts:
			return false, fmt.Errorf("%s: %w: %w, %d times: %w", operation, company.ErrUnavailable, errConflict, attempt, err)
		}
		if err := sleep(ctx, s.jitter(backoff)); err != nil {
			return false, wrap(operation, err)
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// putRow is one attempt. The company is read before the row: every write of a
// row advances the company's revision, so that a row written after the reading
// fails the transaction's condition and what is said about the row holds.
func (s *Store) putRow(ctx context.Context, row company.Row) (created bool, err error) {
	held, revision, err := s.summary(ctx, row.CIK)
	if err != nil {
		return false, err
	}
	stored, err := s.get(ctx, RowTable, rowKey(row))
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
	_, err = s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: aws.String(RowTable), Item: encoded}},
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

// summary reads the company's summary and its revision, which is 0 for a
// company without one.
func (s *Store) summary(ctx context.Context, cik string) (company.Summary, int64, error) {
	stored, err := s.get(ctx, CompanyTable, companyKey(cik))
	if err != nil {
		return company.Summary{}, 0, err
	}
	c, i, err := decodeCompany(stored)
	if err != nil {
		return company.Summary{}, 0, err
	}
	revision, err := revisionOf(i)
	return c.Summary, revision, err
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
