package contracts_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

// disagreement says how Decode differs from the reference, "" if it does not.
// Of a body that both refuse they must name the same field, unless the body is
// refused as a whole: then whatever is met first may be named.
func disagreement(body []byte, all *contracts.Catalog) string {
	got, err := contracts.Decode(body, all)
	want, path, refused := reference(body, all)
	var fe *contracts.FieldError
	errors.As(err, &fe)
	switch {
	case err == nil && refused:
		return "decoded, want " + path + " refused"
	case err == nil:
		return cmp.Diff(want, got)
	case !refused:
		if surrogate.Match(body) {
			return ""
		}
		return "refused: " + err.Error()
	case path == "" || surrogate.Match(body):
		return ""
	case fe == nil:
		return "refused as a whole, want " + path + ": " + err.Error()
	case fe.Field != path && !strings.Contains(fe.Field, "…"): // … where a long key is cut
		return "refused " + fe.Field + ", want " + path
	}
	return ""
}

func FuzzDecodeAgreesWithReference(f *testing.F) {
	for _, g := range goldens(f) {
		f.Add(g.body(f))
	}
	all := catalogOf(f, profilev1.Contract, everything(f))
	f.Fuzz(func(t *testing.T, body []byte) {
		if diff := disagreement(body, all); diff != "" {
			t.Fatalf("%s\nin %s", diff, body)
		}
	})
}

// Within 64 levels everything is passed over that nobody knows, wherever it is,
// and one level more is refused.
func TestNestingIsLimitedInDataToo(t *testing.T) {
	all := catalogOf(t, profilev1.Contract)
	for at, around := range map[string]int{"extra": 1, "data.extra": 2, "data.attributes.extra": 3} {
		for more, refused := range map[int]bool{0: false, 1: true} {
			n := 64 - around + more
			body := edit(t, goldens(t)[0].body(t), at, strings.Repeat("[", n)+strings.Repeat("]", n))
			_, err := contracts.Decode(body, all)
			if (err != nil) != refused || refused && !strings.Contains(err.Error(), "deeper than 64 levels") {
				t.Errorf("%s at %d levels: %v", at, n+around, err)
			}
		}
	}
}

// spoiled changes something somewhere in a tree: it drops, repeats, moves or
// adds a member, or puts another value in a place.
func spoiled(t *rapid.T, v any) any {
	other := rapid.SampledFrom([]any{
		nil, true, "", "x", "1", "1.0", "-0", "1e126", "AA==", "AB==", "\u0000", "\ufffe", " ", "tributary.canary.v1", "company.profile.deleted.v1",
		"1731000000123456", "9999-12-31T23:59:59.9999999Z", "0000-01-01T00:00:00+01:00",
		json.Number("0"), json.Number("-1.5e3"), []any{}, []any{"a", "a"}, []any{"1", "1.0"}, []any{nil}, object{}, object{{"k", "v"}, {"k", "v"}},
	})
	switch v := v.(type) {
	case object:
		at := rapid.IntRange(0, len(v)).Draw(t, "at")
		if at == len(v) {
			name := rapid.SampledFrom([]string{"extra", "Version", "data_base64", "", "city"}).Draw(t, "name")
			return slices.Insert(slices.Clone(v), rapid.IntRange(0, len(v)).Draw(t, "to"), member{name, other.Draw(t, "value")})
		}
		w := slices.Delete(slices.Clone(v), at, at+1)
		switch rapid.IntRange(0, 6).Draw(t, "how") {
		case 0:
			return w
		case 1:
			return slices.Insert(slices.Clone(v), rapid.IntRange(0, len(v)).Draw(t, "to"), v[at])
		case 2, 3:
			return slices.Insert(w, rapid.IntRange(0, len(w)).Draw(t, "to"), v[at])
		}
		return slices.Insert(w, at, member{v[at].name, spoiled(t, v[at].value)})
	case []any:
		at := rapid.IntRange(0, len(v)).Draw(t, "at")
		if at == len(v) || rapid.Bool().Draw(t, "add") {
			return slices.Insert(slices.Clone(v), at, other.Draw(t, "value"))
		}
		w := slices.Clone(v)
		w[at] = spoiled(t, v[at])
		return w
	}
	return other.Draw(t, "value")
}

// written is the text of a tree; with blanks between the tokens, or with every
// string escaped, where those are wanted.
func written(t *rapid.T, v any, blank string, escape bool) string {
	text := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if !escape || s == "" || s[0] < 'a' || s[0] > 'z' {
			return string(b)
		}
		return strings.Replace(string(b), s[:1], `\u00`+string("67"[(s[0]>>4)-6])+string("0123456789abcdef"[s[0]&15]), 1)
	}
	switch v := v.(type) {
	case object:
		var parts []string
		for _, m := range v {
			parts = append(parts, text(m.name)+blank+":"+written(t, m.value, blank, escape))
		}
		return "{" + blank + strings.Join(parts, ","+blank) + "}"
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, written(t, e, blank, escape))
		}
		return "[" + strings.Join(parts, blank+",") + blank + "]"
	case string:
		return text(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDecodeAgreesWithReferenceHoweverAnEventIsSpoiled(t *testing.T) {
	all := catalogOf(t, profilev1.Contract, everything(t))
	bodies := [][]byte{}
	for _, g := range goldens(t) {
		bodies = append(bodies, g.body(t))
	}
	refused := 0
	rapid.Check(t, func(t *rapid.T) {
		tree, _ := parsed(rapid.SampledFrom(bodies).Draw(t, "event"))
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			tree = spoiled(t, tree)
		}
		blank := rapid.SampledFrom([]string{"", "", " ", "\n\t"}).Draw(t, "blank")
		body := []byte(written(t, tree, blank, rapid.Bool().Draw(t, "escape")))
		if diff := disagreement(body, all); diff != "" {
			t.Fatalf("%s\nin %s", diff, body)
		}
		if _, err := contracts.Decode(body, all); err != nil {
			refused++
		}
	})
	if refused == 0 {
		t.Error("nothing was refused: the property said nothing about errors")
	}
}

// A proxy or a store may put the fields in another order. data is read on the
// way where the type is known by then, and in a second step where it is not.
func TestOrderOfTheFieldsMeansNothing(t *testing.T) {
	all := catalogOf(t, profilev1.Contract, everything(t))
	rapid.Check(t, func(t *rapid.T) {
		g := rapid.SampledFrom([]*contracts.Change{typical(), deletion(), canary(), manyTickers()}).Draw(t, "change")
		body, err := contracts.Encode(g)
		if err != nil {
			t.Fatal(err)
		}
		tree, _ := parsed(body)
		shuffled := object(rapid.Permutation(tree.(object)).Draw(t, "order"))
		got, err := contracts.Decode([]byte(written(t, shuffled, "", false)), all)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(g, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}
