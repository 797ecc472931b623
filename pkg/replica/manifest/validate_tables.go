package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func (c *checker) tables() {
	names := c.unique("table")
	for i, t := range c.m.Tables {
		path := index("tables", i)
		c.tableName(within(path, "name"), t.Name)
		names.add(within(path, "name"), t.Name, "declare each table once")
		c.table(path, t)
	}
}

func (c *checker) table(path string, t Table) {
	types := map[string]string{}
	c.key(path, t.PartitionKey, t.SortKey, types)
	if len(t.Indexes) > maxIndexes {
		c.add(ruleTableLimits, within(path, "indexes"), fmt.Sprintf("%d indexes are more than a table can have, %d", len(t.Indexes), maxIndexes), "drop some, or split the table")
	}
	if t.TTLAttribute != "" {
		c.attributeName(within(path, "ttl_attribute"), t.TTLAttribute)
	}
	names := c.unique("index")
	included := 0
	for i, ix := range t.Indexes {
		at := within(path, index("indexes", i))
		c.name(within(at, "name"), ix.Name, "index", tableName, "3 to 255 letters, digits, underscores, hyphens and dots")
		names.add(within(at, "name"), ix.Name, "give each index of a table its own name")
		c.key(at, ix.PartitionKey, ix.SortKey, types)
		included += len(ix.Include)
		c.projection(at, t, ix)
	}
	if included > maxIncluded {
		c.add(ruleTableLimits, within(path, "indexes"), fmt.Sprintf("the indexes include %d attributes, and a table's together can include %d", included, maxIncluded), "use projection: all where most are needed")
	}
	if kind, isKey := types[t.TTLAttribute]; isKey && kind != "N" {
		c.add(ruleTTLNumber, within(path, "ttl_attribute"), fmt.Sprintf("%s is a key attribute of type %s, and TTL reads numbers only", t.TTLAttribute, kind), "use another attribute for the expiry")
	}
}

// key checks a key's attributes; types holds those of the table's keys so far.
func (c *checker) key(path string, partition, sort KeyAttribute, types map[string]string) {
	c.keyAttribute(within(path, "partition_key"), partition, types)
	if sort.IsZero() {
		return
	}
	c.keyAttribute(within(path, "sort_key"), sort, types)
	if sort.Name == partition.Name && sort.Name != "" {
		c.add(ruleTableKey, within(path, "sort_key.name"), fmt.Sprintf("%s is the partition key already", sort.Name), "name another attribute, or leave the sort key out")
	}
}

func (c *checker) keyAttribute(path string, k KeyAttribute, types map[string]string) {
	if k.IsZero() {
		c.add(ruleTableKey, path, "there is no partition key", "write partition_key: {name: id, type: S}")
		return
	}
	c.attributeName(within(path, "name"), k.Name)
	if k.Type != "S" && k.Type != "N" && k.Type != "B" {
		c.add(ruleTableKey, within(path, "type"), fmt.Sprintf("%q is no type of a key attribute", clip(k.Type)), "write S for a string, N for a number or B for binary")
		return
	}
	if other, again := types[k.Name]; again && other != k.Type {
		c.add(ruleTableKey, within(path, "type"), fmt.Sprintf("%s is of type %s in another key of this table", k.Name, other), "give the attribute one type")
		return
	}
	types[k.Name] = k.Type
}

func (c *checker) projection(path string, t Table, ix Index) {
	if ix.Projection != ProjectAll && ix.Projection != ProjectKeysOnly {
		c.add(ruleProjection, within(path, "projection"), fmt.Sprintf("%q is no projection", clip(ix.Projection)), "write all or keys_only; include: adds attributes to keys_only")
	}
	if len(ix.Include) == 0 {
		return
	}
	if ix.Projection == ProjectAll {
		c.add(ruleProjection, within(path, "include"), "the index holds every attribute already", "write projection: keys_only, or leave include out")
	}
	keys := typesOf(append(t.KeyAttributes(), ix.KeyAttributes()...))
	names := c.unique("attribute")
	for i, name := range ix.Include {
		at := within(path, index("include", i))
		c.attributeName(at, name)
		names.add(at, name, "name each attribute once")
		if _, isKey := keys[name]; isKey {
			c.add(ruleProjection, at, fmt.Sprintf("%s is a key attribute, which every index holds", name), "leave it out of include")
		}
	}
}

// declared finds a table that something refers to. Where the service declares
// no table at all it has them from elsewhere, and nothing is known about them.
func (c *checker) declared(path, name string) (Table, bool) {
	if name == "" {
		c.add(ruleUnknownTable, path, "no table is named", "name the service's own table")
		return Table{}, false
	}
	c.tableName(path, name)
	if len(c.m.Tables) == 0 {
		return Table{}, false
	}
	t, ok := c.m.Table(name)
	if !ok {
		var names []string
		for _, t := range c.m.Tables {
			names = append(names, t.Name)
		}
		c.add(ruleUnknownTable, path, fmt.Sprintf("%s is not among the service's tables, and a service reads and writes no other's", clip(name)),
			"declare it under tables:, which has "+strings.Join(names, ", "))
	}
	return t, ok
}

// keyTemplates checks templates against the key attributes they make.
func (c *checker) keyTemplates(path string, templates map[string]Template, attributes []KeyAttribute) {
	types := typesOf(attributes)
	for _, a := range attributes {
		if _, ok := templates[a.Name]; !ok && a.Name != "" {
			c.add(ruleKeyTemplate, path, fmt.Sprintf("nothing says what the key attribute %s is", a.Name), fmt.Sprintf("add %s: with a template, like %q", a.Name, "{id}"))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		at := within(path, name)
		kind, isKey := types[name]
		switch t := templates[name]; {
		case !isKey:
			c.add(ruleKeyTemplate, at, fmt.Sprintf("%s is no attribute of this key", name), "the key attributes are "+strings.Join(slices.Sorted(maps.Keys(types)), ", "))
		case kind == "B":
			c.add(ruleKeyTemplate, at, fmt.Sprintf("%s is binary, and subjects are texts", name), "use a key of type S or N")
		case kind == "N" && (len(t.parts) != 1 || t.parts[0].name == ""):
			c.add(ruleKeyTemplate, at, fmt.Sprintf("%s is a number, so text around it is never there", name), "write one placeholder and nothing else")
		}
	}
}
