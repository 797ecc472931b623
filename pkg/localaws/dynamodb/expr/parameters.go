// Package expr holds DynamoDB's expression language: condition, filter,
// key-condition, update and projection expressions.
//
// It promises the documented grammar, limits and semantics, and DynamoDB's own
// error texts, as *wire.Error of code ValidationException. Parsed expressions
// may be shared through a Cache; evaluating one never parses and never changes
// the item it is given. It does not know tables: which attributes are keys,
// and what may be done to them, is for package dynamodb.
//
// Start with NewParameters or Cache.Parameters, one for each request; let it
// parse the request's expressions; ask Unused at the end.
package expr

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// Limits of the substitution tokens ("Quotas in Amazon DynamoDB": expression
// parameters) and of attribute names behind them.
const (
	maxTokenBytes = 255
	maxNameBytes  = 65535
)

// Values is ExpressionAttributeValues as it is sent. Decoding it names the key
// of a value that DynamoDB refuses.
type Values map[string]attr.Value

// UnmarshalJSON decodes {":v": {"S": "..."}}.
func (v *Values) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return wire.Errorf("SerializationException", "ExpressionAttributeValues: %v", err)
	}
	if raw == nil {
		return nil
	}
	values := make(Values, len(raw))
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		var value attr.Value
		if err := value.UnmarshalJSON(raw[name]); err != nil {
			var refused *wire.Error
			if errors.As(err, &refused) && refused.Code == "ValidationException" {
				return validation("ExpressionAttributeValues contains invalid value: %s for key %s", refused.Message, name)
			}
			return err
		}
		values[name] = value
	}
	*v = values
	return nil
}

// Parameters carries the ExpressionAttributeNames and ExpressionAttributeValues
// of one request and notes which of them its expressions use. It is not safe
// for concurrent use; what it parses is.
type Parameters struct {
	names      map[string]string
	values     map[string]attr.Value
	usedNames  []string
	usedValues []string
	cache      *Cache
}

// NewParameters checks the form of the names' and values' keys. A key that is
// no #name or :value, or too long, or a name that no attribute can have, is a
// ValidationException.
func NewParameters(names map[string]string, values map[string]attr.Value) (*Parameters, error) {
	if err := eachKey(names, checkName); err != nil {
		return nil, err
	}
	if err := eachKey(values, checkValue); err != nil {
		return nil, err
	}
	return &Parameters{names: names, values: values}, nil
}

// eachKey checks the entries of m. Of several that are refused it reports the
// one with the smallest key, whatever the map's order.
func eachKey[V any](m map[string]V, check func(key string, v V) error) error {
	first, refused := "", error(nil)
	for key, v := range m {
		if err := check(key, v); err != nil && (refused == nil || key < first) {
			first, refused = key, err
		}
	}
	return refused
}

func checkName(key, name string) error {
	if err := checkToken("ExpressionAttributeNames", key, '#'); err != nil {
		return err
	}
	switch {
	case name == "":
		return validation("ExpressionAttributeNames contains invalid value: Empty attribute name for key %s", key)
	case len(name) > maxNameBytes:
		return validation("ExpressionAttributeNames contains invalid value: Attribute name is too large, must be less than %d bytes for key %s", maxNameBytes+1, key)
	}
	return nil
}

func checkValue(key string, v attr.Value) error {
	if err := checkToken("ExpressionAttributeValues", key, ':'); err != nil {
		return err
	}
	if v.IsZero() {
		return validation("ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes for key %s", key)
	}
	return nil
}

func checkToken(parameter, key string, mark byte) error {
	switch {
	case key == "":
		return validation("%s contains invalid key: The expression attribute map contains an empty key;", parameter)
	case len(key) > maxTokenBytes:
		return validation("%s contains invalid key: The expression attribute map contains a key that is too long; size of key: %d", parameter, len(key))
	case key[0] != mark || len(key) == 1 || runOf(key, 1, isWordByte) != len(key):
		return validation("%s contains invalid key: Syntax error; key: \"%s\"", parameter, key)
	}
	return nil
}

// Unused returns a ValidationException if a name or value was not used by the
// expressions parsed so far.
func (p *Parameters) Unused() error {
	if err := unused("ExpressionAttributeNames", p.names, p.usedNames); err != nil {
		return err
	}
	return unused("ExpressionAttributeValues", p.values, p.usedValues)
}

func unused[V any](parameter string, given map[string]V, used []string) error {
	if len(used) == len(given) {
		return nil
	}
	var keys []string
	for key := range given {
		if !slices.Contains(used, key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return validation("Value provided in %s unused in expressions: keys: {%s}", parameter, strings.Join(keys, ", "))
}

// noted adds a key to those used, of which there will be most at the most.
func noted(used []string, key string, most int) []string {
	if slices.Contains(used, key) {
		return used
	}
	if used == nil {
		used = make([]string, 0, most)
	}
	return append(used, key)
}

// bound is a tree with the names and values of one request put in.
type bound struct {
	paths  []Path
	values []attr.Value
}

func (p *Parameters) bindPath(t *tree, b *bound, slot int) error {
	template := t.paths[slot]
	if !template.aliased {
		b.paths[slot] = template.path
		return nil
	}
	path := make(Path, len(template.path))
	for i, e := range template.path {
		if strings.HasPrefix(e.Name, "#") || strings.HasPrefix(e.Name, ":") {
			name, ok := p.names[e.Name]
			if !ok {
				return undefinedName(e.Name)
			}
			p.usedNames = noted(p.usedNames, e.Name, len(p.names))
			e.Name = name
		}
		path[i] = e
	}
	b.paths[slot] = path
	return nil
}

func undefinedName(name string) error {
	return validation("An expression attribute name used in the document path is not defined; attribute name: %s", name)
}

func (p *Parameters) bindValue(t *tree, b *bound, slot int) error {
	name := t.values[slot]
	v, ok := p.values[name]
	if !ok {
		return validation("An expression attribute value used in expression is not defined; attribute value: %s", name)
	}
	p.usedValues = noted(p.usedValues, name, len(p.values))
	b.values[slot] = v
	return nil
}

func newBound(t *tree) bound {
	return bound{paths: make([]Path, len(t.paths)), values: make([]attr.Value, len(t.values))}
}
