package mutants_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/replica/replicatest"
	"github.com/tributary-dev/tributary/pkg/replica/replicatest/mutants"
)

var (
	run    = flag.Bool("mutants", false, "build each mutant and have the simulator catch it")
	hunted = flag.Int64("hunt", 0, "run so many seeds, until one fails")
)

// module is the folder that the edits' files are relative to.
const module = "../.."

// Every edit fits its source, exactly once: a mutant that is none proves
// nothing.
func TestEveryMutantFitsTheSources(t *testing.T) {
	if len(mutants.All) < 12 {
		t.Errorf("%d mutants", len(mutants.All))
	}
	for _, m := range mutants.All {
		if _, err := mutate(m); err != nil {
			t.Error(err)
		}
	}
}

// mutate returns the mutant's files by their names.
func mutate(m mutants.Mutant) (map[string]string, error) {
	files := make(map[string]string)
	for _, e := range m.Edits {
		if _, known := files[e.File]; !known {
			text, err := os.ReadFile(filepath.Join(module, e.File))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.Name, err)
			}
			files[e.File] = string(text)
		}
		if n := strings.Count(files[e.File], e.Old); n != 1 {
			return nil, fmt.Errorf("%s: %s has the text to be replaced %d times, want once:\n%s", m.Name, e.File, n, e.Old)
		}
		files[e.File] = strings.Replace(files[e.File], e.Old, e.New, 1)
	}
	return files, nil
}

// The simulator's first 300 seeds catch every mutant; make mutants runs this, for
// some minutes. It prints the table of docs/guarantees.md.
func TestTheSimulatorCatchesEveryMutant(t *testing.T) {
	if !*run {
		t.Skip("takes minutes: make mutants runs it")
	}
	var table strings.Builder
	for _, m := range mutants.All {
		t.Run(m.Name, func(t *testing.T) {
			seed, symptom := hunt(t, m)
			fmt.Fprintf(&table, "| %s | %s | %s |\n", m.Name, seed, strings.ReplaceAll(symptom, "|", "/"))
		})
	}
	t.Logf("\n| mutant | seed | what the failure looks like |\n| --- | --- | --- |\n%s", table.String())
}

// found is what TestHunt says when a seed fails.
var found = regexp.MustCompile(`(?m)CAUGHT by seed (\d+): (.*)$`)

// hunt builds this package's tests with a mutant, lets TestHunt look for a seed
// that fails, and returns it and how it failed.
func hunt(t *testing.T, m mutants.Mutant) (seed, symptom string) {
	t.Helper()
	files, err := mutate(m)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for name, text := range files {
		original, err := filepath.Abs(filepath.Join(module, name))
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[original] = copied
	}
	described, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "mutant.test")
	if err := os.WriteFile(file, described, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", file, "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	timeout := 10 * time.Minute // on a busy machine
	if m.Restless {
		timeout = 2 * time.Minute
	}
	out, err := exec.CommandContext(t.Context(), binary, "-test.run", "^TestHunt$", "-test.timeout", timeout.String(), "-hunt", fmt.Sprint(seeds)).CombinedOutput()
	if said := found.FindStringSubmatch(string(out)); said != nil {
		return said[1], said[2]
	}
	if err != nil && m.Restless && strings.Contains(string(out), "test timed out") {
		return "?", "it never comes to rest"
	}
	t.Fatalf("no seed of %d catches it: %v\n%s", seeds, err, out)
	return "", ""
}

// seeds is how many seeds a mutant may survive at most, less one.
const seeds = 300

// TestHunt runs seeds until one fails; it is what a mutant's binary is run for.
func TestHunt(t *testing.T) {
	if *hunted == 0 {
		t.Skip("for the binaries of mutants")
	}
	next, lanes := atomic.Int64{}, sync.WaitGroup{}
	caught := atomic.Bool{}
	for range runtime.GOMAXPROCS(0) {
		lanes.Go(func() {
			for seed := next.Add(1); seed <= *hunted && !caught.Load(); seed = next.Add(1) {
				failures := replicatest.Run(t, replicatest.NewPlan(uint64(seed)), replicatest.Services{})
				if len(failures) > 0 && !caught.Swap(true) {
					line, _, _ := strings.Cut(failures[0], "\n")
					fmt.Printf("CAUGHT by seed %d: %s\n", seed, line)
				}
			}
		})
	}
	lanes.Wait()
}
