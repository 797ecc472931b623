package replica

import (
	"context"
	"fmt"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// Raise stamps an item as it is now, whatever stamps it carries already: its
// version goes above the given one, above its own and up to the clock, and the
// write comes through the stream, where it tells every subscriber the whole
// state. An item that is gone gets a tombstone; one that is none of the
// contract's stays what it is and is announced as deleted. It returns the
// version given.
//
// It is what mends a replica that is ahead of its source, or equal with other
// content, or that has an item the source lacks. Writes made meanwhile are never
// lost: the stamp is conditional on the version just read, and starts over.
//
// A version more than 24 hours past the clock can be outbid by nothing that the
// relay would take for valid; Raise refuses it with a *RejectedError. Where the
// clock is more than five minutes slow, the relay answers the stamp with one of
// its own, above it. table needs the rights to read, update and put.
func (s *Source) Raise(ctx context.Context, table SourceTable, key contracts.Item, above contracts.Version, now func() time.Time) (contracts.Version, error) {
	subject, ours, err := s.Subject(key)
	switch {
	case err != nil:
		return 0, &RejectedError{Reason: "key makes no subject", Err: err}
	case !ours:
		return 0, &RejectedError{Reason: "not the contract's", Err: fmt.Errorf("raise %s: an item with a key of %d attributes that do not fit its templates", s.contract.ID(), len(key))}
	}
	raise := &raise{source: s, table: table, key: key, above: above}
	if err := untilHeld(ctx, func() (bool, error) { return raise.once(ctx, now()) }); err != nil {
		return 0, fmt.Errorf("raise %s %s: %w", s.contract.ID(), subject, err)
	}
	return raise.version, nil
}

// StampUnversioned gives an item a version that has none; seen is the whole item
// as a consistent read showed it. Where somebody else stamped or removed it
// meanwhile, there is nothing left to do. What the item is afterwards has to be
// read again: the stamp's condition is on the version alone.
func (s *Source) StampUnversioned(ctx context.Context, table SourceTable, seen contracts.Item, now func() time.Time) error {
	snap, ours, err := s.Snapshot(seen, now())
	if err != nil || !ours {
		return err
	}
	raise := &raise{source: s, table: table, key: s.KeyOf(seen), current: seen, unversioned: true}
	if err := untilHeld(ctx, func() (bool, error) { return raise.once(ctx, now()) }); err != nil {
		return fmt.Errorf("stamp %s %s: %w", s.contract.ID(), snap.Subject, err)
	}
	return nil
}

// raise is one item being stamped, though no record calls for it.
type raise struct {
	source  *Source
	table   SourceTable
	key     contracts.Item
	above   contracts.Version
	current contracts.Item // where a read is to be saved; used once

	unversioned bool              // leave alone what has a version, or is gone
	version     contracts.Version // the last one tried
}

func (r *raise) once(ctx context.Context, now time.Time) (done bool, err error) {
	latest := now.Add(contracts.MaxAhead)
	// The relay counts from the record's creation, by AWS's clock, so keep a
	// clock's error away from the bound.
	if r.above >= contracts.VersionAt(latest.Add(-clockSkew)) {
		return false, &RejectedError{
			Reason: "version too far ahead",
			Err: fmt.Errorf("version %s is of %s, more than a day past the clock, and a version above it would count as invalid: remove the version from the copy that has it, and backfill",
				r.above, r.above.Time().Format(time.RFC3339)),
		}
	}
	current := r.current
	if r.current = nil; current == nil {
		if current, err = r.table.Read(ctx, r.key); err != nil {
			return false, fmt.Errorf("read: %w", err)
		}
	}
	s := r.source
	st := s.state(current, latest)
	if r.version != 0 && st.version == r.version && st.stamped == r.version && (len(s.publication.Match) == 0 || s.signed(current)) {
		return true, nil // the answer to the last attempt was lost
	}
	if r.unversioned && (current == nil || st.version != 0) {
		return true, nil
	}
	if r.version, err = contracts.Next(now, max(r.above, st.version)); err != nil {
		return false, err
	}
	if current == nil {
		return r.table.PutAbsent(ctx, r.key, s.tombstoneLike(r.key, nil, r.version, now))
	}
	return s.restamp(ctx, r.table, r.key, current, r.version, now)
}
