package demo

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/test/system/internal/input"
)

func TestLinesAreSetInHoweverTheyCome(t *testing.T) {
	const said = "one\n\nplan of it\n  table  a\n  note\n\ntwo\n  three\n"
	rapid.Check(t, func(t *rapid.T) {
		brief := rapid.Bool().Draw(t, "brief")
		var out bytes.Buffer
		w := &indented{to: &out, brief: brief}
		for rest := said; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "written at once")
			if wrote, err := w.Write([]byte(rest[:n])); err != nil || wrote != n {
				t.Fatalf("wrote %d of %d: %v", wrote, n, err)
			}
			rest = rest[n:]
		}
		want := "    one\n\n    plan of it\n      table  a\n      note\n\n    two\n      three\n"
		if brief {
			want = "    one\n\n    two\n      three\n"
		}
		if out.String() != want {
			t.Fatalf("%q, want %q", out.String(), want)
		}
	})
}

func TestDamageIsDoneToWhatHasAName(t *testing.T) {
	renamed := arrival{change: input.ProfileChange{CIK: "2"}, old: "Before"}
	e := expectation{
		profiles: map[string]*input.Profile{"1": nil, "2": {Name: "Two"}, "3": {Name: "Three"}},
		watches:  watches{{"ada", "1"}, {"ada", "2"}, {"grace", "3"}},
	}
	for _, c := range []struct {
		behaviour string
		e         expectation
		arrivals  []arrival
		want      string
	}{
		{"a renamed company gets its old name back", e, []arrival{renamed}, "2 Before, grace 3"},
		{"without a rename any name will do", e, nil, "2 Two (overwritten), grace 3"},
		{"one company has to do for both", expectation{profiles: map[string]*input.Profile{"2": {Name: "Two"}}, watches: watches{{"ada", "2"}}}, []arrival{renamed}, "2 Before, ada 2"},
		{"nobody watches", expectation{profiles: e.profiles}, []arrival{renamed}, "2 Before"},
		{"everything is deleted", expectation{profiles: map[string]*input.Profile{"1": nil}, watches: e.watches}, nil, ""},
	} {
		t.Run(c.behaviour, func(t *testing.T) {
			var got []string
			for _, d := range chooseDamage(c.e, c.arrivals) {
				text := strings.TrimSpace(d.user + " " + d.cik)
				if d.wrong != nil {
					text += " " + *d.wrong
				}
				got = append(got, text)
				if d.damaged(&d.name) || !d.right(&d.name) || d.right(d.wrong) || !d.damaged(d.wrong) {
					t.Errorf("%s: right and damaged are not told apart", text)
				}
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("%s, want %s", text, c.want)
			}
		})
	}
}
