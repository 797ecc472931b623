package replica_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// listing is a second contract in the profile contract's table.
type listing struct {
	Name   string  `json:"name"`
	Sector *string `json:"sector,omitempty"`
}

var (
	listingContract = must(contracts.Describe[listing]("company.listing", 1))
	both1           = must(contracts.NewCatalog(profilev1.Contract, listingContract))
)

// sharedTable has items that belong to one of two contracts, to both or to
// none: every company has a profile unless it is private, and a listing where
// it says so.
const sharedTable = `
service: profile
publishes:
  - contract: company.profile/v1
    table: companies
    key: {cik: "{cik}"}
    match: {private: {exists: false}}
  - contract: company.listing/v1
    table: companies
    key: {cik: "{cik}"}
    match: {kind: {equals: listed}}
`

// history is a table in memory with its stream, a relay or two, and everything
// that was published: fast enough for thousands of random histories.
type history struct {
	t       *rapid.T
	item    contracts.Item // nil: there is none
	records []replica.Record
	sources []*replica.Source
	sent    map[string][]*contracts.Change // by contract
	relays  [2]*replica.Relay
	read    [2]int // how far each relay is
	now     time.Time
	hook    func() // runs once, between a stamp's read and its write
	letters letters
}

func newHistory(t *rapid.T) *history {
	h := &history{t: t, now: made, sent: make(map[string][]*contracts.Change)}
	m := must(manifest.Parse("replication.yaml", []byte(sharedTable)))
	for i, c := range []*contracts.Contract{profilev1.Contract, listingContract} {
		h.sources = append(h.sources, must(replica.NewSource(m.Service, m.Publishes[i], c)))
	}
	for i := range h.relays {
		h.relays[i] = must(replica.NewRelay(replica.RelayConfig{
			Sources: h.sources, Table: h, Publisher: h, DeadLetters: &h.letters, Logger: quiet,
			Now: func() time.Time { return h.now },
		}))
	}
	return h
}

// write replaces the item, as any writer may, and leaves the stream's record.
func (h *history) write(next contracts.Item, byTTL bool) {
	if h.item.Equal(next) && (h.item == nil) == (next == nil) {
		return // DynamoDB writes no record for a write that changes nothing
	}
	rec := replica.Record{
		EventID: fmt.Sprint(len(h.records)), SequenceNumber: fmt.Sprintf("%021d", len(h.records)+1), ByTTL: byTTL,
		Created: h.now.Truncate(time.Second), Keys: keyOf("1"), Old: h.item, New: next, EventName: replica.Modify,
	}
	switch {
	case h.item == nil:
		rec.EventName = replica.Insert
	case next == nil:
		rec.EventName = replica.Remove
	}
	h.item = next
	h.records = append(h.records, rec)
}

func (h *history) Read(context.Context, contracts.Item) (contracts.Item, error) {
	item := maps.Clone(h.item)
	if hook := h.hook; hook != nil {
		h.hook = nil
		hook()
	}
	return item, nil
}

func (h *history) Restamp(_ context.Context, _, set, was contracts.Item) (bool, error) {
	if h.item == nil {
		return false, nil
	}
	for name, v := range was {
		if !h.item[name].Equal(v) {
			return false, nil
		}
	}
	next := maps.Clone(h.item)
	maps.Copy(next, set)
	h.write(next, false)
	return true, nil
}

func (h *history) PutAbsent(_ context.Context, _, item contracts.Item) (bool, error) {
	if h.item != nil {
		return false, nil
	}
	h.write(item, false)
	return true, nil
}

func (h *history) Publish(_ string, messages ...*message.Message) error {
	for _, m := range messages {
		c, err := contracts.Decode(m.Payload, both1)
		if err != nil {
			return err
		}
		h.sent[c.Contract.ID()] = append(h.sent[c.Contract.ID()], c)
	}
	return nil
}

func (h *history) Close() error { return nil }

