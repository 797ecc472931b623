package replicatest

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// history looks at every state that tables have had: the versions of replicas
// only rise, and stamps keep what they find.
func (s *sim) history(ctx context.Context) error {
	known := make(map[string]bool)
	stamped := func(record *types.StreamRecord) error { return s.stamped(record, known) }
	if err := s.records(ctx, s.foreign.table, stamped); err != nil {
		return err
	}
	for _, t := range s.tenants {
		for _, r := range t.manifest.Subscribes[0].Replicas {
			if r.Table == "" {
				continue
			}
			err := s.records(ctx, r.Table, func(record *types.StreamRecord) error { return s.rose(r, record) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// records visits the records of a table's stream, shard by shard.
func (s *sim) records(ctx context.Context, table string, visit func(*types.StreamRecord) error) error {
	listed, err := s.streams.ListStreams(ctx, &dynamodbstreams.ListStreamsInput{TableName: &table})
	if err != nil || len(listed.Streams) == 0 {
		return err
	}
	stream := listed.Streams[0].StreamArn
	described, err := s.streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: stream})
	if err != nil {
		return err
	}
	for _, shard := range described.StreamDescription.Shards {
		at, err := s.streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
			StreamArn: stream, ShardId: shard.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
		if err != nil {
			return err
		}
		for next := at.ShardIterator; next != nil; {
			out, err := s.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: next})
			if err != nil {
				return err
			}
			for _, record := range out.Records {
				if err := visit(record.Dynamodb); err != nil {
					return err
				}
			}
			if next = out.NextShardIterator; len(out.Records) == 0 {
				break
			}
		}
	}
	return nil
}

// rose fails unless the version rose with a change of what is copied, a
// tombstone's life included. An item that its service removes and adds again
// begins anew.
func (s *sim) rose(r manifest.Replica, record *types.StreamRecord) error {
	if len(record.OldImage) == 0 || len(record.NewImage) == 0 {
		return nil
	}
	names := r.Bookkeeping()
	copied := append(slices.Collect(maps.Keys(r.Set)), names.Names()...)
	before, err := imageOf(record.OldImage, copied)
	if err != nil {
		return err
	}
	after, err := imageOf(record.NewImage, copied)
	if err != nil {
		return err
	}
	was, is := number(before[names.Version]), number(after[names.Version])
	same := before[names.Deleted].Equal(after[names.Deleted]) && before[names.ExpiresAt].Equal(after[names.ExpiresAt])
	for local := range r.Set {
		same = same && before[local].Equal(after[local])
	}
	if is < was || is == was && !same {
		s.fail("%s: the version went from %d to %d: %v became %v", r.Table, was, is, before, after)
	}
	return nil
}

// stamped fails where a stamp did more than to outbid what was there: it
// changes no shared attribute, deletes and creates nothing but a tombstone where
// nothing is. Known are the stamps seen so far: others put items back as they
// once were, stamps included.
func (s *sim) stamped(record *types.StreamRecord, known map[string]bool) error {
	names := s.foreign.names
	seen := names.Names()
	for _, name := range profilev1.Contract.Names() {
		seen = append(seen, s.foreign.attribute(name))
	}
	before, err := imageOf(record.OldImage, seen)
	if err != nil {
		return err
	}
	after, err := imageOf(record.NewImage, seen)
	if err != nil {
		return err
	}
	keys, err := imageOf(record.Keys, slices.Collect(maps.Keys(record.Keys)))
	if err != nil {
		return err
	}
	is := after[names.Stamped]
	id := place(is.Text(), keys)
	known[place(before[names.Stamped].Text(), keys)] = true
	if is.IsZero() || !is.Equal(after[names.Version]) || known[id] {
		return nil // not by a stamp
	}
	known[id] = true
	switch {
	case len(record.OldImage) == 0:
		if !s.foreign.isTombstone(after) {
			s.fail("a stamp made an item of nothing: %v", after)
		}
		return nil
	case number(is) <= number(before[names.Version]):
		s.fail("a stamp of version %s does not outbid what was there: %v became %v", is.Text(), before, after)
	}
	for _, item := range []contracts.Item{before, after} {
		for _, name := range []string{names.Version, names.Stamped, names.ExpiresAt} {
			delete(item, name)
		}
	}
	if diff := cmp.Diff(before, after); diff != "" {
		s.fail("a stamp changed what it found (-before +after)\n%s", diff)
	}
	return nil
}
