package replica

import (
	"fmt"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// Snapshot is one item of the owner's table as a consistent read shows it,
// through the contract.
type Snapshot struct {
	// Subject identifies the item.
	Subject string
	// Version is the item's; 0 where it is missing or invalid. Such an item has
	// to be stamped before it can be announced.
	Version contracts.Version
	// Live is false for a tombstone, and for an item that was stamped because a
	// foreign write took it out of the contract (ADR 0004).
	Live bool
	// Shared has the contract's attributes; nil unless Live.
	Shared contracts.Item
}

// Snapshot returns how a whole item looks through the contract; ours is false
// if the item is not the contract's. Versions more than 24 hours past now count
// as missing. An error is a *RejectedError: the item is the contract's and its
// key can never be made a subject of.
func (s *Source) Snapshot(item contracts.Item, now time.Time) (snap Snapshot, ours bool, err error) {
	if item == nil || !s.matches(item) && !s.signed(item) {
		return Snapshot{}, false, nil
	}
	snap.Subject, ours, err = s.Subject(s.KeyOf(item))
	if err != nil {
		return Snapshot{}, true, &RejectedError{Reason: "key makes no subject", Err: err}
	}
	if !ours {
		return Snapshot{}, false, nil
	}
	st := s.state(item, now.Add(contracts.MaxAhead))
	snap.Version, snap.Live, snap.Shared = st.version, st.live, st.shared
	return snap, true, nil
}

// KeyOf picks the key attributes out of a whole item of the contract's.
func (s *Source) KeyOf(item contracts.Item) contracts.Item {
	key := make(contracts.Item, len(s.publication.Key))
	for name := range s.publication.Key {
		if v, ok := item[name]; ok {
			key[name] = v
		}
	}
	return key
}

// Key returns the key attributes of the subject's item. The error says why
// there can be no such item.
func (s *Source) Key(subject string) (contracts.Item, error) {
	texts, err := s.publication.KeyOf(subject)
	if err != nil {
		return nil, err
	}
	key := make(contracts.Item, len(texts))
	for name, text := range texts {
		if s.publication.KeyType(name) == "N" {
			key[name] = contracts.Number(text)
		} else {
			key[name] = contracts.String(text)
		}
	}
	return key, nil
}

// Announce makes the change that tells a subscriber what an item is now. It
// lists every shared attribute in changed, so that it passes any filter. An
// error is a *RejectedError where the item violates the contract; a snapshot
// without a version is refused too.
func (s *Source) Announce(snap Snapshot, origin contracts.Origin, now time.Time) (*contracts.Change, error) {
	if snap.Version == 0 {
		return nil, fmt.Errorf("announce %s %s: the item has no version; stamp it first", s.contract.ID(), snap.Subject)
	}
	st := state{version: snap.Version, live: snap.Live, shared: snap.Shared}
	return s.change(snap.Subject, st, s.contract.Names(), origin, now)
}

// Replayed returns the change that the relay would publish for a stream record,
// as a replay: first published when the record was created. It is nil where
// the relay would publish nothing: for a record that concerns nobody, or that
// it would answer by a stamp, since the stamp has its own record. An error is a
// *RejectedError: the relay would have dead-lettered the record.
func (s *Source) Replayed(rec *Record) (*contracts.Change, error) {
	if rec.Damaged != nil {
		return nil, &RejectedError{Reason: "undecodable record", Err: rec.Damaged}
	}
	switch d := s.Decide(rec); d.Action {
	case Refuse:
		return nil, &RejectedError{Reason: "key makes no subject", Err: d.cause}
	case Publish:
		return s.change(d.Subject, d.after, d.Changed, contracts.Replay, rec.Created)
	default:
		return nil, nil
	}
}
