package manifest

import (
	"strings"
	"time"
)

// What is filled in where the manifest says nothing.
const (
	DefaultVersionAttribute  = "version"
	DefaultVisibilityTimeout = 30 * time.Second
	DefaultMaxReceiveCount   = 10
	DefaultSecondPass        = 10 * time.Second
	// CheckpointKey is the partition key of a checkpoint table, a string.
	CheckpointKey = "id"
	// ControlKey is the partition key of a control table, a string, and
	// ControlExpiry its TTL attribute.
	ControlKey    = "id"
	ControlExpiry = "expiresAt"
)

// Projections of an index.
const (
	ProjectAll      = "all"
	ProjectKeysOnly = "keys_only"
)

// TopicName returns the name a contract's topic has by default: the contract's
// id with a hyphen for every character but letters and digits.
func TopicName(contract string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, contract)
}

// Complete fills in what has a default and is left out. Load and Parse have
// done it; a manifest that is built in code needs it before anything else.
func (m *Manifest) Complete() {
	for i := range m.Tables {
		for j := range m.Tables[i].Indexes {
			fill(&m.Tables[i].Indexes[j].Projection, ProjectAll)
		}
	}
	for i := range m.Publishes {
		p := &m.Publishes[i]
		fill(&p.Topic, TopicName(p.Contract))
		fill(&p.VersionAttribute, DefaultVersionAttribute)
		fill(&p.DeadLetterQueue, m.Service+"-"+p.Topic+"-relay-dlq")
		fill(&p.CheckpointTable, m.Service+"-relay-checkpoints")
		if names := captured(p.Key); p.Subject.IsZero() && len(names) == 1 {
			p.Subject = Template{parts: []part{{name: names[0]}}}
		}
		p.keyTypes = m.keyTypes(p.Table, "")
	}
	for i := range m.Subscribes {
		s := &m.Subscribes[i]
		fill(&s.Topic, TopicName(s.Contract))
		fill(&s.Queue.Name, m.Service+"-"+s.Topic)
		fill(&s.Queue.DeadLetterQueue, s.Queue.Name+"-dlq")
		fill(&s.Queue.VisibilityTimeout, Duration(DefaultVisibilityTimeout))
		fill(&s.Queue.HandlerTimeout, s.Queue.VisibilityTimeout*2/3)
		fill(&s.Queue.MaxReceiveCount, DefaultMaxReceiveCount)
		fill(&s.ControlTable, m.Service+"-replication-control")
		for j := range s.Replicas {
			m.completeReplica(&s.Replicas[j])
		}
	}
}

func (m *Manifest) completeReplica(r *Replica) {
	if r.Subject.IsZero() {
		r.Subject = Template{parts: []part{{name: wholeSubject}}}
	}
	r.keyTypes = m.keyTypes(r.Table, r.Index)
	kind := r.Kind()
	if kind == Function {
		return
	}
	fill(&r.OnDelete, Clear)
	if r.Create == nil {
		create := kind == Item
		r.Create = &create
	}
	if kind == FanOut {
		fill(&r.SecondPass, Duration(DefaultSecondPass))
		if t, ok := m.Table(r.Table); ok && len(r.Key) == 0 {
			if ix, ok := t.Index(r.Index); ok {
				r.Key = map[string]Template{ix.PartitionKey.Name: {parts: []part{{name: wholeSubject}}}}
			}
		}
	}
}

// keyTypes returns the types of a declared table's key attributes, or of its
// index's partition key.
func (m *Manifest) keyTypes(table, indexName string) map[string]string {
	t, ok := m.Table(table)
	if !ok {
		return nil
	}
	if indexName == "" {
		return typesOf(t.KeyAttributes())
	}
	if ix, ok := t.Index(indexName); ok {
		return typesOf([]KeyAttribute{ix.PartitionKey})
	}
	return nil
}

func typesOf(attributes []KeyAttribute) map[string]string {
	types := make(map[string]string, len(attributes))
	for _, a := range attributes {
		types[a.Name] = a.Type
	}
	return types
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
