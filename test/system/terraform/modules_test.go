package terraform

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// atOnce is how many modules are tested beside each other: each starts a
// provider of some hundred megabytes for every run of its tests.
const atOnce = 2

// folders are the modules and the roots below a copy of the project.
func folders(t *testing.T, project string) []string {
	t.Helper()
	var all []string
	for _, kind := range []string{"services", "modules"} {
		some, err := filepath.Glob(filepath.Join(project, "deploy/terraform", kind, "*"))
		if err != nil || len(some) == 0 {
			t.Fatalf("no %s below deploy/terraform (%v)", kind, err)
		}
		all = append(all, some...)
	}
	return all
}

var passed = regexp.MustCompile(`Success! ([1-9][0-9]*) passed, 0 failed`)

func TestModulesAndRoots(t *testing.T) {
	if !*modules {
		t.Skip("it needs Terraform and a while: -modules")
	}
	t.Parallel()
	tf, project := terraform(t)
	must(t, tf, 0, filepath.Join(project, "deploy/terraform"), "fmt", "-check", "-diff", "-recursive", "-no-color")
	slots := make(chan struct{}, atOnce)
	for _, dir := range folders(t, project) {
		kind := filepath.Base(filepath.Dir(dir))
		t.Run(kind+"/"+filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-t.Context().Done():
				t.Fatal(t.Context().Err())
			}
			initialise := []string{"init", "-backend=false", "-no-color"}
			if kind == "services" {
				initialise = append(initialise, locked(t, dir)...)
			}
			must(t, tf, 0, dir, initialise...)
			must(t, tf, 0, dir, "validate", "-no-color")
			out := must(t, tf, 0, dir, "test", "-no-color")
			said := passed.FindStringSubmatch(out.Plain())
			if said == nil {
				t.Fatalf("its tests assert nothing:\n%s", out.Text)
			}
			t.Logf("%s: %s runs passed", filepath.Base(dir), said[1])
		})
	}
}

// locked holds a root to its lock file. That has the hashes of the platforms
// which whoever wrote it could reach; on others the copy goes without.
func locked(t *testing.T, dir string) []string {
	t.Helper()
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		return []string{"-lockfile=readonly"}
	}
	t.Logf("%s is without its lock file, which may have no hash for %s_%s: `terraform providers lock -platform=%[2]s_%[3]s` adds it", filepath.Base(dir), runtime.GOOS, runtime.GOARCH)
	if err := os.Remove(filepath.Join(dir, ".terraform.lock.hcl")); err != nil {
		t.Fatal(err)
	}
	return nil
}

func TestEveryFolderIsWhole(t *testing.T) { whole(t, root) }

// whole looks for what belongs to every module and root of a project.
func whole(t *testing.T, project string) {
	t.Helper()
	pin, err := os.ReadFile(filepath.Join(root, "deploy/terraform/modules/key/versions.tf"))
	if err != nil {
		t.Fatal(err)
	}
	required := regexp.MustCompile(`required_version = "[^"]+"`).Find(pin)
	for _, dir := range folders(t, project) {
		name := filepath.Base(filepath.Dir(dir)) + "/" + filepath.Base(dir)
		wanted := []string{"README.md", "tests/*.tftest.hcl"}
		if strings.HasPrefix(name, "services/") {
			wanted = append(wanted, ".terraform.lock.hcl")
		}
		if !ofOneFile(t, dir) {
			wanted = append(wanted, "variables.tf", "outputs.tf")
			versions, err := os.ReadFile(filepath.Join(dir, "versions.tf"))
			withProvider := bytes.Contains(versions, []byte("required_providers"))
			if err != nil || withProvider && !bytes.Equal(versions, pin) || !bytes.Contains(versions, required) {
				t.Errorf("%s pins Terraform or the provider otherwise than the others (%v)", name, err)
			}
		}
		for _, want := range wanted {
			if files, err := filepath.Glob(filepath.Join(dir, want)); err != nil || len(files) == 0 {
				t.Errorf("%s has no %s (%v)", name, want, err)
			}
		}
	}
}

// ofOneFile reports whether a root is as replicactl subscribe writes it: it
// leaves to the module subscriber which versions it takes, and what it has to
// say.
func ofOneFile(t *testing.T, dir string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 {
		return false
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(text, []byte(`module "subscriber" {`))
}
