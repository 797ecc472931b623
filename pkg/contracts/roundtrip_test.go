package contracts_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

func anyNumber() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		digits := rapid.StringMatching(`-?[1-9][0-9]{0,37}`).Draw(t, "digits")
		significant := len(digits)
		if digits[0] == '-' {
			significant--
		}
		switch rapid.IntRange(0, 3).Draw(t, "form") {
		case 0:
			return digits
		case 1:
			return digits + ".0"
		default:
			exponent := rapid.IntRange(-130, 125).Draw(t, "magnitude") - significant + 1
			return fmt.Sprintf("%se%+d", digits, exponent)
		}
	})
}

func anyScalar(kind contracts.Kind) *rapid.Generator[contracts.Value] {
	switch kind {
	case contracts.KindString:
		return rapid.Map(rapid.String(), contracts.String)
	case contracts.KindNumber:
		return rapid.Map(rapid.OneOf(rapid.Just("-0"), anyNumber()), contracts.Number)
	case contracts.KindBinary:
		return rapid.Map(rapid.SliceOf(rapid.Byte()), contracts.Binary)
	default:
		return rapid.Map(rapid.Bool(), contracts.Bool)
	}
}

func anyShape(t *rapid.T, depth int) contracts.Shape {
	last := contracts.KindBinarySet
	kinds := []contracts.Kind{
		contracts.KindString, contracts.KindNumber, contracts.KindBinary, contracts.KindBool,
		contracts.KindStringSet, contracts.KindNumberSet, last, contracts.KindList, contracts.KindMap,
	}
	if depth == 0 {
		kinds = kinds[:7]
	}
	s := contracts.Shape{Kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
	switch {
	case s.Kind == contracts.KindMap && rapid.Bool().Draw(t, "fixed keys"):
		s.Fields = anyAttributes(t, depth-1)
	case s.Kind == contracts.KindMap, s.Kind == contracts.KindList:
		elem := anyShape(t, depth-1)
		s.Elem = &elem
	}
	return s
}

func anyAttributes(t *rapid.T, depth int) []contracts.Attribute {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-zA-Z0-9_-]{1,8}`), 1, 5, rapid.ID).Draw(t, "names")
	var all []contracts.Attribute
	for _, name := range names {
		all = append(all, contracts.Attribute{Name: name, Required: rapid.Bool().Draw(t, "required"), Shape: anyShape(t, depth)})
	}
	return all
}

func anyFields(t *rapid.T, attributes []contracts.Attribute) map[string]contracts.Value {
	dict := map[string]contracts.Value{}
	for _, a := range attributes {
		switch {
		case !a.Required && rapid.Bool().Draw(t, "absent"):
		case !a.Required && rapid.IntRange(0, 9).Draw(t, "null") == 9:
			dict[a.Name] = contracts.Null()
		default:
			dict[a.Name] = anyValue(t, a.Shape)
		}
	}
	return dict
}

func anyValue(t *rapid.T, s contracts.Shape) contracts.Value {
	switch s.Kind {
	case contracts.KindList:
		list := make([]contracts.Value, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range list {
			list[i] = anyValue(t, *s.Elem)
		}
		return contracts.List(list...)
	case contracts.KindMap:
		if s.Elem == nil {
			return contracts.Map(anyFields(t, s.Fields))
		}
		dict := map[string]contracts.Value{}
		for _, key := range rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "keys") {
			dict[key] = anyValue(t, *s.Elem)
		}
		return contracts.Map(dict)
	case contracts.KindStringSet:
		return contracts.StringSet(rapid.SliceOfNDistinct(rapid.String(), 1, 4, rapid.ID).Draw(t, "strings")...)
	case contracts.KindNumberSet:
		worth := func(n string) string {
			canonical, err := contracts.NormalizeNumber(n)
			if err != nil {
				t.Fatal(err)
			}
			return canonical
		}
		return contracts.NumberSet(rapid.SliceOfNDistinct(anyNumber(), 1, 4, worth).Draw(t, "numbers")...)
	case contracts.KindBinarySet:
		content := func(b []byte) string { return string(b) }
		return contracts.BinarySet(rapid.SliceOfNDistinct(rapid.SliceOf(rapid.Byte()), 1, 4, content).Draw(t, "blobs")...)
	default:
		return anyScalar(s.Kind).Draw(t, "value")
	}
}

func anyTime() *rapid.Generator[time.Time] {
	return rapid.Map(rapid.Int64Range(-62_000_000_000_000_000, 253_402_300_799_999_999), func(us int64) time.Time {
		return time.UnixMicro(us).UTC()
	})
}

func anyChange(t *rapid.T) *contracts.Change {
	c := &contracts.Change{
		Operation: rapid.SampledFrom([]contracts.Operation{contracts.Upsert, contracts.Upsert, contracts.Delete, contracts.Canary}).Draw(t, "operation"),
		Source:    rapid.SampledFrom([]string{"/services/profile", "urn:x:y", "https://example.com/a?b=c"}).Draw(t, "source"),
		Subject:   rapid.StringMatching(`[a-zA-Z0-9@/#é漢-]{1,40}`).Draw(t, "subject"),
		Origin:    rapid.SampledFrom([]contracts.Origin{contracts.Live, contracts.Backfill, contracts.Replay, contracts.Repair}).Draw(t, "origin"),
		Published: anyTime().Draw(t, "published"),
		Changed:   []string{"name"},
	}
	if rapid.Bool().Draw(t, "traced") {
		c.TraceParent = rapid.StringMatching(`00-[1-9a-f]{32}-[1-9a-f]{16}-0[01]`).Draw(t, "traceparent")
	}
	if c.Operation == contracts.Canary {
		return c
	}
	c.Version = contracts.Version(rapid.Int64Min(1).Draw(t, "version"))
	c.Contract = &contracts.Contract{
		Name: "random.thing", Major: rapid.IntRange(1, 99).Draw(t, "major"),
		SchemaID: "https://tributary.dev/schemas/x.json", Attributes: anyAttributes(t, 3),
	}
	c.Changed = c.Contract.Names()[:rapid.IntRange(1, len(c.Contract.Attributes)).Draw(t, "changed")]
	if c.Operation == contracts.Upsert {
		c.Attributes = anyFields(t, c.Contract.Attributes)
	}
	return c
}

func TestAnyChangeSurvivesTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyChange(t)
		body, err := contracts.Encode(want)
		if err != nil {
			t.Fatal(err)
		}
		var all *contracts.Catalog
		if want.Contract != nil {
			if all, err = contracts.NewCatalog(want.Contract); err != nil {
				t.Fatal(err)
			}
		}
		got, err := contracts.Decode(body, all)
		if err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		again, err := contracts.Encode(got)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(body, again) {
			t.Fatalf("the same change has other bytes:\n%s\n%s", body, again)
		}
		var e event.Event
		if err := e.UnmarshalJSON(body); err != nil {
			t.Fatal(err)
		}
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
		if e.ID() != want.ID() || e.Subject() != want.Subject || e.Type() != want.Type() {
			t.Fatalf("another reader sees %s", e)
		}
	})
}

func TestEqualStatesHaveEqualBytes(t *testing.T) {
	c := fullChange(everything(t))
	body, err := contracts.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, same := range map[string]contracts.Value{
		"amount": contracts.Number(number38 + ".00"),
		"count":  contracts.Number("-0.7E1"),
		"tags":   contracts.StringSet("a", "b", ""),
		"grades": contracts.NumberSet("9.50", "1e1", "-1e-36"),
	} {
		c.Attributes[name] = same
	}
	again, err := contracts.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(body, again) {
		t.Errorf("got  %s\nwant %s", again, body)
	}
}

// A queue takes no message with these characters in it (Amazon SQS API
// Reference, SendMessage).
func TestBodyHasOnlyWhatAQueueTakes(t *testing.T) {
	c := typical()
	every := "\ufffe\uffff\ufffd\ufeff﷐"
	for r := range rune(0x100) {
		every += string(r)
	}
	c.Attributes["name"] = contracts.String(every)
	body, err := contracts.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	refused := []rune{'\ufffe', '\uffff'}
	for r := range ' ' {
		refused = append(refused, r)
	}
	for _, r := range refused {
		if slices.Contains([]rune(string(body)), r) {
			t.Errorf("%q is in the body", r)
		}
	}
	got, err := contracts.Decode(body, catalogOf(t, c.Contract))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
