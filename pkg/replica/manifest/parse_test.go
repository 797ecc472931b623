package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"github.com/tributary-dev/tributary/pkg/contracts/catalog"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// sameManifest compares what manifests say, not where they say it.
var sameManifest = cmpopts.IgnoreUnexported(manifest.Manifest{}, manifest.Publication{}, manifest.Replica{})

func TestDefaults(t *testing.T) {
	m := mustParse(t, `
service: stats
tables:
  - name: watchlists
    partition_key: {name: user, type: S}
    sort_key: {name: cik, type: S}
    indexes: [{name: by-cik, partition_key: {name: cik, type: S}}]
  - name: companies
    partition_key: {name: cik, type: S}
    stream: true
    ttl_attribute: expiresAt
  - {name: company-stats, partition_key: {name: cik, type: S}}
publishes:
  - contract: company.stats/v2
    table: companies
    key: {cik: "C-{id}"}
subscribes:
  - contract: company.profile/v1
    attributes: [name]
    queue: {visibility_timeout: 90s}
    replicas:
      - {table: company-stats, key: {cik: subject}, set: {label: name}, version_attribute: v}
      - {table: watchlists, index: by-cik, set: {label: name}, version_attribute: v}
      - {function: keep}
`)
	yes, no := true, false
	whole := parse(t, "subject")
	want := &manifest.Manifest{
		Service: "stats",
		Tables:  m.Tables,
		Publishes: []manifest.Publication{{
			Contract: "company.stats/v2", Topic: "company-stats-v2", Table: "companies",
			Key: map[string]manifest.Template{"cik": parse(t, "C-{id}")}, Subject: parse(t, "{id}"), VersionAttribute: "version",
			DeadLetterQueue: "stats-company-stats-v2-relay-dlq", CheckpointTable: "stats-relay-checkpoints",
		}},
		Subscribes: []manifest.Subscription{{
			Contract: "company.profile/v1", Topic: "company-profile-v1", Attributes: []string{"name"},
			Queue: manifest.Queue{
				Name: "stats-company-profile-v1", DeadLetterQueue: "stats-company-profile-v1-dlq",
				VisibilityTimeout: manifest.Duration(90 * time.Second), HandlerTimeout: manifest.Duration(60 * time.Second), MaxReceiveCount: 10,
			},
			ControlTable: "stats-replication-control",
			Replicas: []manifest.Replica{
				{Table: "company-stats", Subject: whole, Key: map[string]manifest.Template{"cik": whole}, Set: map[string]manifest.From{"label": {Attribute: "name"}},
					VersionAttribute: "v", OnDelete: manifest.Clear, Create: &yes},
				{Table: "watchlists", Index: "by-cik", Subject: whole, Key: map[string]manifest.Template{"cik": whole}, Set: map[string]manifest.From{"label": {Attribute: "name"}},
					VersionAttribute: "v", OnDelete: manifest.Clear, Create: &no, SecondPass: manifest.Duration(10 * time.Second)},
				{Function: "keep", Subject: whole},
			},
		}},
	}
	if diff := cmp.Diff(want, m, sameManifest); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	if m.Tables[0].Indexes[0].Projection != manifest.ProjectAll {
		t.Errorf("an index projects %s by default", m.Tables[0].Indexes[0].Projection)
	}
}

// Single-table designs may keep copies of two contracts under one version
// attribute, because no item can be both; where it can, it is refused.
func TestCopiesOfOneTableStayApart(t *testing.T) {
	const text = `
service: orgs
subscribes:
  - contract: org.member/v1
    attributes: [name]
    replicas:
      - {table: app, key: {pk: "MEMBER-{subject}"}, set: {name: name}, version_attribute: version}
  - contract: org.unit/v1
    attributes: [name]
    replicas:
      - {table: app, key: {pk: "UNIT-{subject}"}, set: {name: name}, version_attribute: version}
`
	mustParse(t, text)
	mustParse(t, strings.Replace(text, `"UNIT-{subject}"`, `"MEMBER-{subject}"`, 1), "one version cannot stand for two copies")
	mustParse(t, strings.Replace(text, `"UNIT-{subject}"`, `"MEM{subject}"`, 1), "one version cannot stand for two copies")
	mustParse(t, strings.Replace(strings.Replace(text, `"UNIT-{subject}"`, `"MEMBER-{subject}"`, 1), "version}\n", "rev}\n", 1), "name is written by")
}

func TestAFilterPolicyDoesNotDependOnTheOrderOfAttributes(t *testing.T) {
	a := manifest.Subscription{Attributes: []string{"sector", "name"}}
	const want = `{"audience":["all","stats"],"changed":["name","sector"]}`
	if got := a.FilterPolicy("stats"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if a.Attributes[0] != "sector" {
		t.Error("the subscription was changed")
	}
}

// FuzzParse: whatever the file has, Parse ends, names the file in every
// problem, and accepts only what it accepts again when written out.
func FuzzParse(f *testing.F) {
	f.Add([]byte(singleTable))
	seeds, _ := filepath.Glob("testdata/refused/*.yaml")
	for _, service := range []string{"profile", "stats"} {
		seeds = append(seeds, filepath.Join("..", "..", "..", "services", service, manifest.FileName))
	}
	for _, seed := range seeds {
		data, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := manifest.Parse("fuzz.yaml", data)
		if err != nil {
			problems := manifest.Problems(err)
			if len(problems) == 0 {
				t.Fatalf("an error without a problem: %v", err)
			}
			for _, p := range problems {
				if p.File != "fuzz.yaml" || p.Problem == "" {
					t.Fatalf("not everything is said: %+v", p)
				}
			}
			return
		}
		_ = m.CheckContracts(catalog.All()) // whatever it says, it must not panic
		text, err := yaml.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := manifest.Parse("again.yaml", text)
		if err != nil {
			t.Fatalf("written out it is refused: %v\n%s", err, text)
		}
		if diff := cmp.Diff(m, again, sameManifest, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("written out it says something else (-was +is):\n%s", diff)
		}
	})
}
