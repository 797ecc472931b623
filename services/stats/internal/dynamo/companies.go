package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

// Company returns what this service knows of a company, by one consistent
// GetItem. The error is company.ErrNotFound where there is neither a live copy
// of its profile nor a row of figures.
func (s *Store) Company(ctx context.Context, cik string) (company.Company, error) {
	operation := "read company " + cik
	stored, err := s.get(ctx, CompanyTable, companyKey(cik))
	if err != nil {
		return company.Company{}, wrap(operation, err)
	}
	c, err := s.decodeCompany(stored)
	if err != nil {
		return company.Company{}, wrap(operation, err)
	}
	if !c.Profile.Live() && len(c.Summary.Latest) == 0 {
		return company.Company{}, fmt.Errorf("%s: %w", operation, company.ErrNotFound)
	}
	return c, nil
}

// Place is where a page of a leaderboard ended: its last company.
type Place struct {
	CIK       string
	MarketCap company.Decimal
}

// Leaderboard returns up to limit companies of the sector, highest market
// capitalisation first, beginning after a place or at the top for nil, and
// whether more follow. Companies without a market capitalisation, and those
// whose profile has not arrived or was deleted, have no place. It reads a
// global secondary index, which shows a write after a moment only (AWS,
// "Using Global Secondary Indexes in DynamoDB").
func (s *Store) Leaderboard(ctx context.Context, sector string, limit int, after *Place) (ranked []company.Company, more bool, err error) {
	var start item
	if after != nil {
		start = item{attrCIK: text(after.CIK), attrSectorKey: text(sector), attrMarketCap: number(string(after.MarketCap))}
	}
	items, more, err := s.page(ctx, &dynamodb.QueryInput{
		TableName:                 aws.String(CompanyTable),
		IndexName:                 aws.String(SectorIndex),
		KeyConditionExpression:    aws.String("#sector = :sector"),
		ExpressionAttributeNames:  map[string]string{"#sector": attrSectorKey},
		ExpressionAttributeValues: item{":sector": text(sector)},
		ScanIndexForward:          aws.Bool(false),
		ExclusiveStartKey:         start,
	}, limit)
	if err != nil {
		return nil, false, wrap("read leaderboard of "+sector, err)
	}
	ranked = make([]company.Company, 0, len(items))
	for _, stored := range items {
		c, err := s.decodeCompany(stored)
		if err != nil {
			return nil, false, wrap("read leaderboard of "+sector, err)
		}
		ranked = append(ranked, c)
	}
	return ranked, more, nil
}

// page runs a query until it has limit items or the query's end, and reports
// whether more follow. One item beyond the limit is asked for, so that a page
// that is announced is never empty.
func (s *Store) page(ctx context.Context, query *dynamodb.QueryInput, limit int) (items []item, more bool, err error) {
	for len(items) <= limit {
		query.Limit = aws.Int32(int32(limit + 1 - len(items)))
		out, err := s.client.Query(ctx, query)
		if err != nil {
			return nil, false, err
		}
		items = append(items, out.Items...)
		if len(out.LastEvaluatedKey) == 0 {
			break
		}
		query.ExclusiveStartKey = out.LastEvaluatedKey
	}
	if len(items) > limit {
		return items[:limit], true, nil
	}
	return items, false, nil
}
