package dynamo

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

// merge brings a row that is stored at that version into the company's summary,
// beginning with the summary that was read. A condition that fails returns the
// summary that it met, so that no attempt reads first. The error is
// company.ErrTooManyTickers where the summary has no room for the row's ticker.
func (s *Store) merge(ctx context.Context, row company.Row, version contracts.Version, held companyItem, p *pace) error {
	for {
		summary := held.summary(s.latestVersion())
		if !summary.Admits(row.Ticker) {
			return company.ErrTooManyTickers
		}
		next, changed := summary.With(row, version)
		if !changed {
			return nil
		}
		err := s.updateSummary(ctx, row.CIK, next, held)
		if err == nil {
			return nil
		}
		switch found, failed := conditionFailed(err); {
		case failed:
			if held, err = decodeCompanyItem(found); err != nil {
				return err
			}
			err = errOtherWriters
		case !conflicting(err):
			return err
		}
		if err := p.wait(ctx, err); err != nil {
			return err
		}
	}
}

// updateSummary replaces the company's summary if it is still at the revision
// that was read. It touches our own attributes only.
func (s *Store) updateSummary(ctx context.Context, cik string, next company.Summary, held companyItem) error {
	latest, err := encodeLatest(next)
	if err != nil {
		return err
	}
	revision, err := held.nextRevision()
	if err != nil {
		return err
	}
	values := item{":latest": latest, ":latestDate": text(next.LatestDate()), ":next": number(revision)}
	set := []string{"#latest = :latest", "#latestDate = :latestDate", "#revision = :next"}
	remove := " REMOVE #marketCap"
	if marketCap := next.MarketCap(); marketCap != "" {
		set, remove = append(set, "#marketCap = :marketCap"), ""
		values[":marketCap"] = number(string(marketCap))
	}
	condition := "attribute_not_exists(#revision)"
	if held.Revision != "" {
		condition = "#revision = :revision"
		values[":revision"] = number(string(held.Revision))
	}
	_, err = s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:           aws.String(CompanyTable),
		Key:                 companyKey(cik),
		UpdateExpression:    aws.String("SET " + strings.Join(set, ", ") + remove),
		ConditionExpression: aws.String(condition),
		ExpressionAttributeNames: map[string]string{
			"#latest": attrLatest, "#latestDate": attrLatestDate, "#marketCap": attrMarketCap, "#revision": attrRevision,
		},
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	return err
}
