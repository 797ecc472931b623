package expr

import (
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

const keyConditionKind = "KeyConditionExpression"

// KeyAttr is a key attribute of the table or index that is queried.
type KeyAttr struct {
	Name string
	Type attr.Type
}

// Bound is one end of a range of sort keys.
type Bound struct {
	Value     attr.Value
	Inclusive bool
}

// KeyCondition is a key condition with its values: one partition key, and
// possibly a range of sort keys. It is safe for concurrent use.
type KeyCondition struct {
	hash attr.Value
	sort *keyTest
}

// keyTest is one condition on one key attribute.
type keyTest struct {
	name   string
	op     string // = < <= > >= BETWEEN begins_with
	values []attr.Value
}

// KeyCondition parses a KeyConditionExpression for the given keys;
// rangeKey.Name is empty if there is no sort key.
func (p *Parameters) KeyCondition(text string, hash, rangeKey KeyAttr) (*KeyCondition, error) {
	c, err := p.Condition(keyConditionKind, text)
	if err != nil {
		return nil, err
	}
	tests, err := c.keyTests(c.root, nil)
	if err != nil {
		return nil, err
	}
	k := &KeyCondition{}
	var found bool
	for i := range tests {
		switch t := &tests[i]; t.name {
		case hash.Name:
			found, k.hash = true, t.values[0]
			if t.op != "=" {
				return nil, validation("Query key condition not supported")
			}
			err = t.checkValues(hash)
		case rangeKey.Name:
			k.sort = t
			err = t.checkValues(rangeKey)
		default:
			return nil, missedKey(tests, hash, rangeKey)
		}
		if err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, missedKey(tests, hash, rangeKey)
	}
	return k, nil
}

// missedKey names the key attribute that the tests lack.
func missedKey(tests []keyTest, hash, rangeKey KeyAttr) error {
	missed := hash.Name
	for _, t := range tests {
		if t.name == hash.Name {
			missed = rangeKey.Name
		}
	}
	if missed == "" {
		return validation("Query key condition not supported")
	}
	return validation("Query condition missed key schema element: %s", missed)
}

func (t *keyTest) checkValues(key KeyAttr) error {
	for _, v := range t.values {
		if v.Type() != key.Type {
			return validation("One or more parameter values were invalid: Condition parameter type does not match schema type")
		}
		if isText(v) && v.Raw() == "" {
			kind := map[attr.Type]string{attr.TypeString: "string", attr.TypeBinary: "binary"}[v.Type()]
			return validation("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", kind, key.Name)
		}
	}
	return nil
}

func (c *Condition) keyTests(n *node, tests []keyTest) ([]keyTest, error) {
	if n.op == "AND" {
		tests, err := c.keyTests(n.left, tests)
		if err != nil {
			return nil, err
		}
		return c.keyTests(n.right, tests)
	}
	t, err := c.keyTest(n)
	if err != nil {
		return nil, err
	}
	for _, other := range tests {
		if other.name == t.name {
			return nil, validation("KeyConditionExpressions must only contain one condition per key")
		}
	}
	if len(tests) == 2 {
		return nil, validation("Conditions can be of length 1 or 2 only")
	}
	return append(tests, t), nil
}

func (c *Condition) keyTest(n *node) (keyTest, error) {
	t := keyTest{op: n.op}
	operands := n.operands
	if n.call != nil {
		t.op, operands = n.call.function, n.call.args
	}
	switch t.op {
	case "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with":
	default:
		return t, validation("Invalid operator used in %s: %s", keyConditionKind, t.op)
	}
	for i, o := range operands {
		switch o.kind {
		case callOperand:
			return t, validation("KeyConditionExpressions cannot contain nested operations")
		case valueOperand:
			t.values = append(t.values, c.values[o.slot])
			continue
		}
		if t.name != "" {
			return t, validation("Invalid condition in %s: Multiple attribute names used in one condition", keyConditionKind)
		}
		path := c.paths[o.slot]
		if len(path) > 1 {
			return t, validation("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: %s", path[0].Name)
		}
		t.name = path[0].Name
		if i > 0 {
			if flipped := map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}[t.op]; flipped != "" {
				t.op = flipped
				continue
			}
			return t, validation("Invalid condition in %s: %s operator must have the key attribute as its first operand", keyConditionKind, t.op)
		}
	}
	if t.name == "" {
		return t, validation("Invalid condition in %s: No key attribute specified", keyConditionKind)
	}
	return t, nil
}

// Hash returns the partition key's value.
func (k *KeyCondition) Hash() attr.Value { return k.hash }

// Matches says whether a sort key's value meets the condition. Without a
// condition on the sort key every value does.
func (k *KeyCondition) Matches(rangeValue attr.Value) bool {
	if k.sort == nil {
		return true
	}
	values := k.sort.values
	switch k.sort.op {
	case "=":
		return rangeValue.Equal(values[0])
	case "BETWEEN":
		return ordered(">=", rangeValue, values[0]) && ordered("<=", rangeValue, values[1])
	case "begins_with":
		return rangeValue.Type() == values[0].Type() && strings.HasPrefix(rangeValue.Raw(), values[0].Raw())
	}
	return ordered(k.sort.op, rangeValue, values[0])
}

// Bounds returns the ends of the range of sort keys, nil where it is open.
// begins_with gives only the lower end: reading on from there, the first sort
// key that does not match ends the range.
func (k *KeyCondition) Bounds() (from, to *Bound) {
	if k.sort == nil {
		return nil, nil
	}
	first := Bound{Value: k.sort.values[0], Inclusive: true}
	switch k.sort.op {
	case "=":
		return &first, &first
	case "<":
		first.Inclusive = false
		return nil, &first
	case "<=":
		return nil, &first
	case ">":
		first.Inclusive = false
		return &first, nil
	case "BETWEEN":
		return &first, &Bound{Value: k.sort.values[1], Inclusive: true}
	}
	return &first, nil
}
