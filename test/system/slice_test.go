package system

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// companiesInSlice are some of the real data's, each there for a reason; the
// first ones of the file fill up.
var companiesInSlice = map[string]string{
	"31791":            "renamed three times",
	"40545":            "renamed",
	"101829":           "renamed",
	"1132979":          "deleted",
	"1001082":          "deleted",
	"4343243243432434": "a key of 16 digits; comes and goes",
	"91576":            "renamed there and back, and has infinite figures",
	"1652044":          "has two tickers",
}

const slicedCompanies = 40

// slice writes the lines of some companies to files of their own and returns
// the files as the demo's arguments.
func slice(t *testing.T) []string {
	t.Helper()
	examples, directory := filepath.Join(root, "examples", "sp500"), t.TempDir()
	chosen := map[string]bool{}
	for cik := range companiesInSlice {
		chosen[cik] = true
	}
	copyLines := func(name string) string {
		to := filepath.Join(directory, name)
		var kept []string
		for _, line := range readLines(t, filepath.Join(examples, name)) {
			var row struct {
				CIK string `json:"cik"`
			}
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			if len(chosen) < slicedCompanies {
				chosen[row.CIK] = true
			}
			if chosen[row.CIK] {
				kept = append(kept, line)
			}
		}
		writeLines(t, to, kept)
		return to
	}
	return []string{"-profiles", copyLines("profile-changes.jsonl"), "-statistics", copyLines("statistics.jsonl")}
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []string
	scanner := bufio.NewScanner(f)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

func writeLines(t *testing.T, path string, lines []string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}
