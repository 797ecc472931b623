package subscribe_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/subscribe"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

func TestWhatIsInTheWayIsRefusedAndNothingWritten(t *testing.T) {
	root := project(t, members(t)...)
	put(t, filepath.Join(root, "services", "profile", "cmd", "digest", "main.go"), "package main\n")
	put(t, filepath.Join(root, "services", "taken", "notes.txt"), "")
	put(t, filepath.Join(root, "deploy", "terraform", "services", "deployed", "main.tf"), "")
	before := tree(t, root)
	for behaviour, c := range map[string]struct {
		change func(*subscribe.Config)
		says   []string
		wrong  bool // whatever the workspace has
	}{
		"a name that is no name":                {func(c *subscribe.Config) { c.Service = "News Feed" }, []string{`"News Feed"`, "lower case"}, true},
		"a name that leads elsewhere":           {func(c *subscribe.Config) { c.Service = "../news" }, []string{"lower case"}, true},
		"a name longer than names made of it":   {func(c *subscribe.Config) { c.Service = strings.Repeat("n", 33) }, []string{"33 characters"}, true},
		"a name that is everybody":              {func(c *subscribe.Config) { c.Service = "all" }, []string{"every subscriber"}, true},
		"a name the go command passes over":     {func(c *subscribe.Config) { c.Service = "testdata" }, []string{"passes over"}, true},
		"a service that is there":               {func(c *subscribe.Config) { c.Service = "taken" }, []string{"services/taken is there already"}, false},
		"a Terraform root that is there":        {func(c *subscribe.Config) { c.Service = "deployed" }, []string{"deploy/terraform/services/deployed is there already"}, false},
		"another service's program":             {func(c *subscribe.Config) { c.Service = "digest" }, []string{"services/profile/cmd/digest"}, false},
		"a contract nobody has described":       {func(c *subscribe.Config) { c.Contract = "company.address/v1" }, []string{"company.address/v1", "it knows company.profile/v1", "pkg/contracts/catalog"}, true},
		"attributes the contract has not":       {func(c *subscribe.Config) { c.Attributes = []string{"name", "nmae", "ceo"} }, []string{"nmae, ceo", "its attributes are name, sector"}, true},
		"no attribute":                          {func(c *subscribe.Config) { c.Attributes = nil }, []string{"there is none to copy", "name, sector"}, true},
		"an attribute twice":                    {func(c *subscribe.Config) { c.Attributes = []string{"name", "name"} }, []string{"attributes name: it is there twice"}, true},
		"a table of another service":            {func(c *subscribe.Config) { c.Table = "companies" }, []string{"companies", "belongs to profile"}, false},
		"a table DynamoDB takes no name of":     {func(c *subscribe.Config) { c.Table = "a b" }, []string{"not sound", "tables[0].name"}, false},
		"a module path that is none":            {func(c *subscribe.Config) { c.Module = "example.com/a b" }, []string{"module path"}, false},
		"a module that is there":                {func(c *subscribe.Config) { c.Module = "github.com/tributary-dev/tributary/pkg/replica" }, []string{"the workspace has"}, false},
		"services that say no path":             {func(c *subscribe.Config) { c.Module = "" }, []string{"--module"}, false},
		"two things at once, and both are said": {func(c *subscribe.Config) { c.Module, c.Contract = "", "x/v1" }, []string{"--module", "contract x/v1"}, true},
	} {
		t.Run(behaviour, func(t *testing.T) {
			cfg := config(t, root)
			c.change(&cfg)
			_, err := subscribe.New(cfg)
			if err == nil {
				t.Fatal("accepted")
			}
			if _, wrong := errors.AsType[*subscribe.Wrong](err); wrong != c.wrong {
				t.Errorf("%v\nis wrong usage: %t, want %t", err, wrong, c.wrong)
			}
			for _, want := range c.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\ndoes not say %q", err, want)
				}
			}
		})
	}
	if diff := cmp.Diff(before, tree(t, root)); diff != "" {
		t.Error(diff)
	}
}

func TestAContractNobodyPublishesIsRefused(t *testing.T) {
	root := project(t, members(t)...)
	if err := os.RemoveAll(filepath.Join(root, "services", "profile")); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(root, "services", "notes.txt"), "")
	if _, err := subscribe.New(config(t, root)); err == nil || !strings.Contains(err.Error(), "no manifest publishes it") {
		t.Errorf("error %v", err)
	}
}