// handle lets a relay handle its next records.
func (h *history) handle(relay, n int) {
	from := h.read[relay]
	to := min(from+n, len(h.records))
	if failed := h.relays[relay].Handle(context.Background(), slices.Clone(h.records[from:to])); len(failed) > 0 {
		h.t.Fatalf("failed: %v", failed)
	}
	h.read[relay] = to
}

var (
	clocks = rapid.SampledFrom([]time.Duration{0, 0, 0, -2 * time.Second, 2 * time.Second, -4 * time.Minute, 20 * time.Hour})
	names  = rapid.SampledFrom([]string{"Ada", "Bob", "Cyd"})
	pauses = rapid.SampledFrom([]time.Duration{0, time.Millisecond, 3 * time.Second, 10 * time.Minute, 40 * 24 * time.Hour})
)

// step does something at random: a write of the owner's own, a foreign one,
// time, or a relay's work.
func (h *history) step() {
	h.now = h.now.Add(time.Millisecond)
	t, next := h.t, maps.Clone(h.item)
	if next == nil {
		next = keyOf("1")
	}
	was := contracts.VersionOf(h.item["version"], h.now.Add(contracts.MaxAhead))
	own := func() {
		next["version"] = must(contracts.Next(h.now.Add(clocks.Draw(t, "owner's clock")), was)).Value()
	}
	switch what := rapid.SampledFrom([]string{
		"own write", "own write", "own delete", "foreign write", "foreign put", "foreign delete", "ttl", "bookkeeping", "pause", "relay", "relay",
	}).Draw(t, "step"); what {
	case "own write":
		delete(next, "deleted")
		delete(next, "expiresAt")
		h.content(next)
		own()
		h.write(next, false)
	case "own delete":
		next = keyOf("1")
		next["deleted"] = contracts.Bool(true)
		own()
		next["expiresAt"] = contracts.Number(fmt.Sprint(h.now.Add(replica.SourceTombstoneLife).Unix()))
		h.write(next, false)
	case "foreign write": // keeps the version
		if rapid.Bool().Draw(t, "of the deletion") {
			delete(next, "deleted")
		}
		h.content(next)
		h.write(next, false)
	case "foreign put": // drops it, or brings an old one
		if h.forgetful(was) {
			return
		}
		next = keyOf("1")
		h.content(next)
		if age := rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour, -time.Hour, -30 * time.Hour}).Draw(t, "age"); age != 0 {
			next["version"] = contracts.VersionAt(h.now.Add(-age)).Value()
		}
		h.write(next, false)
	case "foreign delete":
		if !h.forgetful(was) {
			h.write(nil, false)
		}
	case "ttl":
		if at, ok := h.item["expiresAt"]; ok && contracts.VersionOf(at, time.Time{}) < contracts.Version(h.now.Unix()) {
			h.write(nil, true)
		}
	case "bookkeeping": // a foreign write of what is only ours to write
		if h.item == nil || h.forgetful(was) {
			return
		}
		switch rapid.IntRange(0, 3).Draw(t, "of") {
		case 0:
			next["stampedVersion"] = contracts.Number("9223372036854775807")
		case 1:
			next["deleted"] = contracts.Bool(true)
		case 2:
			if next["deleted"].Bool() {
				return // an expiry is nobody's business, and shared by nobody
			}
			next["expiresAt"] = contracts.Number(fmt.Sprint(h.now.Unix()))
		case 3:
			next["version"] = contracts.String("7")
		}
		h.write(next, false)
	case "pause":
		h.now = h.now.Add(pauses.Draw(t, "for"))
	case "relay":
		relay := rapid.IntRange(0, 1).Draw(t, "number")
		var broken any // rapid ends a case by a panic, here in a goroutine of the relay's
		if rapid.Bool().Draw(t, "interrupted") {
			h.hook = func() {
				defer func() { broken = recover() }()
				h.step()
			}
		}
		if rapid.IntRange(0, 9).Draw(t, "restarted") == 0 {
			h.read[relay] = rapid.IntRange(0, h.read[relay]).Draw(t, "at")
		}
		h.handle(relay, rapid.IntRange(1, 6).Draw(t, "records"))
		h.hook = nil
		if broken != nil {
			panic(broken)
		}
	}
}

