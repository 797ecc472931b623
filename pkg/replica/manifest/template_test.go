package manifest_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// templateText draws a template that ParseTemplate accepts, from a small
// alphabet so that literals and values collide often.
func templateText(t *rapid.T) string {
	names := rapid.Permutation([]string{"a", "b", "c", "subject"}).Draw(t, "names")
	literal := rapid.StringMatching(`([-#xy]|\{\{|\}\}){1,3}`)
	var b strings.Builder
	for i := range rapid.IntRange(1, len(names)).Draw(t, "placeholders") {
		if i > 0 || rapid.Bool().Draw(t, "begins with a literal") {
			b.WriteString(literal.Draw(t, "literal"))
		}
		b.WriteString("{" + names[i] + "}")
	}
	if rapid.Bool().Draw(t, "ends with a literal") {
		b.WriteString(literal.Draw(t, "last literal"))
	}
	return b.String()
}

func parse(t rapid.TB, text string) manifest.Template {
	t.Helper()
	template, err := manifest.ParseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

func TestATemplatesTextReadsBackTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		template := parse(t, templateText(t))
		if again := parse(t, template.String()); !again.Equal(template) {
			t.Fatalf("%s became %s", template, again)
		}
	})
}

// What Render accepts, Match gives back. What it refuses would have come back
// as something else: with the check left out, matching gives other values.
func TestWhatRendersMatchesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		template := parse(t, templateText(t))
		vars := map[string]string{}
		for _, name := range template.Names() {
			vars[name] = rapid.StringMatching(`[-#xy{}é]{0,4}`).Draw(t, name)
		}
		text, err := template.Render(vars)
		if err != nil {
			return
		}
		got, ok := template.Match(text)
		if diff := cmp.Diff(vars, got); !ok || diff != "" {
			t.Fatalf("%s rendered %q, which matched %v, %v", template, text, got, ok)
		}
	})
}

func TestWhatMatchesRendersBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		template := parse(t, templateText(t))
		text := rapid.StringMatching(`[-#xy{}]{0,12}`).Draw(t, "text")
		vars, ok := template.Match(text)
		if !ok {
			return
		}
		again, err := template.Render(vars)
		if err != nil || again != text {
			t.Fatalf("%s matched %q as %v, which rendered %q, %v", template, text, vars, again, err)
		}
	})
}

// Two subjects never get one key.
func TestDifferentValuesRenderDifferently(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		template := parse(t, templateText(t))
		draw := func(label string) (map[string]string, string) {
			vars := map[string]string{}
			for _, name := range template.Names() {
				vars[name] = rapid.StringMatching(`[-#xy]{1,3}`).Draw(t, label+name)
			}
			text, err := template.Render(vars)
			if err != nil {
				t.Skip(err)
			}
			return vars, text
		}
		v, a := draw("one ")
		w, b := draw("other ")
		if a == b && !maps.Equal(v, w) {
			t.Fatalf("%s renders both %v and %v as %q", template, v, w, a)
		}
	})
}

func TestTemplates(t *testing.T) {
	for _, row := range []struct{ behaviour, template, text, vars string }{
		{"the bare word is the whole subject", "subject", "320193", "subject=320193"},
		{"a literal stands for itself", "PROFILE", "PROFILE", ""},
		{"the shortest text up to the literal", "{a}-{b}", "x-y-z", "a=x b=y-z"},
		{"several separators", "ORG#{org}#USER#{user}", "ORG#1#USER#2", "org=1 user=2"},
		{"braces are written twice", "{{{a}}}", "{x}", "a=x"},
		{"text past the end does not fit", "{a}-X", "1-X-X", "no"},
		{"an empty value does not fit", "ORG-{org}", "ORG-", "no"},
		{"another prefix does not fit", "ORG-{org}", "USER-1", "no"},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			vars, ok := parse(t, row.template).Match(row.text)
			got := "no"
			if ok {
				var pairs []string
				for _, name := range parse(t, row.template).Names() {
					pairs = append(pairs, name+"="+vars[name])
				}
				got = strings.Join(pairs, " ")
			}
			if got != row.vars {
				t.Fatalf("got %q, want %q", got, row.vars)
			}
		})
	}
}

func TestRefusedTemplates(t *testing.T) {
	for _, row := range []struct{ behaviour, template, says string }{
		{"empty", "", "empty"},
		{"nothing between placeholders", "{a}{b}", "touch"},
		{"a name twice", "{a}-{a}", "twice"},
		{"an open brace", "ORG-{org", "nothing closes"},
		{"a lone closing brace", "ORG-org}", "closes nothing"},
		{"a name with a space", "{the org}", "no placeholder"},
		{"no name", "{}", "no placeholder"},
		{"a name that begins with a digit", "{1a}", "no placeholder"},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			_, err := manifest.ParseTemplate(row.template)
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestRenderSaysWhichValueWouldNotComeBack(t *testing.T) {
	template := parse(t, "{org}--{user}")
	for value, says := range map[string]string{"": "no value for {org}", "a--b": "runs into", "a-": "runs into"} {
		_, err := template.Render(map[string]string{"org": value, "user": "u"})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v", value, err)
		}
	}
}
