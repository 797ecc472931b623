package manifest

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

// ControlTableSpec returns the subscription's control table as it has to be.
func (s Subscription) ControlTableSpec() Table {
	return Table{Name: s.ControlTable, PartitionKey: KeyAttribute{Name: ControlKey, Type: "S"}, TTLAttribute: ControlExpiry}
}
