package replica_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

func profileSource(t testing.TB) *replica.Source {
	t.Helper()
	m := profileManifest(t)
	return must(replica.NewSource(m.Service, m.Publishes[0], profilev1.Contract))
}

// directorySource is the source of a table that contracts share, told apart by
// an attribute and by the key.
func directorySource(t testing.TB) *replica.Source {
	t.Helper()
	m := must(manifest.Parse("replication.yaml", []byte(singleTable)))
	return must(replica.NewSource(m.Service, m.Publishes[0], profilev1.Contract))
}

func directoryItem(sk string, more contracts.Item) contracts.Item {
	item := contracts.Item{"pk": contracts.String("COMPANY"), "sk": contracts.Number(sk), "version": contracts.Number("7")}
	for name, v := range more {
		item[name] = v
	}
	return item
}

func TestASnapshotIsTheItemThroughTheContract(t *testing.T) {
	now := time.UnixMicro(1731000000000000)
	listed := attrs("kind", "company-listed", "name", "A")
	with := func(name string, v contracts.Value) contracts.Item {
		item := directoryItem("5", listed)
		item[name] = v
		return item
	}
	stampedFor := func(contract string) contracts.Item {
		return directoryItem("5", contracts.Item{"kind": contracts.String("person"), "stampedVersionFor": contracts.StringSet(contract)})
	}
	live := replica.Snapshot{Subject: "5", Version: 7, Live: true, Shared: attrs("name", "A")}
	unversioned := live
	unversioned.Version = 0
	for name, c := range map[string]struct {
		item contracts.Item
		want *replica.Snapshot // nil: not ours
	}{
		"live":                                   {directoryItem("5.0", listed), &live},
		"a tombstone":                            {with("deleted", contracts.Bool(true)), &replica.Snapshot{Subject: "5", Version: 7}},
		"no version":                             {with("version", contracts.Null()), &unversioned},
		"a version that is no number":            {with("version", contracts.String("7")), &unversioned},
		"a version more than a day ahead":        {with("version", contracts.VersionAt(now.Add(25*time.Hour)).Value()), &unversioned},
		"another contract's by the key":          {with("pk", contracts.String("USER")), nil},
		"another contract's by an attribute":     {directoryItem("5", attrs("kind", "person", "name", "A")), nil},
		"stamped when it left the contract":      {stampedFor(profilev1.Contract.ID()), &replica.Snapshot{Subject: "5", Version: 7}},
		"stamped when it left another":           {stampedFor("company.else/v1"), nil},
		"a key of a type that makes no subject":  {with("sk", contracts.Binary([]byte{1})), nil},
		"without an attribute of its own key":    {attrs("pk", "COMPANY", "kind", "company-listed"), nil},
		"an item that is not there":              {nil, nil},
		"an attribute that the contract has not": {with("age", contracts.Number("1")), &live},
	} {
		t.Run(name, func(t *testing.T) {
			got, ours, err := directorySource(t).Snapshot(c.item, now)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == nil {
				if ours {
					t.Fatalf("it is ours: %+v", got)
				}
				return
			}
			if diff := cmp.Diff(*c.want, got); diff != "" || !ours {
				t.Errorf("ours %v, -want +got:\n%s", ours, diff)
			}
		})
	}
}

// Every state that can be announced lists every attribute, so that it passes
// any filter; what violates the contract is refused with the reason.
func TestAnAnnouncementPassesEveryFilter(t *testing.T) {
	s, now := profileSource(t), time.UnixMicro(1731000000000000)
	for _, snap := range []replica.Snapshot{{Subject: "1", Version: 9, Live: true, Shared: attrs("name", "A")}, {Subject: "1", Version: 9}} {
		change, err := s.Announce(snap, contracts.Backfill, now)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.Contract().Names(), change.Changed); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if deleted := change.Operation == contracts.Delete; deleted == snap.Live || change.Version != 9 || change.Origin != contracts.Backfill || change.Published != now {
			t.Errorf("announced as %+v", change)
		}
	}
	_, err := s.Announce(replica.Snapshot{Subject: "1", Version: 9, Live: true, Shared: contracts.Item{"name": contracts.Number("1")}}, contracts.Backfill, now)
	if rejected, ok := errors.AsType[*replica.RejectedError](err); !ok || rejected.Reason != "state violates the contract" {
		t.Errorf("a name that is a number: %v", err)
	}
	if change, err := s.Announce(replica.Snapshot{Subject: "1", Live: true}, contracts.Backfill, now); err == nil {
		t.Errorf("announced without a version: %+v", change)
	}
}

func TestKeyIsTheInverseOfSubject(t *testing.T) {
	s := directorySource(t)
	key, err := s.Key("320193")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(contracts.Item{"pk": contracts.String("COMPANY"), "sk": contracts.Number("320193")}, key); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if subject, ours, err := s.Subject(key); subject != "320193" || !ours || err != nil {
		t.Errorf("the subject of that key is %q, ours %v, %v", subject, ours, err)
	}
	if key, err := s.Key("Apple"); err == nil {
		t.Errorf("the number Apple has the key %v", key)
	}
}

// A replay is what the relay published, first published when the record was
// made, and nothing where the relay would publish nothing.
func TestAReplayIsWhatTheRelayWouldPublish(t *testing.T) {
	s, created := profileSource(t), time.UnixMicro(1731000000000000).Truncate(time.Second)
	at := func(v contracts.Version, name string) contracts.Item {
		item := named("1", name)
		item["version"] = v.Value()
		return item
	}
	version := contracts.VersionAt(created)
	record := func(before, after contracts.Item) *replica.Record {
		return &replica.Record{Created: created, Keys: keyOf("1"), Old: before, New: after}
	}
	change, err := s.Replayed(record(at(version-1, "A"), at(version, "B")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"name"}, change.Changed); diff != "" || change.Origin != contracts.Replay || !change.Published.Equal(created) || change.Version != version {
		t.Errorf("replayed as %+v", change)
	}
	for name, rec := range map[string]*replica.Record{
		"an unshared attribute":                  record(at(version-1, "A"), at(version, "A")),
		"a foreign write, which gets a stamp":    record(at(version, "A"), at(version, "B")),
		"a delete by hand, which gets a stamp":   record(at(version, "A"), nil),
		"a key that is none of the contract's":   {Created: created, Keys: attrs("id", "1"), New: at(version, "A")},
		"the purge of a tombstone by DynamoDB's": {Created: created, Keys: keyOf("1"), ByTTL: true, Old: contracts.Item{"deleted": contracts.Bool(true)}},
	} {
		if change, err := s.Replayed(rec); change != nil || err != nil {
			t.Errorf("%s is replayed as %+v, %v", name, change, err)
		}
	}
	damaged := record(nil, nil)
	damaged.Damaged = errors.New("a type of tomorrow")
	for name, rec := range map[string]*replica.Record{
		"undecodable record":          damaged,
		"state violates the contract": record(nil, contracts.Item{"cik": contracts.String("1"), "name": contracts.Number("1"), "version": version.Value()}),
	} {
		_, err := s.Replayed(rec)
		if rejected, ok := errors.AsType[*replica.RejectedError](err); !ok || rejected.Reason != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}
