package dynamo

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

// watchedItem is an entry of the watchlists table.
type watchedItem struct {
	CIK            string                `dynamodbav:"cik"`
	Name           *string               `dynamodbav:"companyName"`
	ProfileVersion attributevalue.Number `dynamodbav:"profileVersion"`
	AddedAt        string                `dynamodbav:"addedAt"`
}

func decodeWatched(stored item) (company.Watched, error) {
	var i watchedItem
	if err := attributevalue.UnmarshalMap(stored, &i); err != nil {
		return company.Watched{}, fmt.Errorf("read the entry: %w", err)
	}
	added, err := time.Parse(time.RFC3339Nano, i.AddedAt)
	if err != nil {
		return company.Watched{}, fmt.Errorf("read the entry of %s: %s: %w", i.CIK, attrAddedAt, err)
	}
	return company.Watched{
		CIK: i.CIK, AddedAt: added,
		Profile: company.Profile{Name: i.Name, Version: string(i.ProfileVersion)},
	}, nil
}

func watchedKey(user, cik string) item { return item{attrUser: text(user), attrCIK: text(cik)} }

// Watch puts the company on the user's watchlist, with the copy of its name
// that this service holds at the moment, if any, and reports whether the entry
// is new. An entry that is there keeps its addedAt and takes the present copy
// again.
func (s *Store) Watch(ctx context.Context, user, cik string) (entry company.Watched, created bool, err error) {
	operation := "watch company " + cik
	stored, err := s.get(ctx, WatchlistTable, watchedKey(user, cik))
	if err != nil {
		return entry, false, wrap(operation, err)
	}
	added := s.now().UTC().Format(time.RFC3339Nano)
	if stored != nil {
		held, err := decodeWatched(stored)
		if err != nil {
			return entry, false, wrap(operation, err)
		}
		added = held.AddedAt.Format(time.RFC3339Nano)
	}
	if err := s.copier.AddCopy(ctx, WatchlistTable, cik, contracts.Item{
		attrUser: contracts.String(user), attrCIK: contracts.String(cik), attrAddedAt: contracts.String(added),
	}); err != nil {
		return entry, false, wrap(operation, err)
	}
	now, err := s.get(ctx, WatchlistTable, watchedKey(user, cik))
	if err != nil {
		return entry, false, wrap(operation, err)
	}
	if now == nil { // added, and taken off again by somebody else since
		now = item{attrCIK: text(cik), attrAddedAt: text(added)}
	}
	entry, err = decodeWatched(now)
	return entry, stored == nil, wrap(operation, err)
}

// Unwatch takes the company off the user's watchlist; one that is not on it is
// no error.
func (s *Store) Unwatch(ctx context.Context, user, cik string) error {
	operation, p := "unwatch company "+cik, s.newPace()
	for {
		_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: aws.String(WatchlistTable), Key: watchedKey(user, cik),
		})
		if !conflicting(err) {
			return wrap(operation, err)
		}
		if err := p.wait(ctx, err); err != nil {
			return wrap(operation, err)
		}
	}
}

// Watchlist returns up to limit entries of the user's watchlist, ordered by
// company key, beginning after a company or at the first for "", and whether
// more follow. It is a consistent read.
func (s *Store) Watchlist(ctx context.Context, user string, limit int, after string) (entries []company.Watched, more bool, err error) {
	var start item
	if after != "" {
		start = watchedKey(user, after)
	}
	items, more, err := s.page(ctx, &dynamodb.QueryInput{
		TableName:                 aws.String(WatchlistTable),
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("#user = :user"),
		ExpressionAttributeNames:  map[string]string{"#user": attrUser},
		ExpressionAttributeValues: item{":user": text(user)},
		ExclusiveStartKey:         start,
	}, limit)
	if err != nil {
		return nil, false, wrap("read watchlist", err)
	}
	entries = make([]company.Watched, 0, len(items))
	for _, stored := range items {
		entry, err := decodeWatched(stored)
		if err != nil {
			return nil, false, wrap("read watchlist", err)
		}
		entries = append(entries, entry)
	}
	return entries, more, nil
}
