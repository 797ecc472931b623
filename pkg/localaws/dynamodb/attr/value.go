// Package attr holds DynamoDB's attribute values: the ten types, 38-digit
// numbers, sets, order, sizes and the JSON they travel as.
//
// It promises that a Value made by its constructors or decoded from JSON
// obeys DynamoDB's rules for attribute values (number syntax, digits and
// range, no empty or repeated sets, bounded nesting), that a number is kept
// in the one text DynamoDB answers with, and that equal values have equal
// texts. It knows nothing about tables: key rules and item size limits belong
// to package dynamodb.
//
// A Value is immutable and safe for concurrent use. Slices and maps that its
// accessors hand out are the value's own: callers must not change them.
package attr

import (
	"slices"
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// Type is the descriptor that names a value's type in JSON.
type Type string

// The ten attribute types.
const (
	TypeString    Type = "S"
	TypeNumber    Type = "N"
	TypeBinary    Type = "B"
	TypeBool      Type = "BOOL"
	TypeNull      Type = "NULL"
	TypeList      Type = "L"
	TypeMap       Type = "M"
	TypeStringSet Type = "SS"
	TypeNumberSet Type = "NS"
	TypeBinarySet Type = "BS"
)

// Valid says whether t is one of the ten types.
func (t Type) Valid() bool {
	switch t {
	case TypeString, TypeNumber, TypeBinary, TypeBool, TypeNull, TypeList, TypeMap,
		TypeStringSet, TypeNumberSet, TypeBinarySet:
		return true
	}
	return false
}

// Member returns the type of a set type's members, and false for a type that
// is no set.
func (t Type) Member() (Type, bool) {
	switch t {
	case TypeStringSet:
		return TypeString, true
	case TypeNumberSet:
		return TypeNumber, true
	case TypeBinarySet:
		return TypeBinary, true
	}
	return "", false
}

// Value is one attribute value. The zero Value is no value: its Type is empty.
type Value struct {
	kind   Type
	truth  bool
	text   string // S: the string, N: the canonical number, B: the raw bytes
	list   []Value
	fields map[string]Value
}

// String makes an S value.
func String(s string) Value { return Value{kind: TypeString, text: s} }

// Bytes makes a B value from a copy of b.
func Bytes(b []byte) Value { return Value{kind: TypeBinary, text: string(b)} }

// Bool makes a BOOL value.
func Bool(b bool) Value { return Value{kind: TypeBool, truth: b} }

// Null makes the NULL value.
func Null() Value { return Value{kind: TypeNull, truth: true} }

// List makes an L value that takes over elements. Its nesting is checked by
// CheckDepth, not here.
func List(elements ...Value) Value { return Value{kind: TypeList, list: elements} }

// Map makes an M value that takes over fields. Its nesting is checked by
// CheckDepth, not here.
func Map(fields map[string]Value) Value {
	if fields == nil {
		fields = map[string]Value{}
	}
	return Value{kind: TypeMap, fields: fields}
}

// Set makes a value of the set type t, sorted. No members, a repeated member
// or a member of another type is a ValidationException.
func Set(t Type, members ...Value) (Value, error) {
	memberType, isSet := t.Member()
	if !isSet {
		return Value{}, invalid("%s is no set type", t)
	}
	if len(members) == 0 {
		return Value{}, emptySet(t)
	}
	sorted := slices.Clone(members)
	for _, m := range sorted {
		if m.kind != memberType {
			return Value{}, invalid("One or more parameter values were invalid: a member of type %s in a set of type %s", m.kind, t)
		}
	}
	slices.SortFunc(sorted, Compare)
	for i := 1; i < len(sorted); i++ {
		if sorted[i].text == sorted[i-1].text {
			return Value{}, repeatedMember(t, members)
		}
	}
	return Value{kind: t, list: sorted}, nil
}

// StringSet makes an SS value; see Set.
func StringSet(members ...string) (Value, error) {
	values := make([]Value, len(members))
	for i, m := range members {
		values[i] = String(m)
	}
	return Set(TypeStringSet, values...)
}

// NumberSet makes an NS value; see Set and Number.
func NumberSet(members ...string) (Value, error) {
	values := make([]Value, len(members))
	for i, m := range members {
		n, err := Number(m)
		if err != nil {
			return Value{}, err
		}
		values[i] = n
	}
	return Set(TypeNumberSet, values...)
}

// BinarySet makes a BS value; see Set.
func BinarySet(members ...[]byte) (Value, error) {
	values := make([]Value, len(members))
	for i, m := range members {
		values[i] = Bytes(m)
	}
	return Set(TypeBinarySet, values...)
}

func emptySet(t Type) error {
	switch t {
	case TypeStringSet:
		return invalid("One or more parameter values were invalid: An string set  may not be empty")
	case TypeNumberSet:
		return invalid("One or more parameter values were invalid: An number set  may not be empty")
	default:
		return invalid("One or more parameter values were invalid: Binary sets should not be empty")
	}
}

func repeatedMember(t Type, members []Value) error {
	switch t {
	case TypeStringSet:
		texts := make([]string, len(members))
		for i, m := range members {
			texts[i] = m.text
		}
		return invalid("One or more parameter values were invalid: Input collection [%s] contains duplicates", strings.Join(texts, ", "))
	case TypeNumberSet:
		return invalid("Input collection contains duplicates")
	default:
		return invalid("One or more parameter values were invalid: Input collection of type BS contains duplicates.")
	}
}

// Type returns the value's type, empty for the zero Value.
func (v Value) Type() Type { return v.kind }

// IsZero says whether v is the zero Value, which stands for an absent one.
func (v Value) IsZero() bool { return v.kind == "" }

// Str returns the string of an S value, else "".
func (v Value) Str() string {
	if v.kind != TypeString {
		return ""
	}
	return v.text
}

// Num returns the canonical decimal text of an N value, else "".
func (v Value) Num() string {
	if v.kind != TypeNumber {
		return ""
	}
	return v.text
}

// Bytes returns a copy of a B value's bytes, else nil.
func (v Value) Bytes() []byte {
	if v.kind != TypeBinary {
		return nil
	}
	return []byte(v.text)
}

// Bool returns the truth of a BOOL value, else false.
func (v Value) Bool() bool { return v.kind == TypeBool && v.truth }

// List returns the elements of an L value, else nil. They are not to be
// changed.
func (v Value) List() []Value {
	if v.kind != TypeList {
		return nil
	}
	return v.list
}

// Map returns the fields of an M value, else nil. They are not to be changed.
func (v Value) Map() map[string]Value { return v.fields }

// Set returns the members of a set in ascending order, else nil. They are not
// to be changed.
func (v Value) Set() []Value {
	if v.kind == TypeList {
		return nil
	}
	return v.list
}

// Raw returns the bytes of an S or B value as a string, else "". It spares
// the copy that Bytes makes.
func (v Value) Raw() string {
	if v.kind == TypeString || v.kind == TypeBinary {
		return v.text
	}
	return ""
}

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}
