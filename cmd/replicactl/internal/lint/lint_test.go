package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lint"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/catalog"
)

const (
	tables = "service: stats\ntables:\n  - {name: copies, partition_key: {name: cik, type: S}}\n"
	copies = `subscribes:
  - contract: company.profile/v1
    attributes: [name, sector]
    replicas:
      - {table: copies, key: {cik: subject}, set: {companyName: name}, version_attribute: profileVersion}
`
)

// broken has, for every rule, a manifest that breaks it. The sound manifest is
// tables and copies together.
var broken = map[string]string{
	"yaml":               "service: stats\n  subscribes: [\n",
	"size":               "service: stats\nsubscribes:\n" + strings.Repeat("  - {contract: company.profile/v1}\n", 257),
	"alias":              strings.Replace(tables, "stats", "&name stats", 1) + copies,
	"no-value":           tables + strings.Replace(copies, "[name, sector]", "", 1),
	"wrong-type":         tables + strings.Replace(copies, "[name, sector]", "name", 1),
	"bare-word":          strings.Replace(tables, "name: cik", "name: no", 1) + copies,
	"template":           tables + strings.Replace(copies, "{cik: subject}", `{cik: "{subject"}`, 1),
	"unknown-field":      tables + strings.Replace(copies, "attributes", "atributes", 1),
	"field-twice":        "service: stats\n" + tables + copies,
	"service-name":       strings.Replace(tables, "stats", "all", 1) + copies,
	"nothing-declared":   "service: stats\n",
	"name":               tables + copies + "    topic: company.fifo\n",
	"cross-account":      tables + copies + "    topic: arn:aws:sns:us-east-1:123456789012:company-profile-v1\n",
	"twice":              tables + "  - {name: copies, partition_key: {name: cik, type: S}}\n" + copies,
	"table-key":          strings.Replace(tables, "type: S", "type: X", 1) + copies,
	"table-limits":       strings.Replace(tables, "type: S}}", "type: S}, indexes: ["+indexes(21)+"]}", 1) + copies,
	"projection":         strings.Replace(tables, "type: S}}", "type: S}, indexes: [{name: by-x, partition_key: {name: x, type: S}, projection: some}]}", 1) + copies,
	"ttl-number":         strings.Replace(tables, "type: S}}", "type: S}, ttl_attribute: cik}", 1) + copies,
	"unknown-table":      tables + strings.Replace(copies, "table: copies", "table: others", 1),
	"key-template":       tables + strings.Replace(copies, "{cik: subject}", "{id: subject}", 1),
	"stream-off":         source("", ", ttl_attribute: expiresAt", ""),
	"source-ttl":         source(", stream: true", "", ""),
	"checkpoint-table":   source(", stream: true", ", ttl_attribute: expiresAt", "    checkpoint_table: companies\n"),
	"control-table":      tables + copies + "    control_table: copies\n",
	"subject":            source(", stream: true", ", ttl_attribute: expiresAt", "    subject: \"{other}\"\n"),
	"match":              source(", stream: true", ", ttl_attribute: expiresAt", "    match: {version: {exists: true}}\n"),
	"bookkeeping":        source(", stream: true", ", ttl_attribute: expiresAt", "    attributes: {name: version}\n"),
	"version-attribute":  tables + strings.Replace(copies, ", version_attribute: profileVersion", "", 1),
	"no-replica":         tables + copies[:strings.Index(copies, "    replicas")],
	"no-attribute":       tables + strings.Replace(copies, "[name, sector]", "[]", 1),
	"filter-size":        tables + strings.Replace(copies, "[name, sector]", "["+attributes(76)+"]", 1),
	"queue-limits":       tables + copies + "    queue: {max_receive_count: 1001}\n",
	"handler-timeout":    tables + copies + "    queue: {visibility_timeout: 30s, handler_timeout: 30s}\n",
	"function-fields":    tables + copies + "      - {function: keep, table: copies}\n",
	"local-key":          tables + strings.Replace(copies, "{cik: subject}", "{cik: ONE}", 1),
	"empty-mapping":      tables + strings.Replace(copies, " set: {companyName: name},", "", 1),
	"not-subscribed":     tables + strings.Replace(copies, "[name, sector]", "[sector]", 1),
	"key-written":        tables + strings.Replace(copies, "{companyName: name}", "{cik: name}", 1),
	"empty-index-key":    strings.Replace(tables, "type: S}}", "type: S}, indexes: [{name: by-name, partition_key: {name: companyName, type: S}}]}", 1) + copies,
	"copied-ttl":         strings.Replace(tables, "type: S}}", "type: S}, ttl_attribute: companyName}", 1) + copies,
	"fan-out-index":      tables + copies + "      - {table: copies, index: by-x, key: {x: subject}, set: {label: name}, version_attribute: labelVersion}\n",
	"fan-out-alone":      fanOut("", false),
	"fan-out-create":     fanOut(", create: true", true),
	"second-pass":        fanOut(", second_pass: 16m", true),
	"atomic":             tables + strings.Replace(copies, "Version}", "Version, atomic: true}", 1),
	"on-delete":          tables + strings.Replace(copies, "Version}", "Version, on_delete: vanish}", 1),
	"tombstone-own-item": tables + strings.Replace(copies, "Version}", "Version, on_delete: tombstone, create: false}", 1),
	"tombstone-ttl":      tables + strings.Replace(copies, "Version}", "Version, on_delete: tombstone}", 1),
	"two-masters":        tables + copies + "      - {table: copies, key: {cik: subject}, set: {companyName: name}, version_attribute: otherVersion}\n",
	"unknown-contract":   tables + strings.Replace(copies, "company.profile/v1", "company.filing/v1", 1),
	"unknown-attribute":  tables + strings.Replace(copies, "[name, sector]", "[name, sectr]", 1),
	"key-type":           strings.Replace(tables, "type: S}}", "type: S}, indexes: [{name: by-name, partition_key: {name: companyName, type: \"N\"}}]}", 1) + copies,
	"omit-empty":         tables + strings.Replace(strings.Replace(copies, "[name, sector]", "[tickers]", 1), "{companyName: name}", "{tickers: {attribute: tickers, omit_empty: true}}", 1),
	"expiring-version":   strings.Replace(tables, "type: S}}", "type: S}, ttl_attribute: expires}", 1) + copies,
	"one-owner":          strings.Replace(source(", stream: true", ", ttl_attribute: expiresAt", ""), "service: profile", "service: twin", 1),
	"unpublished":        tables + copies,
	"topic-mismatch":     tables + copies + "    topic: profiles\n",
}

