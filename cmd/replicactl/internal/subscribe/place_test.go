package subscribe_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/subscribe"
)

func TestEverythingIsWritten(t *testing.T) {
	root := project(t, members(t)...)
	put(t, filepath.Join(root, "go.work.new"), "somebody's own") // who may have been as clever
	before := tree(t, root)
	plan := written(t, root, nil)
	after := tree(t, root)
	for _, f := range plan.Files {
		if after[f.Path] != string(f.Content) {
			t.Errorf("%s is not as planned", f.Path)
		}
		delete(after, f.Path)
	}
	if after["go.work"] != string(plan.Work) || !strings.Contains(after["go.work"], "./services/news") {
		t.Errorf("go.work is\n%s", after["go.work"])
	}
	for name, content := range before {
		if name != "go.work" && after[name] != content {
			t.Errorf("%s has become %q", name, after[name])
		}
	}
	for name := range after {
		if _, was := before[name]; !was && !strings.HasSuffix(name, "/") {
			t.Errorf("%s was written too", name)
		}
		if strings.HasPrefix(filepath.Base(strings.TrimSuffix(name, "/")), ".") && name != "./" {
			t.Errorf("%s was left behind", name)
		}
	}
	if about, err := os.Stat(filepath.Join(root, "services", "news")); err != nil || about.Mode().Perm() != 0o755 {
		t.Errorf("services/news: %v, %v", about.Mode(), err)
	}
}

// Whatever keeps it from being written whole, nothing of it stays.
func TestItIsWrittenWholeOrNotAtAll(t *testing.T) {
	for behaviour, spoil := range map[string]func(t *testing.T, root string){
		"somebody else writes the service": func(t *testing.T, root string) {
			put(t, filepath.Join(root, "services", "news", "mine.txt"), "mine")
		},
		"somebody else makes an empty directory": func(t *testing.T, root string) {
			if err := os.Mkdir(filepath.Join(root, "services", "news"), 0o755); err != nil {
				t.Fatal(err)
			}
		},
		"somebody else deploys it": func(t *testing.T, root string) {
			put(t, filepath.Join(root, "deploy", "terraform", "services", "news", "main.tf"), "mine")
		},
		"go.work changes meanwhile": func(t *testing.T, root string) {
			put(t, filepath.Join(root, "go.work"), "go 1.26.0\n")
		},
		"go.work goes away": func(t *testing.T, root string) {
			if err := os.Remove(filepath.Join(root, "go.work")); err != nil {
				t.Fatal(err)
			}
		},
		"a file is in a directory's place": func(t *testing.T, root string) {
			put(t, filepath.Join(root, "deploy"), "a file")
		},
	} {
		t.Run(behaviour, func(t *testing.T) {
			root := project(t, members(t)...)
			plan := planned(t, root, nil)
			spoil(t, root)
			before := tree(t, root)
			if err := plan.Apply(); err == nil {
				t.Error("it was written")
			}
			if diff := cmp.Diff(before, tree(t, root)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A second subscriber stands beside the first.
func TestASecondSubscriber(t *testing.T) {
	root := project(t, members(t)...)
	written(t, root, nil)
	cfg := config(t, root)
	if len(cfg.Set.Subscribers(cfg.Contract)) != 1 {
		t.Fatalf("subscribers %v", cfg.Set.Subscribers(cfg.Contract))
	}
	cfg.Service, cfg.Module = "alerts", ""
	second, err := subscribe.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if second.Module != "example.com/shop/services/alerts" {
		t.Errorf("module %s, beside the first's", second.Module)
	}
	if err := second.Apply(); err != nil {
		t.Fatal(err)
	}
	work := tree(t, root)["go.work"]
	lines := strings.Fields(work)
	if !slices.Contains(lines, "./services/news") || !slices.Contains(lines, "./services/alerts") {
		t.Errorf("go.work is\n%s", work)
	}
}
