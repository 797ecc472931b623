package replica

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Source is one contract's items in their owner's table: which items they are,
// and how an item looks as the contract's shared state. It is immutable and
// safe for concurrent use.
type Source struct {
	contract    *contracts.Contract
	publication manifest.Publication
	names       manifest.Bookkeeping
	stampedFor  string            // attribute that names the contracts an item was stamped for
	from        map[string]string // contract attribute -> item attribute
	service     string
}

// NewSource returns the source that a service's manifest declares for a
// contract.
func NewSource(service string, publication manifest.Publication, contract *contracts.Contract) (*Source, error) {
	if publication.Contract != contract.ID() {
		return nil, fmt.Errorf("source of %s: the publication is of %s", contract.ID(), publication.Contract)
	}
	s := &Source{
		contract:    contract,
		publication: publication,
		names:       publication.Bookkeeping(),
		service:     service,
		from:        make(map[string]string, len(contract.Attributes)),
	}
	s.stampedFor = s.names.Stamped + "For"
	for _, a := range contract.Attributes {
		s.from[a.Name] = a.Name
	}
	for name, from := range publication.Attributes {
		if _, ok := contract.Lookup(name); !ok {
			return nil, fmt.Errorf("source of %s: the contract has no attribute %q", contract.ID(), name)
		}
		s.from[name] = from
	}
	return s, nil
}

// Contract returns the contract of the source's items.
func (s *Source) Contract() *contracts.Contract { return s.contract }

// Topic returns the name of the topic the source's changes go to.
func (s *Source) Topic() string { return s.publication.Topic }

// Table returns the name of the owner's table.
func (s *Source) Table() string { return s.publication.Table }

// Service returns the name of the service that owns the items.
func (s *Source) Service() string { return s.service }

// Subject returns the subject of the item with these key attributes; ours is
// false if such an item is not this contract's. An error means that the item is
// this contract's and its key can never be made a subject of.
func (s *Source) Subject(keys contracts.Item) (subject string, ours bool, err error) {
	texts := make(map[string]string, len(keys))
	for name, v := range keys {
		if k := v.Kind(); k != contracts.KindString && k != contracts.KindNumber {
			return "", false, nil
		}
		texts[name] = v.Text()
	}
	return s.publication.Identify(texts)
}

// state is how one image of an item looks through the contract.
type state struct {
	version contracts.Version
	stamped contracts.Version
	live    bool           // exists, belongs to the contract, and is no tombstone
	shared  contracts.Item // the contract's attributes; nil unless live
}

// state projects an image; a nil image is an absent item. Versions past latest
// count as missing.
func (s *Source) state(image contracts.Item, latest time.Time) state {
	if image == nil {
		return state{}
	}
	st := state{
		version: contracts.VersionOf(image[s.names.Version], latest),
		stamped: contracts.VersionOf(image[s.names.Stamped], latest),
	}
	if !s.matches(image) || s.isTombstone(image) {
		return st
	}
	st.live = true
	shared := make(contracts.Item, len(s.from))
	for name, from := range s.from {
		if v, ok := image[from]; ok {
			shared[name] = v
		}
	}
	st.shared = s.contract.Project(shared) // within maps too
	return st
}

func (s *Source) isTombstone(image contracts.Item) bool { return image[s.names.Deleted].Bool() }

// matches reports whether an item whose key fits belongs to the contract.
func (s *Source) matches(image contracts.Item) bool {
	for name, m := range s.publication.Match {
		v, present := image[name]
		if m.Exists != nil {
			if *m.Exists != present {
				return false
			}
			continue
		}
		if k := v.Kind(); k != contracts.KindString && k != contracts.KindNumber {
			return false
		}
		if m.Equals != "" && v.Text() != m.Equals || !strings.HasPrefix(v.Text(), m.Prefix) {
			return false
		}
	}
	return true
}

// changed names the contract attributes in which two states differ, in the
// contract's order. Where the item comes or goes, that is every one.
func (s *Source) changed(before, after state) []string {
	if before.live != after.live {
		return s.contract.Names()
	}
	var names []string
	for _, a := range s.contract.Attributes {
		b, hadIt := before.shared[a.Name]
		c, hasIt := after.shared[a.Name]
		if hadIt != hasIt || !b.Equal(c) {
			names = append(names, a.Name)
		}
	}
	return names
}

// change makes the change that announces a state; changed is what a filter is
// to see. An error means that the state violates the contract.
func (s *Source) change(subject string, st state, changed []string, origin contracts.Origin, now time.Time) (*contracts.Change, error) {
	c := &contracts.Change{
		Contract:  s.contract,
		Operation: contracts.Delete,
		Source:    "/services/" + s.service,
		Subject:   subject,
		Version:   st.version,
		Origin:    origin,
		Published: now,
		Changed:   changed,
	}
	if st.live {
		c.Operation, c.Attributes = contracts.Upsert, st.shared
		if err := s.contract.Check(st.shared); err != nil {
			return nil, &RejectedError{Reason: "state violates the contract", Err: err}
		}
	}
	return c, nil
}

// tombstone returns the item that stands for the record's, which is gone: its
// key, what Match needs of the image that was the contract's, and the
// bookkeeping.
func (s *Source) tombstone(rec *Record, version contracts.Version, now time.Time) contracts.Item {
	image := rec.Old
	if !s.matches(image) {
		image = rec.New
	}
	return s.tombstoneLike(rec.Keys, image, version, now)
}

// tombstoneLike returns the tombstone of a key, with what Match needs of an
// image. Where the image has not all of it, the signature alone says whose the
// tombstone is.
func (s *Source) tombstoneLike(key, image contracts.Item, version contracts.Version, now time.Time) contracts.Item {
	item := maps.Clone(key)
	for name := range s.publication.Match {
		if v, ok := image[name]; ok {
			item[name] = v
		}
	}
	item[s.names.Version] = version.Value()
	item[s.names.Stamped] = version.Value()
	item[s.names.Deleted] = contracts.Bool(true)
	item[s.names.ExpiresAt] = SourceTombstoneExpiry(now, version)
	s.sign(item, nil)
	return item
}

// Tombstone lives. A replica's outlives its source's, and both outlive every
// path by which an old change can still arrive: queue and dead-letter
// retention (4 and 14 days) and redrive (refused after 45 days).
const (
	SourceTombstoneLife  = 30 * 24 * time.Hour
	ReplicaTombstoneLife = 60 * 24 * time.Hour
)

// SourceTombstoneExpiry returns when an owner's tombstone of a version may be
// purged, in epoch seconds: for repositories that delete by themselves.
func SourceTombstoneExpiry(now time.Time, version contracts.Version) contracts.Value {
	return expiry(now, version, SourceTombstoneLife)
}

// expiry returns when a tombstone of the version may be purged, in epoch
// seconds: life after now or after the version, whichever is later.
func expiry(now time.Time, version contracts.Version, life time.Duration) contracts.Value {
	if at := version.Time(); at.After(now) {
		now = at
	}
	return contracts.Number(fmt.Sprint(now.Add(life).Unix()))
}

// expiresBefore reports whether a tombstone's expiry is missing, malformed or
// before an instant.
func expiresBefore(expires contracts.Value, at time.Time) bool {
	seconds, err := strconv.ParseInt(expires.Text(), 10, 64)
	return err != nil || expires.Kind() != contracts.KindNumber || seconds < at.Unix()
}
