package manifest

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// What is filled in where the manifest says nothing.
const (
	DefaultVersionAttribute  = "version"
	DefaultVisibilityTimeout = 30 * time.Second
	DefaultMaxReceiveCount   = 5
	DefaultSecondPass        = 10 * time.Second
	// CheckpointKey is the partition key of a checkpoint table, a string.
	CheckpointKey = "id"
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

// Table returns the declared table of that name.
func (m *Manifest) Table(name string) (Table, bool) {
	for _, t := range m.Tables {
		if t.Name == name {
			return t, true
		}
	}
	return Table{}, false
}

// Publication returns the publication of the contract with that id.
func (m *Manifest) Publication(contract string) (Publication, bool) {
	for _, p := range m.Publishes {
		if p.Contract == contract {
			return p, true
		}
	}
	return Publication{}, false
}

// Subscription returns the subscription to the contract with that id.
func (m *Manifest) Subscription(contract string) (Subscription, bool) {
	for _, s := range m.Subscribes {
		if s.Contract == contract {
			return s, true
		}
	}
	return Subscription{}, false
}

// Index returns the table's index of that name.
func (t Table) Index(name string) (Index, bool) {
	for _, ix := range t.Indexes {
		if ix.Name == name {
			return ix, true
		}
	}
	return Index{}, false
}

// KeyAttributes returns the partition key and the sort key, if there is one.
func (t Table) KeyAttributes() []KeyAttribute { return keyAttributes(t.PartitionKey, t.SortKey) }

// KeyAttributes returns the partition key and the sort key, if there is one.
func (ix Index) KeyAttributes() []KeyAttribute { return keyAttributes(ix.PartitionKey, ix.SortKey) }

func keyAttributes(partition, sort KeyAttribute) []KeyAttribute {
	if sort.Name == "" {
		return []KeyAttribute{partition}
	}
	return []KeyAttribute{partition, sort}
}

// IsZero reports whether there is no attribute.
func (k KeyAttribute) IsZero() bool { return k == KeyAttribute{} }

// CheckpointTableSpec returns the relay's checkpoint table as it has to be.
func (p Publication) CheckpointTableSpec() Table {
	return Table{Name: p.CheckpointTable, PartitionKey: KeyAttribute{Name: CheckpointKey, Type: "S"}}
}

// ReplicaKind says how copies are kept.
type ReplicaKind uint8

// The kinds of replica.
const (
	Item     ReplicaKind = iota // one local item for a subject
	FanOut                      // every local item an index finds
	Function                    // the service's own code
)

var replicaKindNames = [...]string{"item", "fan-out", "function"}

// String returns the kind's name.
func (k ReplicaKind) String() string {
	if int(k) < len(replicaKindNames) {
		return replicaKindNames[k]
	}
	return "unknown"
}

// Kind returns how this replica's copies are kept.
func (r Replica) Kind() ReplicaKind {
	switch {
	case r.Function != "":
		return Function
	case r.Index != "":
		return FanOut
	default:
		return Item
	}
}

// Creates reports whether a change may create the local item.
func (r Replica) Creates() bool {
	return r.Kind() == Item && (r.Create == nil || *r.Create)
}

// AudienceAll is the audience of a change that is for every subscriber.
const AudienceAll = "all"

// FilterPolicy returns the SNS filter policy of the service's subscription, on
// message attributes: changes for everybody or for this service that may have
// touched one of the subscribed attributes. A backfill, a delete and a canary
// list them all in changed. It is the same text each time.
func (s Subscription) FilterPolicy(service string) string {
	policy := struct {
		Audience []string `json:"audience"`
		Changed  []string `json:"changed"`
	}{Audience: []string{AudienceAll, service}, Changed: slices.Clone(s.Attributes)}
	slices.Sort(policy.Changed)
	text, _ := json.Marshal(policy) // a struct of strings always has JSON
	return string(text)
}
