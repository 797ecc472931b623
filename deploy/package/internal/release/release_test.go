package release_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/tributary-dev/tributary/deploy/package/internal/compile"
	"github.com/tributary-dev/tributary/deploy/package/internal/release"
)

func put(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const command = "package main\n\nfunc main() { println(\"here\") }\n"

// twoServices is a project of two services, one with a relay.
func twoServices(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	put(t, root, map[string]string{
		"services/orders/go.mod":                   "module example.org/orders\n\ngo 1.26.0\n",
		"services/orders/cmd/orders/main.go":       command,
		"services/orders/cmd/orders-relay/main.go": command,
		"services/orders/cmd/notes/README.md":      "no program\n",
		"services/parcels/go.mod":                  "module example.org/parcels\n\ngo 1.26.0\n",
		"services/parcels/cmd/parcels/main.go":     command,
		"services/parcels/internal/cmd/main.go":    command,
	})
	return root
}

func run(t *testing.T, root, out, push string) (release.Listing, error) {
	t.Helper()
	programs, err := release.Programs(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	return release.Run(t.Context(), release.Config{Programs: programs, Architectures: []string{"arm64", "amd64"}, Out: out, Push: push})
}

// tree is what each file below the directory has.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// same reports the files that differ, without what is in them.
func same(t *testing.T, a, b map[string]string) {
	t.Helper()
	for name, content := range a {
		if other, ok := b[name]; !ok || other != content {
			t.Errorf("%s: %d bytes in one, %d others in the other", name, len(content), len(other))
		}
	}
	if len(a) != len(b) {
		t.Errorf("%d files and %d", len(a), len(b))
	}
}

func TestEverythingFollowsFromTheSourcesAndIsListed(t *testing.T) {
	first, second := filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "bin", "second")
	listing, err := run(t, twoServices(t), first, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, twoServices(t), second, ""); err != nil {
		t.Fatal(err)
	}
	files := tree(t, first)
	same(t, files, tree(t, second))

	if listing.Go != compile.Release(runtime.Version()) || len(listing.Images) != 3 || len(listing.Functions) != 1 {
		t.Errorf("listing: %+v; want three images and one function", listing)
	}
	for _, name := range []string{"orders", "orders-relay", "parcels"} {
		one := listing.Images[name]
		if diff := cmp.Diff([]string{"linux/arm64", "linux/amd64"}, one.Platforms); diff != "" || one.Layout != name || one.Reference != "" {
			t.Errorf("%s: %+v", name, one)
		}
		if !strings.Contains(files[name+"/index.json"], one.Digest) {
			t.Errorf("%s: %s is not in its layout's index:\n%s", name, one.Digest, files[name+"/index.json"])
		}
	}
	function := listing.Functions["orders-relay"]
	sum := sha256.Sum256([]byte(files[function.File]))
	if function.SHA256 != base64.StdEncoding.EncodeToString(sum[:]) || function.Bytes != int64(len(files[function.File])) {
		t.Errorf("function: %+v, and the file's hash is %x", function, sum)
	}
	var read release.Listing
	if err := json.Unmarshal([]byte(files[release.ListingFile]), &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(listing, read); diff != "" {
		t.Errorf("the listing's file (-returned +read):\n%s", diff)
	}
	var table strings.Builder
	if err := listing.Print(&table); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"function  orders-relay", listing.Images["parcels"].Digest, function.SHA256} {
		if !strings.Contains(table.String(), word) {
			t.Errorf("no %q in\n%s", word, &table)
		}
	}
}

func TestPushedImagesAreListedByReference(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	prefix := strings.TrimPrefix(server.URL, "http://") + "/team"
	out := filepath.Join(t.TempDir(), "package")
	listing, err := run(t, twoServices(t), out, prefix)
	if err != nil {
		t.Fatal(err)
	}
	one := listing.Images["orders"]
	if want := prefix + "/orders@" + one.Digest; one.Reference != want {
		t.Errorf("reference %q, want %q", one.Reference, want)
	}
	if file := tree(t, out)[release.ListingFile]; !strings.Contains(file, one.Reference) {
		t.Errorf("no reference in\n%s", file)
	}
}

func TestARefusedImageKeepsNoOtherFromBeingPushed(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && strings.Contains(r.URL.Path, "/orders") { // orders and orders-relay
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"errors": [{"code": "NAME_UNKNOWN", "message": "The repository does not exist"}]}`)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	prefix := strings.TrimPrefix(server.URL, "http://") + "/team"
	out := filepath.Join(t.TempDir(), "package")
	listing, err := run(t, twoServices(t), out, prefix)
	for _, missing := range []string{"team/orders", "team/orders-relay"} {
		if err == nil || !strings.Contains(err.Error(), "Make the repository "+missing+" first") {
			t.Errorf("got %v, want that %s is missing", err, missing)
		}
	}
	var written release.Listing
	if err := json.Unmarshal([]byte(tree(t, out)[release.ListingFile]), &written); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(listing, written); diff != "" {
		t.Errorf("the file is not what was returned:\n%s", diff)
	}
	for name, image := range written.Images {
		want := ""
		if name == "parcels" {
			want = prefix + "/parcels@" + image.Digest
		}
		if image.Reference != want {
			t.Errorf("%s is listed as %q, want %q", name, image.Reference, want)
		}
	}
}

func TestAFailureLeavesWhatWasThere(t *testing.T) {
	root := twoServices(t)
	beside := t.TempDir()
	out := filepath.Join(beside, "package")
	if _, err := run(t, root, out, ""); err != nil {
		t.Fatal(err)
	}
	before := tree(t, out)
	put(t, root, map[string]string{"services/parcels/cmd/parcels/main.go": "package main\n\nfunc main() { nothing() }\n"})
	if _, err := run(t, root, out, ""); err == nil || !strings.Contains(err.Error(), "compile parcels for linux/arm64") {
		t.Errorf("got %v, want the program that does not compile", err)
	}
	same(t, before, tree(t, out))
	if entries, err := os.ReadDir(beside); err != nil || len(entries) != 1 {
		t.Errorf("left beside the directory: %v, %v", entries, err)
	}
}

func TestWhatIsNotOursIsNotReplaced(t *testing.T) {
	out := t.TempDir()
	put(t, out, map[string]string{"thesis.txt": "years of work"})
	if _, err := run(t, twoServices(t), out, ""); err == nil || !strings.Contains(err.Error(), "name another directory") {
		t.Errorf("got %v, want it refused", err)
	}
	if diff := cmp.Diff(map[string]string{"thesis.txt": "years of work"}, tree(t, out)); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedBeforeAnythingIsCompiled(t *testing.T) {
	for what, test := range map[string]struct {
		config release.Config
		want   string
	}{
		"no architecture":          {release.Config{}, "architectures: none"},
		"an unknown architecture":  {release.Config{Architectures: []string{"mips"}}, `architecture "mips": want arm64 or amd64`},
		"an architecture twice":    {release.Config{Architectures: []string{"arm64", "arm64"}}, "arm64: named twice"},
		"a URL as the registry":    {release.Config{Architectures: []string{"arm64"}, Push: "https://registry.example"}, "want REGISTRY/PREFIX"},
		"repositories of nowhere":  {release.Config{Architectures: []string{"arm64"}, Push: "team"}, "want REGISTRY/PREFIX"},
		"a file for the directory": {release.Config{Architectures: []string{"arm64"}, Out: "release_test.go"}, "name another directory"},
	} {
		t.Run(what, func(t *testing.T) {
			test.config.Report = func(step string) { t.Errorf("began to %s", step) }
			if _, err := release.Run(t.Context(), test.config); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestProgramsAreTheServicesCommands(t *testing.T) {
	root := twoServices(t)
	listed := func(only ...string) (string, error) {
		programs, err := release.Programs(root, only)
		var names []string
		for _, p := range programs {
			names = append(names, p.Name)
		}
		return strings.Join(names, " "), err
	}
	if got, err := listed(); err != nil || got != "orders orders-relay parcels" {
		t.Errorf("all: %q, %v", got, err)
	}
	if got, err := listed("parcels", "orders"); err != nil || got != "orders parcels" {
		t.Errorf("two: %q, %v", got, err)
	}
	if _, err := listed("letters"); err == nil || !strings.Contains(err.Error(), "there are orders, orders-relay, parcels") {
		t.Errorf("one there is not: %v", err)
	}
	put(t, root, map[string]string{"services/parcels/cmd/orders/main.go": command})
	if _, err := listed(); err == nil || !strings.Contains(err.Error(), "both ") {
		t.Errorf("two of one name: %v", err)
	}
	if _, err := release.Programs(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "project's root") {
		t.Errorf("no services: %v", err)
	}
}
