package attr

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Compare orders a and b as DynamoDB's sort keys are ordered: strings by
// their UTF-8 bytes, numbers by value, binaries by unsigned bytes. Values of
// other types, or of different types, are ordered by type and then content, so
// that Compare is a total order; DynamoDB itself never compares those.
func Compare(a, b Value) int {
	if a.kind != b.kind {
		return cmp.Compare(a.kind, b.kind)
	}
	switch a.kind {
	case TypeNumber:
		return compareNumbers(a.text, b.text)
	case TypeBool:
		switch {
		case a.truth == b.truth:
			return 0
		case b.truth:
			return -1
		}
		return 1
	case TypeMap:
		return compareFields(a.fields, b.fields)
	case TypeList, TypeStringSet, TypeNumberSet, TypeBinarySet:
		return slices.CompareFunc(a.list, b.list, Compare)
	}
	return strings.Compare(a.text, b.text)
}

func compareFields(a, b map[string]Value) int {
	namesA, namesB := slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b))
	if c := slices.Compare(namesA, namesB); c != 0 {
		return c
	}
	for _, name := range namesA {
		if c := Compare(a[name], b[name]); c != 0 {
			return c
		}
	}
	return 0
}

// Equal says whether v and o are the same value: numbers by value, sets as
// sets, lists and maps by content. Values of different types differ.
func (v Value) Equal(o Value) bool {
	return v.kind == o.kind && v.truth == o.truth && v.text == o.text &&
		slices.EqualFunc(v.list, o.list, Value.Equal) &&
		maps.EqualFunc(v.fields, o.fields, Value.Equal)
}

// Contains says whether the set v has the given member.
func (v Value) Contains(member Value) bool {
	if memberType, isSet := v.kind.Member(); !isSet || memberType != member.kind {
		return false
	}
	_, found := slices.BinarySearchFunc(v.list, member, Compare)
	return found
}

// Union returns the set of v's and o's members. Both are sets of one type.
func (v Value) Union(o Value) Value {
	merged := make([]Value, 0, len(v.list)+len(o.list))
	a, b := v.list, o.list
	for len(a) > 0 && len(b) > 0 {
		c := Compare(a[0], b[0])
		if c <= 0 {
			merged, a = append(merged, a[0]), a[1:]
		} else {
			merged = append(merged, b[0])
		}
		if c >= 0 {
			b = b[1:]
		}
	}
	merged = append(append(merged, a...), b...)
	return Value{kind: v.kind, list: merged}
}

// Without returns v less the members of o, and false if nothing is left: then
// there is no such set. Both are sets of one type.
func (v Value) Without(o Value) (Value, bool) {
	rest := make([]Value, 0, len(v.list))
	for _, member := range v.list {
		if !o.Contains(member) {
			rest = append(rest, member)
		}
	}
	return Value{kind: v.kind, list: rest}, len(rest) > 0
}

// KeyBytes encodes an S, N or B value so that equal keys, and only they, have
// equal bytes. The bytes are not in key order.
func (v Value) KeyBytes() []byte {
	out := make([]byte, 0, len(v.kind)+1+len(v.text))
	out = append(out, v.kind...)
	out = append(out, ':')
	return append(out, v.text...)
}
