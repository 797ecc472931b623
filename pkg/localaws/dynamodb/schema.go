package dynamodb

import (
	"slices"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
)

// attributeDefinition, keyElement, projection and throughput have AWS's
// shapes and serve requests and descriptions alike.
type attributeDefinition struct {
	AttributeName string
	AttributeType attr.Type
}

type keyElement struct {
	AttributeName string
	KeyType       string
}

type projection struct {
	ProjectionType   string   `json:",omitempty"`
	NonKeyAttributes []string `json:",omitempty"`
}

type throughput struct {
	ReadCapacityUnits  int64
	WriteCapacityUnits int64
}

type secondaryIndex struct {
	IndexName             string
	KeySchema             []keyElement
	Projection            *projection
	ProvisionedThroughput *throughput
}

const (
	projectAll     = "ALL"
	projectKeys    = "KEYS_ONLY"
	projectInclude = "INCLUDE"

	payPerRequest = "PAY_PER_REQUEST"
	provisioned   = "PROVISIONED"

	// "Quotas in Amazon DynamoDB".
	maxLocalIndexes  = 5
	maxGlobalIndexes = 20
)

// keySchema is a key's attributes. The range attribute's name is empty where
// there is none.
type keySchema struct {
	hash, rng expr.KeyAttr
}

func (k keySchema) hasRange() bool { return k.rng.Name != "" }

// attributes returns the key's one or two attributes.
func (k keySchema) attributes() []expr.KeyAttr {
	if k.hasRange() {
		return []expr.KeyAttr{k.hash, k.rng}
	}
	return []expr.KeyAttr{k.hash}
}

func (k keySchema) has(name string) bool {
	return name == k.hash.Name || (k.hasRange() && name == k.rng.Name)
}

// elements is the key in AWS's shape.
func (k keySchema) elements() []keyElement {
	list := []keyElement{{AttributeName: k.hash.Name, KeyType: "HASH"}}
	if k.hasRange() {
		list = append(list, keyElement{AttributeName: k.rng.Name, KeyType: "RANGE"})
	}
	return list
}

// definitions are a table's attribute definitions, checked.
type definitions []attributeDefinition

func (d definitions) typeOf(name string) (attr.Type, bool) {
	for _, def := range d {
		if def.AttributeName == name {
			return def.AttributeType, true
		}
	}
	return "", false
}

func (d definitions) check() error {
	if len(d) == 0 {
		return invalid("One or more parameter values were invalid: Some AttributeDefinitions are not valid: there are none")
	}
	seen := make(map[string]bool, len(d))
	for _, def := range d {
		switch def.AttributeType {
		case attr.TypeString, attr.TypeNumber, attr.TypeBinary:
		default:
			return parameter("'"+string(def.AttributeType)+"'", "attributeDefinitions.member.attributeType", "Member must satisfy enum value set: [B, N, S]")
		}
		if def.AttributeName == "" || len(def.AttributeName) > 255 {
			return parameter("'"+def.AttributeName+"'", "attributeDefinitions.member.attributeName", "Member must have a length from 1 to 255")
		}
		if seen[def.AttributeName] {
			return invalid("One or more parameter values were invalid: Duplicate AttributeName in AttributeDefinitions: %s", def.AttributeName)
		}
		seen[def.AttributeName] = true
	}
	return nil
}

// key checks a key schema against the definitions.
func (d definitions) key(elements []keyElement) (keySchema, error) {
	var k keySchema
	switch {
	case len(elements) == 0:
		return k, required("keySchema")
	case len(elements) > 2:
		return k, parameter("[...]", "keySchema", "Member must have length less than or equal to 2")
	case elements[0].KeyType != "HASH":
		return k, invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	case len(elements) == 2 && elements[1].KeyType != "RANGE":
		return k, invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	case len(elements) == 2 && elements[0].AttributeName == elements[1].AttributeName:
		return k, invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	}
	for i, e := range elements {
		t, ok := d.typeOf(e.AttributeName)
		if !ok {
			return k, invalid("One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: %s", e.AttributeName, d.names())
		}
		a := expr.KeyAttr{Name: e.AttributeName, Type: t}
		if i == 0 {
			k.hash = a
		} else {
			k.rng = a
		}
	}
	return k, nil
}

