package replica

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// stampAttempts bounds how often one stamp starts over because somebody else
// wrote the item in between. A record whose item is that hot is reported as
// failed and tried again later.
const stampAttempts = 10

var errHotItem = errors.New("the item was written by others at every attempt")

// stamp gives an item a version that outbids everything seen, so that the
// write comes through the stream once more, with a version. A newer stamp than
// this record needs makes it stop; a versioned write of other attributes does
// not, since subscribers of the attributes that the foreign write changed
// would not hear of it.
func (s *Source) stamp(ctx context.Context, table SourceTable, rec *Record, d Decision, now func() time.Time) error {
	return untilHeld(ctx, func() (bool, error) { return s.stampOnce(ctx, table, rec, d, now()) })
}

// untilHeld makes a conditional write until its condition holds or nothing is
// left to do. Between two attempts it waits a little, longer each time.
func untilHeld(ctx context.Context, once func() (done bool, err error)) error {
	for attempt := range stampAttempts {
		done, err := once()
		if err != nil || done {
			return err
		}
		pause := time.Duration(1<<attempt) * time.Millisecond
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
	return errHotItem
}

func (s *Source) stampOnce(ctx context.Context, table SourceTable, rec *Record, d Decision, now time.Time) (done bool, err error) {
	current, err := table.Read(ctx, rec.Keys)
	if err != nil {
		return false, fmt.Errorf("read: %w", err)
	}
	// A relay whose clock is slow must not stamp below the record it answers:
	// the stamp itself would look foreign, and be stamped for ever.
	if now.Before(rec.Created) {
		now = rec.Created
	}
	latest := now.Add(contracts.MaxAhead)
	if current == nil {
		next, err := contracts.Next(now, d.floor)
		if err != nil {
			return false, err
		}
		return table.PutAbsent(ctx, rec.Keys, s.tombstone(rec, next, now))
	}
	st := s.state(current, latest)
	if s.answered(current, st, d) {
		return true, nil
	}
	next, err := contracts.Next(now, max(d.floor, st.version))
	if err != nil {
		return false, err
	}
	return s.restamp(ctx, table, rec.Keys, current, next, now)
}

// restamp stamps an item that exists, on condition that it still has the
// version of current, and is still a tombstone if that is one.
func (s *Source) restamp(ctx context.Context, table SourceTable, key, current contracts.Item, next contracts.Version, now time.Time) (bool, error) {
	set := contracts.Item{s.names.Version: next.Value(), s.names.Stamped: next.Value()}
	was := contracts.Item{s.names.Version: current[s.names.Version]}
	if s.isTombstone(current) {
		// Somebody who knows nothing of versions may bring the item back in between:
		// with an expiry, TTL would remove what lives.
		was[s.names.Deleted] = current[s.names.Deleted]
		set[s.names.ExpiresAt] = SourceTombstoneExpiry(now, next)
	}
	s.sign(set, current)
	return table.Restamp(ctx, key, set, was)
}

// answered reports whether a stamp that the item carries came after the record
// and told this contract's subscribers everything. A stampedVersion above the
// version is nobody's stamp. Where contracts share the table, a stamp that was
// not made for this one may have met the item while it was none of this one's,
// and told nothing; what the item is now proves nothing. And a stamp that met a
// tombstone unawares has not renewed its expiry.
func (s *Source) answered(current contracts.Item, st state, d Decision) bool {
	if st.stamped <= d.floor || st.stamped <= d.stamped || st.stamped > st.version {
		return false
	}
	if s.isTombstone(current) && expiresBefore(current[s.names.ExpiresAt], st.stamped.Time().Add(SourceTombstoneLife)) {
		return false
	}
	return len(s.publication.Match) == 0 || s.signed(current)
}

// sign notes in a stamp which contract it is for, beside those that the item
// was stamped for before, where contracts share the table: if the item is none
// of the contract's when the stamp comes through the stream, the stamp is what
// tells its subscribers so.
func (s *Source) sign(stamp, current contracts.Item) {
	if len(s.publication.Match) == 0 {
		return
	}
	ids := []string{s.contract.ID()}
	for _, id := range current[s.stampedFor].Elements() {
		if id.Text() != s.contract.ID() {
			ids = append(ids, id.Text())
		}
	}
	stamp[s.stampedFor] = contracts.StringSet(ids...)
}

// signed reports whether the item was stamped for this contract.
func (s *Source) signed(image contracts.Item) bool {
	return slices.ContainsFunc(image[s.stampedFor].Elements(), func(id contracts.Value) bool { return id.Text() == s.contract.ID() })
}
