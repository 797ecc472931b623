package expr

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

// Path is a document path: an attribute's name, then fields and list indexes.
type Path []Element

// Element is one step of a path: a field of a map if Name is set, else an
// element of a list.
type Element struct {
	Name  string
	Index int
}

func (e Element) isIndex() bool { return e.Name == "" }

func (e Element) text() string {
	if e.isIndex() {
		return "[" + strconv.Itoa(e.Index) + "]"
	}
	return e.Name
}

// String gives the path as DynamoDB's messages do: [a, [0], b].
func (p Path) String() string {
	parts := make([]string, len(p))
	for i, e := range p {
		parts[i] = e.text()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// Lookup finds the value at the path, and false if there is none.
func (p Path) Lookup(item attr.Item) (attr.Value, bool) {
	v, ok := item[p[0].Name]
	if !ok {
		return attr.Value{}, false
	}
	for _, e := range p[1:] {
		if v, ok = e.of(v); !ok {
			return attr.Value{}, false
		}
	}
	return v, true
}

// of finds the value at one step below v.
func (e Element) of(v attr.Value) (attr.Value, bool) {
	if e.isIndex() {
		list := v.List()
		if e.Index >= len(list) {
			return attr.Value{}, false
		}
		return list[e.Index], true
	}
	field, ok := v.Map()[e.Name]
	return field, ok
}

func comparePaths(a, b Path) int {
	return slices.CompareFunc(a, b, func(x, y Element) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Index, y.Index))
	})
}

// checkApart refuses paths of which one contains another, and paths that take
// the same value for a list and a map.
func checkApart(paths []Path) error {
	for i, one := range paths {
		if err := checkApartFrom(one, paths[:i]); err != nil {
			return err
		}
	}
	return nil
}

func checkApartFrom(one Path, others []Path) error {
	for _, other := range others {
		if err := checkPair(other, one); err != nil {
			return err
		}
	}
	return nil
}

func checkPair(one, two Path) error {
	for i := range min(len(one), len(two)) {
		a, b := one[i], two[i]
		if a == b {
			continue
		}
		if a.isIndex() != b.isIndex() {
			return pathsClash("conflict", one, two)
		}
		return nil
	}
	return pathsClash("overlap", one, two)
}

func pathsClash(how string, one, two Path) error {
	return validation("Two document paths %s with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", how, one, two)
}

func topLevelNames(paths []Path) []string {
	names := make([]string, 0, len(paths))
	for _, p := range paths {
		if !slices.Contains(names, p[0].Name) {
			names = append(names, p[0].Name)
		}
	}
	return names
}
