package manifest

import (
	"testing"

	"pgregory.net/rapid"
)

// A wrong "disjoint" would let two copies share an item; a wrong "maybe" only
// asks for another name. So where templates are called disjoint, no text may
// fit both.
func TestNoTextFitsDisjointTemplates(t *testing.T) {
	text := rapid.StringMatching(`[xy]{0,2}(\{a\}[xy]{1,2}\{b\}|\{a\}|[xy])[xy]{0,2}`)
	found := false
	rapid.Check(t, func(t *rapid.T) {
		a, errA := ParseTemplate(text.Draw(t, "one"))
		b, errB := ParseTemplate(text.Draw(t, "other"))
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if a.disjoint(b) != b.disjoint(a) {
			t.Fatalf("%s and %s: it depends on the order", a, b)
		}
		if !a.disjoint(b) {
			return
		}
		found = true
		sample := rapid.StringMatching(`[xyz]{0,8}`).Draw(t, "text")
		_, fitsA := a.Match(sample)
		_, fitsB := b.Match(sample)
		if fitsA && fitsB {
			t.Fatalf("%q fits both %s and %s", sample, a, b)
		}
		if rendered, err := a.Render(map[string]string{"a": "x", "b": "y"}); err == nil {
			if _, fits := b.Match(rendered); fits {
				t.Fatalf("%q fits both %s and %s", rendered, a, b)
			}
		}
	})
	if !found {
		t.Error("no two templates were disjoint")
	}
}
