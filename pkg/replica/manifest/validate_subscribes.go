package manifest

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

func (c *checker) subscribes() {
	contracts, topics, queues := c.unique("contract"), c.unique("topic"), c.unique("queue")
	const own = "give each its own, so that every message is put back where it came from"
	for i, p := range c.m.Publishes {
		at := within(index("publishes", i), "dead_letter_queue")
		c.queueName(at, p.DeadLetterQueue)
		queues.add(at, p.DeadLetterQueue, own)
	}
	for i, s := range c.m.Subscribes {
		path := index("subscribes", i)
		c.contract(within(path, "contract"), s.Contract)
		contracts.add(within(path, "contract"), s.Contract, "subscribe to a contract once, with several replicas")
		c.topicName(within(path, "topic"), s.Topic)
		topics.add(within(path, "topic"), s.Topic, "each contract has its own topic")
		c.subscribed(path, s)
		c.queue(within(path, "queue"), s.Queue)
		queues.add(within(path, "queue.name"), s.Queue.Name, own)
		queues.add(within(path, "queue.dead_letter_queue"), s.Queue.DeadLetterQueue, own)
		c.controlTable(within(path, "control_table"), s)
		if len(s.Replicas) == 0 {
			c.add(ruleNoReplica, within(path, "replicas"), "there is no replica, so every change would be received and dropped", "say where copies are kept, or leave the subscription out")
		}
		for j, r := range s.Replicas {
			c.replica(within(path, index("replicas", j)), s, r)
		}
	}
}

func (c *checker) subscribed(path string, s Subscription) {
	at := within(path, "attributes")
	switch n := len(s.Attributes); {
	case n == 0:
		c.add(ruleNoAttribute, at, "no attribute is subscribed to, so no change would arrive", "list the contract's attributes that the service copies, like [name, sector]")
	case n > maxFilteredAttributes:
		c.add(ruleFilterSize, at, fmt.Sprintf("%d attributes are more than the %d that an SNS filter policy of two audiences takes", n, maxFilteredAttributes), "subscribe to fewer, or split the contract")
	}
	names := c.unique("attribute")
	for i, name := range s.Attributes {
		c.attributeName(index(at, i), name)
		names.add(index(at, i), name, "list it once")
	}
}

// controlTable checks that the control table is used for nothing else.
func (c *checker) controlTable(path string, s Subscription) {
	c.tableName(path, s.ControlTable)
	if t, ok := c.m.Table(s.ControlTable); ok {
		want := s.ControlTableSpec()
		if t.PartitionKey != want.PartitionKey || !t.SortKey.IsZero() {
			c.add(ruleControlTable, path, fmt.Sprintf("%s has another key than a control table has", t.Name), "give it partition_key: {name: id, type: S} and no sort key")
		}
		if t.TTLAttribute != want.TTLAttribute {
			c.add(ruleControlTable, path, fmt.Sprintf("canaries expire by %s, and %s has %s, so they would stay for ever", want.TTLAttribute, t.Name, ttl(t)), "write ttl_attribute: "+want.TTLAttribute+" at the table")
		}
	}
	const advice = "use a table of its own"
	for i, p := range c.m.Publishes {
		switch at := index("publishes", i); s.ControlTable {
		case p.Table:
			c.add(ruleControlTable, path, fmt.Sprintf("%s is the source table at %s, whose stream would carry the canaries", clip(s.ControlTable), within(at, "table")), advice)
		case p.CheckpointTable:
			c.add(ruleControlTable, path, fmt.Sprintf("%s is the checkpoint table at %s, which the relay keeps its place in", clip(s.ControlTable), within(at, "checkpoint_table")), advice)
		}
	}
	for i, other := range c.m.Subscribes {
		for j, r := range other.Replicas {
			if r.Table == s.ControlTable && r.Table != "" {
				c.add(ruleControlTable, path, fmt.Sprintf("%s keeps the copies at %s, which the service would find canaries among", clip(r.Table), within(index("subscribes", i), index("replicas", j))), advice)
			}
		}
	}
}

func (c *checker) queue(path string, q Queue) {
	c.queueName(within(path, "name"), q.Name)
	c.queueName(within(path, "dead_letter_queue"), q.DeadLetterQueue)
	visibility, handler := q.VisibilityTimeout.Std(), q.HandlerTimeout.Std()
	if visibility < time.Second || visibility > maxVisibility || visibility%time.Second != 0 {
		c.add(ruleQueueLimits, within(path, "visibility_timeout"), fmt.Sprintf("SQS has no visibility timeout of %v", visibility), "use whole seconds, from 1s to 12h")
	}
	switch {
	case handler <= 0:
		c.add(ruleHandlerTimeout, within(path, "handler_timeout"), fmt.Sprintf("%v leaves a handler no time", handler), "use a positive duration below the visibility timeout")
	case handler >= visibility:
		c.add(ruleHandlerTimeout, within(path, "handler_timeout"), fmt.Sprintf("a handler of %v outlives the visibility timeout of %v, and two consumers would work on one message", handler, visibility),
			"lower it, or raise visibility_timeout")
	}
	if q.MaxReceiveCount < 1 || q.MaxReceiveCount > maxReceives {
		c.add(ruleQueueLimits, within(path, "max_receive_count"), fmt.Sprintf("SQS has no receive count of %d", q.MaxReceiveCount), fmt.Sprintf("use 1 to %d", maxReceives))
	}
}

