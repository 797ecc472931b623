package filter_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/localaws/sns/filter"
)

func encoded(t *rapid.T, v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func matches(t *rapid.T, policy any, scope filter.Scope, m *filter.Message) bool {
	text := encoded(t, policy)
	p, err := filter.Parse(text, scope)
	if err != nil {
		t.Fatalf("policy %s: %v", text, err)
	}
	return p.Matches(m)
}

var (
	words  = rapid.SampledFrom([]string{"", "a", "b", "ab", "ba", "abab", "bab", "A", "ä"})
	filled = rapid.SampledFrom([]string{"a", "b", "ab", "ba", "abab", "bab", "A", "ä"})
	keys   = rapid.SampledFrom([]string{"k", "l", "m"})
	// numbers repeat, and differ in the fifth digit.
	numbers = rapid.Custom(func(t *rapid.T) float64 {
		return float64(rapid.IntRange(-300000, 300000).Draw(t, "units")) / 100000
	})
)

// model is a condition and the naive way to evaluate it on one value.
type model struct {
	json  any
	holds func(v any) bool
}

func onText(holds func(string) bool) func(any) bool {
	return func(v any) bool { s, ok := v.(string); return ok && holds(s) }
}

func onNumber(holds func(float64) bool) func(any) bool {
	return func(v any) bool { n, ok := v.(float64); return ok && holds(n) }
}

// conditions draws one condition on values; existence is apart because it is
// about none.
var conditions = rapid.Custom(func(t *rapid.T) model {
	word := filled.Draw(t, "word")
	number := numbers.Draw(t, "number")
	op := func(name string, operand any) map[string]any { return map[string]any{name: operand} }
	switch rapid.IntRange(0, 10).Draw(t, "condition") {
	case 0:
		return model{word, func(v any) bool { return v == word }}
	case 1:
		return model{number, func(v any) bool { return v == number }}
	case 2:
		want := rapid.SampledFrom([]any{true, false, nil}).Draw(t, "literal")
		return model{want, func(v any) bool { return v == want }}
	case 3:
		return model{op("prefix", word), onText(func(s string) bool { return len(s) >= len(word) && s[:len(word)] == word })}
	case 4:
		return model{op("suffix", word), onText(func(s string) bool { return len(s) >= len(word) && s[len(s)-len(word):] == word })}
	case 5:
		return model{op("equals-ignore-case", word), onText(func(s string) bool { return slices.Equal(lower(s), lower(word)) })}
	case 6:
		list := rapid.SliceOfN(words, 1, 3).Draw(t, "list")
		return model{op("anything-but", list), func(v any) bool {
			s, ok := v.(string)
			return !ok || !slices.Contains(list, s)
		}}
	case 7:
		list := rapid.SliceOfN(numbers, 1, 3).Draw(t, "numbers")
		return model{op("anything-but", list), func(v any) bool {
			n, ok := v.(float64)
			return !ok || !slices.Contains(list, n)
		}}
	case 8:
		low, high := number, number+1.5
		return model{op("numeric", []any{">=", low, "<", high}), onNumber(func(n float64) bool { return n-low > -1e-9 && high-n > 1e-9 })}
	case 9:
		operator := rapid.SampledFrom([]string{"=", "<", "<=", ">", ">="}).Draw(t, "operator")
		return model{op("numeric", []any{operator, number}), onNumber(func(n float64) bool {
			equal := math.Abs(n-number) < 1e-9
			switch operator {
			case "=":
				return equal
			case "<":
				return n < number && !equal
			case "<=":
				return n < number || equal
			case ">":
				return n > number && !equal
			}
			return n > number || equal
		})}
	}
	pattern := rapid.SampledFrom([]string{"a*", "*b", "a*b", "*a*", "*", "ab"}).Draw(t, "pattern")
	return model{op("wildcard", pattern), onText(func(s string) bool { return glob(pattern, s) })}
})

func lower(s string) []rune { return []rune(strings.ToLower(s)) }

// glob matches by trying every split.
func glob(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	if pattern[0] == '*' {
		for i := range len(s) + 1 {
			if glob(pattern[1:], s[i:]) {
				return true
			}
		}
		return false
	}
	return s != "" && s[0] == pattern[0] && glob(pattern[1:], s[1:])
}

var values = rapid.Custom(func(t *rapid.T) any {
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		return numbers.Draw(t, "number")
	case 1:
		return rapid.SampledFrom([]any{true, false, nil}).Draw(t, "literal")
	}
	return words.Draw(t, "word")
})

