package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

// PutRow stores the row and then brings it into its company's summary, and
// reports whether the row is new: of several that race for a new row one is
// told so, or none where the database's answer to it was lost. A row that is
// there with the same figures is not written again, and neither is a summary
// that holds it, so that the same call made again writes nothing or what the
// first one left undone. It takes three requests where nobody else writes the
// company: one that reads row and summary, one for the row, one for the summary
// if the row changes it.
//
// The error is company.ErrTooManyTickers where the company has no room for
// another ticker, which leaves no row; and company.ErrUnavailable where the
// database is not available or other writers of the company were faster every
// time. The row may be stored then without being in the summary: no read shows
// it until the same call is made again.
func (s *Store) PutRow(ctx context.Context, row company.Row) (created bool, err error) {
	created, err = s.putRow(ctx, row)
	if err != nil {
		return false, wrap("put statistics "+row.CIK+" "+dateTicker(row), err)
	}
	return created, nil
}

func (s *Store) putRow(ctx context.Context, row company.Row) (created bool, err error) {
	p := s.newPace()
	stored, held, err := s.readForPut(ctx, row, p)
	if err != nil {
		return false, err
	}
	if !held.summary(s.latestVersion()).Admits(row.Ticker) {
		return false, s.refuse(ctx, row, stored)
	}
	version, created, err := s.writeRow(ctx, row, stored, held, p)
	if err != nil {
		return false, err
	}
	err = s.merge(ctx, row, version, held, p)
	if errors.Is(err, company.ErrTooManyTickers) { // the last room went to another while the row was written
		return false, s.refuse(ctx, row, &rowItem{Version: newStoredVersion(version)})
	}
	return created, err
}

// writeRow stores the row unless it is there already, on condition that nobody
// else has written it meanwhile, and returns the version that it has. Once it
// is written it is not written again: what another writer makes of it afterwards
// is later.
//
// An SDK retry after a lost answer meets its own write, which is a row with the
// same figures and so is there already.
func (s *Store) writeRow(ctx context.Context, row company.Row, stored *rowItem, held companyItem, p *pace) (version contracts.Version, created bool, err error) {
	for {
		floor, settled := s.outbid(row, stored, held)
		if settled {
			return floor, false, nil
		}
		if version, err = contracts.Next(s.now(), floor); err != nil {
			return 0, false, err
		}
		err = s.putItem(ctx, row, version, stored)
		if err == nil {
			return version, stored == nil, nil
		}
		found, failed := conditionFailed(err)
		if !failed {
			return 0, false, err
		}
		if stored, err = decodeRow(found); err != nil {
			return 0, false, err
		}
		if err := p.wait(ctx, errOtherWriters); err != nil {
			return 0, false, err
		}
	}
}

// outbid returns the greatest version known of the row, 0 for none, and whether
// the row is settled: stored with these figures at this version. The summary
// can know a greater version than the row, or other figures of the same, only
// where somebody else than this package has changed or deleted the row, or has
// written it a moment ago; in the second case the write's condition finds out.
func (s *Store) outbid(row company.Row, stored *rowItem, held companyItem) (floor contracts.Version, settled bool) {
	latest := s.latestVersion()
	if stored != nil {
		floor = stored.Version.version(latest)
		settled = floor > 0 && stored.Figures == row.Figures
	}
	if l, ok := held.Latest[row.Ticker]; ok && l.Date == row.Date {
		version := l.Version.version(latest)
		settled = settled && (version < floor || version == floor && l.Figures == row.Figures)
		floor = max(floor, version)
	}
	return floor, settled
}

// putItem writes the row on condition that it is as it was read.
func (s *Store) putItem(ctx context.Context, row company.Row, version contracts.Version, stored *rowItem) error {
	encoded, err := attributevalue.MarshalMap(rowItem{
		CIK: row.CIK, DateTicker: dateTicker(row), Version: newStoredVersion(version), Figures: row.Figures,
	})
	if err != nil {
		return fmt.Errorf("encode the row: %w", err)
	}
	condition, names, values := unchanged(stored)
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(RowTable), Item: encoded,
		ConditionExpression: aws.String(condition), ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	return err
}

// unchanged is the condition that a row is still as it was read, nil for absent:
// its version is, as it is stored, valid or not.
func unchanged(stored *rowItem) (condition string, names map[string]string, values item) {
	switch {
	case stored == nil:
		return "attribute_not_exists(#cik)", map[string]string{"#cik": attrCIK}, nil
	case stored.Version.raw == nil:
		return "attribute_exists(#cik) AND attribute_not_exists(#version)",
			map[string]string{"#cik": attrCIK, "#version": attrRowVersion}, nil
	}
	return "#version = :version", map[string]string{"#version": attrRowVersion}, item{":version": stored.Version.raw}
}

// refuse answers a row whose ticker has no room, and takes the row away if it
// is there: written by this call before another ticker took the last room, or
// by one that ended before it came this far. Such a row can be in no summary,
// now or later. One that somebody else has written since is theirs to refuse.
func (s *Store) refuse(ctx context.Context, row company.Row, stored *rowItem) error {
	if stored == nil {
		return company.ErrTooManyTickers
	}
	condition, names, values := unchanged(stored)
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(RowTable), Key: rowKey(row),
		ConditionExpression: aws.String(condition), ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	if _, failed := conditionFailed(err); err != nil && !failed {
		return fmt.Errorf("take back the row: %w", err)
	}
	return company.ErrTooManyTickers
}

// readForPut reads the stored row, nil if there is none, and the company's
// summary, by one request but not at one moment; the conditions of what is
// written make sure that each is still what was read.
func (s *Store) readForPut(ctx context.Context, row company.Row, p *pace) (stored *rowItem, held companyItem, err error) {
	in := &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{
			CompanyTable: {
				Keys: []map[string]types.AttributeValue{companyKey(row.CIK)}, ConsistentRead: aws.Bool(true),
				ProjectionExpression:     aws.String("#latest, #revision"),
				ExpressionAttributeNames: map[string]string{"#latest": attrLatest, "#revision": attrRevision},
			},
			RowTable: {Keys: []map[string]types.AttributeValue{rowKey(row)}, ConsistentRead: aws.Bool(true)},
		},
	}
	for {
		out, err := s.client.BatchGetItem(ctx, in)
		if err != nil {
			return nil, held, err
		}
		if len(out.UnprocessedKeys) > 0 {
			if err := p.wait(ctx, errUnprocessed); err != nil {
				return nil, held, err
			}
			continue
		}
		if stored, err = decodeRow(only(out.Responses[RowTable])); err != nil {
			return nil, held, err
		}
		held, err = decodeCompanyItem(only(out.Responses[CompanyTable]))
		return stored, held, err
	}
}

// only returns the one item there is, nil if there is none.
func only(items []map[string]types.AttributeValue) item {
	if len(items) == 0 {
		return nil
	}
	return items[0]
}
