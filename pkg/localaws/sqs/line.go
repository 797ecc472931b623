package sqs

import "github.com/tidwall/btree"

// crowd is a standard queue's line: visible messages by rank.
type crowd struct {
	visible *btree.BTreeG[*message]
}

func newCrowd() *crowd {
	return &crowd{btree.NewBTreeGOptions(func(a, b *message) bool {
		if a.rank == b.rank {
			return a.serial < b.serial
		}
		return a.rank < b.rank
	}, btree.Options{NoLocks: true})}
}

func (c *crowd) changed(m *message) {
	if m.state == visible {
		c.visible.Set(m)
	} else {
		c.visible.Delete(m)
	}
}

func (c *crowd) removed(m *message) { c.visible.Delete(m) }

func (c *crowd) next(*message) *message {
	m, _ := c.visible.Min()
	return m
}

// groups is a FIFO queue's line: each group's messages in the order they were
// sent, and the groups that may be received from in the order of their first
// messages. A group with a message in flight, or whose first message is still
// delayed, may not.
type groups struct {
	members *btree.BTreeG[*message] // by group, then serial
	byName  map[string]*group
	open    *btree.BTreeG[*group] // by the serial of the first message
}

type group struct {
	name     string
	size     int
	blocking int    // messages in flight
	head     uint64 // serial of the first message, while open
	isOpen   bool
}

func newGroups() *groups {
	return &groups{
		members: btree.NewBTreeGOptions(func(a, b *message) bool {
			if a.group == b.group {
				return a.serial < b.serial
			}
			return a.group < b.group
		}, btree.Options{NoLocks: true}),
		byName: map[string]*group{},
		open: btree.NewBTreeGOptions(func(a, b *group) bool {
			return a.head < b.head
		}, btree.Options{NoLocks: true}),
	}
}

func (g *groups) changed(m *message) {
	in := g.byName[m.group]
	if in == nil {
		in = &group{name: m.group}
		g.byName[m.group] = in
	}
	if _, replaced := g.members.Set(m); !replaced {
		in.size++
	}
	in.block(m, m.state == inFlight)
	g.review(in)
}

func (g *groups) removed(m *message) {
	in := g.byName[m.group]
	if _, present := g.members.Delete(m); !present {
		return
	}
	in.size--
	in.block(m, false)
	g.review(in)
}

// block notes whether a message keeps its group from being received from.
func (in *group) block(m *message, blocks bool) {
	switch {
	case blocks && !m.blocksGroup:
		in.blocking++
	case !blocks && m.blocksGroup:
		in.blocking--
	}
	m.blocksGroup = blocks
}

// review opens or closes a group after a change in it.
func (g *groups) review(in *group) {
	if in.isOpen {
		g.open.Delete(in)
		in.isOpen = false
	}
	if in.size == 0 {
		delete(g.byName, in.name)
		return
	}
	if in.blocking > 0 {
		return
	}
	if head := g.first(in.name, 0); head.state == visible {
		in.head, in.isOpen = head.serial, true
		g.open.Set(in)
	}
}

// first returns a group's first message from a serial on, nil if there is
// none.
func (g *groups) first(name string, serial uint64) *message {
	var found *message
	g.members.Ascend(&message{group: name, serial: serial}, func(m *message) bool {
		if m.group == name {
			found = m
		}
		return false
	})
	return found
}

func (g *groups) next(after *message) *message {
	if after != nil {
		if m := g.first(after.group, after.serial+1); m != nil && m.state == visible {
			return m
		}
	}
	in, ok := g.open.Min()
	if !ok {
		return nil
	}
	return g.first(in.name, in.head)
}