func source(stream, ttl, more string) string {
	return "service: profile\ntables:\n  - {name: companies, partition_key: {name: cik, type: S}" + stream + ttl +
		"}\npublishes:\n  - contract: company.profile/v1\n    table: companies\n    key: {cik: \"{cik}\"}\n" + more
}

func fanOut(more string, beside bool) string {
	text := "service: stats\ntables:\n  - {name: copies, partition_key: {name: cik, type: S}}\n  - {name: watchlists, partition_key: {name: user, type: S}, indexes: [{name: by-cik, partition_key: {name: cik, type: S}}]}\n"
	if beside {
		text += copies
	} else {
		text += copies[:strings.Index(copies, "      - {table")]
	}
	return text + "      - {table: watchlists, index: by-cik, set: {companyName: name}, version_attribute: profileVersion" + more + "}\n"
}

func indexes(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("{name: by-%03d, partition_key: {name: x%d, type: S}}", i, i))
	}
	return strings.Join(all, ", ")
}

func attributes(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("a%d", i))
	}
	return strings.Join(all, ", ")
}

// check writes manifests to files of their own and checks them.
func check(t *testing.T, facts lint.Facts, texts ...string) []lint.Finding {
	t.Helper()
	var paths []string
	for i, text := range texts {
		path := filepath.Join(t.TempDir(), fmt.Sprintf("%d.yaml", i))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	findings, err := lint.Check(paths, catalog.All(), facts)
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

// Every rule of the code is broken by a manifest here and found, and what is
// found says everything.
func TestEveryRuleFindsWhatBreaksIt(t *testing.T) {
	sound := source(", stream: true", ", ttl_attribute: expiresAt", "")
	if found := check(t, lint.These(), sound, tables+copies); len(found) > 0 {
		t.Fatalf("sound manifests are refused: %+v", found)
	}
	for _, rule := range lint.Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			facts, text := lint.These(), broken[rule.ID]
			switch rule.ID {
			case "message-attributes":
				facts.MaxMessageAttributes, text = 5, tables+copies
			case "tombstone-life":
				facts.ReplicaTombstone, text = 20*24*time.Hour, tables+copies
			}
			if text == "" {
				t.Fatal("nothing here breaks the rule")
			}
			texts := []string{sound, text}
			if rule.ID == "unpublished" {
				texts = texts[1:]
			}
			found := check(t, facts, texts...)
			if !slices.ContainsFunc(found, func(f lint.Finding) bool { return f.Rule == rule.ID }) {
				t.Errorf("not found in\n%s\nbut %+v", text, found)
			}
			for _, f := range found {
				if f.What == "" || f.Why == "" || f.WayOut == "" || f.File != "" && f.Line == 0 && f.Rule != "yaml" {
					t.Errorf("not everything is said: %+v", f)
				}
			}
		})
	}
	for id := range broken {
		if !slices.ContainsFunc(lint.Rules(), func(r lint.Rule) bool { return r.ID == id }) {
			t.Errorf("there is no rule %s", id)
		}
	}
}

// A manifest that no service would start with is still checked against the
// contracts and the other manifests.
func TestABrokenManifestIsCheckedToTheEnd(t *testing.T) {
	text := strings.Replace(tables, "copies", "companies", 1) + strings.Replace(copies, "[name, sector]", "[name, sectr]", 1) + "    queue: {visibility_timeout: 5s, handler_timeout: 5s}\n"
	found := check(t, lint.These(), source(", stream: true", ", ttl_attribute: expiresAt", ""), strings.Replace(text, "table: copies", "table: companies", 1))
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprintf("%d %s", f.Line, f.Rule))
	}
	if diff := cmp.Diff([]string{"3 one-owner", "6 unknown-attribute", "9 handler-timeout"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAFileThatIsNotThereIsAnError(t *testing.T) {
	if _, err := lint.Check([]string{"nowhere.yaml"}, catalog.All(), lint.These()); err == nil || !strings.Contains(err.Error(), "nowhere.yaml") {
		t.Errorf("got %v", err)
	}
}

func TestAContractWithoutAMessageIsAFinding(t *testing.T) {
	facts := lint.These()
	facts.MessageAttributes = func(*contracts.Contract) ([]string, error) { return nil, os.ErrInvalid }
	found := check(t, facts, source(", stream: true", ", ttl_attribute: expiresAt", ""), tables+copies)
	if len(found) != 1 || found[0].Rule != "message-attributes" || found[0].Place() != "code" {
		t.Errorf("found %+v", found)
	}
}
