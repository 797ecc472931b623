package replica

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// created is when the records of these tests were made.
var created = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is a version that lies d after created.
func at(d time.Duration) contracts.Version { return contracts.VersionAt(created.Add(d)) }

func profileManifest() *manifest.Manifest {
	m, err := manifest.Parse("replication.yaml", []byte(`
service: profile
publishes:
  - contract: company.profile/v1
    table: companies
    key: {cik: "{cik}"}
`))
	if err != nil {
		panic(err)
	}
	return m
}

func newProfileSource(t testing.TB) *Source {
	t.Helper()
	m := profileManifest()
	s, err := NewSource(m.Service, m.Publishes[0], profilev1.Contract)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var key320193 = contracts.Item{"cik": contracts.String("320193")}

type edit func(contracts.Item)

func company(edits ...edit) contracts.Item {
	item := contracts.Item{
		"cik":    contracts.String("320193"),
		"name":   contracts.String("Apple Inc."),
		"sector": contracts.String("Information Technology"),
	}
	for _, e := range edits {
		e(item)
	}
	return item
}

func version(v contracts.Version) edit {
	return func(i contracts.Item) { i["version"] = v.Value() }
}

func stamped(v contracts.Version) edit {
	return func(i contracts.Item) { i["version"], i["stampedVersion"] = v.Value(), v.Value() }
}

func with(name, text string) edit {
	return func(i contracts.Item) { i[name] = contracts.String(text) }
}

func tombstone(edits ...edit) contracts.Item {
	item := contracts.Item{"cik": contracts.String("320193"), "deleted": contracts.Bool(true)}
	for _, e := range edits {
		e(item)
	}
	return item
}

func record(before, after contracts.Item) *Record {
	name := Modify
	switch {
	case before == nil:
		name = Insert
	case after == nil:
		name = Remove
	}
	return &Record{EventID: "e1", EventName: name, SequenceNumber: "100000000000000000001", Created: created, Keys: key320193, Old: before, New: after}
}

// TestDecisionTable has a case for each row and each alternative within a row
// of DESIGN.md section 7, and for the order of rows.
func TestDecisionTable(t *testing.T) {
	s := newProfileSource(t)
	all := s.contract.Names()
	const rename = "Apple Computer"
	cases := []struct {
		name    string
		rec     *Record
		byTTL   bool
		want    Action
		changed []string
	}{
		{"TTL purges a tombstone", record(tombstone(version(at(0))), nil), true, Ignore, nil},
		{"TTL removes a live item", record(company(version(at(0))), nil), true, Stamp, nil},
		{"somebody removes a live item", record(company(version(at(0))), nil), false, Stamp, nil},
		{"somebody removes a tombstone", record(tombstone(version(at(0))), nil), false, Stamp, nil},

		{"a write drops the version", record(company(version(at(0))), company()), false, Stamp, nil},
		{"a create without a version", record(nil, company()), false, Stamp, nil},
		{"an unshared write without a version", record(company(), company(with("note", "x"))), false, Stamp, nil},
		{"a version that is no number", record(company(version(at(0))), company(with("version", "17"))), false, Stamp, nil},
		{"a version that is no integer", record(nil, company(func(i contracts.Item) { i["version"] = contracts.Number("1.5") })), false, Stamp, nil},
		{"a version of zero", record(nil, company(func(i contracts.Item) { i["version"] = contracts.Number("0") })), false, Stamp, nil},
		{"a version too far ahead", record(company(version(at(0))), company(version(at(25*time.Hour)))), false, Stamp, nil},
		{"a write lowers the version", record(company(version(at(0))), company(version(at(-time.Minute)))), false, Stamp, nil},
		{"a rename keeps the version", record(company(version(at(0))), company(version(at(0)), with("name", rename))), false, Stamp, nil},
		{"a tombstone set by hand keeps the version", record(company(version(at(0))), tombstone(version(at(0)))), false, Stamp, nil},
		{"a restore over nothing", record(nil, company(version(at(-time.Hour)))), false, Stamp, nil},
		{"a restore of another version", record(company(version(at(-2*time.Hour))), company(version(at(-time.Hour)), with("name", rename))), false, Stamp, nil},
		{"a restore with its stamp", record(nil, company(stamped(at(-time.Hour)))), false, Stamp, nil},

		{"an unshared write keeps the version", record(company(version(at(-time.Hour))), company(version(at(-time.Hour)), with("note", "x"))), false, Ignore, nil},

		{"a stamp that changes nothing shared", record(company(version(at(-time.Hour))), company(stamped(at(0)))), false, Publish, all},
		{"a stamp of a tombstone", record(tombstone(version(at(-time.Hour))), tombstone(stamped(at(0)))), false, Publish, all},
		{"a write after a stamp", record(company(stamped(at(-time.Minute))), company(stamped(at(-time.Minute)), version(at(0)))), false, Ignore, nil},

		{"a versioned write of an unshared attribute", record(company(version(at(-time.Hour))), company(version(at(0)), with("note", "x"))), false, Ignore, nil},
		{"a rename", record(company(version(at(-time.Hour))), company(version(at(0)), with("name", rename))), false, Publish, []string{"name"}},
		{"two attributes change", record(company(version(at(-time.Hour))), company(version(at(0)), with("name", rename), with("founded", "1977"))), false, Publish, []string{"name", "founded"}},
		{"an attribute goes", record(company(version(at(-time.Hour))), company(version(at(0)), func(i contracts.Item) { delete(i, "sector") })), false, Publish, []string{"sector"}},
		{"a create", record(nil, company(version(at(0)))), false, Publish, all},
		{"a delete", record(company(version(at(-time.Hour))), tombstone(version(at(0)))), false, Publish, all},
		{"a re-creation", record(tombstone(version(at(-time.Hour))), company(version(at(0)))), false, Publish, all},
		{"a create whose version is just within five minutes", record(nil, company(version(at(-5*time.Minute)))), false, Publish, all},
		{"a clock that is ahead by less than a day", record(nil, company(version(at(23*time.Hour)))), false, Publish, all},
		{"the version was lost and is back", record(company(), company(version(at(0)), with("name", rename))), false, Publish, []string{"name"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.rec.ByTTL = c.byTTL
			d := s.Decide(c.rec)
			if d.Action != c.want {
				t.Fatalf("decided to %s, want %s", d.Action, c.want)
			}
			if diff := cmp.Diff(c.changed, d.Changed); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
			if d.Action != Ignore && d.Subject != "320193" {
				t.Errorf("subject %q", d.Subject)
			}
		})
	}
}

func TestDecideSeesAnotherVersionOfANumberAsUnchanged(t *testing.T) {
	s := newProfileSource(t)
	before, after := company(version(at(-time.Hour))), company(version(at(0)))
	before["founded"], after["founded"] = contracts.Number("1.0"), contracts.Number("1")
	if d := s.Decide(record(before, after)); d.Action != Ignore {
		t.Errorf("decided to %s: 1.0 and 1 are one number", d.Action)
	}
}

// TestDecideInASingleTable shows that only the items a contract matches concern
// it, and what it means to leave the contract or join it.
func TestDecideInASingleTable(t *testing.T) {
	m, err := manifest.Parse("replication.yaml", []byte(`
service: directory
publishes:
  - contract: company.profile/v1
    table: everything
    key: {pk: "COMPANY-{company}", sk: PROFILE}
    match: {kind: {equals: profile}}
`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSource(m.Service, m.Publishes[0], profilev1.Contract)
	if err != nil {
		t.Fatal(err)
	}
	item := func(pk, sk, kind string, edits ...edit) contracts.Item {
		i := contracts.Item{"pk": contracts.String(pk), "sk": contracts.String(sk), "kind": contracts.String(kind), "name": contracts.String("Apple")}
		for _, e := range edits {
			e(i)
		}
		return i
	}
	record := func(before, after contracts.Item) *Record {
		r := record(before, after)
		keys := after
		if keys == nil {
			keys = before
		}
		r.Keys = contracts.Item{"pk": keys["pk"], "sk": keys["sk"]}
		return r
	}
	const pk, sk = "COMPANY-320193", "PROFILE"
	left := func(i contracts.Item) {
		i["stampedVersionFor"] = contracts.StringSet("other.contract/v1", "company.profile/v1")
	}
	for name, c := range map[string]struct {
		rec  *Record
		want Action
		live bool
	}{
		"an item of the contract":                 {record(nil, item(pk, sk, "profile", version(at(0)))), Publish, true},
		"another key":                             {record(nil, item("USER-1", sk, "profile")), Ignore, false},
		"another sort key":                        {record(nil, item(pk, "HISTORY", "profile")), Ignore, false},
		"another kind":                            {record(nil, item(pk, sk, "audit")), Ignore, false},
		"a versioned write leaves the contract":   {record(item(pk, sk, "profile", version(at(-time.Hour))), item(pk, sk, "audit", version(at(0)))), Publish, false},
		"a foreign write leaves the contract":     {record(item(pk, sk, "profile", version(at(-time.Hour))), item(pk, sk, "audit", version(at(-time.Hour)))), Stamp, false},
		"the stamp of one that left":              {record(item(pk, sk, "audit", version(at(-time.Hour))), item(pk, sk, "audit", stamped(at(0)), left)), Publish, false},
		"another contract's stamp":                {record(item(pk, sk, "audit", version(at(-time.Hour))), item(pk, sk, "audit", stamped(at(0)))), Ignore, false},
		"a later write to one that left":          {record(item(pk, sk, "audit", stamped(at(-time.Hour)), left), item(pk, sk, "audit", stamped(at(-time.Hour)), left, version(at(0)))), Ignore, false},
		"a versioned write joins the contract":    {record(item(pk, sk, "audit", version(at(-time.Hour))), item(pk, sk, "profile", version(at(0)))), Publish, true},
		"the removal of one that was not of it":   {record(item(pk, sk, "audit"), nil), Ignore, false},
		"the removal of one that was of it":       {record(item(pk, sk, "profile"), nil), Stamp, false},
		"a tombstone that keeps what match needs": {record(item(pk, sk, "profile", version(at(-time.Hour))), item(pk, sk, "profile", version(at(0)), func(i contracts.Item) { i["deleted"] = contracts.Bool(true) })), Publish, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := s.Decide(c.rec)
			if d.Action != c.want || d.after.live != c.live {
				t.Errorf("decided to %s a live=%v state, want %s live=%v", d.Action, d.after.live, c.want, c.live)
			}
			if d.Action == Publish && d.Subject != "320193" {
				t.Errorf("subject %q", d.Subject)
			}
		})
	}
}

func TestStampFloorOutbidsEverythingTheRecordShows(t *testing.T) {
	s := newProfileSource(t)
	for _, c := range []struct{ o, n time.Duration }{{0, -time.Hour}, {-time.Hour, 0}, {-time.Hour, -2 * time.Hour}, {time.Hour, 0}} {
		t.Run(fmt.Sprint(c.o, c.n), func(t *testing.T) {
			d := s.Decide(record(company(version(at(c.o))), company(version(at(c.n)), with("name", "x"))))
			if d.Action != Stamp {
				return // a plain versioned write
			}
			if least := max(at(c.o), at(c.n), at(-clockSkew)); d.floor != least {
				t.Errorf("floor %s, want %s", d.floor, least)
			}
		})
	}
}
