//go:build linux

package release_test

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/deploy/package/internal/release"
)

var services = flag.Bool("services", false, "compile the project's services twice, from two directories, and start them in their images; minutes")

// project is the repository's root.
const project = "../../../.."

func TestServicesAreReproducible(t *testing.T) {
	if !*services {
		t.Skip("run with -services")
	}
	elsewhere := t.TempDir()
	for _, part := range []string{"services", "pkg"} {
		if err := os.CopyFS(filepath.Join(elsewhere, part), os.DirFS(filepath.Join(project, part))); err != nil {
			t.Fatal(err)
		}
	}
	var trees [2]map[string]string
	for i, root := range []string{project, elsewhere} {
		programs, err := release.Programs(root, nil)
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "package")
		listing, err := release.Run(t.Context(), release.Config{
			Programs: programs, Architectures: []string{"arm64"}, Out: out, Cache: t.TempDir(),
			Report: func(step string) { t.Log(step) },
		})
		if err != nil {
			t.Fatal(err)
		}
		var table strings.Builder
		if err := listing.Print(&table); err != nil {
			t.Fatal(err)
		}
		t.Logf("from %s:\n%s", root, &table)
		trees[i] = tree(t, out)
	}
	same(t, trees[0], trees[1])
}

// TestServicesStartInTheirImages shows it by the first thing that each says
// where nobody configured it: that it does not know its region.
func TestServicesStartInTheirImages(t *testing.T) {
	if !*services {
		t.Skip("run with -services")
	}
	programs, err := release.Programs(project, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := packaged(t, programs...)
	for _, p := range programs {
		t.Run(p.Name+" on "+runtime.GOARCH, func(t *testing.T) {
			root, config := unpack(t, filepath.Join(out, p.Name))
			got, code := start(t, root, config, nil)
			if code != 1 || !strings.Contains(got, p.Name+":") || !strings.Contains(strings.ToLower(got), "region") {
				t.Errorf("exit code %d, wrote:\n%s\nwant 1 and that the region is missing", code, got)
			}
		})
	}
}
