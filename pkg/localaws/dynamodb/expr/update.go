package expr

import (
	"slices"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

const updateKind = "UpdateExpression"

// Update is an update expression with its names and values. It is safe for
// concurrent use.
type Update struct {
	// puts and removals are in the order they are applied in: lists grow from
	// the front and shrink from the back, so that every index means the item
	// as it was.
	puts     []action
	removals []action
	targets  []Path
	bound
}

// Update parses an UpdateExpression.
func (p *Parameters) Update(text string) (*Update, error) {
	t, err := p.cache.parse(updateGrammar, text)
	if err != nil {
		return nil, inParameter(updateKind, err)
	}
	u := &Update{bound: newBound(t)}
	if err := u.bind(p, t); err != nil {
		return nil, inParameter(updateKind, err)
	}
	u.arrange(t.updates)
	return u, nil
}

// arrange puts the actions in the order they are applied in.
func (u *Update) arrange(actions []action) {
	for _, a := range actions {
		if a.section == remove {
			u.removals = append(u.removals, a)
		} else {
			u.puts = append(u.puts, a)
		}
	}
	slices.SortStableFunc(u.puts, func(a, b action) int { return comparePaths(u.paths[a.path], u.paths[b.path]) })
	slices.SortStableFunc(u.removals, func(a, b action) int { return comparePaths(u.paths[b.path], u.paths[a.path]) })
}

// TopLevelNames returns the attributes the update changes, each once, in the
// order of the text.
func (u *Update) TopLevelNames() []string { return topLevelNames(u.targets) }

// Paths returns the document paths the update changes, in the order of the
// text, as ReturnValues UPDATED_OLD and UPDATED_NEW want them.
func (u *Update) Paths() []Path { return u.targets }

// AllPaths returns every document path of the update: those it changes and
// those it only reads.
func (u *Update) AllPaths() []Path { return u.paths }

// bind puts in names and values and refuses what DynamoDB refuses before it
// looks at an item: names first, then clashing paths, then values and their
// types from the last action to the first.
func (u *Update) bind(p *Parameters, t *tree) error {
	for slot := range t.paths {
		if err := p.bindPath(t, &u.bound, slot); err != nil {
			return err
		}
	}
	u.targets = make([]Path, len(t.updates))
	for i, a := range t.updates {
		u.targets[i] = u.paths[a.path]
	}
	if err := checkApart(u.targets); err != nil {
		return err
	}
	for _, a := range slices.Backward(t.updates) {
		if err := u.bindValues(p, t, a.first, a.second); err != nil {
			return err
		}
		if err := u.checkAction(a); err != nil {
			return err
		}
	}
	return nil
}

func (u *Update) bindValues(p *Parameters, t *tree, operands ...*operand) error {
	for _, o := range operands {
		if o == nil {
			continue
		}
		if o.kind == valueOperand {
			if err := p.bindValue(t, &u.bound, o.slot); err != nil {
				return err
			}
		}
		if err := u.bindValues(p, t, o.args...); err != nil {
			return err
		}
	}
	return nil
}

func (u *Update) checkAction(a action) error {
	switch a.section {
	case set:
		for _, o := range []*operand{a.first, a.second} {
			if o == nil {
				continue
			}
			if err := u.checkOperand(o); err != nil {
				return err
			}
			if a.op != "" {
				if err := u.checkType(a.op, o, attr.TypeNumber); err != nil {
					return err
				}
			}
		}
	case add:
		if t := u.values[a.first.slot].Type(); t != attr.TypeNumber && !isSet(t) {
			return wrongActionType("ADD", t)
		}
	case del:
		if t := u.values[a.first.slot].Type(); !isSet(t) {
			return wrongActionType("DELETE", t)
		}
	}
	return nil
}

func isSet(t attr.Type) bool {
	_, set := t.Member()
	return set
}

func wrongActionType(section string, t attr.Type) error {
	names := map[attr.Type]string{
		attr.TypeString: "STRING", attr.TypeNumber: "NUMBER", attr.TypeBinary: "BINARY",
		attr.TypeBool: "BOOLEAN", attr.TypeNull: "NULL", attr.TypeList: "LIST", attr.TypeMap: "MAP",
	}
	return validation("Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: ALLOWED_FOR_%s_OPERAND", section, names[t], section)
}

func (u *Update) checkOperand(o *operand) error {
	if o.kind != callOperand {
		return nil
	}
	for _, arg := range o.args {
		if err := u.checkOperand(arg); err != nil {
			return err
		}
	}
	if len(o.args) != 2 {
		return wrongCount(o)
	}
	if o.function == "if_not_exists" {
		if o.args[0].kind != pathOperand {
			return pathWanted(o.function)
		}
		return u.distinct(o.function, o.args)
	}
	for _, arg := range o.args {
		if err := u.checkType(o.function, arg, attr.TypeList); err != nil {
			return err
		}
	}
	return nil
}

func (u *Update) checkType(operator string, o *operand, want attr.Type) error {
	if o.kind == valueOperand {
		if t := u.values[o.slot].Type(); t != want {
			return wrongType(operator, string(t))
		}
	}
	return nil
}
