package architecture

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

var update = flag.Bool("update", false, "write what Terraform's tests compare themselves with anew")

const modules = "../../../deploy/terraform/modules/"

// Terraform fills in the same defaults as the programs do. What the programs
// make of manifests is in a file that the tests of Terraform's module manifest
// and of its other modules read, and that is held up to date here.
func TestTerraformIsToldTheManifestsDefaults(t *testing.T) {
	got := map[string]any{}
	for _, file := range []string{"testdata/minimal.yaml", "../../../../services/profile/replication.yaml", "../../../../services/stats/replication.yaml"} {
		m, err := manifest.Load(filepath.Join(modules, "manifest", file))
		if err != nil {
			t.Fatal(err)
		}
		got[file] = resolved(m)
	}
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	golden := filepath.Join(modules, "manifest", "testdata", "resolved.json")
	if *update {
		if err := os.WriteFile(golden, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)); diff != "" {
		t.Errorf("resolved.json is out of date: run go test ./architecture -run %s -update, and then make terraform\n-file +programs:\n%s", t.Name(), diff)
	}
}

// resolved is a completed manifest in the shapes of module manifest's outputs.
func resolved(m *manifest.Manifest) map[string]any {
	type object = map[string]any
	key := func(k manifest.KeyAttribute) any {
		if k.IsZero() {
			return nil
		}
		return object{"name": k.Name, "type": k.Type}
	}
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	seconds := func(d manifest.Duration) string {
		return strconv.FormatFloat(d.Std().Seconds(), 'f', 3, 64)
	}
	tables, publications, subscriptions := object{}, object{}, object{}
	for _, t := range m.Tables {
		indexes := []any{}
		for _, ix := range t.Indexes {
			indexes = append(indexes, object{"name": ix.Name, "partition_key": key(ix.PartitionKey), "sort_key": key(ix.SortKey),
				"projection": ix.Projection, "include": append([]string{}, ix.Include...)})
		}
		tables[t.Name] = object{"name": t.Name, "partition_key": key(t.PartitionKey), "sort_key": key(t.SortKey), "indexes": indexes,
			"stream": t.Stream, "ttl_attribute": orNull(t.TTLAttribute)}
	}
	for _, p := range m.Publishes {
		publications[p.Contract] = object{"topic": p.Topic, "table": p.Table, "key_attributes": slices.Sorted(maps.Keys(p.Key)),
			"version_attribute": p.VersionAttribute, "expires_at": p.Bookkeeping().ExpiresAt, "dead_letter_queue": p.DeadLetterQueue, "checkpoint_table": p.CheckpointTable}
	}
	for _, s := range m.Subscribes {
		replicas := []any{}
		for _, r := range s.Replicas {
			if r.Kind() == manifest.Function {
				replicas = append(replicas, object{"kind": r.Kind().String(), "function": r.Function})
				continue
			}
			set := object{}
			for local, from := range r.Set {
				set[local] = object{"attribute": from.Attribute, "omit_empty": from.OmitEmpty}
			}
			replicas = append(replicas, object{"kind": r.Kind().String(), "table": r.Table, "index": orNull(r.Index), "set": set, "version_attribute": r.VersionAttribute,
				"on_delete": string(r.OnDelete), "create": r.Creates(), "atomic": r.Atomic, "second_pass_seconds": r.SecondPass.Seconds()})
		}
		subscriptions[s.Contract] = object{"topic": s.Topic, "attributes": s.Attributes, "control_table": s.ControlTable,
			"queue": s.Queue.Name, "dead_letter_queue": s.Queue.DeadLetterQueue, "visibility_seconds": seconds(s.Queue.VisibilityTimeout),
			"handler_seconds": seconds(s.Queue.HandlerTimeout), "max_receive_count": s.Queue.MaxReceiveCount,
			"filter_policy": s.FilterPolicy(m.Service), "replicas": replicas}
	}
	return object{"service": m.Service, "tables": tables, "publications": publications, "subscriptions": subscriptions}
}

// Terraform repeats the rules of lint that it can express. Each has an edit of
// the minimal manifest that breaks it, which Terraform's tests read too: both
// refuse it, for the same reason. README.md says of every rule who has it.
func TestTerraformRefusesWhatLintRefuses(t *testing.T) {
	minimal, err := os.ReadFile(filepath.Join(modules, "manifest", "testdata", "minimal.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(modules, "manifest", "testdata", "refused.json"))
	if err != nil {
		t.Fatal(err)
	}
	var edits []struct{ Rule, Old, New string }
	if err := json.Unmarshal(text, &edits); err != nil {
		t.Fatal(err)
	}
	repeated := map[string]bool{}
	for _, e := range edits {
		repeated[e.Rule] = true
		broken := strings.Replace(string(minimal), e.Old, e.New, 1)
		_, err := manifest.Parse(manifest.FileName, []byte(broken))
		if !slices.ContainsFunc(manifest.Problems(err), func(p *manifest.Problem) bool { return p.Rule == e.Rule }) {
			t.Errorf("with %q for %q, lint does not refuse the manifest by its rule %s: %v", e.New, e.Old, e.Rule, err)
		}
	}
	readme, err := os.ReadFile(filepath.Join(modules, "manifest", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	both, lintAlone, found := strings.Cut(string(readme), "\n## What only lint has\n")
	if !found {
		t.Fatal("README.md does not say which rules only lint has")
	}
	for _, rule := range manifest.Rules() {
		named := map[bool]string{true: both, false: lintAlone}[repeated[rule.ID]]
		if !strings.Contains(named, "`"+rule.ID+"`") {
			t.Errorf("README.md does not name the rule %s where it belongs; repeated by Terraform: %v", rule.ID, repeated[rule.ID])
		}
	}
}

// Terraform counts log lines by their texts. One that nothing logs counts
// nothing, without a sign of it.
func TestTerraformCountsWhatIsLogged(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(modules, "consumer", "alarms.tf"))
	if err != nil {
		t.Fatal(err)
	}
	literals := literalsOf(t, "../../../pkg/replica")
	compared := regexp.MustCompile(`\$\.(\w+) !?= \\"([^"\\]*)\\"`).FindAllStringSubmatch(string(text), -1)
	if len(compared) < 6 {
		t.Fatalf("of the filters of the consumer module only %d comparisons are understood: %q", len(compared), compared)
	}
	for _, c := range compared {
		switch field, value := c[1], c[2]; field {
		case "msg", "verdict":
			if !literals[value] {
				t.Errorf("Terraform counts lines whose %s is %q, and the library logs none", field, value)
			}
			if field != "msg" && !literals[field] {
				t.Errorf("Terraform reads the key %s of log lines, and the library logs none", field)
			}
		case "level":
			if value != "ERROR" { // as slog's JSON handler writes it
				t.Errorf("Terraform counts lines of level %q, and slog has none", value)
			}
		default:
			t.Errorf("Terraform reads %s of log lines, of which this test knows nothing", field)
		}
	}
}

// literalsOf returns the texts in the code of one directory, tests apart.
func literalsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no code in %s: %v", dir, err)
	}
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil {
					found[text] = true
				}
			}
			return true
		})
	}
	return found
}
