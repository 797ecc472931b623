package manifest

import (
	"fmt"
	"maps"
	"slices"
)

func (c *checker) publishes() {
	contracts, topics := c.unique("contract"), c.unique("topic")
	for i, p := range c.m.Publishes {
		path := index("publishes", i)
		c.contract(within(path, "contract"), p.Contract)
		contracts.add(within(path, "contract"), p.Contract, "publish a contract from one place")
		c.topicName(within(path, "topic"), p.Topic)
		topics.add(within(path, "topic"), p.Topic, "give each contract its own topic: filter policies do not tell contracts apart")
		c.tableName(within(path, "checkpoint_table"), p.CheckpointTable)
		c.source(path, p)
		c.identity(path, p)
		c.matches(path, p)
		c.sources(path, p)
	}
}

// source checks the source table.
func (c *checker) source(path string, p Publication) {
	if t, ok := c.declared(within(path, "table"), p.Table); ok {
		c.keyTemplates(within(path, "key"), p.Key, t.KeyAttributes())
		if !t.Stream {
			c.add(ruleStreamOff, within(path, "table"), fmt.Sprintf("the stream of %s is off, so no change would ever be seen", t.Name), "write stream: true at the table")
		}
		if expires := p.Bookkeeping().ExpiresAt; t.TTLAttribute != expires {
			c.add(ruleSourceTTL, within(path, "table"), fmt.Sprintf("tombstones expire by %s, and %s has %s, so they would stay for ever", expires, t.Name, ttl(t)),
				"write ttl_attribute: "+expires+" at the table")
		}
	}
	if p.CheckpointTable == p.Table && p.Table != "" {
		c.add(ruleCheckpointTable, within(path, "checkpoint_table"), "the checkpoints are in the source table, whose stream would carry them", "use a table of their own")
	}
	if t, ok := c.m.Table(p.CheckpointTable); ok {
		if want := p.CheckpointTableSpec(); t.PartitionKey != want.PartitionKey || !t.SortKey.IsZero() {
			c.add(ruleCheckpointTable, within(path, "checkpoint_table"), fmt.Sprintf("%s has another key than checkpoints have", t.Name), "give it partition_key: {name: id, type: S} and no sort key")
		}
	}
}

func ttl(t Table) string {
	if t.TTLAttribute == "" {
		return "no TTL"
	}
	return "its TTL on " + t.TTLAttribute
}

// identity checks that key and subject can be made from each other.
func (c *checker) identity(path string, p Publication) {
	if len(p.Key) == 0 {
		c.add(ruleSubject, within(path, "key"), "nothing says what the items' keys look like", `write the key attributes with templates, like key: {cik: "{cik}"}`)
		return
	}
	for name := range p.Key {
		c.attributeName(within(path, "key."+name), name)
	}
	names := captured(p.Key)
	at := within(path, "subject")
	switch {
	case len(names) == 0:
		c.add(ruleSubject, within(path, "key"), "the key captures nothing, so every item would have the same subject", "put a {name} where keys differ")
		return
	case p.Subject.IsZero():
		c.add(ruleSubject, at, fmt.Sprintf("the key captures %d names, so what is the subject has to be said", len(names)), fmt.Sprintf("write subject: with a template of %v", names))
		return
	}
	for _, name := range p.Subject.Names() {
		if !slices.Contains(names, name) {
			c.add(ruleSubject, at, fmt.Sprintf("{%s} is not captured by the key", name), fmt.Sprintf("use %v", names))
		}
	}
	for _, name := range names {
		if !slices.Contains(p.Subject.Names(), name) {
			c.add(ruleSubject, at, fmt.Sprintf("{%s} of the key is missing, so different items would have one subject", name), "put it into the subject")
		}
	}
}

func (c *checker) matches(path string, p Publication) {
	for _, name := range slices.Sorted(maps.Keys(p.Match)) {
		at := within(path, "match."+name)
		c.attributeName(at, name)
		match, set := p.Match[name], 0
		for _, is := range []bool{match.Prefix != "", match.Equals != "", match.Exists != nil} {
			if is {
				set++
			}
		}
		if set != 1 {
			c.add(ruleMatch, at, fmt.Sprintf("%d conditions where one belongs", set), "write one of prefix, equals and exists")
		}
		if slices.Contains(p.Bookkeeping().Names(), name) {
			c.add(ruleMatch, at, name+" is a bookkeeping attribute, which changes with every write", "match by an attribute of the service's own")
		}
	}
}

// sources checks which item attributes feed the contract's.
func (c *checker) sources(path string, p Publication) {
	c.attributeName(within(path, "version_attribute"), p.VersionAttribute)
	books := p.Bookkeeping()
	for _, name := range slices.Sorted(maps.Keys(p.Attributes)) {
		at, from := within(path, "attributes."+name), p.Attributes[name]
		c.attributeName(at, from)
		if slices.Contains(books.Names(), from) {
			c.add(ruleBookkeeping, at, fmt.Sprintf("%s is a bookkeeping attribute of %s and never shared", from, books.Version), "name the attribute that holds the value")
		}
	}
	if _, isKey := p.keyTypes[p.VersionAttribute]; isKey {
		c.add(ruleVersionAttribute, within(path, "version_attribute"), p.VersionAttribute+" is a key attribute, and a version changes", "name another attribute")
	}
}
