package replica

import (
	"context"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// mergedChange is what one message announces: the latest state of one item
// among the records of a batch.
type mergedChange struct {
	source  *Source
	change  *contracts.Change
	changed map[string]bool
	records []int // positions in the batch, ascending
}

// message makes the message; an error means that it can never be made.
func (m *mergedChange) message(ctx context.Context) (*message.Message, error) {
	return NewMessage(ctx, m.merged(), AudienceAll)
}

// merged returns the change as it is announced.
func (m *mergedChange) merged() *contracts.Change {
	m.change.Changed = nil
	for _, name := range m.source.contract.Names() {
		if m.changed[name] {
			m.change.Changed = append(m.change.Changed, name)
		}
	}
	return m.change
}

// Coalesce merges changes by item, as the relay does within a batch: the latest
// version of each item, in the order in which the items first appear, with
// everything in Changed that any of its changes lists. It takes the changes
// over; none may be used afterwards but those returned.
func (s *Source) Coalesce(changes []*contracts.Change) []*contracts.Change {
	var c coalesced
	for i, change := range changes {
		c.add(i, s, change)
	}
	merged := make([]*contracts.Change, len(c.order))
	for i, m := range c.order {
		merged[i] = m.merged()
	}
	return merged
}

// coalesced collects the changes of a batch by item: the latest version of
// each, with everything that any of the merged records changed.
type coalesced struct {
	order []*mergedChange
	by    map[coalesceKey]*mergedChange
}

type coalesceKey struct{ contract, subject string }

func (c *coalesced) add(at int, s *Source, change *contracts.Change) {
	key := coalesceKey{s.contract.ID(), change.Subject}
	m := c.by[key]
	if m == nil {
		m = &mergedChange{source: s, change: change, changed: make(map[string]bool)}
		if c.by == nil {
			c.by = make(map[coalesceKey]*mergedChange)
		}
		c.by[key] = m
		c.order = append(c.order, m)
	}
	if change.Version > m.change.Version {
		m.change = change
	}
	for _, name := range change.Changed {
		m.changed[name] = true
	}
	m.records = append(m.records, at)
}

// byTopic groups the messages by the topic they go to.
func (c *coalesced) byTopic() map[string][]*mergedChange {
	topics := make(map[string][]*mergedChange)
	for _, m := range c.order {
		topics[m.source.Topic()] = append(topics[m.source.Topic()], m)
	}
	return topics
}
