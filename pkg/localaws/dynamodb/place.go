package dynamodb

import (
	"bytes"
	"math"
	"math/bits"
	"strings"

	"github.com/tidwall/btree"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

// place is where an item lies in a table or index: its partition, ordered by
// a hash as on AWS, and the range key's value within it.
type place struct {
	hash uint64
	part string // the hash key's KeyBytes
	rng  attr.Value
}

// placeOf finds the place of an item that has the key's attributes.
func placeOf(k keySchema, item attr.Item) place {
	p := partition(item[k.hash.Name])
	if k.hasRange() {
		p.rng = item[k.rng.Name]
	}
	return p
}

// partition is the place of a hash key's value, without a range.
func partition(hash attr.Value) place {
	part := string(hash.KeyBytes())
	return place{hash: hashOf(part), part: part}
}

// compare orders places by partition and then by range.
func (p place) compare(o place) int {
	if c := p.comparePartition(o); c != 0 {
		return c
	}
	return compareRange(p.rng, o.rng)
}

func (p place) comparePartition(o place) int {
	switch {
	case p.hash < o.hash:
		return -1
	case p.hash > o.hash:
		return 1
	}
	return strings.Compare(p.part, o.part)
}

func compareRange(a, b attr.Value) int {
	if a.IsZero() && b.IsZero() {
		return 0
	}
	return attr.Compare(a, b)
}

// id is a text that two places share only if they are the same.
func (p place) id() string {
	var b bytes.Buffer
	b.Grow(len(p.part) + 24)
	b.WriteString(p.part)
	if !p.rng.IsZero() {
		// The length keeps the two parts from running into each other.
		b.WriteByte(0)
		b.Write(p.rng.KeyBytes())
		n := uint32(len(p.part))
		b.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	}
	return b.String()
}

// hashOf spreads a partition key over 64 bits: FNV-1a and a finalizer, since
// FNV alone leaves the high bits of short keys nearly alike and those decide
// the segment and the shard.
func hashOf(part string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(part) {
		h = (h ^ uint64(part[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// segmentStart is the least hash of a segment.
func segmentStart(segment, total uint64) uint64 {
	start, rest := bits.Div64(segment, 0, total)
	if rest > 0 {
		start++
	}
	return start
}

// segmentBounds are the least and the greatest hash of a segment.
func segmentBounds(segment, total uint64) (lo, hi uint64) {
	if segment+1 == total {
		return segmentStart(segment, total), math.MaxUint64
	}
	return segmentStart(segment, total), segmentStart(segment+1, total) - 1
}

// segmentOf is the segment a hash belongs to.
func segmentOf(hash, total uint64) uint64 {
	segment, _ := bits.Mul64(hash, total)
	return segment
}

// entry is an item at its place. Entries are never changed once in a tree.
// The edges serve pivots, which are never stored: -1 lies before and +1 after
// everything they would equal.
type entry struct {
	at   place
	base place // in an index: the item's place in its table
	item attr.Item
	size int // bytes, with attribute names

	edge     int8 // compared after the partition
	baseEdge int8 // compared after the range
}

// tree holds entries in order.
type tree = btree.BTreeG[*entry]

func newTree() *tree {
	return btree.NewBTreeGOptions(func(a, b *entry) bool { return a.compare(b) < 0 }, btree.Options{NoLocks: true})
}

func (e *entry) compare(o *entry) int {
	if c := e.at.comparePartition(o.at); c != 0 {
		return c
	}
	if c := int(e.edge) - int(o.edge); c != 0 || e.edge != 0 {
		return c
	}
	if c := compareRange(e.at.rng, o.at.rng); c != 0 {
		return c
	}
	if c := int(e.baseEdge) - int(o.baseEdge); c != 0 || e.baseEdge != 0 {
		return c
	}
	return e.base.compare(o.base)
}
