package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// CheckContracts returns every problem that a completed manifest has with the
// contracts it names, joined, or nil: contracts and attributes that do not
// exist, and attributes of a type that the place they go to does not take.
func (m *Manifest) CheckContracts(known *contracts.Catalog) error {
	c := &checker{m: m}
	for i, p := range m.Publishes {
		path := index("publishes", i)
		if contract, ok := c.known(within(path, "contract"), p.Contract, known); ok {
			c.published(path, p, contract)
		}
	}
	for i, s := range m.Subscribes {
		path := index("subscribes", i)
		if contract, ok := c.known(within(path, "contract"), s.Contract, known); ok {
			c.copied(path, s, contract)
		}
	}
	return join(c.problems)
}

func (c *checker) known(path, id string, known *contracts.Catalog) (*contracts.Contract, bool) {
	contract, ok := known.ByID(id)
	if !ok {
		var ids []string
		for _, other := range known.All() {
			ids = append(ids, other.ID())
		}
		advice := "no contract is known here at all"
		if len(ids) > 0 {
			advice = "the contracts known here are " + strings.Join(ids, ", ")
		}
		c.add(ruleUnknownContract, path, fmt.Sprintf("there is no contract %s", clip(id)), advice)
	}
	return contract, ok
}

func (c *checker) unknownAttribute(path, name string, contract *contracts.Contract) {
	c.add(ruleUnknownAttribute, path, fmt.Sprintf("%s has no attribute %s", contract.ID(), clip(name)), "its attributes are "+strings.Join(contract.Names(), ", "))
}

func (c *checker) published(path string, p Publication, contract *contracts.Contract) {
	for _, name := range slices.Sorted(maps.Keys(p.Attributes)) {
		if _, ok := contract.Lookup(name); !ok {
			c.unknownAttribute(within(path, "attributes."+name), name, contract)
		}
	}
	books := p.Bookkeeping()
	for _, a := range contract.Attributes {
		at, from := within(path, "attributes."+a.Name), p.ItemAttribute(a.Name)
		if p.Attributes[a.Name] == "" && slices.Contains(books.Names(), from) {
			c.add(ruleBookkeeping, at, fmt.Sprintf("%s would be read from %s, which is a bookkeeping attribute of %s", a.Name, from, books.Version),
				fmt.Sprintf("say which item attribute feeds it, or name another version_attribute than %s", books.Version))
		}
		if t, ok := c.m.Table(p.Table); ok {
			c.keyKind(at, from, a, keysOf(t))
		}
	}
}

// ItemAttribute returns the item attribute that feeds a contract attribute.
func (p Publication) ItemAttribute(contractAttribute string) string {
	if from := p.Attributes[contractAttribute]; from != "" {
		return from
	}
	return contractAttribute
}

func (c *checker) copied(path string, s Subscription, contract *contracts.Contract) {
	for i, name := range s.Attributes {
		if _, ok := contract.Lookup(name); !ok {
			c.unknownAttribute(within(path, index("attributes", i)), name, contract)
		}
	}
	for j, r := range s.Replicas {
		at := within(within(path, index("replicas", j)), "set")
		t, declared := c.m.Table(r.Table)
		for _, local := range slices.Sorted(maps.Keys(r.Set)) {
			from := r.Set[local]
			a, ok := contract.Lookup(from.Attribute)
			if !ok {
				if !slices.Contains(s.Attributes, from.Attribute) {
					c.unknownAttribute(within(at, local), from.Attribute, contract)
				}
				continue
			}
			if kind := a.Shape.Kind; from.OmitEmpty && kind != contracts.KindString && kind != contracts.KindBinary {
				c.add(ruleOmitEmpty, within(at, local), fmt.Sprintf("omit_empty is for strings and binaries, and %s is a %s", a.Name, kind), "leave omit_empty out")
			}
			if declared {
				c.keyKind(within(at, local), local, a, keysOf(t))
			}
		}
	}
}

// keysOf returns the types of all key attributes of a table and its indexes.
func keysOf(t Table) map[string]string {
	types := typesOf(t.KeyAttributes())
	for _, ix := range t.Indexes {
		maps.Copy(types, typesOf(ix.KeyAttributes()))
	}
	return types
}

// keyKind checks that an item attribute which is part of a key gets values of
// the key's type: DynamoDB refuses the whole write otherwise.
func (c *checker) keyKind(path, itemAttribute string, a contracts.Attribute, keys map[string]string) {
	want, isKey := keys[itemAttribute]
	if !isKey {
		return
	}
	takes := map[string]contracts.Kind{"S": contracts.KindString, "N": contracts.KindNumber, "B": contracts.KindBinary}[want]
	if a.Shape.Kind != takes {
		c.add(ruleKeyType, path, fmt.Sprintf("%s is a %s, and the key attribute %s takes a %s", a.Name, a.Shape.Kind, itemAttribute, takes),
			"name another attribute, or give the key attribute the type of the contract's")
	}
}
