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

// CanaryType is the event type of a canary.
const CanaryType = "tributary.canary.v1"

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
	// keep it. It travels in whole microseconds.
	Published time.Time
	// TraceParent is the W3C trace context, empty if there is none. It is
	// checked: a malformed one is refused.
	TraceParent string
	// Changed names the shared attributes that this change may have touched,
	// for filtering only. Decode leaves out names the contract lacks.
	Changed []string
	// Attributes is the complete shared state, never only what changed; nil
	// for a delete. An attribute that is absent here is absent at the source.
	Attributes Item
}

// ID names the state: "company.profile/v1/320193@1731000000000000"; a canary's
// is its subject. Copies of one state share it though their Changed may
// differ, so that it must not be used to join duplicates.
func (c *Change) ID() string {
	if c.Contract == nil {
		return c.Subject
	}
	return c.Contract.ID() + "/" + c.Subject + "@" + c.Version.String()
}

// Type returns the event type.
func (c *Change) Type() string {
	switch {
	case c.Contract == nil:
		return CanaryType
	case c.Operation == Delete:
		return c.Contract.DeletedType()
	default:
		return c.Contract.ChangedType()
	}
}

// Time returns when the source item was written, as its version tells, or when
// a canary was published.
func (c *Change) Time() time.Time {
	if c.Contract == nil {
		return c.Published.UTC()
	}
	return c.Version.Time()
}

// Lag returns how long ago the source item was written, at least 0: a version
// may run a little ahead of the wall clock.
func (c *Change) Lag(now time.Time) time.Duration { return max(0, now.Sub(c.Time())) }
