package dynamodb

import (
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
)

// index is a secondary index. Its table's lock guards it.
type index struct {
	name       string
	local      bool
	key        keySchema
	table      keySchema
	projection projection
	throughput throughput
	// projected are the attributes an entry carries; nil means all.
	projected map[string]bool

	entries *tree
	bytes   int64

	// lag holds changes back from a global index's readers.
	lag     time.Duration
	pending []pendingChange
}

// pendingChange is a change readers of a lagging index do not see yet.
type pendingChange struct {
	at        time.Time
	old, next *entry
}

func newIndex(def secondaryIndex, key, table keySchema, local bool) *index {
	ix := &index{name: def.IndexName, local: local, key: key, table: table, projection: *def.Projection, entries: newTree()}
	if def.ProvisionedThroughput != nil {
		ix.throughput = *def.ProvisionedThroughput
	}
	if ix.projection.ProjectionType != projectAll {
		ix.projected = make(map[string]bool)
		for _, a := range append(key.attributes(), table.attributes()...) {
			ix.projected[a.Name] = true
		}
		for _, name := range ix.projection.NonKeyAttributes {
			ix.projected[name] = true
		}
	}
	return ix
}

// holds says whether the index has an entry for an item: one whose index keys
// are all there and fit. Others can only be older than the index.
func (ix *index) holds(item attr.Item) bool {
	if item == nil || !fits(item[ix.key.hash.Name], ix.key.hash, maxHashBytes) {
		return false
	}
	return !ix.key.hasRange() || fits(item[ix.key.rng.Name], ix.key.rng, maxRangeBytes)
}

// fits says whether a value can be the given key attribute.
func fits(v attr.Value, a expr.KeyAttr, most int) bool {
	return v.Type() == a.Type && emptyKind(v) == "" && v.Size() <= most
}

// project returns the attributes an entry of an item carries.
func (ix *index) project(item attr.Item) attr.Item {
	if ix.projected == nil {
		return item
	}
	out := make(attr.Item, len(ix.projected))
	for name := range ix.projected {
		if v, ok := item[name]; ok {
			out[name] = v
		}
	}
	return out
}

// entry makes the index's entry of a table's entry, or nil if it has none.
func (ix *index) entry(base *entry) *entry {
	if base == nil || !ix.holds(base.item) {
		return nil
	}
	e := &entry{at: placeOf(ix.key, base.item), base: base.at, item: ix.project(base.item), size: base.size}
	if ix.projected != nil {
		e.size = e.item.Size()
	}
	return e
}

// unchanged says whether an item's entry is the same before and after.
func (ix *index) unchanged(old, next attr.Item) bool {
	if ix.projected == nil {
		return false // the item changed, so its entry did
	}
	for name := range ix.projected {
		if !old[name].Equal(next[name]) {
			return false
		}
	}
	return true
}

// change brings the index from a table's old entry to its next one, either of
// which may be nil, and returns the write units it costs.
func (ix *index) change(old, next *entry, now time.Time) float64 {
	if old != nil && next != nil && ix.unchanged(old.item, next.item) {
		return 0
	}
	before, after := ix.entry(old), ix.entry(next)
	if before == nil && after == nil {
		return 0
	}
	if ix.lag > 0 || len(ix.pending) > 0 {
		ix.pending = append(ix.pending, pendingChange{at: now, old: before, next: after})
		ix.settle(now)
	} else {
		ix.apply(before, after)
	}
	switch {
	case before == nil:
		return writeUnits(after.size)
	case after == nil:
		return writeUnits(before.size)
	case before.at.compare(after.at) != 0:
		return writeUnits(before.size) + writeUnits(after.size)
	}
	return writeUnits(max(before.size, after.size))
}

// apply changes the tree.
func (ix *index) apply(old, next *entry) {
	if old != nil && (next == nil || old.compare(next) != 0) {
		if gone, ok := ix.entries.Delete(old); ok {
			ix.bytes -= int64(gone.size)
		}
	}
	if next != nil {
		if prev, replaced := ix.entries.Set(next); replaced {
			ix.bytes -= int64(prev.size)
		}
		ix.bytes += int64(next.size)
	}
}

// due says whether settle has something to do.
func (ix *index) due(now time.Time) bool {
	return len(ix.pending) > 0 && !ix.pending[0].at.Add(ix.lag).After(now)
}

// settle applies the pending changes whose time has come.
func (ix *index) settle(now time.Time) {
	n := 0
	for n < len(ix.pending) && !ix.pending[n].at.Add(ix.lag).After(now) {
		ix.apply(ix.pending[n].old, ix.pending[n].next)
		n++
	}
	clear(ix.pending[:n])
	ix.pending = ix.pending[n:]
}
