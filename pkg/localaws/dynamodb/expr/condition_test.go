package expr_test

import (
	"testing"

	"pgregory.net/rapid"
)

// TestConditions holds what DynamoDB's own engine answers about one item.
func TestConditions(t *testing.T) {
	item := itemOf(t, everything)
	for text, want := range map[string]bool{
		// Equality is by type and content; numbers by value, sets as sets.
		"s = :s": true, "n = :n": true, "b = :b": true, "t = :t": true, "z = :z": true, "ss = :ss": true, "ns = :ns": true,
		"l = :l": false, "s = :n": false, "s <> :n": true, "s <> :s": false, "t <> z": true, "m.k = :a": false,
		// Order exists within S, N and B only.
		"s < :a": false, "s > :a": true, "s >= :s": true, "n < :9": true, "n <= :n": true, "n > s": false, "NOT n > s": true, "l < n": false, "t < :9": false,
		// A missing attribute equals nothing, differs from everything, and is in no order.
		"nope = :s": false, "nope <> :s": true, ":s <> nope": true, "nope = nope2": false, "nope <> nope2": true, "nope < :n": false, "NOT nope = :s": true,
		"nope BETWEEN :1 AND :9": false, "NOT nope BETWEEN :1 AND :9": true, "nope IN (s, :s)": false, "s IN (nope)": false, "nope IN (nope2)": false,
		// BETWEEN and IN.
		"n BETWEEN :1 AND :9": true, "n BETWEEN :n AND :n": true, "n BETWEEN :1 AND s": false, "s BETWEEN :1 AND :9": false, ":3 BETWEEN :1 AND n": true,
		"n IN (:1, :n)": true, "n IN (:s, s)": false, ":s IN (n, s)": true, "t IN (:t)": true,
		// Functions.
		"attribute_exists(s)": true, "attribute_exists(m.n.d)": true, "attribute_exists(m.q)": false, "attribute_exists(l[3].k)": true,
		"attribute_not_exists(l[4])": true, "attribute_not_exists(s.k)": true, "attribute_not_exists(n)": false,
		"attribute_type(s, :typeS)": true, "attribute_type(n, :typeS)": false, "attribute_type(:n, :typeN)": true, "attribute_type(nope, :typeS)": false,
		"begins_with(s, :a)": true, "begins_with(s, :e)": true, "begins_with(n, :a)": false, "begins_with(:s, s)": true, "begins_with(s, nope)": false, "begins_with(b, :b)": true, "begins_with(b, :a)": false,
		"contains(s, :a)": true, "contains(s, :n)": false, "contains(ss, :a)": true, "contains(ns, :1)": true, "contains(ss, :ss)": false,
		"contains(l, :1)": true, "contains(l, :l)": true, "contains(l, :m)": true, "contains(m, :a)": false, "contains(n, :n)": false, "contains(nope, :a)": false, "contains(s, nope)": false,
		"size(s) = :3": true, "size(b) = :3": true, "size(l) = :4": true, "size(m) = :2": true, "size(ss) = :2": true, "size(n) = :1": false, "size(n) <> :1": true,
		"size(t) = size(n)": false, "size(nope) <> nope": true, "size(s) IN (:3)": true, "size(:s) < n": true, "size(s) = :s": false,
		// Paths.
		"l[0] = :1": true, "l[2][0] = :2": true, "l[3].k = m.k": true, "s[0] = :a": false, "m[0] = :a": false, "l.k = :a": false, "l [ 0 ]=:1": true, "m . k <> :a": true,
		// Precedence: NOT before AND before OR, parentheses before all.
		"s = :s OR s = :s AND s = :a": true, "(s = :s OR s = :s) AND s = :a": false, "NOT s = :a AND s = :s": true, "NOT (s = :a OR s = :s)": false,
		"NOT NOT s = :s": true, "not s = :s or n = :n": true, "s between :a and :s and n = :n": true, "((s) = (:s) AND (n) IN ((:n)))": true,
	} {
		p := parameters(t, "", theValues)
		c, err := p.Condition("ConditionExpression", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := c.Eval(item); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestConditionsOnNoItem(t *testing.T) {
	for text, want := range map[string]bool{
		"attribute_not_exists(id)": true, "attribute_exists(id)": false, "s <> :s": true, "s = :s": false, "NOT s = :s": true, ":s = :v": true,
	} {
		c, err := parameters(t, "", theValues).Condition("ConditionExpression", text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Eval(nil); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestSizeCountsUTF16(t *testing.T) {
	c, err := parameters(t, "", theValues).Condition("ConditionExpression", "size(s) = :3")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := c.Eval(itemOf(t, `{"s":{"S":"é😀"}}`)); !got {
		t.Error("a letter and a surrogate pair are not three")
	}
}

func TestTopLevelNamesComeOnceInOrder(t *testing.T) {
	p := parameters(t, `{"#n":"name"}`, theValues)
	c, err := p.Condition("FilterExpression", "c = :s AND #n.a[0] = :n OR size(c.d) > a")
	if err != nil {
		t.Fatal(err)
	}
	got := c.TopLevelNames()
	if len(got) != 3 || got[0] != "c" || got[1] != "name" || got[2] != "a" {
		t.Errorf("got %v", got)
	}
}

// TestConnectivesAreBoolean draws formulas with their truth beside them.
func TestConnectivesAreBoolean(outer *testing.T) {
	type formula struct {
		text  string
		truth bool
	}
	var build func(t *rapid.T, depth int) formula
	build = func(t *rapid.T, depth int) formula {
		leaves := []formula{{"s = :s", true}, {"s <> :s", false}, {"attribute_exists(nope)", false}, {"n BETWEEN :1 AND :9", true}, {"n IN (:1)", false}, {"contains(s, :a)", true}}
		if depth == 0 {
			return rapid.SampledFrom(leaves).Draw(t, "leaf")
		}
		a, b := build(t, depth-1), build(t, depth-1)
		enclosed := func(f formula) string { return "(" + f.text + ")" }
		switch rapid.IntRange(0, 2).Draw(t, "op") {
		case 0:
			return formula{"NOT " + enclosed(a), !a.truth}
		case 1:
			return formula{enclosed(a) + " AND " + enclosed(b) + " OR n = :9", a.truth && b.truth}
		}
		return formula{"n = :9 OR " + enclosed(a) + " OR " + enclosed(b), a.truth || b.truth}
	}
	item := itemOf(outer, everything)
	rapid.Check(outer, func(t *rapid.T) {
		f := build(t, 3)
		c, err := parameters(outer, "", theValues).Condition("ConditionExpression", f.text)
		if err != nil {
			t.Fatalf("%s: %v", f.text, err)
		}
		if got, _ := c.Eval(item); got != f.truth {
			t.Fatalf("%s: %v, want %v", f.text, got, f.truth)
		}
	})
}
