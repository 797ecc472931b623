package replica

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Drift says how a local copy differs from what its source item asks for.
type Drift uint8

// The kinds of drift.
const (
	// InStep: the copy is right, or rightly not there. A lower version is in
	// step if the content is equal: what changed since is not copied, and may
	// have been kept from this subscriber by its filter.
	InStep Drift = iota
	// Missing: the source has the item, and the local item no copy of it.
	Missing
	// Behind: the copy shows an older state, or has no valid version.
	Behind
	// Extra: the copy shows an item that the source deleted or does not have.
	Extra
	// Different: the version is the source's and the content is not, or the
	// copy was made under another mapping.
	Different
	// Ahead: the copy's version is above the source's, whatever it shows. The
	// source's next changes would be stale to it and be lost, which is why this
	// is drift even where the content is equal.
	Ahead
)

var driftNames = [...]string{"in step", "missing", "behind", "extra", "different", "ahead"}

// String returns the drift's name.
func (d Drift) String() string { return driftNames[d] }

// View is one replica of a subscription as it ought to look. It reads and
// writes nothing, and is safe for concurrent use.
type View struct {
	target  *target
	replica manifest.Replica
	keys    []string // the local table's key attributes
	subject func(string) (contracts.Item, error)
	types   map[string]string // of the attributes that Key or the index's partition key make
	fanOut  bool
	listed  []manifest.KeyAttribute // what an item needs to be in the fan-out's index
}

// Views returns the views of a subscription's replicas: items first, then
// fan-outs, each in the manifest's order. Functions have none, since only the
// service's own code knows what they keep.
func Views(contract *contracts.Contract, subscription manifest.Subscription, tables []manifest.Table) ([]*View, error) {
	subscription.Replicas = slices.DeleteFunc(slices.Clone(subscription.Replicas), func(r manifest.Replica) bool {
		return r.Kind() == manifest.Function
	})
	// An applier knows all there is to know about its replicas; nothing is
	// applied by this one.
	a, err := NewApplier(ApplierConfig{Contract: contract, Subscription: subscription, Tables: tables, Store: struct{ Store }{}})
	if err != nil {
		return nil, fmt.Errorf("views: %w", err)
	}
	var views []*View
	for _, r := range a.items {
		views = append(views, &View{
			target: &r.target, replica: r.replica, keys: slices.Sorted(maps.Keys(r.keyTypes)), subject: r.key, types: r.keyTypes,
		})
	}
	for _, f := range a.fanOuts {
		views = append(views, &View{
			target: &f.target, replica: f.replica, keys: f.keyNames, subject: f.partition, types: f.subjectTypes, fanOut: true, listed: f.listed,
		})
	}
	return views, nil
}

// Table returns the name of the local table.
func (v *View) Table() string { return v.replica.Table }

// Index returns the name of the fan-out's index; empty for an item replica.
func (v *View) Index() string { return v.replica.Index }

// FanOut reports whether a subject has any number of copies here.
func (v *View) FanOut() bool { return v.fanOut }

// Name names the replica within its subscription: its table, and for a fan-out
// its index: "watchlists by-cik".
func (v *View) Name() string {
	if v.fanOut {
		return v.replica.Table + " " + v.replica.Index
	}
	return v.replica.Table
}

// Fingerprint is the text of the replica's mapping, as it is stored with copies.
func (v *View) Fingerprint() string { return v.target.mapping.text }

// Declaration is a text of everything in the manifest that decides which copies
// the replica has: what is loaded or compared under one holds for no other.
func (v *View) Declaration() string {
	r := v.replica
	return fmt.Sprint(v.Name(), " ", r.Subject, " ", r.Key, " ", r.Creates(), " ", v.target.mapping.names.Version, " ", v.Fingerprint())
}

// Key returns the key of the subject's local item, for an item replica. The
// error says why the subject can have none: a consumer refuses its changes.
func (v *View) Key(subject string) (contracts.Item, error) {
	if v.fanOut {
		return nil, fmt.Errorf("key of %s in %s: a fan-out has any number of local items", subject, v.Name())
	}
	return v.subject(subject)
}

// Partition returns the partition key under which the index lists the subject's
// local items, for a fan-out. The error says why the subject can have none.
func (v *View) Partition(subject string) (contracts.Item, error) {
	if !v.fanOut {
		return nil, fmt.Errorf("partition of %s in %s: an item replica has no index", subject, v.Name())
	}
	return v.subject(subject)
}

// LocalKey picks the key attributes out of an item of the local table.
func (v *View) LocalKey(item contracts.Item) contracts.Item {
	key := make(contracts.Item, len(v.keys))
	for _, name := range v.keys {
		key[name] = item[name]
	}
	return key
}

