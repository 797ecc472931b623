package expr_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
)

var (
	hashKey  = expr.KeyAttr{Name: "id", Type: attr.TypeString}
	rangeKey = expr.KeyAttr{Name: "r", Type: attr.TypeNumber}
)

func matching(t *testing.T, k *expr.KeyCondition) string {
	t.Helper()
	found := ""
	for i := range 5 {
		if v := attr.Int(int64(i)); k.Matches(v) {
			found += v.Num()
		}
	}
	return found
}

func TestKeyConditionsSelect(t *testing.T) {
	for text, want := range map[string]string{
		"id = :s": "01234", ":s = id": "01234", "(id = :s)": "01234", "id = :s AND r = :1": "1", "r = :1 AND id = :s": "1", "id = :s and r < :1": "0", "id = :s AND r <= :1": "01",
		"id = :s AND r > :1": "234", "id = :s AND r >= :1": "1234", "id = :s AND :1 < r": "234", "id = :s AND r BETWEEN :1 AND :3": "123", "(id = :s) AND (r BETWEEN :1 AND :3)": "123",
	} {
		k, err := parameters(t, "", theValues).KeyCondition(text, hashKey, rangeKey)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := matching(t, k); got != want || k.Hash().Str() != "abc" {
			t.Errorf("%s: %s of %q, want %s", text, got, k.Hash().Str(), want)
		}
	}
}

func TestKeyConditionsRefused(t *testing.T) {
	const inv = "Invalid KeyConditionExpression: "
	for text, want := range map[string]string{
		"": inv + "The expression can not be empty;", "((id = :s))": inv + "The expression has redundant parentheses;",
		"id = :s AND r <> :1": "Invalid operator used in KeyConditionExpression: <>", "id = :s OR r = :1": "Invalid operator used in KeyConditionExpression: OR",
		"NOT id = :s": "Invalid operator used in KeyConditionExpression: NOT", "id IN (:s)": "Invalid operator used in KeyConditionExpression: IN",
		"id = :s AND attribute_exists(r)": "Invalid operator used in KeyConditionExpression: attribute_exists", "id > :s": "Query key condition not supported", "begins_with(id, :s)": "Query key condition not supported",
		"r = :1": "Query condition missed key schema element: id", "id = :s AND x = :s": "Query condition missed key schema element: r",
		"id = :s AND r = :1 AND r = :3": "KeyConditionExpressions must only contain one condition per key", "id = :s AND r = :1 AND x = :s": "Conditions can be of length 1 or 2 only",
		"id = :s AND size(r) = :1": "KeyConditionExpressions cannot contain nested operations", "id = r": "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
		":s = :v": "Invalid condition in KeyConditionExpression: No key attribute specified", "id.x = :s": "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: id",
		"id = :s AND begins_with(:s, r)":  "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand",
		"id = :s AND r = :s":              "One or more parameter values were invalid: Condition parameter type does not match schema type",
		"id = :e":                         "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: id",
		"id = :s AND begins_with(r, :1)":  inv + "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
		"id = :s AND r BETWEEN :3 AND :1": inv + "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:3}, upper bound operand: AttributeValue: {N:1}",
		"id = :s AND :1 BETWEEN r AND :3": "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand",
		"id = :s AND contains(r, :1)":     "Invalid operator used in KeyConditionExpression: contains",
		"id = :s AND r > :1 AND r < :3":   "KeyConditionExpressions must only contain one condition per key",
		"id = :s AND begins_with(r, r)":   inv + "The first operand must be distinct from the remaining operands for this operator or function; operator: begins_with, first operand: [r]",
		"id = :s AND r BETWEEN id AND :3": "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
		"id = :s AND r > :t":              inv + "Incorrect operand type for operator or function; operator or function: >, operand type: BOOL",
		"id = :1":                         "One or more parameter values were invalid: Condition parameter type does not match schema type",
		"id = :s AND r = :1 AND id = :s":  "KeyConditionExpressions must only contain one condition per key",
		"id = :q":                         inv + "An expression attribute value used in expression is not defined; attribute value: :q",
	} {
		_, err := parameters(t, "", theValues).KeyCondition(text, hashKey, rangeKey)
		if err == nil {
			t.Errorf("%q was accepted", text)
			continue
		}
		if got := refusal(t, err); got != want {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
	_, err := parameters(t, "", theValues).KeyCondition("id = :s AND r = :1", hashKey, expr.KeyAttr{})
	if err == nil || refusal(t, err) != "Query key condition not supported" {
		t.Errorf("two conditions on one key: %v", err)
	}
}

// TestBoundsEncloseTheMatches reads a sorted range by its bounds, as a query
// does, and finds what Matches finds.
func TestBoundsEncloseTheMatches(t *testing.T) {
	texts := []string{"id = :s", "id = :s AND r = :x", "id = :s AND r < :x", "id = :s AND r <= :x", "id = :s AND r > :x", "id = :s AND r >= :x", "id = :s AND r BETWEEN :x AND :y", "id = :s AND begins_with(r, :x)"}
	keys := rapid.StringMatching(`[ab]{1,3}`)
	stringKey := expr.KeyAttr{Name: "r", Type: attr.TypeString}
	rapid.Check(t, func(t *rapid.T) {
		x, y := keys.Draw(t, "x"), keys.Draw(t, "y")
		p, err := expr.NewParameters(nil, map[string]attr.Value{":s": attr.String("k"), ":x": attr.String(min(x, y)), ":y": attr.String(max(x, y))})
		if err != nil {
			t.Fatal(err)
		}
		text := rapid.SampledFrom(texts).Draw(t, "text")
		k, err := p.KeyCondition(text, hashKey, stringKey)
		if err != nil {
			t.Fatal(err)
		}
		v := attr.String(keys.Draw(t, "v"))
		from, to := k.Bounds()
		inside := true
		if from != nil {
			c := attr.Compare(v, from.Value)
			inside = c > 0 || c == 0 && from.Inclusive
		}
		if to != nil {
			c := attr.Compare(v, to.Value)
			inside = inside && (c < 0 || c == 0 && to.Inclusive)
		}
		if k.Matches(v) && !inside {
			t.Fatalf("%s: %q matches outside the bounds", text, v.Str())
		}
		if inside && !k.Matches(v) && text != texts[len(texts)-1] {
			t.Fatalf("%s: %q is inside the bounds and does not match", text, v.Str())
		}
	})
}