func (c *checker) replica(path string, s Subscription, r Replica) {
	if r.Kind() == Function {
		c.function(path, r)
		return
	}
	t, known := c.declared(within(path, "table"), r.Table)
	c.localKey(path, r)
	c.mapping(path, s, r)
	if r.VersionAttribute == "" {
		c.add(ruleVersionAttribute, within(path, "version_attribute"), "nothing says which local attribute holds the copy's version", "name one after the contract, like profileVersion")
	} else {
		c.attributeName(within(path, "version_attribute"), r.VersionAttribute)
	}
	switch r.Kind() {
	case FanOut:
		c.fanOut(path, s, r, t, known)
	default:
		if known {
			c.keyTemplates(within(path, "key"), r.Key, t.KeyAttributes())
		}
		if r.SecondPass != 0 {
			c.add(ruleSecondPass, within(path, "second_pass"), "an item replica has no second pass: no index is asked", "leave it out")
		}
		if r.Atomic {
			c.add(ruleAtomic, within(path, "atomic"), "an item replica is one item, which is always written as a whole", "leave it out")
		}
	}
	c.onDelete(path, r, t, known)
	if known {
		c.indexedTargets(path, r, t)
	}
}

func (c *checker) function(path string, r Replica) {
	c.name(within(path, "function"), r.Function, "function", functionName, "up to 64 letters, digits, underscores, dots and hyphens, beginning with a letter")
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"table", r.Table != ""}, {"index", r.Index != ""}, {"key", len(r.Key) > 0}, {"set", len(r.Set) > 0},
		{"version_attribute", r.VersionAttribute != ""}, {"on_delete", r.OnDelete != ""}, {"create", r.Create != nil},
		{"atomic", r.Atomic}, {"second_pass", r.SecondPass != 0},
	} {
		if field.set {
			c.add(ruleFunctionFields, within(path, field.name), "a function replica is the service's own code, which nothing here tells what to do", "leave it out, or leave function out")
		}
	}
}

// localKey checks that each subject has a local key of its own.
func (c *checker) localKey(path string, r Replica) {
	at := within(path, "key")
	if len(r.Key) == 0 {
		if r.Kind() == Item {
			c.add(ruleLocalKey, at, "nothing says which local item is the subject's", "write the key attributes with templates, like key: {cik: subject}")
		}
		return
	}
	parts, used := r.Subject.Names(), captured(r.Key)
	if len(parts) == 0 {
		c.add(ruleLocalKey, within(path, "subject"), "the form has no placeholder, so only one subject would have it", "write a {name} for what differs")
	}
	for _, name := range used {
		if name != wholeSubject && !slices.Contains(parts, name) {
			c.add(ruleLocalKey, at, fmt.Sprintf("{%s} is not known: the subject is taken apart as %s", name, r.Subject), "use {subject}, or name the part in subject:")
		}
	}
	if slices.Contains(used, wholeSubject) {
		return
	}
	for _, name := range parts {
		if !slices.Contains(used, name) {
			c.add(ruleLocalKey, at, fmt.Sprintf("{%s} is missing, so different subjects would share one local key", name), "put it, or {subject}, into the key")
		}
	}
}

// mapping checks which contract attributes feed which local ones.
func (c *checker) mapping(path string, s Subscription, r Replica) {
	at := within(path, "set")
	if len(r.Set) == 0 {
		c.add(ruleEmptyMapping, at, "nothing is copied", "say which contract attribute feeds each local one, like set: {companyName: name}")
	}
	for _, local := range slices.Sorted(maps.Keys(r.Set)) {
		c.attributeName(within(at, local), local)
		from := r.Set[local].Attribute
		if from == "" {
			c.add(ruleEmptyMapping, within(at, local), "no contract attribute is named", "write its name, or {attribute: name, omit_empty: true}")
		} else if !slices.Contains(s.Attributes, from) {
			c.add(ruleNotSubscribed, within(at, local), fmt.Sprintf("%s is not among the subscribed attributes, so its changes would not arrive and the copy would be silently stale", from),
				fmt.Sprintf("add %s to the subscription's attributes, or leave %s out", from, local))
		}
		if slices.Contains(r.Bookkeeping().Names(), local) {
			c.add(ruleBookkeeping, within(at, local), fmt.Sprintf("%s is a bookkeeping attribute of %s", local, r.VersionAttribute), "name the local attribute otherwise")
		}
		if _, isKey := r.Key[local]; isKey {
			c.add(ruleKeyWritten, within(at, local), local+" is a key attribute, which says where the copy is and cannot be written", "name the local attribute otherwise")
		}
	}
	if _, isKey := r.Key[r.VersionAttribute]; isKey && r.VersionAttribute != "" {
		c.add(ruleVersionAttribute, within(path, "version_attribute"), r.VersionAttribute+" is a key attribute", "name another attribute")
	}
}

