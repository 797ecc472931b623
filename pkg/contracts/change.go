package contracts

import "time"

// Operation says what a change does.
type Operation string

// The operations.
const (
	Upsert Operation = "upsert" // the item exists with these attributes
	Delete Operation = "delete" // the item is gone
	Canary Operation = "canary" // nothing: a probe sent through a subscription's filter
)

// Origin says why a change was published.
type Origin string

// The origins.
const (
	Live     Origin = "live"
	Backfill Origin = "backfill"
	Replay   Origin = "replay"
	Repair   Origin = "repair"
)

// Change is one state of one item, as it travels. A canary has no contract,
// version or attributes: its Subject is its id and Changed lists what the
// subscriber's filter must let through.
type Change struct {
	// Contract is the contract the attributes follow; nil for a canary.
	Contract *Contract
	// Operation is what the change does.
	Operation Operation
	// Source is the publishing service, "/services/profile".
	Source string
	// Subject identifies the item at its owner.
	Subject string
	// Version orders this state among the item's states.
	Version Version
	// Origin is why the change was published.
	Origin Origin
	// Published is when this change was first published; redrive and replay
	// keep it.
	Published time.Time
	// TraceParent is the W3C trace context, empty if there is none.
	TraceParent string
	// Changed names the shared attributes that this change may have touched,
	// for filtering only.
	Changed []string
	// Attributes is the complete shared state, never only what changed; nil
	// for a delete. An attribute that is absent here is absent at the source.
	Attributes Item
}
