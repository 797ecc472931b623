// Package tally counts what an operation does with letters, by verdict, for a
// person to read. Whatever the letters say, the counts take bounded memory.
package tally

import (
	"slices"
	"strings"
)

// most is how many different verdicts are told apart. There are few, unless
// somebody writes reasons of his own.
const most = 1000

// Tally counts the letters of one verdict.
type Tally[A ~string] struct {
	// Action is what becomes of them, Reason why.
	Action A
	Reason string
	// Advice says what to do about them; empty where nothing is to be done.
	Advice string
	// Letters is how many there are.
	Letters int
	// ID and Detail are the first one's.
	ID, Detail string
}

// Tallies counts. The zero value is ready; it is not safe for concurrent use.
type Tallies[A ~string] struct {
	counts map[[3]string]*Tally[A]
}

// Add counts a letter. Of t, Letters is not looked at.
func (t *Tallies[A]) Add(one Tally[A]) {
	if t.counts == nil {
		t.counts = make(map[[3]string]*Tally[A])
	}
	at := func(t Tally[A]) [3]string { return [3]string{string(t.Action), t.Reason, t.Advice} }
	found := t.counts[at(one)]
	if found == nil && len(t.counts) >= most {
		one.Reason, one.Advice = "others", "show them one by one"
		found = t.counts[at(one)]
	}
	if found == nil {
		found = &one
		found.Letters = 0
		t.counts[at(one)] = found
	}
	found.Letters++
}

// Sorted returns the counts, the largest first.
func (t *Tallies[A]) Sorted() []Tally[A] {
	out := make([]Tally[A], 0, len(t.counts))
	for _, one := range t.counts {
		out = append(out, *one)
	}
	slices.SortFunc(out, func(a, b Tally[A]) int {
		if a.Letters != b.Letters {
			return b.Letters - a.Letters
		}
		return strings.Compare(string(a.Action)+"\x00"+a.Reason, string(b.Action)+"\x00"+b.Reason)
	})
	return out
}
