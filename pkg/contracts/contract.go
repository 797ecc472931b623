package contracts

// Contract says which attributes of an item are shared, under one name and
// major version. Get one from Describe; it is immutable afterwards.
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
