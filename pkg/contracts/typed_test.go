package contracts_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

func TestMarshalAndUnmarshalKeepEveryField(t *testing.T) {
	c := everything(t)
	for name, v := range map[string]Everything{
		"only what is required": {Text: "x"},
		"everything": {
			Text: "é", Note: new("n"), Amount: new(contracts.Decimal(number38)), Count: new(int32(math.MinInt32)),
			Size: new(uint64(math.MaxUint64)), Active: new(true), Blob: []byte{0, 0xff}, Names: []string{"b", "a"},
			Rows: [][]contracts.Decimal{{"1", "0.5"}, {}}, Labels: map[string]string{"": "x"},
			Address: &Address{City: "Bern", Floor: new(contracts.Decimal("-1"))},
			Tags:    contracts.Set[string]{"b", "a"}, Grades: contracts.Set[contracts.Decimal]{"2", "10"},
			Hashes: contracts.Set[[]byte]{{1}, {}}, Offices: map[string]Address{"head": {City: "Basel"}}, local: 1,
		},
		"present but empty": {
			Note: new(""), Amount: new(contracts.Decimal("0")), Count: new(int32(0)), Size: new(uint64(0)), Active: new(false),
			Blob: []byte{}, Names: []string{}, Rows: [][]contracts.Decimal{}, Labels: map[string]string{},
			Address: &Address{}, Offices: map[string]Address{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			state, err := contracts.Marshal(c, v)
			if err != nil {
				t.Fatal(err)
			}
			got, err := contracts.Unmarshal[Everything](c, state)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(v, got, cmpopts.IgnoreUnexported(Everything{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestEmptyStringIsPresentAndNilIsAbsent(t *testing.T) {
	state, err := contracts.Marshal(profilev1.Contract, profilev1.Profile{Name: "", SubIndustry: new(""), Tickers: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	want := contracts.Item{"name": contracts.String(""), "subIndustry": contracts.String(""), "tickers": contracts.List()}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestEmptyOptionalSetIsAbsent(t *testing.T) {
	state, err := contracts.Marshal(everything(t), Everything{Tags: contracts.Set[string]{}})
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := state["tags"]; ok {
		t.Errorf("tags is there: %v", v)
	}
}

func TestUnmarshalReadsStoredItems(t *testing.T) {
	got, err := contracts.Unmarshal[profilev1.Profile](profilev1.Contract, contracts.Item{
		"cik": contracts.String("1800"), "version": contracts.Number("7"),
		"name": contracts.String("Abbott"), "sector": contracts.Null(), "founded": contracts.String(""),
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(profilev1.Profile{Name: "Abbott", Founded: new("")}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestUnmarshalRefusesWhatTheTypeCannotHold(t *testing.T) {
	for name, row := range map[string]struct {
		attribute string
		value     contracts.Value
		field     string
	}{
		"another kind":        {"note", contracts.Number("1"), "attributes.note"},
		"too large":           {"count", contracts.Number("2147483648"), "attributes.count"},
		"negative for a uint": {"size", contracts.Number("-1"), "attributes.size"},
		"a fraction":          {"count", contracts.Number("1.5"), "attributes.count"},
		"no number":           {"amount", contracts.Number("x"), "attributes.amount"},
		"an element":          {"names", contracts.List(contracts.String("a"), contracts.Null()), "attributes.names[1]"},
		"a map's value":       {"labels", contracts.Map(map[string]contracts.Value{"k": contracts.Null()}), "attributes.labels.k"},
		"a missing field":     {"address", contracts.Map(nil), "attributes.address.city"},
		"required null":       {"text", contracts.Null(), "attributes.text"},
	} {
		t.Run(name, func(t *testing.T) {
			state := fullState()
			state[row.attribute] = row.value
			_, err := contracts.Unmarshal[Everything](everything(t), state)
			var fe *contracts.FieldError
			if !errors.As(err, &fe) || fe.Field != row.field {
				t.Errorf("%v: want %s refused", err, row.field)
			}
		})
	}
}

func TestWholeNumbersInAnyFormFitIntegers(t *testing.T) {
	state := fullState()
	state["count"] = contracts.Number("0.12E+2")
	v, err := contracts.Unmarshal[Everything](everything(t), state)
	if err != nil {
		t.Fatal(err)
	}
	if v.Count == nil || *v.Count != 12 {
		t.Errorf("count %v, want 12", v.Count)
	}
}

func TestTypeThatDoesNotDescribeTheContractIsRefused(t *testing.T) {
	_, err := contracts.Marshal(profilev1.Contract, Address{City: "x"})
	if err == nil || !strings.Contains(err.Error(), "described by profilev1.Profile, not by contracts_test.Address") {
		t.Error(err)
	}
	if _, err := contracts.Unmarshal[Address](profilev1.Contract, contracts.Item{}); err == nil {
		t.Error("unmarshalled into another type")
	}
	if _, err := contracts.Marshal(everything(t), Everything{Text: "\xff"}); err == nil {
		t.Error("a state that violates the contract was returned")
	}
}
