package filter

import (
	"net/netip"
	"slices"
	"strings"
)

// condition is one element of a property's array.
type condition interface {
	// accepts is given all values of the property, and whether the message
	// has it at all.
	accepts(values []value, present bool) bool
}

// exists true wants a value that is neither null nor empty, exists false wants
// the property not to be there ("Key matching"): a property that
// is null meets neither.
type exists bool

func (want exists) accepts(values []value, present bool) bool {
	if !want {
		return !present
	}
	return slices.ContainsFunc(values, value.tells)
}

// each accepts a property if one of its values passes: on an array,
// anything-but therefore accepts where one element is something else
// ("String value matching").
type each func(value) bool

func (passes each) accepts(values []value, _ bool) bool { return slices.ContainsFunc(values, passes) }

func equals(want value) each { return func(v value) bool { return v == want && v.kind != isOutside } }

// text is a condition on strings; other values fail it.
func text(passes func(string) bool) each {
	return func(v value) bool { return v.kind == isString && passes(v.text) }
}

func hasPrefix(prefix string) each {
	return text(func(s string) bool { return strings.HasPrefix(s, prefix) })
}

func hasSuffix(suffix string) each {
	return text(func(s string) bool { return strings.HasSuffix(s, suffix) })
}

func equalsIgnoreCase(want string) each {
	return text(func(s string) bool { return strings.EqualFold(s, want) })
}

func inNetwork(network netip.Prefix) each {
	return text(func(s string) bool {
		addr, err := netip.ParseAddr(s)
		return err == nil && network.Contains(addr)
	})
}

// none accepts the values that no given condition accepts.
func none(conditions ...each) each {
	return func(v value) bool {
		return !slices.ContainsFunc(conditions, func(passes each) bool { return passes(v) })
	}
}

// interval is a numeric condition; an absent bound is nil.
type interval struct {
	low, high                 *int64
	lowIncluded, highIncluded bool
}

func (in interval) holds(v value) bool {
	if v.kind != isNumber {
		return false
	}
	if in.low != nil && (v.number < *in.low || v.number == *in.low && !in.lowIncluded) {
		return false
	}
	return in.high == nil || v.number < *in.high || v.number == *in.high && in.highIncluded
}

// wildcard is a pattern cut at its asterisks.
type wildcard []string

func (w wildcard) holds(s string) bool {
	first, last := w[0], w[len(w)-1]
	if len(w) == 1 {
		return s == first
	}
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range w[1 : len(w)-1] {
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s = s[at+len(part):]
	}
	return true
}
