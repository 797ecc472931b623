package manifest_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts/catalog"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

var update = flag.Bool("update", false, "write the golden files of refused manifests anew")

// Every problem of a manifest is reported at once, with its line, its field,
// what is wrong and what to do. The texts are golden because people act on
// them; review them when they change.
func TestRefusedManifests(t *testing.T) {
	files, err := filepath.Glob("testdata/refused/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests to refuse: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m, err := manifest.Parse(name+".yaml", data)
			if err == nil {
				err = m.CheckContracts(catalog.All())
			}
			if err == nil {
				t.Fatal("the manifest was accepted")
			}
			problems := manifest.Problems(err)
			if len(problems) == 0 {
				t.Fatalf("%v holds no Problem", err)
			}
			for _, p := range problems {
				if p.File != name+".yaml" || p.Problem == "" || p.Advice == "" || p.Line == 0 && name != "empty" {
					t.Errorf("not everything is said: %+v", p)
				}
			}
			golden(t, filepath.Join("testdata", "refused", name+".errors"), err.Error()+"\n")
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLoadSaysWhichFileIsNotThere(t *testing.T) {
	_, err := manifest.Load(filepath.Join(t.TempDir(), "replication.yaml"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "replication.yaml") {
		t.Fatalf("got %v", err)
	}
}

func TestAManifestBeyondTheLimitIsRefused(t *testing.T) {
	_, err := manifest.Parse("large.yaml", make([]byte, manifest.MaxBytes+1))
	if problems := manifest.Problems(err); len(problems) != 1 {
		t.Fatalf("got %v", err)
	}
}
