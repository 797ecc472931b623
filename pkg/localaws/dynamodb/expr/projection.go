package expr

import (
	"slices"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

// Projection is a projection expression with its names. It is safe for
// concurrent use.
type Projection struct {
	paths []Path
	chosen
}

// chosen is a tree of the parts to keep: everything, or named fields, or list
// elements.
type chosen struct {
	everything bool
	fields     map[string]*chosen
	elements   map[int]*chosen
	indexes    []int // elements' keys, ascending
}

// Projection parses a ProjectionExpression.
func (p *Parameters) Projection(text string) (*Projection, error) {
	const kind = "ProjectionExpression"
	t, err := p.cache.parse(projectionGrammar, text)
	if err != nil {
		return nil, inParameter(kind, err)
	}
	b := newBound(t)
	for slot := range t.paths {
		if err := p.bindPath(t, &b, slot); err != nil {
			return nil, inParameter(kind, err)
		}
	}
	if err := checkApart(b.paths); err != nil {
		return nil, inParameter(kind, err)
	}
	return &Projection{paths: b.paths, chosen: choose(b.paths)}, nil
}

// TopLevelNames returns the attributes the projection keeps something of.
func (pr *Projection) TopLevelNames() []string { return topLevelNames(pr.paths) }

// Paths returns the document paths in the order of the text.
func (pr *Projection) Paths() []Path { return pr.paths }

// Apply returns what the projection keeps of an item; a nil item stays nil. A
// list keeps its chosen elements side by side.
func (pr *Projection) Apply(item attr.Item) attr.Item {
	if item == nil {
		return nil
	}
	return pr.chosen.of(item)
}

// ProjectPaths returns what lies at the paths, each of them apart from the
// others, as a projection expression would.
func ProjectPaths(item attr.Item, paths []Path) attr.Item {
	c := choose(paths)
	return c.of(item)
}

func choose(paths []Path) chosen {
	var root chosen
	for _, path := range paths {
		c := &root
		for _, e := range path {
			c = c.below(e)
		}
		c.everything = true
	}
	return root
}

func (c *chosen) below(e Element) *chosen {
	if e.isIndex() {
		if c.elements == nil {
			c.elements = map[int]*chosen{}
		}
		if c.elements[e.Index] == nil {
			c.elements[e.Index] = &chosen{}
			at, _ := slices.BinarySearch(c.indexes, e.Index)
			c.indexes = slices.Insert(c.indexes, at, e.Index)
		}
		return c.elements[e.Index]
	}
	if c.fields == nil {
		c.fields = map[string]*chosen{}
	}
	if c.fields[e.Name] == nil {
		c.fields[e.Name] = &chosen{}
	}
	return c.fields[e.Name]
}

func (c *chosen) of(item attr.Item) attr.Item {
	return c.keptFields(item)
}

func (c *chosen) keptFields(fields map[string]attr.Value) map[string]attr.Value {
	kept := make(map[string]attr.Value, len(c.fields))
	for name, part := range c.fields {
		if v, ok := fields[name]; ok {
			if v, ok = part.keep(v); ok {
				kept[name] = v
			}
		}
	}
	return kept
}

// keep returns the chosen parts of v, and false if v has none of them.
func (c *chosen) keep(v attr.Value) (attr.Value, bool) {
	switch {
	case c.everything:
		return v, true
	case v.Type() == attr.TypeMap:
		kept := c.keptFields(v.Map())
		return attr.Map(kept), len(kept) > 0
	case v.Type() == attr.TypeList:
		list := v.List()
		var kept []attr.Value
		for _, index := range c.indexes {
			if index < len(list) {
				if element, ok := c.elements[index].keep(list[index]); ok {
					kept = append(kept, element)
				}
			}
		}
		return attr.List(kept...), len(kept) > 0
	}
	return attr.Value{}, false
}