// Subject returns the subject whose copy an item of the local table would be;
// ok is false for items of other kinds, and for those that a fan-out's index does
// not list and that carry no copy: no change ever reaches these.
func (v *View) Subject(item contracts.Item) (subject string, ok bool) {
	for _, key := range v.listed {
		if value := item[key.Name]; (value.Kind() != keyKinds[key.Type] || isEmpty(value)) && !v.Copied(item) {
			return "", false
		}
	}
	texts := make(map[string]string, len(v.types))
	for name, typ := range v.types {
		value := item[name]
		want := contracts.KindString
		if typ == "N" {
			want = contracts.KindNumber
		}
		if value.Kind() != want {
			return "", false
		}
		texts[name] = value.Text()
	}
	return v.replica.SubjectOf(texts)
}

// keyKinds are the kinds of value that key attributes have, by type.
var keyKinds = map[string]contracts.Kind{"S": contracts.KindString, "N": contracts.KindNumber, "B": contracts.KindBinary}

// Copied reports whether a local item carries a copy, or what is left of one.
func (v *View) Copied(local contracts.Item) bool {
	names := v.target.mapping.names
	return slices.ContainsFunc(append(v.target.mapping.local(), names.Version, names.Mapping, names.Deleted), func(name string) bool {
		_, has := local[name]
		return has
	})
}

// Attributes returns the local attributes that Compare looks at where the
// source item lives, without the key: a copy made under another mapping is told
// by its fingerprint.
func (v *View) Attributes() []string {
	names := v.target.mapping.names
	all := append(v.target.mapping.local(), names.Version, names.Mapping, names.Deleted, names.ExpiresAt)
	slices.Sort(all)
	return slices.Compact(all)
}

// Stored returns the version of a copy, 0 where it is missing or invalid.
func (v *View) Stored(local contracts.Item, now time.Time) contracts.Version {
	return contracts.VersionOf(local[v.target.mapping.names.Version], latestVersion(now))
}

// Remapped reports whether a copy was made under another mapping, so that a
// change of equal version is applied to it once more.
func (v *View) Remapped(local contracts.Item) bool {
	return local[v.target.mapping.names.Mapping].Text() != v.target.mapping.text
}

// Compare says how a local item differs from what its source item asks for;
// local is nil where there is none. A source item that does not exist, or is
// not the contract's, is the zero Snapshot. It must have a version if it is
// live: what a source item without one asks for is not known until it is
// stamped.
func (v *View) Compare(source Snapshot, local contracts.Item, now time.Time) Drift {
	if !source.Live {
		return v.compareGone(source.Version, local, now)
	}
	if !v.Copied(local) {
		if local == nil && v.target.mustExist {
			return InStep // no change creates it
		}
		return Missing
	}
	stored := v.Stored(local, now)
	switch {
	case stored > source.Version:
		return Ahead
	case stored == 0:
		return Behind
	case v.Remapped(local):
		return Different
	case v.shows(source.Shared, local):
		return InStep
	case stored == source.Version:
		return Different
	default:
		return Behind
	}
}

// shows reports whether a copy holds exactly what a live item gives it.
func (v *View) shows(shared, local contracts.Item) bool {
	im := v.target.mapping.image(shared, 0, time.Time{})
	for name, want := range im.set {
		if !local[name].Equal(want) {
			return false
		}
	}
	return !slices.ContainsFunc(im.remove, func(name string) bool { return !local[name].IsZero() })
}

// compareGone is Compare for a source item that is deleted at a version, or is
// gone without a trace, version 0.
func (v *View) compareGone(version contracts.Version, local contracts.Item, now time.Time) Drift {
	if !v.Copied(local) {
		return InStep
	}
	m, stored := v.target.mapping, v.Stored(local, now)
	if version != 0 && stored > version {
		return Ahead
	}
	// What another mapping wrote is gone with what this one writes.
	left := append(slices.Collect(maps.Keys(m.set)), m.written(local[m.names.Mapping].Text())...)
	for _, name := range left {
		if name == m.names.Deleted || name == m.names.ExpiresAt || slices.Contains(v.keys, name) {
			continue
		}
		if _, has := local[name]; has {
			return Extra
		}
	}
	if m.onDelete != manifest.Tombstone || stored == 0 {
		return InStep
	}
	switch {
	case !local[m.names.Deleted].Bool():
		return Extra
	case expiresBefore(local[m.names.ExpiresAt], stored.Time().Add(ReplicaTombstoneLife)):
		return Different // it would be purged before the last old change is
	default:
		return InStep
	}
}

// SourceAttributes returns the attributes of a source item, without its key,
// that Compare needs for these views. A whole item serves as well.
func SourceAttributes(s *Source, views []*View) []string {
	names := append(s.names.Names(), s.stampedFor)
	names = slices.AppendSeq(names, maps.Keys(s.publication.Match))
	for _, v := range views {
		for _, from := range v.target.mapping.set {
			if attribute, ok := s.from[from.Attribute]; ok {
				names = append(names, attribute)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
