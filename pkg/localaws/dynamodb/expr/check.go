package expr

import (
	"encoding/base64"
	"slices"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

// conditionChecker puts names and values into a condition and refuses what
// DynamoDB refuses before it looks at an item, in DynamoDB's order: operands
// before the operator they belong to, left before right. Without parameters the
// tree is a Program's, whose names and values are in place.
type conditionChecker struct {
	parameters *Parameters
	tree       *tree
	bound      *bound
}

func (c conditionChecker) node(n *node) error {
	switch n.op {
	case "AND", "OR":
		if err := c.node(n.left); err != nil {
			return err
		}
		return c.node(n.right)
	case "NOT":
		return c.node(n.left)
	case "":
		return c.operand(n.call)
	}
	for _, o := range n.operands {
		if err := c.operand(o); err != nil {
			return err
		}
	}
	if n.op == "IN" && len(n.operands)-1 > maxInOperands {
		return validation("The IN operator is provided with too many operands; number of operands: %d", len(n.operands)-1)
	}
	if n.op != "=" && n.op != "<>" && n.op != "IN" {
		if err := c.types(n.op, n.operands, hasOrder); err != nil {
			return err
		}
	}
	if err := c.bound.distinct(n.op, n.operands); err != nil {
		return err
	}
	if n.op == "BETWEEN" {
		return c.bounds(n.operands)
	}
	return nil
}

func (c conditionChecker) operand(o *operand) error {
	switch {
	case o.kind == callOperand:
	case c.parameters == nil:
		if o.kind == pathOperand {
			return c.tree.defined(o.slot)
		}
		return nil
	case o.kind == pathOperand:
		return c.parameters.bindPath(c.tree, c.bound, o.slot)
	default:
		return c.parameters.bindValue(c.tree, c.bound, o.slot)
	}
	for _, arg := range o.args {
		if err := c.operand(arg); err != nil {
			return err
		}
	}
	if want := operandCount(o.function); len(o.args) != want {
		return wrongCount(o)
	}
	return c.function(o)
}

func operandCount(function string) int {
	switch function {
	case "size", "attribute_exists", "attribute_not_exists":
		return 1
	}
	return 2
}

func wrongCount(o *operand) error {
	return validation("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", o.function, len(o.args))
}

func (c conditionChecker) function(o *operand) error {
	switch o.function {
	case "attribute_exists", "attribute_not_exists":
		if o.args[0].kind != pathOperand {
			return pathWanted(o.function)
		}
		return nil
	case "size":
		return c.types(o.function, o.args, hasSize)
	}
	if err := c.bound.distinct(o.function, o.args); err != nil {
		return err
	}
	switch o.function {
	case "begins_with":
		return c.types(o.function, o.args, func(t attr.Type) bool {
			return t == attr.TypeString || t == attr.TypeBinary
		})
	case "attribute_type":
		return c.typeName(o.args[1])
	}
	return nil
}

func pathWanted(function string) error {
	return validation("Operator or function requires a document path; operator or function: %s", function)
}

func hasSize(t attr.Type) bool {
	return t != attr.TypeNumber && t != attr.TypeBool && t != attr.TypeNull
}

// types checks those operands whose type is known without an item.
func (c conditionChecker) types(operator string, operands []*operand, allowed func(attr.Type) bool) error {
	for _, o := range operands {
		if t := c.knownType(o); t != "" && !allowed(t) {
			return wrongType(operator, string(t))
		}
	}
	return nil
}

func wrongType(operator, found string) error {
	return validation("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", operator, found)
}

func (c conditionChecker) knownType(o *operand) attr.Type {
	switch o.kind {
	case valueOperand:
		return c.bound.values[o.slot].Type()
	case callOperand:
		return attr.TypeNumber // size is the only function among operands
	}
	return ""
}

// distinct refuses a first operand that is a path and comes again.
func (b *bound) distinct(operator string, operands []*operand) error {
	first := operands[0]
	if first.kind != pathOperand {
		return nil
	}
	path := b.paths[first.slot]
	for _, o := range operands[1:] {
		if o.kind == pathOperand && slices.Equal(b.paths[o.slot], path) {
			return validation("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s", operator, path)
		}
	}
	return nil
}

// bounds checks BETWEEN's bounds where both are values.
func (c conditionChecker) bounds(operands []*operand) error {
	if operands[1].kind != valueOperand || operands[2].kind != valueOperand {
		return nil
	}
	lower, upper := c.bound.values[operands[1].slot], c.bound.values[operands[2].slot]
	rule := ""
	switch {
	case lower.Type() != upper.Type():
		rule = "same data type for lower and upper bounds"
	case attr.Compare(lower, upper) > 0:
		rule = "upper bound to be greater than or equal to lower bound"
	default:
		return nil
	}
	return validation("The BETWEEN operator requires %s; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s", rule, boundText(lower), boundText(upper))
}

func boundText(v attr.Value) string {
	text := v.Str() + v.Num()
	if v.Type() == attr.TypeBinary {
		text = base64.StdEncoding.EncodeToString(v.Bytes())
	}
	return "{" + string(v.Type()) + ":" + text + "}"
}

// typeName checks attribute_type's second operand, a value that names a type.
func (c conditionChecker) typeName(o *operand) error {
	if o.kind == pathOperand {
		return wrongType("attribute_type", "a document path")
	}
	if t := c.knownType(o); t != attr.TypeString {
		return wrongType("attribute_type", string(t))
	}
	if name := c.bound.values[o.slot].Str(); !attr.Type(name).Valid() {
		return validation("Invalid attribute type name found; type: %s, valid types: {N,BS,L,B,NULL,M,S,SS,NS,BOOL}", name)
	}
	return nil
}
