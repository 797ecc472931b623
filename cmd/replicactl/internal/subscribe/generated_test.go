package subscribe_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lint"
	"github.com/tributary-dev/tributary/pkg/contracts/catalog"
)

var update = flag.Bool("update", false, "write what the generated module requires into the templates, by go mod tidy")

// A subscriber outside of this repository, in a workspace of its own that uses
// Tributary's modules: it builds, vets and passes its test at once, in the
// workspace and alone, and its manifest lints. The programs of this repository
// are built with these dependencies too, so that nothing is fetched for it that
// they do not need.
func TestAGeneratedSubscriberWorksAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a service")
	}
	root := project(t, members(t)...)
	plan := written(t, root, nil)
	home := filepath.Join(root, "services", "news")
	if *update {
		updateRequirements(t, home)
		return
	}
	findings, err := lint.Check([]string{
		filepath.Join(root, "services", "profile", "replication.yaml"), filepath.Join(home, "replication.yaml"),
	}, catalog.All(), lint.These())
	if err != nil || len(findings) > 0 {
		t.Errorf("lint: %v, %+v", err, findings)
	}
	for _, workspace := range []string{filepath.Join(root, "go.work"), "off"} {
		for _, args := range [][]string{{"vet", "./..."}, {"build", "-o", os.DevNull, "./cmd/news"}, {"test", "-vet=off", "./..."}} {
			if out, err := tool(t, home, workspace, args...); err != nil {
				t.Errorf("GOWORK=%s go %s: %v\n%s\nIf a dependency has changed, write it into the templates: go test ./internal/subscribe -update",
					workspace, strings.Join(args, " "), err, out)
			}
		}
	}
	for behaviour, spoil := range map[string]struct{ file, old, new, says string }{
		"an Apply that refuses every change": {
			"internal/app/apply.go", "\treturn nil\n", "\treturn &replica.RejectedError{Reason: \"always\"}\n", "messages are dead letters",
		},
		"a second subscription that nobody consumes": {
			"replication.yaml", "subscribes:\n", "subscribes:\n  - {contract: company.filing/v1, attributes: [form], replicas: [{function: apply}]}\n", "only that to company.profile/v1 is consumed here",
		},
	} {
		name := filepath.Join(home, filepath.FromSlash(spoil.file))
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		put(t, name, strings.Replace(string(whole), spoil.old, spoil.new, 1))
		if out, err := tool(t, home, filepath.Join(root, "go.work"), "test", "-vet=off", "./..."); err == nil || !strings.Contains(out, spoil.says) {
			t.Errorf("%s, and the generated test says (%v) %s", behaviour, err, out)
		}
		put(t, name, string(whole))
	}
	for _, f := range plan.Files {
		lines := bytes.Count(f.Content, []byte("\n"))
		if filepath.Base(f.Path) == "main.go" && lines >= 60 {
			t.Errorf("%s has %d lines", f.Path, lines)
		}
	}
}

// What every module of this repository requires, the generated one requires in
// the same version: whoever upgrades a dependency hears of the templates here.
func TestRequirementsAreThoseOfTheOtherServices(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "services", "stats", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	stats := versions(t, text)
	plan := planned(t, project(t, members(t)...), nil)
	for path, version := range versions(t, []byte(file(t, plan, "services/news/go.mod"))) {
		if stats[path] != version {
			t.Errorf("%s: services/stats requires %q, the template %q; go test ./internal/subscribe -update", path, stats[path], version)
		}
	}
}

func versions(t *testing.T, text []byte) map[string]string {
	t.Helper()
	parsed, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, r := range parsed.Require {
		all[r.Mod.Path] = r.Mod.Version
	}
	return all
}

// tool runs the go command. A workspace refuses -mod=mod, which some
// environments have in GOFLAGS.
func tool(t *testing.T, dir, workspace string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOWORK="+workspace, "GOFLAGS=")
	out, err := command.CombinedOutput()
	return string(out), err
}

// updateRequirements writes what go mod tidy makes of the generated module into
// the templates.
func updateRequirements(t *testing.T, home string) {
	t.Helper()
	if out, err := tool(t, home, "off", "mod", "tidy"); err != nil {
		t.Fatalf("go mod tidy: %v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(home, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	tidy, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	var direct, indirect strings.Builder
	for _, r := range tidy.Require {
		switch {
		case r.Mod.Version == "v0.0.0": // a sibling
		case r.Indirect:
			fmt.Fprintf(&indirect, "\t%s %s // indirect\n", r.Mod.Path, r.Mod.Version)
		default:
			fmt.Fprintf(&direct, "\t%s %s\n", r.Mod.Path, r.Mod.Version)
		}
	}
	templates := filepath.Join("templates", "service")
	old, err := os.ReadFile(filepath.Join(templates, "go.mod.tmpl"))
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := bytes.Cut(old, []byte("require (\n"))
	requirements := fmt.Sprintf("%srequire (\n%s)\n\nrequire (\n%s)\n", head, direct.String(), indirect.String())
	sums, err := os.ReadFile(filepath.Join(home, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"go.mod.tmpl": []byte(requirements), "go.sum.tmpl": sums} {
		if err := os.WriteFile(filepath.Join(templates, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
