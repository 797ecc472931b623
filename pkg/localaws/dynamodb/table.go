package dynamodb

import (
	"sync"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/streams"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// table is one table. Its key, name and creation never change; mu guards the
// rest.
type table struct {
	service *Service
	name    string
	arn     string
	id      string
	created time.Time
	key     keySchema

	mu          sync.RWMutex
	deleted     bool
	definitions definitions
	entries     *tree
	bytes       int64
	indexes     map[string]*index

	billing      string
	billingSince time.Time
	throughput   throughput
	class        string
	encryption   *sseDescription
	protected    bool
	tags         map[string]string

	// stream is the enabled stream, or nil. last is the latest one, enabled or
	// not.
	stream, last *streams.Stream

	ttl      string // the expiry attribute, empty while disabled
	recovery recovery

	// busy are the items of transactions on their way; busyMu guards it.
	busyMu sync.Mutex
	busy   map[string]bool
}

// lock takes the table for writing. It is a ResourceNotFoundException, and
// the lock is not held, if the table is gone.
func (t *table) lock() error {
	t.mu.Lock()
	if t.deleted {
		t.mu.Unlock()
		return wire.Errorf(codeNotFound, "Requested resource not found")
	}
	return nil
}

// rlock is lock for reading.
func (t *table) rlock() error {
	t.mu.RLock()
	if t.deleted {
		t.mu.RUnlock()
		return wire.Errorf(codeNotFound, "Requested resource not found")
	}
	return nil
}

// get finds the entry at a place. The caller holds the lock.
func (t *table) get(at place) *entry {
	e, _ := t.entries.Get(&entry{at: at})
	return e
}

// itemOf is an entry's item, nil for no entry.
func itemOf(e *entry) attr.Item {
	if e == nil {
		return nil
	}
	return e.item
}

// write puts next (or, if nil, nothing) in the place of old (nil if there is
// none), keeps the indexes and appends the stream record, and says what that
// costs. A write that changes nothing costs the table's units only. The
// caller holds the write lock.
func (t *table) write(at place, old *entry, next attr.Item, expired bool) writeCost {
	var after *entry
	size := 0
	if next != nil {
		size = next.Size()
		after = &entry{at: at, item: next, size: size}
	}
	cost := writeCost{table: writeUnits(size)}
	if old != nil {
		cost.table = writeUnits(max(old.size, size))
	}
	if old == nil && after == nil {
		return cost
	}
	if old != nil && after != nil && old.item.Equal(next) {
		return cost
	}
	now := t.service.cfg.Now()
	if old != nil {
		t.bytes -= int64(old.size)
	}
	if after != nil {
		t.bytes += int64(size)
		t.entries.Set(after)
	} else {
		t.entries.Delete(old)
	}
	for name, ix := range t.indexes {
		if units := ix.change(old, after, now); units > 0 {
			cost.add(name, ix.local, units)
		}
	}
	if t.stream != nil {
		t.stream.Append(streams.Change{Hash: at.hash, Keys: t.keysOf(old, after), Old: itemOf(old), New: next, Expired: expired})
	}
	return cost
}

// keysOf returns the key attributes of the entry before or after a change.
func (t *table) keysOf(old, next *entry) attr.Item {
	if next != nil {
		return t.keys(next.item)
	}
	return t.keys(old.item)
}

// keys returns an item's primary key.
func (t *table) keys(item attr.Item) attr.Item {
	out := make(attr.Item, 2)
	for _, a := range t.key.attributes() {
		out[a.Name] = item[a.Name]
	}
	return out
}

// hasLocalIndex says whether the table has item collections.
func (t *table) hasLocalIndex() bool {
	for _, ix := range t.indexes {
		if ix.local {
			return true
		}
	}
	return false
}
