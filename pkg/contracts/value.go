package contracts

import (
	"bytes"
	"slices"
)

// Kind is the type of a Value; the kinds are DynamoDB's.
type Kind uint8

// The kinds. KindNone is the zero Value: no value at all.
const (
	KindNone Kind = iota
	KindString
	KindNumber
	KindBinary
	KindBool
	KindNull
	KindList
	KindMap
	KindStringSet
	KindNumberSet
	KindBinarySet
)

var kindNames = [...]string{"none", "string", "number", "binary", "boolean", "null", "list", "map", "string set", "number set", "binary set"}

// String returns the kind's name as an error message uses it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown kind"
}

// Value is one attribute value, of any type DynamoDB has, without any SDK.
// Numbers are kept as decimal text, never as floats. A Value is immutable:
// what goes in and what comes out must not be modified.
type Value struct {
	kind Kind
	flag bool
	text string // string, number
	// more is a []byte (binary), a []Value (a list's elements, a set's members)
	// or a map[string]Value. Few values have any; a field for each would double
	// the size of every item.
	more any
}

// Item is a set of attributes by name: an item, its key, or the shared state
// of a change.
type Item map[string]Value

// String returns a string value.
func String(s string) Value { return Value{kind: KindString, text: s} }

// Number returns a number from its decimal text. The text is not checked; one
// that comes from outside is checked by Contract.Check or by the database.
func Number(decimal string) Value { return Value{kind: KindNumber, text: decimal} }

// Binary returns a binary value.
func Binary(b []byte) Value { return Value{kind: KindBinary, more: b} }

// Bool returns a boolean value.
func Bool(b bool) Value { return Value{kind: KindBool, flag: b} }

// Null returns the null value.
func Null() Value { return Value{kind: KindNull} }

// List returns a list.
func List(elements ...Value) Value { return Value{kind: KindList, more: elements} }

// Map returns a map.
func Map(fields map[string]Value) Value { return Value{kind: KindMap, more: fields} }

// StringSet returns a set of strings.
func StringSet(members ...string) Value { return set(KindStringSet, members, String) }

// NumberSet returns a set of numbers from their decimal texts.
func NumberSet(members ...string) Value { return set(KindNumberSet, members, Number) }

// BinarySet returns a set of binary values.
func BinarySet(members ...[]byte) Value { return set(KindBinarySet, members, Binary) }

func set[T any](kind Kind, members []T, of func(T) Value) Value {
	list := make([]Value, len(members))
	for i, m := range members {
		list[i] = of(m)
	}
	return Value{kind: kind, more: list}
}

// Kind returns the value's type, KindNone for the zero Value.
func (v Value) Kind() Kind { return v.kind }

// IsZero reports whether there is no value at all.
func (v Value) IsZero() bool { return v.kind == KindNone }

// Text returns a string, or a number's decimal text.
func (v Value) Text() string { return v.text }

// Bytes returns a binary value.
func (v Value) Bytes() []byte {
	b, _ := v.more.([]byte)
	return b
}

// Bool returns a boolean value.
func (v Value) Bool() bool { return v.flag }

// Elements returns a list's elements or a set's members.
func (v Value) Elements() []Value {
	list, _ := v.more.([]Value)
	return list
}

// Fields returns a map's fields.
func (v Value) Fields() map[string]Value {
	dict, _ := v.more.(map[string]Value)
	return dict
}

// Equal reports whether both are the same value: numbers by their worth (1
// equals 1.0), sets by their members, everything else exactly.
func (v Value) Equal(o Value) bool {
	if v.kind != o.kind {
		return false
	}
	switch v.kind {
	case KindString:
		return v.text == o.text
	case KindNumber:
		return equalNumbers(v.text, o.text)
	case KindBinary:
		return bytes.Equal(v.Bytes(), o.Bytes())
	case KindBool:
		return v.flag == o.flag
	case KindList:
		return slices.EqualFunc(v.Elements(), o.Elements(), Value.Equal)
	case KindMap:
		return Item(v.Fields()).Equal(o.Fields())
	case KindStringSet, KindNumberSet, KindBinarySet:
		return len(v.Elements()) == len(o.Elements()) && slices.Equal(sortedMembers(v), sortedMembers(o))
	default:
		return true
	}
}

// Equal reports whether both hold the same attributes with equal values.
func (i Item) Equal(o Item) bool {
	if len(i) != len(o) {
		return false
	}
	for name, v := range i {
		if w, ok := o[name]; !ok || !v.Equal(w) {
			return false
		}
	}
	return true
}
