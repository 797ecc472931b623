package contracts_test

import (
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// Everything has an attribute of every kind, each optional but the first.
type Everything struct {
	Text    string                           `json:"text"`
	Note    *string                          `json:"note,omitzero"`
	Amount  *contracts.Decimal               `json:"amount,omitzero"`
	Count   *int32                           `json:"count,omitzero"`
	Size    *uint64                          `json:"size,omitempty"`
	Active  *bool                            `json:"active,omitzero"`
	Blob    []byte                           `json:"blob,omitzero"`
	Names   []string                         `json:"names,omitzero"`
	Rows    [][]contracts.Decimal            `json:"rows,omitzero"`
	Labels  map[string]string                `json:"labels,omitzero"`
	Address *Address                         `json:"address,omitzero"`
	Tags    contracts.Set[string]            `json:"tags,omitzero"`
	Grades  contracts.Set[contracts.Decimal] `json:"grades,omitzero"`
	Hashes  contracts.Set[[]byte]            `json:"hashes,omitzero"`
	Offices map[string]Address               `json:"offices,omitzero"`
	local   int
	Local   int `json:"-"`
}

// Address is a map of fixed keys.
type Address struct {
	City  string             `json:"city"`
	Floor *contracts.Decimal `json:"floor,omitzero"`
}

func everything(t testing.TB) *contracts.Contract {
	t.Helper()
	c, err := contracts.Describe[Everything]("test.everything", 3)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func catalogOf(t testing.TB, all ...*contracts.Contract) *contracts.Catalog {
	t.Helper()
	c, err := contracts.NewCatalog(all...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const number38 = "-12345678901234567890123456789012345678"

// fullState has every attribute of Everything, with what is hard to carry.
func fullState() contracts.Item {
	return contracts.Item{
		"text":   contracts.String("a \"quoted\" <b>é 漢字 🜁</b> \\ \t\n\u0000\u007f\u2028"),
		"note":   contracts.Null(),
		"amount": contracts.Number(number38),
		"count":  contracts.Number("-7"),
		"size":   contracts.Number("18446744073709551615"),
		"active": contracts.Bool(false),
		"blob":   contracts.Binary([]byte{0, 1, 0xfe, 0xff}),
		"names":  contracts.List(contracts.String(""), contracts.String("b"), contracts.String("a")),
		"rows": contracts.List(
			contracts.List(contracts.Number("1"), contracts.Number("0.5")),
			contracts.List(),
		),
		"labels": contracts.Map(map[string]contracts.Value{
			"z": contracts.String("last"), "": contracts.String("no name"), "a\"b": contracts.String("quoted"),
		}),
		"address": contracts.Map(map[string]contracts.Value{
			"city": contracts.String("Zürich"), "floor": contracts.Number("-1"),
		}),
		"tags":   contracts.StringSet("b", "", "a"),
		"grades": contracts.NumberSet("10", "9.5", "-0.000000000000000000000000000000000001"),
		"hashes": contracts.BinarySet([]byte{0xff}, []byte{}, []byte{0}),
		"offices": contracts.Map(map[string]contracts.Value{
			"head": contracts.Map(map[string]contracts.Value{"city": contracts.String("Basel"), "floor": contracts.Null()}),
		}),
	}
}

// fullChange is the change of that state.
func fullChange(c *contracts.Contract) *contracts.Change {
	return &contracts.Change{
		Contract:   c,
		Operation:  contracts.Upsert,
		Source:     "/services/test",
		Subject:    "ORG-7/é@home",
		Version:    1731000000123456,
		Origin:     contracts.Backfill,
		Published:  time.Date(2024, 11, 7, 17, 20, 1, 250001000, time.UTC),
		Changed:    c.Names(),
		Attributes: fullState(),
	}
}

func deletion() *contracts.Change {
	c := typical()
	c.Operation, c.Attributes, c.Changed, c.TraceParent = contracts.Delete, nil, c.Contract.Names(), ""
	return c
}

func canary() *contracts.Change {
	return &contracts.Change{
		Operation: contracts.Canary,
		Source:    "/tools/replicactl",
		Subject:   "0190e0a4-0000-7000-8000-000000000001",
		Origin:    contracts.Backfill,
		Published: time.Date(2024, 11, 7, 17, 20, 1, 0, time.UTC),
		Changed:   []string{"name", "sector"},
	}
}
