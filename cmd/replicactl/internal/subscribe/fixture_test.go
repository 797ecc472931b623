package subscribe_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/subscribe"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// members are Tributary's modules that a subscriber is built on, by their
// absolute paths.
func members(t *testing.T) []string {
	t.Helper()
	var dirs []string
	for _, name := range []string{"contracts", "localaws", "replica"} {
		dir, err := filepath.Abs(filepath.Join("..", "..", "..", "..", "pkg", name))
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// project is a workspace with the profile service's manifest that uses these
// modules.
func project(t *testing.T, uses ...string) string {
	t.Helper()
	root := t.TempDir()
	var work strings.Builder
	work.WriteString("go 1.26.0\n\nuse (\n")
	for _, dir := range uses {
		fmt.Fprintf(&work, "\t%s\n", filepath.ToSlash(dir))
	}
	work.WriteString(")\n")
	put(t, filepath.Join(root, "go.work"), work.String())
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "services", "profile", manifest.FileName))
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(root, "services", "profile", manifest.FileName), string(text))
	return root
}

func put(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// config asks for the subscriber news of names and sectors.
func config(t *testing.T, root string) subscribe.Config {
	t.Helper()
	workspace, err := subscribe.FindWorkspace(filepath.Join(root, "services"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(root, "services", "*", manifest.FileName))
	if err != nil {
		t.Fatal(err)
	}
	var manifests []*manifest.Manifest
	for _, name := range found {
		m, err := manifest.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		manifests = append(manifests, m)
	}
	return subscribe.Config{
		Workspace: workspace, Set: target.New(manifests), Service: "news", Contract: "company.profile/v1",
		Attributes: []string{"name", "sector"}, Module: "example.com/shop/services/news",
	}
}

func planned(t *testing.T, root string, change func(*subscribe.Config)) *subscribe.Plan {
	t.Helper()
	cfg := config(t, root)
	if change != nil {
		change(&cfg)
	}
	plan, err := subscribe.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func written(t *testing.T, root string, change func(*subscribe.Config)) *subscribe.Plan {
	t.Helper()
	plan := planned(t, root, change)
	if err := plan.Apply(); err != nil {
		t.Fatal(err)
	}
	return plan
}

// tree returns every file and directory below root, and what the files hold.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		short, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			all[filepath.ToSlash(short)+"/"] = ""
			return nil
		}
		content, err := os.ReadFile(name)
		all[filepath.ToSlash(short)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func file(t *testing.T, plan *subscribe.Plan, name string) string {
	t.Helper()
	at := slices.IndexFunc(plan.Files, func(f subscribe.File) bool { return f.Path == name })
	if at < 0 {
		t.Fatalf("no file %s is planned", name)
	}
	return string(plan.Files[at].Content)
}
