package replicatest

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

func sortedNames(item contracts.Item) []string { return slices.Sorted(maps.Keys(item)) }

func all(string) bool { return true }

// compare compares every copy of certain subjects with the source table itself.
func (s *sim) compare(ctx context.Context, of func(subject string) bool) error {
	sources := make(map[string]contracts.Item)
	for i := range Items {
		if !of(subjectOf(i)) {
			continue
		}
		item, err := s.foreign.read(ctx, subjectOf(i))
		if err != nil {
			return err
		}
		sources[subjectOf(i)] = item
	}
	for _, t := range s.tenants {
		for _, r := range t.manifest.Subscribes[0].Replicas {
			if r.Kind() != manifest.Item && r.Kind() != manifest.FanOut {
				continue
			}
			local, err := s.items(ctx, r.Table)
			if err != nil {
				return err
			}
			if r.Kind() == manifest.Item {
				err = s.compareItems(t, r, local, sources)
			} else {
				err = s.compareCopies(t, r, local, sources)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// wanted is what a copy of the source item must hold: nothing, where the source
// is a tombstone or absent.
func (s *sim) wanted(r manifest.Replica, source contracts.Item) contracts.Item {
	want := contracts.Item{}
	if s.foreign.isTombstone(source) {
		return want
	}
	for local, from := range r.Set {
		if v, has := source[s.foreign.attribute(from.Attribute)]; has && !(from.OmitEmpty && v.Text() == "") {
			want[local] = v
		}
	}
	return want
}

// agrees compares a local item with its source.
func (s *sim) agrees(r manifest.Replica, at string, local, source contracts.Item) {
	got := contracts.Item{}
	for name := range r.Set {
		if v, has := local[name]; has {
			got[name] = v
		}
	}
	if diff := cmp.Diff(s.wanted(r, source), got); diff != "" {
		s.fail("%s differs from its source (-want +got)\n%ssource %v\nlocal %v", at, diff, source, local)
	}
	names := r.Bookkeeping()
	gone := s.foreign.isTombstone(source)
	if source != nil && !gone && local[names.Deleted].Bool() {
		s.fail("%s is marked deleted, its source lives: %v", at, local)
	}
	if gone && r.OnDelete == manifest.Tombstone && local != nil && (!local[names.Deleted].Bool() || local[names.ExpiresAt].IsZero()) {
		s.fail("%s is no tombstone with an expiry, its source is: %v", at, local)
	}
	ours, theirs := local[names.Version], source[s.foreign.names.Version]
	if !ours.IsZero() && !theirs.IsZero() && number(ours) > number(theirs) {
		s.fail("%s is at version %s, ahead of its source at %s", at, ours.Text(), theirs.Text())
	}
}

// number reads a version; 0 for none.
func number(v contracts.Value) int64 {
	n, err := strconv.ParseInt(v.Text(), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (s *sim) compareItems(t *tenant, r manifest.Replica, local map[string]contracts.Item, sources map[string]contracts.Item) error {
	for cik, source := range sources {
		key, err := itemKey(r, cik)
		if err != nil {
			return err
		}
		at := place(r.Table, key)
		s.agrees(r, at, local[at], source)
		if r.OnDelete == manifest.Clear {
			s.keeps(r, at, local[at], t.own[at])
		}
	}
	return nil
}

func (s *sim) compareCopies(t *tenant, r manifest.Replica, local map[string]contracts.Item, sources map[string]contracts.Item) error {
	for cik, source := range sources {
		for _, user := range users {
			at := place(r.Table, copyKey(t.manifest, r, cik, user))
			switch own, item := t.own[at], local[at]; {
			case own == nil && item != nil:
				s.fail("%s was removed by its service and is back: %v", at, item)
			case own != nil:
				s.keeps(r, at, item, own)
				s.agrees(r, at, item, source)
			}
		}
	}
	return nil
}

// keeps fails unless what is the service's own of an item is as the service
// left it. An item that it never wrote has nothing but a copy and its key.
func (s *sim) keeps(r manifest.Replica, at string, item, own contracts.Item) {
	got := ownOf(r, item)
	if own == nil {
		for name := range r.Key {
			delete(got, name)
		}
		own = contracts.Item{}
		if got == nil {
			got = own
		}
	}
	if diff := cmp.Diff(own, got); diff != "" {
		s.fail("%s lost attributes of the service's own (-wrote +has)\n%s", at, diff)
	}
}

// items returns a table's items by place.
func (s *sim) items(ctx context.Context, table string) (map[string]contracts.Item, error) {
	out, err := s.db.Scan(ctx, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	schema, err := s.keyNames(table)
	if err != nil {
		return nil, err
	}
	items := make(map[string]contracts.Item)
	for _, raw := range out.Items {
		item, err := dynamostore.FromAttributes(raw)
		if err != nil {
			return nil, err
		}
		key := contracts.Item{}
		for _, name := range schema {
			key[name] = item[name]
		}
		items[place(table, key)] = item
	}
	return items, nil
}

// keyNames returns the names of a table's key attributes.
func (s *sim) keyNames(table string) ([]string, error) {
	var names []string
	for _, t := range s.tenants {
		if declared, ok := t.manifest.Table(table); ok {
			for _, k := range declared.KeyAttributes() {
				names = append(names, k.Name)
			}
		}
	}
	return names, nil
}
