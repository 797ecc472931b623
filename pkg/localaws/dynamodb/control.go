package dynamodb

import (
	"context"
	"time"
)

type table struct{}

// SplitShards closes a table's open stream shards and opens two children of each.
func (s *Service) SplitShards(table string) error { return nil }

// TrimStream drops a table's stream records older than 24 hours.
func (s *Service) TrimStream(table string) error { return nil }

// SweepTTL deletes what has expired and returns how many items those were.
func (s *Service) SweepTTL(ctx context.Context) (int, error) { return 0, nil }

// SetIndexLag makes reads of a global index lag by d.
func (s *Service) SetIndexLag(table, index string, d time.Duration) error { return nil }
