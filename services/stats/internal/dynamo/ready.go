package dynamo

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// Ready says which of the tables do not answer, every one of them: by reading
// a key that no item has, which needs no right beyond those the service has
// anyway and, unlike DescribeTable, no place in the control plane's quota.
func (s *Store) Ready(ctx context.Context) error {
	absent := map[string]item{
		CompanyTable:   companyKey("-"),
		RowTable:       {attrCIK: text("-"), attrDateTicker: text("-")},
		WatchlistTable: watchedKey("-", "-"),
	}
	problems := make([]error, len(TableNames()))
	var group errgroup.Group
	for i, table := range TableNames() {
		group.Go(func() error {
			if _, err := s.get(ctx, table, absent[table]); err != nil {
				problems[i] = fmt.Errorf("table %s: %w", table, err)
			}
			return nil
		})
	}
	_ = group.Wait() // every problem is kept, in the tables' order
	return errors.Join(problems...)
}
