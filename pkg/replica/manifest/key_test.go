package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

const singleTable = `
service: orgs
tables:
  - name: app
    partition_key: {name: pk, type: S}
    sort_key: {name: sk, type: "N"}
    stream: true
    ttl_attribute: expiresAt
  - name: copies
    partition_key: {name: id, type: "N"}
publishes:
  - contract: org.member/v1
    table: app
    key: {pk: "ORG#{org}", sk: "{number}"}
    subject: "{org}/{number}"
subscribes:
  - contract: org.member/v1
    attributes: [name]
    replicas:
      - table: copies
        subject: "{org}/{number}"
        key: {id: "{number}"}
        set: {name: name}
        version_attribute: memberVersion
`

func TestKeysAndSubjectsAreInverse(t *testing.T) {
	m := mustParse(t, strings.Replace(singleTable, `subject: "{org}/{number}"
        key: {id: "{number}"}`, "key: {id: subject}", 1))
	p, _ := m.Publication("org.member/v1")
	rapid.Check(t, func(t *rapid.T) {
		key := map[string]string{
			"pk": "ORG#" + rapid.StringMatching(`[a-z#]{1,5}`).Draw(t, "org"),
			"sk": fmt.Sprint(rapid.Int64().Draw(t, "number")),
		}
		subject, ours := p.SubjectOf(key)
		if !ours {
			t.Fatalf("%v is not ours", key)
		}
		back, err := p.KeyOf(subject)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(key, back); diff != "" {
			t.Fatalf("through the subject %s (-want +got):\n%s", subject, diff)
		}
	})
}

func TestIdentify(t *testing.T) {
	m := mustParse(t, strings.Replace(singleTable, `subject: "{org}/{number}"
        key: {id: "{number}"}`, "key: {id: subject}", 1))
	p, _ := m.Publication("org.member/v1")
	for _, row := range []struct {
		behaviour, pk, sk string
		subject           string
		ours, fails       bool
	}{
		{"an item of the contract", "ORG#acme", "7", "acme/7", true, false},
		{"another text of the same number is the same item", "ORG#acme", "7.0", "acme/7", true, false},
		{"an exponent too", "ORG#acme", "1.2E+3", "acme/1200", true, false},
		{"another prefix is not ours", "USER#acme", "7", "", false, false},
		{"no number is not ours", "ORG#acme", "seven", "", false, false},
		{"a number beyond DynamoDB's is not ours", "ORG#acme", "1e1000000000", "", false, false},
		{"ours, and without a subject that reads back, is an error", "ORG#ac/me", "7", "", true, true},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			subject, ours, err := p.Identify(map[string]string{"pk": row.pk, "sk": row.sk})
			if subject != row.subject || ours != row.ours || (err != nil) != row.fails {
				t.Fatalf("got %q, %v, %v", subject, ours, err)
			}
			again, ok := p.SubjectOf(map[string]string{"pk": row.pk, "sk": row.sk})
			if again != subject || ok != (ours && err == nil) {
				t.Fatalf("SubjectOf says %q, %v", again, ok)
			}
		})
	}
	if _, ours := p.SubjectOf(map[string]string{"pk": "ORG#acme"}); ours {
		t.Error("half a key was taken for an item's")
	}
}

func TestLocalKeys(t *testing.T) {
	m := mustParse(t, strings.Replace(singleTable, `key: {id: "{number}"}`, `key: {id: "{number}"}
        # {org} would be lost`, 1), "{org} is missing")
	if m != nil {
		t.Fatal("two subjects would have shared a local item")
	}
	m = mustParse(t, strings.Replace(singleTable, `subject: "{org}/{number}"
        key: {id: "{number}"}`, `subject: "ORG-{number}"
        key: {id: "{number}"}`, 1))
	s, _ := m.Subscription("org.member/v1")
	r := s.Replicas[0]
	key, err := r.KeyFor("ORG-12")
	if diff := cmp.Diff(map[string]string{"id": "12"}, key); err != nil || diff != "" {
		t.Fatalf("%v\n%s", err, diff)
	}
	if r.KeyType("id") != "N" {
		t.Errorf("the key's type is %s", r.KeyType("id"))
	}
	for subject, says := range map[string]string{
		"12":      "does not have the form",
		"ORG-012": "no number in its shortest form", // would be 12's item
		"ORG-x":   "no number in its shortest form",
	} {
		if _, err := r.KeyFor(subject); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v", subject, err)
		}
	}
}

// mustParse parses a manifest; with says, it must be refused with that text.
func mustParse(t *testing.T, text string, says ...string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Parse("test.yaml", []byte(text))
	if len(says) == 0 {
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if err == nil || !strings.Contains(err.Error(), says[0]) {
		t.Fatalf("got %v, want %q", err, says[0])
	}
	return nil
}

func TestBookkeepingNamesDeriveFromTheVersionAttribute(t *testing.T) {
	for version, want := range map[string]manifest.Bookkeeping{
		"version":        {Version: "version", Stamped: "stampedVersion", Deleted: "deleted", ExpiresAt: "expiresAt", Mapping: "mapping"},
		"profileVersion": {Version: "profileVersion", Stamped: "profileStampedVersion", Deleted: "profileDeleted", ExpiresAt: "profileExpiresAt", Mapping: "profileMapping"},
		"Version":        {Version: "Version", Stamped: "VersionStamped", Deleted: "VersionDeleted", ExpiresAt: "VersionExpiresAt", Mapping: "VersionMapping"},
		"rev":            {Version: "rev", Stamped: "revStamped", Deleted: "revDeleted", ExpiresAt: "revExpiresAt", Mapping: "revMapping"},
	} {
		if diff := cmp.Diff(want, manifest.Replica{VersionAttribute: version}.Bookkeeping()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", version, diff)
		}
	}
	if got := (manifest.Publication{}).Bookkeeping().Version; got != "version" {
		t.Errorf("a publication's version is %q by default", got)
	}
}

// Where the subject is the whole key, KeyFor says the same.
func TestTheWholeKeyIsTheSubject(t *testing.T) {
	for name, c := range map[string]struct {
		key, subject string
		want         bool
	}{
		"the subject":                   {"{cik: subject}", "", true},
		"the subject's only part":       {"{cik: '{id}'}", "'{id}'", true},
		"the subject though it has two": {"{cik: subject}", "'{a}/{b}'", false},
		"more than the subject":         {"{cik: 'C-{id}'}", "'{id}'", false},
	} {
		text := fmt.Sprintf(wholeKeyManifest, c.key)
		if c.subject != "" {
			text = strings.Replace(text, "        key:", "        subject: "+c.subject+"\n        key:", 1)
		}
		m, err := manifest.Parse("replication.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r := m.Subscribes[0].Replicas[0]
		attribute, ok := r.WholeKey()
		if ok != c.want {
			t.Errorf("%s: %v", name, ok)
			continue
		}
		for _, subject := range []string{"1", "a/b", "{x}", "ü"} {
			key, err := r.KeyFor(subject)
			if ok && (err != nil || len(key) != 1 || key[attribute] != subject) {
				t.Errorf("%s: key of %q is %v, %v", name, subject, key, err)
			}
		}
	}
}

const wholeKeyManifest = `
service: stats
tables:
  - name: company-stats
    partition_key: {name: cik, type: S}
subscribes:
  - contract: company.profile/v1
    attributes: [name]
    replicas:
      - table: company-stats
        key: %s
        set: {companyName: name}
        version_attribute: profileVersion
        on_delete: clear
`
