package manifest

import (
	"fmt"
	"maps"
	"slices"
)

// claim is the attributes of a table's items that one declaration writes.
type claim struct {
	path      string
	what      string
	table     string
	names     []string
	key       map[string]Template // for items whose key is known
	tombstone bool
	version   string
	versionAt string
}

// ownership checks that no attribute of an item has two masters. What is
// written to items that can never be the same item may have the same name.
func (c *checker) ownership() {
	var claims []claim
	for i, p := range c.m.Publishes {
		path := index("publishes", i)
		claims = append(claims, claim{path: path, what: "the publication of " + p.Contract, table: p.Table, names: p.Bookkeeping().Names(),
			key: p.Key, version: p.VersionAttribute, versionAt: within(path, "version_attribute")})
	}
	published := len(claims)
	for i, s := range c.m.Subscribes {
		for j, r := range s.Replicas {
			if r.Kind() == Function || r.Table == "" || r.VersionAttribute == "" {
				continue
			}
			path := within(index("subscribes", i), index("replicas", j))
			own := claim{path: path, what: fmt.Sprintf("the %v replica of %s", r.Kind(), s.Contract), table: r.Table,
				names:     slices.Concat(r.Bookkeeping().Names(), slices.Sorted(maps.Keys(r.Set))),
				tombstone: r.OnDelete == Tombstone, version: r.VersionAttribute, versionAt: within(path, "version_attribute")}
			if r.Kind() == Item {
				own.key = r.Key
			}
			claims = append(claims, own)
		}
	}
	for n, later := range claims {
		for m, earlier := range claims[:n] {
			if later.table != earlier.table || n < published && m < published {
				continue // two publications of one table share the item's version
			}
			c.shared(earlier, later)
		}
	}
}

func (c *checker) shared(earlier, later claim) {
	for _, t := range []claim{earlier, later} {
		other := earlier
		if t.path == earlier.path {
			other = later
		}
		if t.tombstone {
			c.add(ruleTombstoneOwnItem, within(t.path, "on_delete"), fmt.Sprintf("%s is also the table of %s at %s, whose items the TTL of a tombstone would remove", t.table, other.what, other.path),
				"use on_delete: clear, or a table that holds nothing but this copy")
		}
	}
	if apart(earlier.key, later.key) {
		return
	}
	if earlier.version == later.version {
		c.add(ruleTwoMasters, later.versionAt, fmt.Sprintf("%s already says which version %s at %s holds, and one version cannot stand for two copies in an item", later.version, earlier.what, earlier.path),
			"name another attribute")
		return
	}
	for _, name := range later.names {
		if slices.Contains(earlier.names, name) {
			c.add(ruleTwoMasters, later.path, fmt.Sprintf("%s is written by %s at %s too, so the two would overwrite each other", name, earlier.what, earlier.path),
				"name the local attribute, or the version_attribute it derives from, otherwise")
		}
	}
}

// apart reports whether the templates show that no item can have both keys.
func apart(a, b map[string]Template) bool {
	for name, t := range a {
		if o, ok := b[name]; ok && t.disjoint(o) {
			return true
		}
	}
	return false
}
