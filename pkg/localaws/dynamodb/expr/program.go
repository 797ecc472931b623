package expr

import (
	"slices"
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

// Program is an update with its condition in a language that has its own
// parser, as PartiQL has. A Builder makes it once; Bind puts in each request's
// values. It is safe for concurrent use.
type Program struct {
	tree       *tree
	paths      []Path
	parameters int
	constants  []attr.Value
	update     Update // all but the values
	flaw       error  // what is wrong with the update whatever the values are
}

// Builder makes a Program. What it hands out belongs to it.
type Builder struct {
	tree       *tree
	parameters int
	constants  []attr.Value
	operators  int
}

// Operand is a value in a program.
type Operand struct{ operand *operand }

// Predicate is a condition in a program.
type Predicate struct{ node *node }

// NewBuilder begins a program that takes the given number of parameters.
func NewBuilder(parameters int) *Builder {
	return &Builder{tree: &tree{}, parameters: parameters}
}

// Parameter is the value that is i-th, from 0, of those given to Bind.
func (b *Builder) Parameter(i int) Operand { return Operand{&operand{kind: valueOperand, slot: i}} }

// Constant is a value that is the same for every request.
func (b *Builder) Constant(v attr.Value) Operand {
	b.constants = append(b.constants, v)
	return Operand{&operand{kind: valueOperand, slot: b.parameters + len(b.constants) - 1}}
}

// Attribute is the value of a top-level attribute.
func (b *Builder) Attribute(name string) Operand {
	return Operand{&operand{kind: pathOperand, slot: b.path(name)}}
}

// path adds a path of one name. DynamoDB takes a name that looks like a
// placeholder of an expression for one, which nothing defines.
func (b *Builder) path(name string) int {
	placeholder := strings.HasPrefix(name, "#") || strings.HasPrefix(name, ":")
	b.tree.paths = append(b.tree.paths, pathTemplate{path: Path{{Name: name}}, aliased: placeholder})
	return len(b.tree.paths) - 1
}

// Compare is one of = <> < <= > >=.
func (b *Builder) Compare(op string, left, right Operand) Predicate {
	b.operators++
	return Predicate{&node{op: op, operands: []*operand{left.operand, right.operand}}}
}

// Exists says that an attribute is there, or with want false that it is not.
func (b *Builder) Exists(o Operand, want bool) Predicate {
	b.operators++
	function := "attribute_not_exists"
	if want {
		function = "attribute_exists"
	}
	return Predicate{&node{call: &operand{kind: callOperand, function: function, args: []*operand{o.operand}}}}
}

// Both, Either and Not are AND, OR and NOT.
func (b *Builder) Both(left, right Predicate) Predicate { return b.join("AND", left, right) }

// Either is OR.
func (b *Builder) Either(left, right Predicate) Predicate { return b.join("OR", left, right) }

// Not is NOT.
func (b *Builder) Not(p Predicate) Predicate { return b.join("NOT", p, Predicate{}) }

func (b *Builder) join(op string, left, right Predicate) Predicate {
	b.operators++
	return Predicate{&node{op: op, left: left.node, right: right.node}}
}

// Set adds the change of an attribute.
func (b *Builder) Set(name string, value Operand) {
	b.tree.updates = append(b.tree.updates, action{section: set, path: b.path(name), first: value.operand})
}

// Remove adds the removal of an attribute.
func (b *Builder) Remove(name string) {
	b.tree.updates = append(b.tree.updates, action{section: remove, path: b.path(name)})
}

// Where makes p the program's condition.
func (b *Builder) Where(p Predicate) { b.tree.condition = p.node }

// Program ends the program. The builder is not to be used any more. An error
// is a ValidationException.
func (b *Builder) Program() (*Program, error) {
	if b.operators > maxOperators {
		return nil, tooManyOperators()
	}
	p := &Program{tree: b.tree, parameters: b.parameters, constants: b.constants, paths: make([]Path, len(b.tree.paths))}
	for slot, t := range b.tree.paths {
		p.paths[slot] = t.path
	}
	p.update = Update{targets: make([]Path, len(b.tree.updates)), bound: bound{paths: p.paths}}
	for i, a := range b.tree.updates {
		p.update.targets[i] = p.paths[a.path]
	}
	p.flaw = p.updateFlaw()
	p.update.arrange(b.tree.updates)
	return p, nil
}

func (p *Program) nameless(slot int) bool { return p.paths[slot][0].Name == "" }

// updateFlaw is what is wrong with the update, in the order in which DynamoDB
// looks for it.
func (p *Program) updateFlaw() error {
	for _, a := range p.tree.updates {
		if p.nameless(a.path) || a.first != nil && a.first.kind == pathOperand && p.nameless(a.first.slot) {
			return validation("Path component cannot be an empty string")
		}
	}
	for i, a := range p.tree.updates {
		if err := p.tree.defined(a.path); err != nil {
			return err
		}
		if err := checkApartFrom(p.update.targets[i], p.update.targets[:i]); err != nil {
			return err
		}
	}
	for _, a := range p.tree.updates {
		if a.first != nil && a.first.kind == pathOperand {
			if err := p.tree.defined(a.first.slot); err != nil {
				return err
			}
		}
	}
	return nil
}

// defined refuses a path that is a placeholder, for which no request has a
// name.
func (t *tree) defined(slot int) error {
	if template := t.paths[slot]; template.aliased {
		return undefinedName(template.path[0].Name)
	}
	return nil
}

// Bind puts in the parameters, of which there must be enough; more are left
// alone. The condition is nil if the program has none. It refuses what DynamoDB refuses before it looks at an item, the
// condition first, as a ValidationException.
func (p *Program) Bind(parameters []attr.Value) (*Condition, *Update, error) {
	values := parameters[:p.parameters:p.parameters]
	if len(p.constants) > 0 {
		values = slices.Concat(values, p.constants)
	}
	var c *Condition
	if p.tree.condition != nil {
		c = &Condition{root: p.tree.condition, bound: bound{paths: p.paths, values: values}}
		checker := conditionChecker{tree: p.tree, bound: &c.bound}
		if err := checker.node(c.root); err != nil {
			return nil, nil, err
		}
	}
	if p.flaw != nil {
		return nil, nil, p.flaw
	}
	u := p.update
	u.values = values
	return c, &u, nil
}
