package dynamodb

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

func TestSegmentsMeetWithoutGapOrOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Uint64Range(1, maxSegments).Draw(t, "total")
		segment := rapid.Uint64Range(0, total-1).Draw(t, "segment")
		lo, hi := segmentBounds(segment, total)
		if segmentOf(lo, total) != segment || segmentOf(hi, total) != segment {
			t.Fatalf("segment %d of %d from %x to %x: the ends are in segments %d and %d", segment, total, lo, hi, segmentOf(lo, total), segmentOf(hi, total))
		}
		if next, _ := segmentBounds(min(segment+1, total-1), total); segment+1 < total && next != hi+1 {
			t.Fatalf("segment %d of %d ends at %x, the next begins at %x", segment, total, hi, next)
		}
		if first, _ := segmentBounds(0, total); first != 0 {
			t.Fatalf("the first segment begins at %x", first)
		}
		if _, last := segmentBounds(total-1, total); last != math.MaxUint64 {
			t.Fatalf("the last segment ends at %x", last)
		}
	})
}

func TestPlacesHaveOneIDEach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) place {
			text := rapid.SampledFrom([]string{"", "\x00", "a", "a\x00", "\x00a", "aa", "S", "\x00S"})
			p := partition(attr.String(text.Draw(t, label+" hash")))
			p.rng = attr.String(text.Draw(t, label+" range"))
			return p
		}
		a, b := draw("a"), draw("b")
		if (a.id() == b.id()) != (a.compare(b) == 0) {
			t.Fatalf("%v and %v have ids %q and %q", a, b, a.id(), b.id())
		}
	})
}

func TestLockAllLeavesNothingLockedWhenATableIsGone(t *testing.T) {
	there, gone := &table{name: "a"}, &table{name: "b", deleted: true}
	for _, write := range []bool{true, false} {
		if _, err := lockAll([]target{{table: gone}, {table: there}}, write); err == nil {
			t.Fatal("a deleted table was locked")
		}
		if !there.mu.TryLock() {
			t.Fatalf("write %v: the other table is still locked", write)
		}
		there.mu.Unlock()
	}
}

// Two transactions on one item conflict while the first is on its way.
func TestReservedItemsConflict(t *testing.T) {
	tb := &table{name: "a", busy: make(map[string]bool)}
	item := func(s string) target { return target{tb, partition(attr.String(s))} }
	rs := newReasons(2)
	release := reserve([]target{item("x"), item("y")}, rs)
	if rs.canceled() {
		t.Fatal("a first transaction met a conflict")
	}
	second := newReasons(2)
	reserve([]target{item("z"), item("y")}, second)()
	if second[0].Code != "None" || second[1].Code != "TransactionConflict" {
		t.Errorf("reasons are %+v, want a conflict on the second item", second)
	}
	if tb.occupied(item("z").at.id()) {
		t.Error("the cancelled transaction still has its item")
	}
	release()
	third := newReasons(1)
	reserve([]target{item("y")}, third)()
	if third.canceled() {
		t.Error("an item is not free after its transaction")
	}
}