func TestAWorkspaceWithoutTributaryIsTold(t *testing.T) {
	_, err := subscribe.New(config(t, project(t)))
	for _, module := range []string{"pkg/contracts", "pkg/localaws", "pkg/replica"} {
		if err == nil || !strings.Contains(err.Error(), module+": the workspace neither uses nor replaces it") {
			t.Errorf("error %v\ndoes not say %s", err, module)
		}
	}
}

func TestNoWorkspaceIsTold(t *testing.T) {
	if _, err := subscribe.FindWorkspace(t.TempDir()); err == nil || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("error %v", err)
	}
}

// The module path and the ways to the siblings come from the services that are
// there, and from their replace lines where the workspace itself does not use
// Tributary.
func TestTheNewModuleIsLikeItsNeighbours(t *testing.T) {
	root := project(t)
	replaces := "module example.com/shop/services/orders\n\ngo 1.26.0\n"
	for _, dir := range members(t) {
		replaces += "\nreplace github.com/tributary-dev/tributary/pkg/" + filepath.Base(dir) + " => " + filepath.ToSlash(dir) + "\n"
	}
	put(t, filepath.Join(root, "services", "orders", "go.mod"), replaces)
	put(t, filepath.Join(root, "go.work"), "go 1.26.0\n\n// orders came first\nuse ./services/orders\n")
	plan := planned(t, root, func(cfg *subscribe.Config) { cfg.Module = "" })
	if plan.Module != "example.com/shop/services/news" {
		t.Errorf("module %s", plan.Module)
	}
	if work := string(plan.Work); !strings.Contains(work, "./services/orders") || !strings.Contains(work, "./services/news") || !strings.Contains(work, "// orders came first") {
		t.Errorf("go.work is to be\n%s", work)
	}
	text := file(t, plan, "services/news/go.mod")
	for _, dir := range members(t) {
		_, after, found := strings.Cut(text, "replace github.com/tributary-dev/tributary/pkg/"+filepath.Base(dir)+" => ")
		to, _, _ := strings.Cut(after, "\n")
		if !filepath.IsAbs(to) {
			to = filepath.Join(root, "services", "news", filepath.FromSlash(to))
		}
		if about, err := os.Stat(filepath.Join(to, "go.mod")); !found || err != nil || about.IsDir() {
			t.Errorf("%s is replaced by %q: %v", filepath.Base(dir), to, err)
		}
	}
}

// Whatever else a program or a YAML reader could take a name for, the manifest
// says the name, and the package has one that Go takes.
func TestAwkwardNames(t *testing.T) {
	for service, pkg := range map[string]string{
		"no": "no", "y": "y", "price-alerts": "pricealerts", "go": "goservice", "type": "typeservice", "main": "mainservice", "documentation": "documentationservice", "app": "app", "manifest": "manifest", "x1": "x1",
	} {
		plan := planned(t, project(t, members(t)...), func(cfg *subscribe.Config) {
			cfg.Service, cfg.Module = service, "example.com/shop/services/"+service
		})
		m, err := manifest.Parse("replication.yaml", []byte(file(t, plan, "services/"+service+"/replication.yaml")))
		if err != nil || m.Service != service {
			t.Errorf("%s: the manifest's service is %q, %v", service, m.Service, err)
		}
		if text := file(t, plan, "services/"+service+"/manifest.go"); !strings.Contains(text, "\npackage "+pkg+"\n") {
			t.Errorf("%s: %s", service, text)
		}
	}
}

// A root is what the issue allows: at most 15 lines.
func TestTheTerraformRootIsSmall(t *testing.T) {
	plan := planned(t, project(t, members(t)...), nil)
	lines := 0
	for _, f := range plan.Files {
		if filepath.Ext(f.Path) != ".tf" {
			continue
		}
		for line := range strings.Lines(string(f.Content)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				lines++
			}
		}
	}
	if lines == 0 || lines > 15 {
		t.Errorf("the root has %d lines of HCL", lines)
	}
}

// The providers of a generated root are locked as those of the other roots are.
func TestTheProviderIsLockedAsElsewhere(t *testing.T) {
	want, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "deploy", "terraform", "services", "stats", ".terraform.lock.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	plan := planned(t, project(t, members(t)...), nil)
	if diff := cmp.Diff(string(want), file(t, plan, "deploy/terraform/services/news/.terraform.lock.hcl")); diff != "" {
		t.Errorf("copy the other roots' into the templates:\n%s", diff)
	}
}
