package expr

import (
	"strings"
	"unicode/utf8"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

// Condition is a condition or filter expression with its names and values. It
// is safe for concurrent use.
type Condition struct {
	root *node
	bound
}

// Condition parses a condition; kind is the request parameter it came in
// (ConditionExpression, FilterExpression) and heads the error texts.
func (p *Parameters) Condition(kind, text string) (*Condition, error) {
	t, err := p.cache.parse(conditionGrammar, text)
	if err != nil {
		return nil, inParameter(kind, err)
	}
	c := &Condition{root: t.condition, bound: newBound(t)}
	checker := conditionChecker{parameters: p, tree: t, bound: &c.bound}
	if err := checker.node(t.condition); err != nil {
		return nil, inParameter(kind, err)
	}
	return c, nil
}

// TopLevelNames returns the attributes the condition refers to, each once, in
// the order of the text.
func (c *Condition) TopLevelNames() []string { return topLevelNames(c.paths) }

// Paths returns the document paths in the order of the text.
func (c *Condition) Paths() []Path { return c.paths }

// Eval says whether the item meets the condition; a nil item is one that does
// not exist. The error is always nil: what DynamoDB refuses in a condition, it
// refuses before it looks at an item.
func (c *Condition) Eval(item attr.Item) (bool, error) {
	return c.holds(c.root, item), nil
}

func (c *Condition) holds(n *node, item attr.Item) bool {
	switch n.op {
	case "AND":
		return c.holds(n.left, item) && c.holds(n.right, item)
	case "OR":
		return c.holds(n.left, item) || c.holds(n.right, item)
	case "NOT":
		return !c.holds(n.left, item)
	case "":
		return c.predicate(n.call, item)
	}
	first, ok := c.value(n.operands[0], item)
	if !ok {
		return n.op == "<>"
	}
	switch n.op {
	case "BETWEEN":
		lower, okLower := c.value(n.operands[1], item)
		upper, okUpper := c.value(n.operands[2], item)
		return okLower && okUpper && ordered(">=", first, lower) && ordered("<=", first, upper)
	case "IN":
		for _, o := range n.operands[1:] {
			if choice, ok := c.value(o, item); ok && choice.Equal(first) {
				return true
			}
		}
		return false
	}
	second, ok := c.value(n.operands[1], item)
	switch n.op {
	case "=":
		return ok && first.Equal(second)
	case "<>":
		return !ok || !first.Equal(second)
	}
	return ok && ordered(n.op, first, second)
}

// ordered compares scalars of one type; other values are in no order.
func ordered(op string, a, b attr.Value) bool {
	if a.Type() != b.Type() || !hasOrder(a.Type()) {
		return false
	}
	c := attr.Compare(a, b)
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

func hasOrder(t attr.Type) bool {
	return t == attr.TypeString || t == attr.TypeNumber || t == attr.TypeBinary
}

// value finds an operand's value; false stands for a missing attribute.
func (c *Condition) value(o *operand, item attr.Item) (attr.Value, bool) {
	switch o.kind {
	case valueOperand:
		return c.values[o.slot], true
	case pathOperand:
		return c.paths[o.slot].Lookup(item)
	}
	sized, ok := c.value(o.args[0], item)
	if !ok {
		return attr.Value{}, false
	}
	size, ok := sizeOf(sized)
	return attr.Int(int64(size)), ok
}

// sizeOf is the function size ("Condition and filter expressions, operators,
// and functions in DynamoDB"). Strings count UTF-16 units.
func sizeOf(v attr.Value) (int, bool) {
	switch v.Type() {
	case attr.TypeString:
		units := 0
		for _, r := range v.Str() {
			units++
			if r > 0xFFFF && r <= utf8.MaxRune {
				units++
			}
		}
		return units, true
	case attr.TypeBinary:
		return len(v.Raw()), true
	case attr.TypeList:
		return len(v.List()), true
	case attr.TypeMap:
		return len(v.Map()), true
	case attr.TypeStringSet, attr.TypeNumberSet, attr.TypeBinarySet:
		return len(v.Set()), true
	}
	return 0, false
}

func (c *Condition) predicate(call *operand, item attr.Item) bool {
	first, ok := c.value(call.args[0], item)
	switch call.function {
	case "attribute_exists":
		return ok
	case "attribute_not_exists":
		return !ok
	}
	if !ok {
		return false
	}
	second, ok := c.value(call.args[1], item)
	if !ok {
		return false
	}
	switch call.function {
	case "attribute_type":
		return string(first.Type()) == second.Str()
	case "begins_with":
		return first.Type() == second.Type() && isText(first) && strings.HasPrefix(first.Raw(), second.Raw())
	}
	return contains(first, second)
}

func isText(v attr.Value) bool { return v.Type() == attr.TypeString || v.Type() == attr.TypeBinary }

func contains(whole, part attr.Value) bool {
	if isText(whole) {
		return whole.Type() == part.Type() && strings.Contains(whole.Raw(), part.Raw())
	}
	for _, element := range whole.List() {
		if element.Equal(part) {
			return true
		}
	}
	return whole.Contains(part)
}
