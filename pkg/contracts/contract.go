package contracts

import (
	"reflect"
	"slices"
	"strconv"
)

// Contract says which attributes of an item are shared, under one name and
// major version. Get one from Describe; it is immutable afterwards and safe to
// use concurrently.
type Contract struct {
	// Name is the contract's name without its version: "company.profile".
	Name string
	// Major is the major version; a change that old readers cannot read is a
	// new one.
	Major int
	// SchemaID is the $id of the contract's JSON Schema, sent as dataschema.
	SchemaID string
	// Attributes are the shared attributes in declared order.
	Attributes []Attribute

	goType reflect.Type // the type it was described by, for Marshal and Unmarshal
	layout *layout
	texts  contractTexts
}

// contractTexts are the texts that every change of a contract is named with,
// and what they were made of. Whoever makes a Contract without Describe has
// none, and has them made each time.
type contractTexts struct {
	name                 string
	major                int
	id, changed, deleted string
}

func textsOf(name string, major int) contractTexts {
	v := strconv.Itoa(major)
	return contractTexts{
		name: name, major: major,
		id: name + "/v" + v, changed: name + ".changed.v" + v, deleted: name + ".deleted.v" + v,
	}
}

func (c *Contract) named() *contractTexts {
	if c.texts.name == c.Name && c.texts.major == c.Major {
		return &c.texts
	}
	texts := textsOf(c.Name, c.Major)
	return &texts
}

// Attribute is one shared attribute.
type Attribute struct {
	// Name is the attribute's name in the event.
	Name string
	// Required says that every live item has it.
	Required bool
	// Shape is the type its values have.
	Shape Shape
}

// Shape is the type of a value: DynamoDB's kind and, for lists and maps, what
// is inside.
type Shape struct {
	Kind Kind
	// Elem is the shape of a list's elements, or of a map's values where the
	// keys are free.
	Elem *Shape
	// Fields are the fields of a map whose keys are fixed.
	Fields []Attribute
}

// ID returns the contract's name and major version: "company.profile/v1".
func (c *Contract) ID() string { return c.named().id }

// ChangedType returns the event type of an upsert: "company.profile.changed.v1".
func (c *Contract) ChangedType() string { return c.named().changed }

// DeletedType returns the event type of a delete: "company.profile.deleted.v1".
func (c *Contract) DeletedType() string { return c.named().deleted }

// Names returns the names of the shared attributes in declared order.
func (c *Contract) Names() []string {
	names := make([]string, len(c.Attributes))
	for i := range c.Attributes {
		names[i] = c.Attributes[i].Name
	}
	return names
}

// GoType returns the struct type the contract was described by, nil for one
// that was not made by Describe.
func (c *Contract) GoType() reflect.Type { return c.goType }

// Lookup returns the attribute of that name.
func (c *Contract) Lookup(name string) (Attribute, bool) {
	if i := find(c.Attributes, name, 0); i >= 0 {
		return c.Attributes[i], true
	}
	return Attribute{}, false
}

// Project returns the part of an item that the contract shares: its attributes,
// and within maps of fixed keys their fields. What is left can still violate
// the contract; Check tells.
func (c *Contract) Project(item Item) Item { return project(item, c.Attributes) }

func project(from map[string]Value, attributes []Attribute) map[string]Value {
	to := make(map[string]Value, len(attributes))
	for i := range attributes {
		a := &attributes[i]
		if v, ok := from[a.Name]; ok {
			to[a.Name] = a.Shape.project(v)
		}
	}
	return to
}

func (s *Shape) project(v Value) Value {
	switch {
	case v.kind != s.Kind || !s.hasFields():
	case len(s.Fields) > 0:
		return Map(project(v.Fields(), s.Fields))
	case v.kind == KindList:
		list := make([]Value, len(v.Elements()))
		for i, e := range v.Elements() {
			list[i] = s.Elem.project(e)
		}
		return List(list...)
	default:
		dict := make(map[string]Value, len(v.Fields()))
		for key, e := range v.Fields() {
			dict[key] = s.Elem.project(e)
		}
		return Map(dict)
	}
	return v
}

// hasFields reports whether there is a map of fixed keys anywhere inside.
func (s *Shape) hasFields() bool {
	return len(s.Fields) > 0 || s.Elem != nil && s.Elem.hasFields()
}

// Equal reports whether both share the same attributes in the same shapes
// under the same name and version, whatever Go types describe them.
func (c *Contract) Equal(o *Contract) bool {
	if c == nil || o == nil {
		return c == o
	}
	return c == o || c.Name == o.Name && c.Major == o.Major && c.SchemaID == o.SchemaID &&
		slices.EqualFunc(c.Attributes, o.Attributes, Attribute.equal)
}

func (a Attribute) equal(o Attribute) bool {
	return a.Name == o.Name && a.Required == o.Required && a.Shape.equal(o.Shape)
}

func (s Shape) equal(o Shape) bool {
	if s.Kind != o.Kind || (s.Elem == nil) != (o.Elem == nil) {
		return false
	}
	return (s.Elem == nil || s.Elem.equal(*o.Elem)) && slices.EqualFunc(s.Fields, o.Fields, Attribute.equal)
}

// find returns the place of the attribute of that name, -1 if there is none.
// It looks at place hint first: attributes mostly come in declared order.
func find(attributes []Attribute, name string, hint int) int {
	if hint < len(attributes) && attributes[hint].Name == name {
		return hint
	}
	for i := range attributes {
		if attributes[i].Name == name {
			return i
		}
	}
	return -1
}