func (d definitions) names() string {
	text := "["
	for i, def := range d {
		if i > 0 {
			text += ", "
		}
		text += def.AttributeName
	}
	return text + "]"
}

// check refuses a projection AWS refuses.
func (p *projection) check() error {
	switch {
	case p == nil || p.ProjectionType == "":
		return invalid("One or more parameter values were invalid: Unknown ProjectionType: null")
	case p.ProjectionType != projectAll && p.ProjectionType != projectKeys && p.ProjectionType != projectInclude:
		return parameter("'"+p.ProjectionType+"'", "projection.projectionType", "Member must satisfy enum value set: [ALL, INCLUDE, KEYS_ONLY]")
	case p.ProjectionType == projectInclude && len(p.NonKeyAttributes) == 0:
		return invalid("One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	case p.ProjectionType != projectInclude && len(p.NonKeyAttributes) > 0:
		return invalid("One or more parameter values were invalid: ProjectionType is %s, but NonKeyAttributes is specified", p.ProjectionType)
	case len(p.NonKeyAttributes) > 20:
		return parameter("[...]", "projection.nonKeyAttributes", "Member must have length less than or equal to 20")
	}
	return nil
}

// newIndex checks an index's definition against its table's.
func (d definitions) newIndex(def secondaryIndex, table keySchema, local bool) (*index, error) {
	if badName(def.IndexName) {
		return nil, parameter("'"+def.IndexName+"'", "indexName", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+ and have a length from 3 to 255")
	}
	key, err := d.key(def.KeySchema)
	if err != nil {
		return nil, err
	}
	if err := def.Projection.check(); err != nil {
		return nil, err
	}
	if local {
		switch {
		case !table.hasRange():
			return nil, invalid("One or more parameter values were invalid: Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
		case !key.hasRange():
			return nil, invalid("One or more parameter values were invalid: Index KeySchema does not have a range key for index: %s", def.IndexName)
		case key.hash.Name != table.hash.Name:
			return nil, invalid("One or more parameter values were invalid: Index KeySchema hash key for index %s is not the table's hash key %s", def.IndexName, table.hash.Name)
		case def.ProvisionedThroughput != nil:
			return nil, invalid("localaws does not know the parameter \"ProvisionedThroughput\" for a LocalSecondaryIndex")
		}
	}
	return newIndex(def, key, table, local), nil
}

// checkUse refuses definitions that no key uses, as AWS does.
func (d definitions) checkUse(table keySchema, indexes map[string]*index) error {
	for _, def := range d {
		used := table.has(def.AttributeName)
		for _, ix := range indexes {
			used = used || ix.key.has(def.AttributeName)
		}
		if !used {
			return invalid("One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions: %s is in no key", def.AttributeName)
		}
	}
	return nil
}

// checkThroughput checks a throughput against the billing mode.
func checkThroughput(mode string, p *throughput, what string) error {
	if mode == payPerRequest {
		if p != nil && (p.ReadCapacityUnits != 0 || p.WriteCapacityUnits != 0) {
			return invalid("One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		}
		return nil
	}
	if p == nil {
		return invalid("One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED (%s)", what)
	}
	if p.ReadCapacityUnits < 1 || p.WriteCapacityUnits < 1 {
		return parameter("less than 1", "provisionedThroughput", "Member must have value greater than or equal to 1")
	}
	return nil
}

// sortedNames returns an index set's names in order.
func sortedNames(indexes map[string]*index) []string {
	names := make([]string, 0, len(indexes))
	for name := range indexes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
