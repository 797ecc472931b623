package mutants_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/replica/replicatest/mutants"
)

var run = flag.Bool("mutants", false, "build each mutant and have the simulator catch it")

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

var seedText = regexp.MustCompile(`(?i)seed[ =:]+(\d+)`)

// The simulator's seeds catch every mutant; run with -mutants, which takes some
// minutes. It prints the table for docs/guarantees.md.
func TestTheSimulatorCatchesEveryMutant(t *testing.T) {
	if !*run {
		t.Skip("takes minutes: make mutants runs it")
	}
	var table strings.Builder
	for _, m := range mutants.All {
		t.Run(m.Name, func(t *testing.T) {
			out, caught := simulate(t, m)
			if !caught {
				t.Fatalf("not caught:\n%s", out)
			}
			seed := "?"
			if found := seedText.FindStringSubmatch(out); found != nil {
				seed = found[1]
			}
			fmt.Fprintf(&table, "| %s | %s | %s |\n", m.Name, seed, symptom(out))
		})
	}
	t.Logf("\n| mutant | seed | what the failure looks like |\n| --- | --- | --- |\n%s", table.String())
}

// simulate builds the simulator's tests with a mutant and runs them until the
// first failure.
func simulate(t *testing.T, m mutants.Mutant) (out string, caught bool) {
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
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", file, "-o", binary, "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	var said bytes.Buffer
	test := exec.CommandContext(t.Context(), binary, "-test.run", "^TestSimulation$", "-test.failfast", "-test.timeout", "5m")
	test.Dir, test.Stdout, test.Stderr = "..", &said, &said
	err = test.Run()
	return said.String(), err != nil
}

// symptom is the first line of a failure that says what is wrong.
func symptom(out string) string {
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "===") && !strings.HasPrefix(strings.ToLower(line), "seed") {
			if len(line) > 160 {
				line = line[:160] + " …"
			}
			return strings.ReplaceAll(line, "|", "/")
		}
	}
	return ""
}
