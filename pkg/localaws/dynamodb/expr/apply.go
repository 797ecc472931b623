package expr

import (
	"maps"
	"slices"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

// Apply returns the item the update makes of the given one, which stays as it
// is; nil stands for a new item. Every value on a right-hand side, and every
// list index, means the item as it was. The item's size and key are the
// caller's to check.
func (u *Update) Apply(item attr.Item) (attr.Item, error) {
	updated := item.Clone()
	if updated == nil {
		updated = attr.Item{}
	}
	var emptied []Path
	for _, a := range u.puts {
		path := u.paths[a.path]
		if !reachable(path, item) {
			return nil, invalidPath()
		}
		v, err := u.result(a, item)
		if err != nil {
			return nil, err
		}
		if v.IsZero() {
			emptied = append(emptied, path)
			continue
		}
		if v.DeeperThan(attr.MaxDepth - len(path) + 1) {
			return nil, validation("Nesting Levels have exceeded supported limits")
		}
		put(updated, path, v)
	}
	return updated, u.remove(updated, item, emptied)
}

func (u *Update) remove(updated, item attr.Item, emptied []Path) error {
	gone := make([]Path, 0, len(u.removals)+len(emptied))
	for _, a := range u.removals {
		path := u.paths[a.path]
		if !reachable(path, item) {
			return invalidPath()
		}
		gone = append(gone, path)
	}
	if len(emptied) > 0 {
		gone = append(gone, emptied...)
		slices.SortFunc(gone, func(a, b Path) int { return comparePaths(b, a) })
	}
	for _, path := range gone {
		if _, exists := path.Lookup(item); exists {
			take(updated, path)
		}
	}
	return nil
}

func invalidPath() error {
	return validation("The document path provided in the update expression is invalid for update")
}

// reachable says whether the path ends in a map that exists, or a list that
// exists.
func reachable(path Path, item attr.Item) bool {
	if len(path) == 1 {
		return true
	}
	parent, ok := path[:len(path)-1].Lookup(item)
	if !ok {
		return false
	}
	if path[len(path)-1].isIndex() {
		return parent.Type() == attr.TypeList
	}
	return parent.Type() == attr.TypeMap
}

// result computes what an action puts at its path. The zero Value stands for
// nothing: a set that loses its last member.
func (u *Update) result(a action, item attr.Item) (attr.Value, error) {
	switch a.section {
	case add:
		return u.added(a, item)
	case del:
		return u.deleted(a, item)
	}
	first, err := u.value(a.first, item)
	if err != nil || a.op == "" {
		return first, err
	}
	second, err := u.value(a.second, item)
	if err != nil {
		return attr.Value{}, err
	}
	if first.Type() != attr.TypeNumber || second.Type() != attr.TypeNumber {
		return attr.Value{}, wrongOperand()
	}
	if a.op == "+" {
		return attr.Add(first, second)
	}
	return attr.Subtract(first, second)
}

func wrongOperand() error {
	return validation("An operand in the update expression has an incorrect data type")
}

func (u *Update) added(a action, item attr.Item) (attr.Value, error) {
	addend := u.values[a.first.slot]
	old, exists := u.paths[a.path].Lookup(item)
	switch {
	case !exists:
		return addend, nil
	case old.Type() != addend.Type():
		return attr.Value{}, wrongOperand()
	case old.Type() == attr.TypeNumber:
		return attr.Add(old, addend)
	}
	return old.Union(addend), nil
}

func (u *Update) deleted(a action, item attr.Item) (attr.Value, error) {
	members := u.values[a.first.slot]
	old, exists := u.paths[a.path].Lookup(item)
	if !exists {
		return attr.Value{}, nil
	}
	if old.Type() != members.Type() {
		return attr.Value{}, wrongOperand()
	}
	rest, left := old.Without(members)
	if !left {
		return attr.Value{}, nil
	}
	return rest, nil
}

func (u *Update) value(o *operand, item attr.Item) (attr.Value, error) {
	switch o.kind {
	case valueOperand:
		return u.values[o.slot], nil
	case pathOperand:
		v, ok := u.paths[o.slot].Lookup(item)
		if !ok {
			return attr.Value{}, validation("The provided expression refers to an attribute that does not exist in the item")
		}
		return v, nil
	}
	if o.function == "if_not_exists" {
		otherwise, err := u.value(o.args[1], item) // even if it is not needed
		if v, ok := u.paths[o.args[0].slot].Lookup(item); ok && err == nil {
			return v, nil
		}
		return otherwise, err
	}
	front, err := u.value(o.args[0], item)
	if err != nil {
		return attr.Value{}, err
	}
	back, err := u.value(o.args[1], item)
	if err != nil {
		return attr.Value{}, err
	}
	if front.Type() != attr.TypeList || back.Type() != attr.TypeList {
		return attr.Value{}, wrongOperand()
	}
	return attr.List(slices.Concat(front.List(), back.List())...), nil
}

// put sets the value at a reachable path, copying what encloses it.
func put(item attr.Item, path Path, v attr.Value) {
	name := path[0].Name
	if len(path) == 1 {
		item[name] = v
		return
	}
	item[name] = replaced(item[name], path[1:], v)
}

func replaced(enclosing attr.Value, path Path, v attr.Value) attr.Value {
	step := path[0]
	if len(path) > 1 {
		inner, _ := step.of(enclosing)
		v = replaced(inner, path[1:], v)
	}
	if !step.isIndex() {
		fields := maps.Clone(enclosing.Map())
		fields[step.Name] = v
		return attr.Map(fields)
	}
	list := slices.Clone(enclosing.List())
	if step.Index >= len(list) {
		return attr.List(append(list, v)...)
	}
	list[step.Index] = v
	return attr.List(list...)
}

// take removes what is at the path, which exists.
func take(item attr.Item, path Path) {
	name := path[0].Name
	if len(path) == 1 {
		delete(item, name)
		return
	}
	item[name] = without(item[name], path[1:])
}

func without(enclosing attr.Value, path Path) attr.Value {
	step := path[0]
	if len(path) > 1 {
		inner, _ := step.of(enclosing)
		return replaced(enclosing, path[:1], without(inner, path[1:]))
	}
	if !step.isIndex() {
		fields := maps.Clone(enclosing.Map())
		delete(fields, step.Name)
		return attr.Map(fields)
	}
	list := slices.Clone(enclosing.List())
	return attr.List(slices.Delete(list, step.Index, step.Index+1)...)
}