// forgetful says that nobody would notice if a foreign write took the version,
// which a slow clock could fall below, from an item that is of no contract at
// present: the one history that the relay does not look at.
func (h *history) forgetful(version contracts.Version) bool {
	return h.item != nil && !isProfile(h.item) && !isListing(h.item) && version > contracts.VersionAt(h.now.Add(-5*time.Minute))
}

func isProfile(item contracts.Item) bool { return item["private"].IsZero() }

func isListing(item contracts.Item) bool { return item["kind"].Text() == "listed" }

// content changes some of what is shared, and which contracts the item is of.
func (h *history) content(item contracts.Item) {
	for _, attribute := range []string{"name", "sector", "kind", "private"} {
		if rapid.IntRange(0, 2).Draw(h.t, attribute) > 0 && item[attribute].Kind() == contracts.KindString {
			continue
		}
		value := contracts.String(names.Draw(h.t, "value"))
		switch {
		case attribute == "kind":
			value = contracts.String(rapid.SampledFrom([]string{"listed", "unlisted"}).Draw(h.t, "kind"))
		case attribute == "private" && rapid.Bool().Draw(h.t, "public"):
			delete(item, "private")
			continue
		case attribute == "sector" && rapid.IntRange(0, 3).Draw(h.t, "violation") == 0:
			value = contracts.Number("7") // such a state can never be published
		}
		item[attribute] = value
	}
}

// ends fails unless a subscriber of these attributes ends with what the source
// holds, having seen only what its filter lets through.
func (h *history) ends(s *replica.Source, of func(contracts.Item) bool, filter []string) {
	var top *contracts.Change
	for _, c := range h.sent[s.Contract().ID()] {
		passes := slices.ContainsFunc(c.Changed, func(name string) bool { return slices.Contains(filter, name) })
		if passes && (top == nil || c.Version > top.Version) {
			top = c
		}
	}
	live := h.item != nil && !h.item["deleted"].Bool() && of(h.item)
	switch {
	case top == nil && !live:
		return
	case top == nil:
		h.t.Fatalf("subscriber of %v to %s has nothing, the source has %v", filter, s.Contract().ID(), h.item)
	case live != (top.Operation == contracts.Upsert):
		h.t.Fatalf("subscriber of %v to %s ends with %s@%s, the source is live: %v: %v", filter, s.Contract().ID(), top.Operation, top.Version, live, h.item)
	}
	for _, name := range filter {
		if live && !top.Attributes[name].Equal(h.item[name]) {
			h.t.Fatalf("subscriber of %v to %s ends with %s %q@%s, the source has %v", filter, s.Contract().ID(), name, top.Attributes[name].Text(), top.Version, h.item)
		}
	}
}

// Whatever writes the owner and others make, whatever stamps meet in between,
// however records are batched, merged and handled again, by two relays: a
// subscriber of any attributes ends with their latest values, of either
// contract of the table.
func TestEveryFilterEndsWithTheLatestValues(t *testing.T) {
	property := func(t *rapid.T) {
		h := newHistory(t)
		for range rapid.IntRange(1, 14).Draw(t, "steps") {
			h.step()
		}
		for h.read[0] < len(h.records) {
			if len(h.records) > 200 {
				t.Fatal("stamps loop")
			}
			h.handle(0, rapid.IntRange(1, 6).Draw(t, "records"))
		}
		if h.item["sector"].Kind() == contracts.KindNumber || h.item["name"].IsZero() && !h.item["deleted"].Bool() {
			return // cannot be published; it is in the dead-letter queue
		}
		for _, filter := range [][]string{{"name"}, {"sector"}, {"name", "sector"}} {
			h.ends(h.sources[0], isProfile, filter)
			h.ends(h.sources[1], isListing, filter)
		}
	}
	for range 10 { // a hundred cases each
		rapid.Check(t, property)
	}
}