// messages draws the values of each key, and the message that has them in
// its attributes and in its body alike.
func drawMessage(t *rapid.T) (map[string][]any, *filter.Message) {
	properties := rapid.MapOfN(keys, rapid.SliceOfN(values, 1, 3), 0, 3).Draw(t, "message")
	attributes, body := map[string]filter.Attribute{}, map[string]any{}
	for key, list := range properties {
		attributes[key] = filter.Attribute{DataType: "String.Array", StringValue: encoded(t, list)}
		body[key] = list
		if len(list) > 1 {
			continue
		}
		switch only := list[0].(type) {
		case string:
			attributes[key] = filter.Attribute{DataType: "String", StringValue: only}
			body[key] = only
		case float64:
			attributes[key] = filter.Attribute{DataType: "Number", StringValue: encoded(t, only)}
			body[key] = only
		}
	}
	return properties, filter.NewMessage(encoded(t, body), attributes)
}

// TestPolicyIsTheModel holds random policies against random messages, in both
// scopes, and compares with the definition: every key has a condition that
// holds for one of the values, or is about presence and right; a message without
// attributes matches none on attributes.
func TestPolicyIsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		properties, m := drawMessage(t)
		policy, want := map[string]any{}, true
		for _, key := range rapid.SliceOfNDistinct(keys, 1, 3, rapid.ID).Draw(t, "keys") {
			present, holds, list := properties[key] != nil, false, []any{}
			for _, c := range rapid.SliceOfN(conditions, 0, 3).Draw(t, "conditions") {
				list = append(list, c.json)
				holds = holds || slices.ContainsFunc(properties[key], c.holds)
			}
			if len(list) == 0 || rapid.Bool().Draw(t, "about presence") {
				exists := rapid.Bool().Draw(t, "exists")
				list = append(list, map[string]any{"exists": exists})
				tells := slices.ContainsFunc(properties[key], func(v any) bool { return v != nil && v != "" })
				holds = holds || exists && tells || !exists && !present
			}
			policy[key] = list
			want = want && holds
		}
		for _, scope := range []filter.Scope{filter.MessageAttributes, filter.MessageBody} {
			want := want && (scope == filter.MessageBody || len(properties) > 0)
			if got := matches(t, policy, scope, m); got != want {
				t.Fatalf("%s: %s on %v: got %v, want %v", scope, encoded(t, policy), properties, got, want)
			}
		}
	})
}

// TestPlainPolicyIsMembership: without operators a policy asks whether sets
// meet.
func TestPlainPolicyIsMembership(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		properties, m := drawMessage(t)
		policy := rapid.MapOfN(keys, rapid.SliceOfN(values, 1, 3), 1, 3).Draw(t, "policy")
		want := true
		for key, allowed := range policy {
			want = want && slices.ContainsFunc(properties[key], func(v any) bool { return slices.Contains(allowed, v) })
		}
		if got := matches(t, policy, filter.MessageAttributes, m); got != want {
			t.Fatalf("%v on %v: got %v, want %v", policy, properties, got, want)
		}
	})
}

// TestAlternativesAreTheirUnion: $or beside other keys equals the union of
// the policies with one alternative each.
func TestAlternativesAreTheirUnion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, m := drawMessage(t)
		draw := func(label string) map[string]any {
			return map[string]any{keys.Draw(t, label): []any{conditions.Draw(t, label).json}}
		}
		alternatives := []any{draw("first"), draw("second")}
		beside := conditions.Draw(t, "beside").json
		want := false
		for _, alternative := range alternatives {
			one := matches(t, alternative, filter.MessageBody, m)
			want = want || one && matches(t, map[string]any{"m": []any{beside}}, filter.MessageBody, m)
		}
		policy := map[string]any{"$or": alternatives, "m": []any{beside}}
		if got := matches(t, policy, filter.MessageBody, m); got != want {
			t.Fatalf("%s: got %v, want %v", encoded(t, policy), got, want)
		}
	})
}

// TestNestingIsItsPath: a policy and a body nested alike match as their flat
// forms do.
func TestNestingIsItsPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list, condition := rapid.SliceOfN(values, 1, 3).Draw(t, "values"), conditions.Draw(t, "condition").json
		flat := filter.NewMessage(encoded(t, map[string]any{"k": list}), nil)
		want := matches(t, map[string]any{"k": []any{condition}}, filter.MessageBody, flat)
		var policy, body any = []any{condition}, list
		for level := range rapid.IntRange(1, 5).Draw(t, "levels") {
			key := fmt.Sprint("k", level)
			policy, body = map[string]any{key: policy}, map[string]any{key: body}
			if rapid.Bool().Draw(t, "in an array") {
				body = map[string]any{key: []any{body.(map[string]any)[key], []any{}}}
			}
		}
		if got := matches(t, policy, filter.MessageBody, filter.NewMessage(encoded(t, body), nil)); got != want {
			t.Fatalf("%s on %s: got %v, want %v", encoded(t, policy), encoded(t, body), got, want)
		}
	})
}
