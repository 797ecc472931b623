package replica

import (
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// Action is what the relay does about a stream record.
type Action uint8

// The actions.
const (
	// Ignore: nothing that subscribers must hear of.
	Ignore Action = iota
	// Stamp: the write was made by something that knows nothing of versions;
	// give the item a version that outbids everything seen, and let that write
	// come through the stream.
	Stamp
	// Publish the new state.
	Publish
	// Refuse: the record can never be published; dead-letter it.
	Refuse
)

var actionNames = [...]string{"ignore", "stamp", "publish", "refuse"}

// String returns the action's name as logs and metrics use it.
func (a Action) String() string { return actionNames[a] }

// clockSkew is how far behind its record's creation time a new version may lie.
// Clocks differ by less; a version that is older was copied from somewhere (a
// restore, an import), not made by this write.
const clockSkew = 5 * time.Minute

// Decision is what the relay does about one record, for one contract.
type Decision struct {
	Action  Action
	Subject string
	// Changed names the shared attributes a filter is to see, for Publish.
	Changed []string

	after state
	cause error // why, for Refuse
	// floor outbids what the record shows, for Stamp; the current item's
	// version is still to be counted in.
	floor contracts.Version
	// stamped is the record's own stampedVersion, for Stamp.
	stamped contracts.Version
}

// Decide applies the decision table of DESIGN.md section 7 to a record; the
// first row that matches wins.
func (s *Source) Decide(rec *Record) Decision {
	subject, ours, err := s.Subject(rec.Keys)
	if !ours {
		return Decision{}
	}
	if err != nil {
		return Decision{Action: Refuse, cause: err}
	}
	latest := rec.Created.Add(contracts.MaxAhead)
	before, after := s.state(rec.Old, latest), s.state(rec.New, latest)
	if !s.concerns(rec, before, after) {
		return Decision{}
	}
	o, n := before.version, after.version
	earliest := contracts.VersionAt(rec.Created.Add(-clockSkew))
	changed := s.changed(before, after)
	stamp := Decision{
		Action:  Stamp,
		Subject: subject,
		floor:   max(o, n, earliest),
		stamped: after.stamped,
	}
	publish := Decision{Action: Publish, Subject: subject, Changed: changed, after: after}

	switch {
	case rec.New == nil && rec.ByTTL && s.isTombstone(rec.Old):
		return Decision{Subject: subject}
	case rec.New == nil:
		stamp.stamped = before.stamped
		return stamp
	case n == 0, n < o, n == o && len(changed) > 0:
		return stamp
	case n != o && n < earliest:
		return stamp
	case n == o:
		return Decision{Subject: subject}
	case after.stamped == n:
		publish.Changed = s.contract.Names()
		return publish
	case len(changed) == 0:
		return Decision{Subject: subject}
	case before.live && s.contract.Check(before.shared) != nil:
		// The state before could not be published, so subscribers of what had
		// changed then have not heard of it.
		publish.Changed = s.contract.Names()
		return publish
	default:
		return publish
	}
}

// concerns reports whether a record whose key fits is about an item of this
// contract: it is, it was, or this is a stamp that was made because a foreign
// write took it out of the contract (it lost an attribute Match needs).
func (s *Source) concerns(rec *Record, before, after state) bool {
	if rec.Old != nil && s.matches(rec.Old) || rec.New != nil && s.matches(rec.New) {
		return true
	}
	return after.stamped != 0 && after.stamped == after.version && after.version > before.version &&
		s.signed(rec.New)
}
