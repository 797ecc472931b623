package contracts_test

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

func TestValuesAreEqualByWhatTheyMean(t *testing.T) {
	str, num := contracts.String, contracts.Number
	dict := func(v contracts.Value) contracts.Value { return contracts.Map(map[string]contracts.Value{"a": v}) }
	for name, row := range map[string]struct {
		a, b  contracts.Value
		equal bool
	}{
		"numbers of one worth":        {num("1.0"), num("10e-1"), true},
		"numbers that differ late":    {num(number38), num(number38[:38] + "9"), false},
		"numbers past a float64":      {num("9007199254740993"), num("9007199254740992"), false},
		"texts that are no numbers":   {num("x"), num("x"), true},
		"a string and its number":     {str("1"), num("1"), false},
		"strings":                     {str("a"), str("a"), true},
		"sets in another order":       {contracts.StringSet("a", "b"), contracts.StringSet("b", "a"), true},
		"number sets of one worth":    {contracts.NumberSet("1", "2"), contracts.NumberSet("2.0", "1e0"), true},
		"sets of other members":       {contracts.StringSet("a", "b"), contracts.StringSet("a", "c"), false},
		"sets that repeat":            {contracts.StringSet("a", "a", "b"), contracts.StringSet("a", "b", "b"), false},
		"binary sets":                 {contracts.BinarySet([]byte{1}, nil), contracts.BinarySet([]byte{}, []byte{1}), true},
		"a set and a list":            {contracts.StringSet("a"), contracts.List(str("a")), false},
		"lists in another order":      {contracts.List(str("a"), str("b")), contracts.List(str("b"), str("a")), false},
		"nested":                      {dict(contracts.List(num("1"))), dict(contracts.List(num("1.0"))), true},
		"nested and different":        {dict(contracts.List(num("1"))), dict(contracts.List(num("2"))), false},
		"a null and none":             {contracts.Null(), contracts.Value{}, false},
		"nil and empty binary":        {contracts.Binary(nil), contracts.Binary([]byte{}), true},
		"booleans":                    {contracts.Bool(true), contracts.Bool(false), false},
		"an absent and a null field":  {contracts.Map(nil), dict(contracts.Null()), false},
		"one key against another key": {dict(str("x")), contracts.Map(map[string]contracts.Value{"b": str("x")}), false},
	} {
		t.Run(name, func(t *testing.T) {
			if row.a.Equal(row.b) != row.equal || row.b.Equal(row.a) != row.equal {
				t.Errorf("equal %t, %t; want %t", row.a.Equal(row.b), row.b.Equal(row.a), row.equal)
			}
		})
	}
}

// A set of 400 KiB, the size of an item, has some 100,000 members.
func TestLargeSetsCompareInTime(t *testing.T) {
	members := make([]string, 100_000)
	for i := range members {
		members[i] = strconv.Itoa(i)
	}
	a := contracts.NumberSet(members...)
	b := contracts.NumberSet(members...)
	start := time.Now()
	if !a.Equal(b) {
		t.Error("a set is not equal to itself")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestAnyValueEqualsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(t, anyShape(t, 3))
		if !v.Equal(v) {
			t.Fatalf("%v is not equal to itself", v)
		}
	})
}

func TestKindsHaveNames(t *testing.T) {
	if got := contracts.KindNumberSet.String(); got != "number set" {
		t.Error(got)
	}
	if got := contracts.Kind(99).String(); got != "unknown kind" {
		t.Error(got)
	}
}
