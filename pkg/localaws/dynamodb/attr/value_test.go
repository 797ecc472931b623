package attr_test

import (
	"encoding/json"
	"testing"

	"github.com/cockroachdb/apd/v3"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

// values draws any value, lists and maps at most depth deep.
func values(depth int) *rapid.Generator[attr.Value] {
	return rapid.Custom(func(t *rapid.T) attr.Value {
		top := 6
		if depth > 0 {
			top = 8
		}
		set := func(typ attr.Type, members ...attr.Value) attr.Value {
			v, err := attr.Set(typ, members...)
			if err != nil {
				return members[0] // repeated: any value will do
			}
			return v
		}
		switch rapid.IntRange(0, top).Draw(t, "kind") {
		case 0:
			return attr.String(rapid.String().Draw(t, "s"))
		case 1:
			return number(t)
		case 2:
			return attr.Bytes(rapid.SliceOf(rapid.Byte()).Draw(t, "b"))
		case 3:
			return attr.Bool(rapid.Bool().Draw(t, "bool"))
		case 4:
			return attr.Null()
		case 5:
			return set(attr.TypeNumberSet, number(t), number(t))
		case 6:
			return set(attr.TypeStringSet, attr.String(rapid.String().Draw(t, "m")), attr.String(rapid.String().Draw(t, "n")))
		case 7:
			return attr.List(rapid.SliceOfN(values(depth-1), 0, 4).Draw(t, "l")...)
		}
		return attr.Map(rapid.MapOfN(rapid.StringN(1, 5, -1), values(depth-1), 0, 4).Draw(t, "m"))
	})
}

func number(t *rapid.T) attr.Value {
	n, err := attr.Number(numberText().Draw(t, "n"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCompareIsATotalOrderThatAgreesWithEqual(t *testing.T) {
	sign := func(i int) int { return max(-1, min(1, i)) }
	rapid.Check(t, func(t *rapid.T) {
		g := values(2)
		a, b, c := g.Draw(t, "a"), g.Draw(t, "b"), g.Draw(t, "c")
		if sign(attr.Compare(a, b)) != -sign(attr.Compare(b, a)) {
			t.Fatal("the order of a and b depends on which is asked first")
		}
		if (attr.Compare(a, b) == 0) != a.Equal(b) {
			t.Fatal("Compare and Equal disagree")
		}
		if attr.Compare(a, b) <= 0 && attr.Compare(b, c) <= 0 && attr.Compare(a, c) > 0 {
			t.Fatal("a <= b <= c, yet a > c")
		}
		if attr.Compare(a, a) != 0 {
			t.Fatal("a differs from itself")
		}
	})
}

func TestNumbersCompareByValueAndKeysByContent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := number(t), number(t)
		x, _, _ := apd.NewFromString(a.Num())
		y, _, _ := apd.NewFromString(b.Num())
		if got, want := attr.Compare(a, b), x.Cmp(y); got != want {
			t.Fatalf("Compare(%s, %s) = %d, want %d", a.Num(), b.Num(), got, want)
		}
		if (string(a.KeyBytes()) == string(b.KeyBytes())) != (x.Cmp(y) == 0) {
			t.Fatalf("keys %s and %s: %q, %q", a.Num(), b.Num(), a.KeyBytes(), b.KeyBytes())
		}
		if s := attr.String(a.Num()); string(s.KeyBytes()) == string(a.KeyBytes()) {
			t.Fatalf("a string and a number share the key %q", s.KeyBytes())
		}
	})
}

func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values(3).Draw(t, "v")
		wired, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var back attr.Value
		if err := json.Unmarshal(wired, &back); err != nil {
			t.Fatalf("%s: %v", wired, err)
		}
		if !back.Equal(v) {
			t.Fatalf("%s came back another", wired)
		}
		if back.Size() != v.Size() {
			t.Fatalf("%s: size %d, was %d", wired, back.Size(), v.Size())
		}
	})
}

// TestSizes holds sizes that DynamoDB's own engine charges, and the rules of
// "DynamoDB item sizes and formats".
func TestSizes(t *testing.T) {
	for wired, want := range map[string]int{
		`{"S":"abc"}`: 3, `{"S":"é"}`: 2, `{"B":"AAAA"}`: 3, `{"BOOL":false}`: 1, `{"NULL":true}`: 1,
		`{"N":"0"}`: 1, `{"N":"1"}`: 2, `{"N":"10"}`: 2, `{"N":"99"}`: 2, `{"N":"100"}`: 2, `{"N":"101"}`: 3, `{"N":"123"}`: 3,
		`{"N":"1000"}`: 2, `{"N":"1001"}`: 3, `{"N":"12345"}`: 4, `{"N":"-1"}`: 3, `{"N":"-123"}`: 4, `{"N":"0.1"}`: 2, `{"N":"0.12"}`: 2,
		`{"N":"0.123"}`: 3, `{"N":"0.0012"}`: 2, `{"N":"1.5"}`: 3, `{"N":"100.01"}`: 4, `{"N":"1e125"}`: 2, `{"N":"1e-130"}`: 2, `{"N":"1.1e-130"}`: 3,
		`{"N":"12345678901234567890123456789012345678"}`: 20, `{"N":"-12345678901234567890123456789012345678"}`: 21, `{"N":"1234567890.123456789"}`: 11,
		`{"L":[]}`: 3, `{"M":{}}`: 3, `{"L":[{"S":"ab"}]}`: 6, `{"M":{"k":{"S":"ab"}}}`: 7, `{"L":[{"L":[]}]}`: 7, `{"M":{"k":{"S":"ab"},"l":{"N":"1"}}}`: 11,
		`{"SS":["a","bc"]}`: 3, `{"NS":["1","123"]}`: 5, `{"BS":["AA==","AAA="]}`: 3,
	} {
		var v attr.Value
		if err := json.Unmarshal([]byte(wired), &v); err != nil {
			t.Fatal(err)
		}
		if got := v.Size(); got != want {
			t.Errorf("%s: size %d, want %d", wired, got, want)
		}
	}
	item := attr.Item{"id": attr.String("1"), "n": attr.Int(7)}
	if got := item.Size(); got != 6 {
		t.Errorf("item: size %d, want 6", got)
	}
}

func TestSetsAreSets(t *testing.T) {
	universe := []string{"1", "2", "3", "4.5", "-6"}
	subset := rapid.Map(rapid.Permutation(universe), func(p []string) []string { return p[:3] })
	rapid.Check(t, func(t *rapid.T) {
		one, two := subset.Draw(t, "one"), subset.Draw(t, "two")
		a, errA := attr.NumberSet(one...)
		b, errB := attr.NumberSet(two...)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		union := a.Union(b)
		rest, left := a.Without(b)
		for _, text := range universe {
			n, _ := attr.Number(text)
			if union.Contains(n) != (a.Contains(n) || b.Contains(n)) {
				t.Fatalf("%s in the union of %v and %v: %v", text, one, two, union.Contains(n))
			}
			if rest.Contains(n) != (a.Contains(n) && !b.Contains(n)) {
				t.Fatalf("%s in %v without %v: %v", text, one, two, rest.Contains(n))
			}
		}
		if left != (len(rest.Set()) > 0) {
			t.Fatalf("left is %v with %d members", left, len(rest.Set()))
		}
	})
}
