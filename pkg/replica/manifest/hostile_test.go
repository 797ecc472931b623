package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// allocated is how many bytes one call takes from the heap, those it gives back
// included. Nothing else may run beside it.
func allocated(call func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// filled is a manifest as long as one may be: a head, one part over and over,
// and a tail.
func filled(head, part, tail string) string {
	return head + strings.Repeat(part, (manifest.MaxBytes-len(head)-len(tail))/len(part)) + tail
}

// A file without an end is read to the limit and refused.
func TestAnEndlessManifestIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), manifest.FileName)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 8<<30); err != nil { // takes no room on the disk
		t.Skip("no sparse files here: ", err)
	}
	var err error
	used := allocated(func() { _, err = manifest.Load(path) })
	if err == nil || !strings.Contains(err.Error(), "longer than a manifest can be") || used > 8<<20 {
		t.Errorf("%d bytes are allocated: %v", used, err)
	}
}

// Whoever can have a manifest linted can choose what is in it, so that no file
// of the largest size may cost more than its size accounts for, nor may its
// problems be more than somebody reads.
func TestAHostileManifestCostsBoundedMemory(t *testing.T) {
	const mostBytes = 96 << 20 // 384 times the largest manifest: YAML's tree has more than 100 bytes a node
	laughs := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		name := string(rune('1' + i))
		last := string(rune('0' + i))
		laughs += "a" + name + ": &a" + name + " [" + strings.Repeat("*a"+last+",", 10) + "]\n"
	}
	var captures strings.Builder
	for i := range manifest.MaxBytes / 10 {
		fmt.Fprintf(&captures, "{a%x}-", i)
	}
	for name, text := range map[string]string{
		"ten MiB of text":                  "service: " + strings.Repeat("a", 10<<20),
		"ten MiB of aliases":               laughs + strings.Repeat("b: *a9\n", 10<<20/7),
		"aliases of aliases":               laughs + "service: *a9\n",
		"aliases where lists belong":       laughs + "tables: *a9\nsubscribes: [*a9, *a8]\n",
		"an anchor that contains itself":   "tables: &a [*a]\n",
		"a merge key of itself":            "tables: &a\n  - <<: *a\n",
		"merge keys":                       filled("base: &b {a: 1}\nservice:\n", "  <<: *b\n", ""),
		"lists in lists":                   filled("tables: ", "[", ""),
		"objects in objects":               filled("tables: ", "{a: ", ""),
		"texts where subscriptions belong": filled("subscribes: [", "a,", "a]"),
		"subscriptions without anything":   filled("subscribes: [", "{},", "{}]"),
		"publications without anything":    filled("publishes: [", "{},", "{}]"),
		"tables without anything":          filled("tables: [", "{},", "{}]"),
		"replicas without anything":        filled("subscribes: [{contract: company.profile/v1, replicas: [", "{},", "{}]}]"),
		"the same attributes":              filled("subscribes: [{contract: company.profile/v1, attributes: [", "a,", "a]}]"),
		"tables of one name":               filled("tables: [", "{name: abc},", "{}]"),
		"the same field":                   filled("", "a: 1\n", ""),
		"one long field":                   filled("service: a\n", "b", ": 1\n"),
		"a long number":                    filled("subscribes: [{queue: {max_receive_count: ", "9", "}}]"),
		"a long exponent":                  filled("service: 1e", "9", ""),
		"a long duration":                  filled("subscribes: [{queue: {visibility_timeout: ", "9h", "}}]"),
		"a template of many captures":      filled("publishes: [{key: {pk: \"", "{a}", "\"}}]"),
		"a template of ever new captures":  "publishes: [{key: {pk: \"" + captures.String() + "\"}}]",
		"fan-outs without an anchor":       filled("subscribes: [{contract: company.profile/v1, replicas: [", "{table: abc, index: i},", "{}]}]"),
		"names of any length":              strings.Repeat("? "+strings.Repeat("n", 4000)+"\n: 1\n", 60),
		"nested lists within limits":       "subscribes: [" + strings.Repeat("{replicas: ["+strings.Repeat("{table: abc, create: false},", 250)+"]},", 32) + "]",
		"a template of many braces":        filled("publishes: [{key: {pk: \"", "{", "\"}}]"),
		"one documents after the other":    filled("", "---\n", ""),
		"comments":                         filled("service: a\n", "#\n", ""),
		"question marks":                   filled("", "? ", ""),
		"hyphens":                          filled("", "- ", ""),
		"quoted escapes":                   filled("service: \"", "\\x01", "\""),
		"tags":                             filled("service: ", "!!str ", "a"),
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			used := allocated(func() { _, err = manifest.Parse("hostile.yaml", []byte(text)) })
			if err == nil {
				t.Fatal("it is taken")
			}
			problems := manifest.Problems(err)
			if used > mostBytes {
				t.Errorf("%d bytes are allocated for %d", used, len(text))
			}
			for _, p := range problems {
				if p.File != "hostile.yaml" || p.Problem == "" {
					t.Errorf("not everything is said: %+v", p)
				}
			}
			if len(problems) == 0 || len(problems) > manifest.MaxProblems+1 || len(err.Error()) > manifest.MaxProblems*2048 {
				t.Errorf("%d problems in %d bytes", len(problems), len(err.Error()))
			}
		})
	}
}
