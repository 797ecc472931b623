package manifest

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
