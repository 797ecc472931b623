package dynamodb

import (
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/streams"
)

// SplitShards closes the open shards of a table's stream and opens two
// children of each. A table without a stream has none to split.
func (s *Service) SplitShards(table string) error {
	return s.onStream(table, (*streams.Stream).Split)
}

// RotateShards closes the open shards of a table's stream and opens one child
// of each, as AWS does every few hours.
func (s *Service) RotateShards(table string) error {
	return s.onStream(table, (*streams.Stream).Rotate)
}

// TrimStream frees the stream records of a table that are older than 24
// hours. Readers do not see those in any case.
func (s *Service) TrimStream(table string) error {
	return s.onStream(table, (*streams.Stream).Trim)
}

// onStream runs do on a table whose stream is enabled, under its lock, so
// that no write comes in between.
func (s *Service) onStream(name string, do func(*streams.Stream)) error {
	t, err := s.tableByName(name)
	if err != nil {
		return err
	}
	if err := t.lock(); err != nil {
		return err
	}
	defer t.mu.Unlock()
	if t.stream != nil {
		do(t.stream)
	}
	return nil
}

// SetIndexLag lets reads of a global index lag by d behind the table, as they
// may on AWS. Zero makes the index current again.
func (s *Service) SetIndexLag(table, index string, d time.Duration) error {
	t, err := s.tableByName(table)
	if err != nil {
		return err
	}
	if err := t.lock(); err != nil {
		return err
	}
	defer t.mu.Unlock()
	ix, err := globalIndex(t.indexes, index)
	if err != nil {
		return err
	}
	ix.lag = max(d, 0)
	ix.settle(s.cfg.Now())
	return nil
}
