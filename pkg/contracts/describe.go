package contracts

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// Decimal is a number as decimal text: what a contract's Go type uses for a
// number that no integer type holds, or holds exactly.
type Decimal string

// Set is a set in a contract's Go type: of strings, of numbers (Set[Decimal])
// or of binary values (Set[[]byte]). The order of its members means nothing.
// DynamoDB has no empty sets: an empty optional one is absent.
type Set[E ~string | ~[]byte] []E

func (Set[E]) isSet() {}

// maxNesting is how deep DynamoDB lets lists and maps nest (Amazon DynamoDB
// Developer Guide, "Quotas in Amazon DynamoDB", Nested attribute depth).
const maxNesting = 32

const schemaBase = "https://tributary.dev/schemas/"

var (
	contractName  = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*$`)
	attributeName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

	setType           = reflect.TypeFor[interface{ isSet() }]()
	decimalType       = reflect.TypeFor[Decimal]()
	jsonMarshalerType = reflect.TypeFor[json.Marshaler]()
	textMarshalerType = reflect.TypeFor[encoding.TextMarshaler]()
)

// Describe derives a contract from a struct type: one shared attribute for
// each exported field, named by its json tag ("-" leaves the field out). With
// omitzero or omitempty the attribute is optional, without it every live item
// has it.
//
//	string                      string
//	Decimal, integers           number
//	bool                        boolean
//	[]byte                      binary
//	[]E                         list of E
//	map[string]E                map with free keys
//	struct                      map with fixed keys
//	Set[E]                      string set, number set or binary set
//
// An optional field that is no slice and no map must be a pointer: nil is
// absent, while a pointer to an empty string is an empty string that is
// present. Every other type (floats above all) is an error, and the error
// names every such field.
func Describe[T any](name string, major int) (*Contract, error) {
	c, err := describe(name, major, reflect.TypeFor[T]())
	if err != nil {
		return nil, fmt.Errorf("describe contract %s/v%d: %w", clip(name), major, err)
	}
	return c, nil
}

// MustDescribe is Describe for package variables: it panics where the type
// describes no contract.
func MustDescribe[T any](name string, major int) *Contract {
	c, err := Describe[T](name, major)
	if err != nil {
		panic(err)
	}
	return c
}

func describe(name string, major int, t reflect.Type) (*Contract, error) {
	if !contractName.MatchString(name) {
		return nil, errors.New("want a name of lower-case words joined by dots, such as company.profile")
	}
	if major < 1 {
		return nil, errors.New("want a major version of at least 1")
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("want a struct type, got %s", t)
	}
	l, err := layoutOf(t, 0)
	if err != nil {
		return nil, err
	}
	shape := l.shape()
	return &Contract{
		Name:       name,
		Major:      major,
		SchemaID:   fmt.Sprintf("%s%s/v%d.json", schemaBase, name, major),
		Attributes: shape.Fields,
		goType:     t,
		layout:     l,
		texts:      textsOf(name, major),
	}, nil
}

// layout is how a Go type holds values of a shape.
type layout struct {
	goType reflect.Type
	kind   Kind
	elem   *layout
	fields []fieldLayout
}

type fieldLayout struct {
	name     string
	index    int
	optional bool
	pointer  bool
	layout   *layout
}

func (l *layout) shape() Shape {
	s := Shape{Kind: l.kind}
	if l.elem != nil && (l.kind == KindList || l.kind == KindMap) {
		elem := l.elem.shape()
		s.Elem = &elem
	}
	for _, f := range l.fields {
		s.Fields = append(s.Fields, Attribute{Name: f.name, Required: !f.optional, Shape: f.layout.shape()})
	}
	return s
}

func layoutOf(t reflect.Type, depth int) (*layout, error) {
	l := &layout{goType: t}
	if depth > maxNesting {
		return nil, fmt.Errorf("%s nests deeper than the %d levels DynamoDB allows", t, maxNesting)
	}
	if t.Implements(setType) {
		return setLayout(l)
	}
	if t.Implements(jsonMarshalerType) || t.Implements(textMarshalerType) {
		return nil, fmt.Errorf("%s has an encoding of its own; use a type whose shape shows", t)
	}
	var err error
	switch t.Kind() {
	case reflect.String:
		l.kind = KindString
		if t == decimalType {
			l.kind = KindNumber
		}
	case reflect.Bool:
		l.kind = KindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		l.kind = KindNumber
	case reflect.Float32, reflect.Float64:
		return nil, fmt.Errorf("%s would lose digits; use contracts.Decimal", t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			l.kind = KindBinary
			break
		}
		l.kind = KindList
		l.elem, err = layoutOf(t.Elem(), depth+1)
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return nil, fmt.Errorf("%s: the keys of a map are strings", t)
		}
		l.kind = KindMap
		l.elem, err = layoutOf(t.Elem(), depth+1)
	case reflect.Struct:
		l.kind = KindMap
		l.fields, err = fieldLayouts(t, depth)
	case reflect.Pointer:
		return nil, fmt.Errorf("%s: a pointer marks an optional field and nothing else", t)
	default:
		return nil, fmt.Errorf("%s has no shape in a contract", t)
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

func setLayout(l *layout) (*layout, error) {
	elem, err := layoutOf(l.goType.Elem(), maxNesting)
	if err != nil {
		return nil, err
	}
	l.elem = elem
	switch elem.kind {
	case KindNumber:
		l.kind = KindNumberSet
	case KindBinary:
		l.kind = KindBinarySet
	default:
		l.kind = KindStringSet
	}
	return l, nil
}

func fieldLayouts(t reflect.Type, depth int) ([]fieldLayout, error) {
	var fields []fieldLayout
	var problems []error
	seen := map[string]bool{}
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.IsExported() && !sf.Anonymous || sf.Tag.Get("json") == "-" {
			continue
		}
		f, err := fieldLayoutOf(sf, depth)
		if err == nil && seen[f.name] {
			err = fmt.Errorf("another field is named %q too", f.name)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("field %s: %w", sf.Name, err))
			continue
		}
		seen[f.name] = true
		fields = append(fields, f)
	}
	if len(problems) == 0 && len(fields) == 0 {
		return nil, fmt.Errorf("%s has no exported fields", t)
	}
	return fields, errors.Join(problems...)
}

func fieldLayoutOf(sf reflect.StructField, depth int) (fieldLayout, error) {
	if sf.Anonymous {
		return fieldLayout{}, errors.New("an embedded type hides what is shared; name its fields")
	}
	name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
	if !attributeName.MatchString(name) {
		return fieldLayout{}, fmt.Errorf("want a json tag with a name of letters, digits, _ and -, got %q", name)
	}
	f := fieldLayout{name: name, index: sf.Index[0]}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitzero", "omitempty":
			f.optional = true
		case "string":
			return fieldLayout{}, errors.New("the json option string has no meaning in a contract")
		}
	}
	t := sf.Type
	f.pointer = t.Kind() == reflect.Pointer
	switch {
	case f.pointer && !f.optional:
		return fieldLayout{}, errors.New("a pointer is for an optional field; add omitzero to its json tag")
	case f.pointer:
		t = t.Elem()
	case f.optional && t.Kind() != reflect.Slice && t.Kind() != reflect.Map:
		return fieldLayout{}, fmt.Errorf("an optional %s must be a pointer, so that absent and empty differ", t)
	}
	var err error
	f.layout, err = layoutOf(t, depth+1)
	return f, err
}