func (c *checker) fanOut(path string, s Subscription, r Replica, t Table, known bool) {
	if known {
		if ix, ok := t.Index(r.Index); ok {
			c.keyTemplates(within(path, "key"), r.Key, []KeyAttribute{ix.PartitionKey})
		} else {
			c.add(ruleFanOutIndex, within(path, "index"), fmt.Sprintf("%s has no index %s", t.Name, clip(r.Index)), "declare it under the table's indexes:, with the attribute that holds the subject as its partition key")
		}
	} else if len(c.m.Tables) == 0 && len(r.Key) != 1 {
		c.add(ruleFanOutIndex, within(path, "key"), "nothing says which attribute of the index holds the subject", "write key: with the index's partition key, or declare the table")
	}
	if _, err := s.Anchor(); err != nil {
		c.add(ruleFanOutAlone, within(path, "index"), err.Error(), "add an item replica to this subscription that may create and that sets all of it, without omit_empty")
	}
	if r.Create != nil && *r.Create {
		c.add(ruleFanOutCreate, within(path, "create"), "a fan-out writes what the index finds and never creates an item", "leave it out")
	}
	if pass := r.SecondPass.Std(); pass < time.Second || pass > maxDelay || pass%time.Second != 0 {
		c.add(ruleSecondPass, within(path, "second_pass"), fmt.Sprintf("SQS has no delay of %v", pass), "use whole seconds, from 1s to 15m")
	}
}

func (c *checker) onDelete(path string, r Replica, t Table, known bool) {
	at := within(path, "on_delete")
	switch r.OnDelete {
	case Clear:
		return
	case Tombstone:
	default:
		c.add(ruleOnDelete, at, fmt.Sprintf("%q is nothing a delete can do", clip(string(r.OnDelete))), "write clear or tombstone")
		return
	}
	const instead = "use on_delete: clear"
	if r.Kind() == FanOut {
		c.add(ruleTombstoneOwnItem, at, "a tombstone is removed by TTL, and with it the service's own item that carries the copy", instead)
		return
	}
	if !r.Creates() {
		c.add(ruleTombstoneOwnItem, at, "a tombstone is for a table that holds nothing but the copy, and create: false says that the items are the service's own", instead)
	}
	if expires := r.Bookkeeping().ExpiresAt; known && t.TTLAttribute != expires {
		c.add(ruleTombstoneTTL, at, fmt.Sprintf("tombstones expire by %s, and %s has %s", expires, t.Name, ttl(t)), "write ttl_attribute: "+expires+" at the table, or "+instead)
	}
}

// indexedTargets checks local attributes that are keys of the table's indexes.
func (c *checker) indexedTargets(path string, r Replica, t Table) {
	at := within(path, "set")
	keys, subjectOf := typesOf(t.KeyAttributes()), ""
	if ix, ok := t.Index(r.Index); ok {
		subjectOf = ix.PartitionKey.Name
	}
	for _, local := range slices.Sorted(maps.Keys(r.Set)) {
		if _, isKey := keys[local]; isKey {
			if _, said := r.Key[local]; !said {
				c.add(ruleKeyWritten, within(at, local), local+" is a key attribute of the table and cannot be written", "name the local attribute otherwise")
			}
			continue
		}
		if local == subjectOf {
			continue // said by mapping: it is in the key
		}
		for _, ix := range t.Indexes {
			for _, k := range ix.KeyAttributes() {
				if k.Name == local && k.Type != "N" && !r.Set[local].OmitEmpty {
					c.add(ruleEmptyIndexKey, within(at, local), fmt.Sprintf("%s is a key attribute of the index %s, and DynamoDB refuses a write whose index key is empty", local, ix.Name),
						fmt.Sprintf("write %s: {attribute: %s, omit_empty: true}", local, r.Set[local].Attribute))
				}
			}
		}
	}
	if t.TTLAttribute == "" {
		return
	}
	if _, set := r.Set[t.TTLAttribute]; set {
		c.add(ruleCopiedTTL, within(at, t.TTLAttribute), t.TTLAttribute+" is the table's TTL attribute, so a copied value would delete the item", "name the local attribute otherwise")
	}
}
