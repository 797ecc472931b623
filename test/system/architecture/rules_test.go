package architecture

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	ours = "github.com/tributary-dev/tributary/"
	sdk  = "github.com/aws/"
)

// rules say what a package must not depend on, and why. Packages are matched by
// prefix below ours; tests are judged only where a rule says so.
var rules = []struct {
	packages string
	except   []string
	never    []string
	tests    bool
	because  string
}{
	{"pkg/contracts", nil, []string{ours, sdk, "github.com/ThreeDotsLabs/"}, true,
		"contracts are what services agree on; whoever reads an event must not need our libraries or an SDK to do it"},
	{"pkg/replica", []string{"pkg/replica/"}, []string{sdk + "aws-sdk-go-v2", sdk + "aws-lambda-go"}, false,
		"the core decides; its adapters talk to AWS. Another database or bus needs adapters only"},
	// The simulator is for tests, also those of teams who import it, and runs on
	// localaws: it is what virtual time and faults come from.
	{"pkg/replica", []string{"pkg/replica/replicatest"}, []string{ours + "pkg/localaws"}, false,
		"the library runs on AWS itself"},
	{"pkg/", []string{"pkg/replica/replicatest"}, []string{ours + "pkg/replica/replicatest"}, false,
		"the simulator is for tests, and with it comes localaws"},
	{"services/", nil, []string{ours + "pkg/replica/replicatest"}, false,
		"the simulator is for tests, and with it comes localaws"},
	{"pkg/replica", nil, []string{ours + "services/", ours + "cmd/"}, false,
		"the library serves services it does not know"},
	{"pkg/localaws", []string{"pkg/localaws/localawstest"}, []string{sdk, "github.com/ThreeDotsLabs/"}, false,
		"a stand-in for AWS that is built from AWS's client would agree with it by construction"},
	{"pkg/localaws", nil, []string{ours + "pkg/contracts", ours + "pkg/replica", ours + "services/", ours + "cmd/"}, true,
		"localaws must know nothing of its user, or it becomes a shortcut around real behaviour"},
	{"services/profile", nil, []string{ours + "services/stats", ours + "cmd/", ours + "test/"}, true,
		"services never know each other"},
	{"services/stats", nil, []string{ours + "services/profile", ours + "cmd/", ours + "test/"}, true,
		"services never know each other"},
	{"services/", nil, []string{ours + "pkg/localaws"}, false,
		"the same binaries run on AWS: localaws is for tests and for its own command"},
	{"cmd/replicactl", nil, []string{ours + "pkg/localaws", ours + "services/"}, false,
		"the operator's tool works from manifests and contracts, on AWS as on a laptop"},
}

// allowed are our own packages that a rule's prefixes would forbid to itself.
func allowed(pkg, dependency, prefix string) bool {
	own := func(path string) string {
		parts := strings.SplitN(strings.TrimPrefix(path, ours), "/", 3)
		return strings.Join(parts[:min(2, len(parts))], "/")
	}
	return prefix == ours && strings.HasPrefix(dependency, ours) && own(pkg) == own(dependency)
}

func TestNobodyDependsOnWhatItMustNot(t *testing.T) {
	packages := list(t)
	for _, rule := range rules {
		matched := false
		for path, p := range packages {
			if !strings.HasPrefix(strings.TrimPrefix(path, ours), rule.packages) || skipped(path, rule.except) {
				continue
			}
			matched = true
			for _, dependency := range p.reach(packages, rule.tests) {
				for _, never := range rule.never {
					if strings.HasPrefix(dependency, never) && !allowed(path, dependency, never) {
						t.Errorf("%s depends on %s: %s", path, dependency, rule.because)
					}
				}
			}
		}
		if !matched {
			t.Errorf("no package is called %s: the rule is out of date", rule.packages)
		}
	}
}

// skipped reports whether a rule does not apply to a package: it is excepted, or
// exists for tests only.
func skipped(path string, except []string) bool {
	short := strings.TrimPrefix(path, ours)
	for _, e := range except {
		if strings.HasPrefix(short, e) {
			return true
		}
	}
	return strings.HasSuffix(short, "test") && strings.Contains(short, "/internal/")
}

type listed struct {
	ImportPath   string
	Deps         []string
	TestImports  []string
	XTestImports []string
}

// reach is everything a package depends on; with tests, what its tests import
// too.
func (p listed) reach(all map[string]listed, tests bool) []string {
	reach := p.Deps
	if tests {
		for _, i := range append(p.TestImports, p.XTestImports...) {
			reach = append(reach, i)
			if strings.HasPrefix(i, ours) {
				reach = append(reach, all[i].Deps...)
			}
		}
	}
	return reach
}

// list asks the go command for every package of the workspace.
func list(t *testing.T) map[string]listed {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	modules := run(t, root, "list", "-m")
	args := []string{"list", "-json=ImportPath,Deps,TestImports,XTestImports"}
	for module := range strings.FieldsSeq(modules) {
		args = append(args, module+"/...")
	}
	packages := make(map[string]listed)
	dec := json.NewDecoder(strings.NewReader(run(t, root, args...)))
	for {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
}

func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=") // the workspace, also where this module is tested alone
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
