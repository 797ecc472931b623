package streams

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sync"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

// View says which images a stream's records carry ("StreamSpecification").
type View string

// The four views.
const (
	KeysOnly        View = "KEYS_ONLY"
	NewImage        View = "NEW_IMAGE"
	OldImage        View = "OLD_IMAGE"
	NewAndOldImages View = "NEW_AND_OLD_IMAGES"
)

// Valid says whether v is one of the four views.
func (v View) Valid() bool {
	return v == KeysOnly || v == NewImage || v == OldImage || v == NewAndOldImages
}

// KeyElement is one attribute of a table's key, in AWS's shape.
type KeyElement struct {
	AttributeName string
	KeyType       string // HASH or RANGE
}

// Change is one change of one item, as a table tells it. The items are kept,
// not copied: nobody may change them afterwards.
type Change struct {
	// Hash is the partition key's hash. It decides the shard, so that an
	// item's records stay in one lineage.
	Hash uint64
	// Keys are the item's key attributes.
	Keys attr.Item
	// Old is the item before the change, nil for one that was created.
	Old attr.Item
	// New is the item after the change, nil for one that was deleted.
	New attr.Item
	// Expired marks a deletion by time to live.
	Expired bool
}

// Stream is one table's stream. Make one with Service.Open; it is safe for
// concurrent use.
type Stream struct {
	service *Service
	arn     string
	label   string
	table   string
	schema  []KeyElement
	view    View
	created time.Time

	mu       sync.Mutex
	shards   []*shard // in order of creation, which is the order of their ids
	open     []*shard // by lo; together they cover every hash
	disabled time.Time
}

// shard holds the records of the hashes from lo to hi, both inclusive.
type shard struct {
	id, parent string
	lo, hi     uint64
	start, end uint64 // sequence numbers; end is 0 while the shard is open
	closed     time.Time
	records    []record
	trimmed    uint64 // the last sequence number that was trimmed, or 0
}

type record struct {
	sequence uint64
	at       time.Time
	change   Change
}

func newStream(s *Service, arn, label, table string, schema []KeyElement, view View, now time.Time) *Stream {
	st := &Stream{service: s, arn: arn, label: label, table: table, schema: schema, view: view, created: now}
	n := uint64(s.cfg.Shards)
	lo := uint64(0)
	for i := range n {
		hi := uint64(math.MaxUint64)
		if i+1 < n {
			hi, _ = bits.Div64(i+1, 0, n)
			hi--
		}
		st.add("", lo, hi, now)
		lo = hi + 1
	}
	return st
}

// add opens a shard. The caller holds st.mu or owns st.
func (st *Stream) add(parent string, lo, hi uint64, now time.Time) {
	sh := &shard{
		id:     fmt.Sprintf("shardId-%020d-%08x", now.UnixMilli(), uint32(st.service.born.Add(1))),
		parent: parent,
		lo:     lo,
		hi:     hi,
		start:  st.service.sequence.Add(1),
	}
	st.shards = append(st.shards, sh)
	st.open = append(st.open, sh)
	slices.SortFunc(st.open, func(a, b *shard) int {
		if a.lo < b.lo {
			return -1
		}
		return 1
	})
}

// ARN returns the stream's ARN.
func (st *Stream) ARN() string { return st.arn }

// Label returns the stream's label.
func (st *Stream) Label() string { return st.label }

// View returns what the stream's records carry.
func (st *Stream) View() View { return st.view }

// Append adds one record. The table calls it while it holds the lock of the
// write, so that records are in commit order and visible no later than the
// write. A disabled stream takes no records.
func (st *Stream) Append(c Change) {
	now := st.service.cfg.Now()
	switch st.view {
	case KeysOnly, NewImage:
		if c.Old != nil {
			c.Old = attr.Item{} // only its being there matters, for the event's name
		}
	}
	if c.New != nil && (st.view == KeysOnly || st.view == OldImage) {
		c.New = attr.Item{}
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.disabled.IsZero() {
		return
	}
	i, found := slices.BinarySearchFunc(st.open, c.Hash, func(sh *shard, hash uint64) int {
		switch {
		case sh.hi < hash:
			return -1
		case sh.lo > hash:
			return 1
		}
		return 0
	})
	if !found {
		return // the open shards cover every hash
	}
	sh := st.open[i]
	// An hour's slack makes trimming from here rare.
	if len(sh.records) > 0 && now.Sub(sh.records[0].at) > retention+time.Hour {
		st.trim(now)
	}
	sh.records = append(sh.records, record{sequence: st.service.sequence.Add(1), at: now, change: c})
}

// Split closes every open shard and opens two children of each, as AWS does
// when a table's partition splits. A shard of a single hash gets one child.
func (st *Stream) Split() { st.divide(2) }

// Rotate closes every open shard and opens one child of each, as AWS does
// every few hours.
func (st *Stream) Rotate() { st.divide(1) }

func (st *Stream) divide(children int) {
	now := st.service.cfg.Now()
	st.mu.Lock()
	defer st.mu.Unlock()
	parents := st.open
	st.open = nil
	for _, sh := range parents {
		st.end(sh, now)
		if middle := sh.lo + (sh.hi-sh.lo)/2; children == 2 && sh.lo < sh.hi {
			st.add(sh.id, sh.lo, middle, now)
			st.add(sh.id, middle+1, sh.hi, now)
		} else {
			st.add(sh.id, sh.lo, sh.hi, now)
		}
	}
}

// end closes a shard. The caller holds st.mu.
func (st *Stream) end(sh *shard, now time.Time) {
	sh.closed = now
	sh.end = st.service.sequence.Add(1)
}

// Disable closes every shard. The stream stays readable for 24 hours.
func (st *Stream) Disable() {
	now := st.service.cfg.Now()
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.disabled.IsZero() {
		return
	}
	st.disabled = now
	for _, sh := range st.open {
		st.end(sh, now)
	}
	st.open = nil
}

// Trim removes the records and closed shards older than 24 hours. Readers
// never see those anyway; Trim frees their memory.
func (st *Stream) Trim() {
	now := st.service.cfg.Now()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.trim(now)
}

// trim does Trim's work. The caller holds st.mu.
func (st *Stream) trim(now time.Time) {
	st.shards = slices.DeleteFunc(st.shards, func(sh *shard) bool {
		return sh.end != 0 && now.Sub(sh.closed) > retention
	})
	for _, sh := range st.shards {
		n := 0
		for n < len(sh.records) && now.Sub(sh.records[n].at) > retention {
			n++
		}
		if n == 0 {
			continue
		}
		sh.trimmed = sh.records[n-1].sequence
		clear(sh.records[:n]) // the images go at once, the array with its next growth
		sh.records = sh.records[n:]
	}
}

// expired says whether the stream was disabled more than 24 hours ago.
func (st *Stream) expired(now time.Time) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return !st.disabled.IsZero() && now.Sub(st.disabled) > retention
}

// shardOf returns a shard that still exists. The caller holds st.mu.
func (st *Stream) shardOf(id string) *shard {
	for _, sh := range st.shards {
		if sh.id == id {
			return sh
		}
	}
	return nil
}
