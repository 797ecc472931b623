package manifest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

const togetherOwner = `service: profile
tables:
  - {name: companies, partition_key: {name: cik, type: S}, stream: true, ttl_attribute: expiresAt}
publishes:
  - contract: company.profile/v1
    table: companies
    key: {cik: "{cik}"}
`

const togetherSubscriber = `service: stats
tables:
  - {name: company-stats, partition_key: {name: cik, type: S}}
subscribes:
  - contract: company.profile/v1
    attributes: [name]
    replicas:
      - {table: company-stats, key: {cik: subject}, set: {companyName: name}, version_attribute: profileVersion}
`

// Each pair of manifests is valid alone and unsafe together.
func TestManifestsAreCheckedAgainstEachOther(t *testing.T) {
	for _, row := range []struct {
		behaviour, first, second string
		want                     []string // rule and field
	}{
		{"an owner and its subscriber go together", togetherOwner, togetherSubscriber, nil},
		{"the order of manifests means nothing", togetherSubscriber, togetherOwner, nil},
		{"a service has one manifest", togetherSubscriber, strings.ReplaceAll(togetherSubscriber, "company-stats", "other-stats"),
			[]string{"one-owner service", "one-owner subscribes[0].queue.name", "one-owner subscribes[0].queue.dead_letter_queue", "one-owner subscribes[0].control_table",
				"unpublished subscribes[0].contract", "unpublished subscribes[0].contract"}},
		{"a table has one owner", togetherOwner, strings.ReplaceAll(togetherSubscriber, "company-stats", "companies"), []string{"one-owner tables[0].name"}},
		{"a table that is declared elsewhere has one too", togetherOwner,
			strings.ReplaceAll(strings.Replace(togetherSubscriber, "tables:\n  - {name: company-stats, partition_key: {name: cik, type: S}}\n", "", 1), "company-stats", "companies"),
			[]string{"one-owner subscribes[0].replicas[0].table"}},
		{"a contract and its topic have one owner", togetherOwner, strings.NewReplacer("service: profile", "service: twin", "companies", "firms").Replace(togetherOwner),
			[]string{"one-owner publishes[0].contract", "one-owner publishes[0].topic"}},
		{"a checkpoint table is not shared", togetherOwner,
			strings.Replace(strings.NewReplacer("service: profile", "service: twin", "companies", "firms", "company.profile", "company.filing").Replace(togetherOwner), "    key:", "    checkpoint_table: profile-relay-checkpoints\n    key:", 1),
			[]string{"one-owner publishes[0].checkpoint_table"}},
		{"a queue has one owner", togetherSubscriber, strings.NewReplacer("service: stats", "service: news", "company-stats", "news-items", "    attributes", "    queue: {name: stats-company-profile-v1}\n    attributes").Replace(togetherSubscriber),
			[]string{"one-owner subscribes[0].queue.name", "one-owner subscribes[0].queue.dead_letter_queue", "unpublished subscribes[0].contract", "unpublished subscribes[0].contract"}},
		{"owner and subscriber name one topic", strings.Replace(togetherOwner, "    table:", "    topic: profiles\n    table:", 1), togetherSubscriber, []string{"topic-mismatch subscribes[0].topic"}},
		{"another major version is another contract", strings.ReplaceAll(togetherOwner, "/v1", "/v2"), togetherSubscriber, []string{"unpublished subscribes[0].contract"}},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			var all []*manifest.Manifest
			for i, text := range []string{row.first, row.second} {
				m, err := manifest.Parse([]string{"first.yaml", "second.yaml"}[i], []byte(text))
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, m)
			}
			var got []string
			for _, p := range manifest.Problems(manifest.CheckTogether(all)) {
				got = append(got, p.Rule+" "+p.Field)
				if p.File == "" || p.Line == 0 || p.Problem == "" || p.Advice == "" {
					t.Errorf("not everything is said: %+v", p)
				}
			}
			slices.Sort(row.want)
			slices.Sort(got)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Every problem names a rule that exists, and no two rules have one name.
func TestRulesAreNamedAndReasoned(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range manifest.Rules() {
		if r.ID == "" || r.Says == "" || r.Why == "" || seen[r.ID] {
			t.Errorf("not everything is said, or twice: %+v", r)
		}
		seen[r.ID] = true
		if got, ok := manifest.RuleOf(r.ID); !ok || got != r {
			t.Errorf("%s is found as %+v", r.ID, got)
		}
	}
	if _, ok := manifest.RuleOf("frobnicate"); ok {
		t.Error("a rule that does not exist was found")
	}
}
