package bench

import (
	"errors"
	"flag"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	for behaviour, c := range map[string]struct {
		args []string
		says []string // on stderr; nil where it is accepted
	}{
		"nothing":               {nil, nil},
		"what make bench gives": {[]string{"-out", "bench/results.json"}, nil},
		"some of it":            {[]string{"-only", "floor, tributary", "-scenes", "steady;burst", "-runs", "1"}, nil},
		"an unknown flag":       {[]string{"-colour"}, []string{"-colour"}},
		"an argument":           {[]string{"now"}, []string{`"now"`}},
		"everything is wrong": {
			[]string{"-runs", "0", "-changes", "10", "-items", "20", "-only", "best", "-scenes", "none", "-receivers", "0"},
			[]string{"-runs 0", "-changes 10", `"best"`, "stock-10", `"none"`, "-receivers 0"},
		},
	} {
		t.Run(behaviour, func(t *testing.T) {
			var stderr strings.Builder
			o, err := Parse(c.args, filepath.Join("bin", "bench"), &stderr)
			if (err == nil) != (c.says == nil) {
				t.Fatalf("error %v: %s", err, stderr.String())
			}
			for _, want := range c.says {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("there is no %q in %s", want, stderr.String())
				}
			}
			if err == nil && o.Bin != "bin" {
				t.Errorf("binaries in %q", o.Bin)
			}
		})
	}
	var stderr strings.Builder
	if _, err := Parse([]string{"-h"}, "bench", &stderr); !errors.Is(err, flag.ErrHelp) || !strings.Contains(stderr.String(), SceneBurst) || !strings.Contains(stderr.String(), TributarySingle) {
		t.Errorf("%v: %s", err, stderr.String())
	}
}

func TestWorkIsCutForTheSlow(t *testing.T) {
	o, err := Parse(nil, "bench", &strings.Builder{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scene, variant string
		first          int
	}{
		{SceneSteady, Tributary, 20_000}, {SceneSlow, Tributary, 20_000}, {SceneSteady, Stock, 4_000},
		{SceneSlow, Stock10, 300}, {ScenePaced, Tributary, 3_000}, {ScenePaced, Stock, 3_000}, {SceneBurst, Stock, 4_000},
	} {
		v, err := variant(c.variant)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.work(scene(t, c.scene), v); got.First != c.first || got.Changes != 20_000 {
			t.Errorf("%s, %s: %d of %d changes", c.scene, c.variant, got.First, got.Changes)
		}
	}
}
