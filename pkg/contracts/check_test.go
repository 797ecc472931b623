package contracts_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// fieldsOf returns the fields that an error of Check names.
func fieldsOf(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v joins nothing", err)
	}
	var fields []string
	for _, e := range joined.Unwrap() {
		var fe *contracts.FieldError
		if !errors.As(e, &fe) {
			t.Fatalf("%v is no FieldError", e)
		}
		fields = append(fields, fe.Field)
	}
	slices.Sort(fields)
	return fields
}

func TestCheckNamesEveryProblemAtOnce(t *testing.T) {
	c := everything(t)
	if err := c.Check(fullState()); err != nil {
		t.Fatal(err)
	}
	s := contracts.String
	dict := func(name string, v contracts.Value) contracts.Value {
		return contracts.Map(map[string]contracts.Value{name: v})
	}
	err := c.Check(contracts.Item{
		"note":    contracts.Number("1"),
		"amount":  contracts.Number("1e200"),
		"count":   contracts.Null(),
		"active":  {},
		"names":   contracts.List(s("a"), contracts.Null(), s("\xff")),
		"rows":    contracts.List(contracts.List(), contracts.List(contracts.Number("NaN"))),
		"labels":  dict("k", contracts.Bool(true)),
		"address": dict("street", s("x")),
		"tags":    contracts.StringSet(),
		"grades":  contracts.NumberSet("1", "1.0"),
		"hashes":  contracts.StringSet("x"),
		"offices": dict("head", dict("city", contracts.List())),
		"cik":     s("1"),
	})
	want := []string{
		"attributes.active", "attributes.address.city", "attributes.address.street", "attributes.amount", "attributes.cik",
		"attributes.grades", "attributes.hashes", "attributes.labels.k", "attributes.names[1]", "attributes.names[2]",
		"attributes.note", "attributes.offices.head.city", "attributes.rows[1][0]", "attributes.tags", "attributes.text",
	}
	if diff := cmp.Diff(want, fieldsOf(t, err)); diff != "" {
		t.Errorf("-want +got:\n%s\n%v", diff, err)
	}
}

func TestNullIsAValueOfOptionalAttributesOnly(t *testing.T) {
	c := everything(t)
	for _, name := range c.Names() {
		state := fullState()
		state[name] = contracts.Null()
		err := c.Check(state)
		if a, _ := c.Lookup(name); a.Required != (err != nil) {
			t.Errorf("%s required %t: null gives %v", name, a.Required, err)
		}
	}
}

func TestProjectDropsWhatTheContractLacks(t *testing.T) {
	c := everything(t)
	want := fullState()
	item := maps.Clone(want)
	item["cik"] = contracts.String("1")
	more := func(v contracts.Value) contracts.Value {
		dict := maps.Clone(v.Fields())
		dict["extra"] = contracts.Bool(true)
		return contracts.Map(dict)
	}
	item["address"] = more(want["address"])
	item["offices"] = contracts.Map(map[string]contracts.Value{"head": more(want["offices"].Fields()["head"])})
	if diff := cmp.Diff(want, c.Project(item)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, ok := item["cik"]; !ok || len(item["address"].Fields()) != 3 {
		t.Error("the item itself was changed")
	}
}

// Encode's rules and Check's are the same.
func TestEncodeTakesExactlyWhatCheckTakes(t *testing.T) {
	c := everything(t)
	values := slices.Collect(maps.Values(fullState()))
	values = append(values, contracts.Value{}, contracts.Number("x"), contracts.StringSet(), contracts.String("\xff"))
	rapid.Check(t, func(t *rapid.T) {
		change := fullChange(c)
		name := rapid.SampledFrom(c.Names()).Draw(t, "attribute")
		change.Attributes[name] = rapid.SampledFrom(values).Draw(t, "value")
		_, err := contracts.Encode(change)
		if checked := c.Check(change.Attributes); (err == nil) != (checked == nil) {
			t.Fatalf("Encode: %v; Check: %v", err, checked)
		}
	})
}
