package contracts_test

import (
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/catalog"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

func TestDescribeFindsEveryShape(t *testing.T) {
	shape := func(kind contracts.Kind) contracts.Shape { return contracts.Shape{Kind: kind} }
	of := func(kind contracts.Kind, elem contracts.Shape) contracts.Shape {
		return contracts.Shape{Kind: kind, Elem: &elem}
	}
	address := contracts.Shape{Kind: contracts.KindMap, Fields: []contracts.Attribute{
		{Name: "city", Required: true, Shape: shape(contracts.KindString)},
		{Name: "floor", Shape: shape(contracts.KindNumber)},
	}}
	want := []contracts.Attribute{
		{Name: "text", Required: true, Shape: shape(contracts.KindString)},
		{Name: "note", Shape: shape(contracts.KindString)},
		{Name: "amount", Shape: shape(contracts.KindNumber)},
		{Name: "count", Shape: shape(contracts.KindNumber)},
		{Name: "size", Shape: shape(contracts.KindNumber)},
		{Name: "active", Shape: shape(contracts.KindBool)},
		{Name: "blob", Shape: shape(contracts.KindBinary)},
		{Name: "names", Shape: of(contracts.KindList, shape(contracts.KindString))},
		{Name: "rows", Shape: of(contracts.KindList, of(contracts.KindList, shape(contracts.KindNumber)))},
		{Name: "labels", Shape: of(contracts.KindMap, shape(contracts.KindString))},
		{Name: "address", Shape: address},
		{Name: "tags", Shape: shape(contracts.KindStringSet)},
		{Name: "grades", Shape: shape(contracts.KindNumberSet)},
		{Name: "hashes", Shape: shape(contracts.KindBinarySet)},
		{Name: "offices", Shape: of(contracts.KindMap, address)},
	}
	if diff := cmp.Diff(want, everything(t).Attributes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestContractIsNamedAsTheDesignSays(t *testing.T) {
	c := profilev1.Contract
	got := []string{c.ID(), c.ChangedType(), c.DeletedType(), c.SchemaID}
	want := []string{
		"company.profile/v1", "company.profile.changed.v1", "company.profile.deleted.v1",
		"https://tributary.dev/schemas/company.profile/v1.json",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	names := []string{"name", "sector", "subIndustry", "headquarters", "tickers", "founded", "dateAdded"}
	if diff := cmp.Diff(names, c.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for _, name := range names {
		a, ok := c.Lookup(name)
		if !ok || a.Required != (name == "name") {
			t.Errorf("%s: %+v, %t", name, a, ok)
		}
	}
	if a, ok := c.Lookup("cik"); ok {
		t.Errorf("cik: %+v", a)
	}
}

type recursive struct {
	Children []recursive `json:"children,omitzero"`
}

func TestDescribeRefusesWhatHasNoShapeNamingTheField(t *testing.T) {
	for name, row := range map[string]struct {
		describe func(string, int) (*contracts.Contract, error)
		want     []string
	}{
		"floats": {contracts.Describe[struct {
			A float64 `json:"a"`
			B string  `json:"b"`
			C float32 `json:"c"`
		}], []string{"field A: float64 would lose digits", "field C: float32"}},
		"an interface": {contracts.Describe[struct {
			A any `json:"a"`
		}], []string{"field A: ", "no shape"}},
		"a time": {contracts.Describe[struct {
			At time.Time `json:"at"`
		}], []string{"field At: time.Time has an encoding of its own"}},
		"a big number": {contracts.Describe[struct {
			N []big.Int `json:"n"`
		}], []string{"field N: "}},
		"an optional string that is no pointer": {contracts.Describe[struct {
			A string `json:"a,omitzero"`
		}], []string{"field A: an optional string must be a pointer"}},
		"a pointer that is not optional": {contracts.Describe[struct {
			A *string `json:"a"`
		}], []string{"field A: a pointer is for an optional field"}},
		"a pointer inside": {contracts.Describe[struct {
			A []*string `json:"a"`
		}], []string{"field A: *string: a pointer marks an optional field"}},
		"no name": {contracts.Describe[struct {
			A string
		}], []string{"field A: want a json tag"}},
		"a name with a dot": {contracts.Describe[struct {
			A string `json:"a.b"`
		}], []string{`got "a.b"`}},
		"an embedded type": {contracts.Describe[struct{ Address }], []string{"field Address: an embedded type"}},
		"a map keyed by numbers": {contracts.Describe[struct {
			A map[int]string `json:"a"`
		}], []string{"keys of a map are strings"}},
		"the option string": {contracts.Describe[struct {
			A int `json:"a,string"`
		}], []string{"option string"}},
		"a field inside": {contracts.Describe[struct {
			A struct {
				B float64 `json:"b"`
			} `json:"a"`
		}], []string{"field A: field B: float64"}},
		"recursion": {contracts.Describe[recursive], []string{"nests deeper than the 32 levels"}},
		"no fields": {contracts.Describe[struct{}], []string{"no exported fields"}},
		"no struct": {contracts.Describe[string], []string{"want a struct type, got string"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := row.describe("test.thing", 1)
			if err == nil {
				t.Fatalf("described as %+v", c)
			}
			for _, want := range append(row.want, "describe contract test.thing/v1: ") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v: want %q", err, want)
				}
			}
		})
	}
	for _, name := range []string{"", "Company", "company..profile", ".a", "a/b", "a b"} {
		if _, err := contracts.Describe[Address](name, 1); err == nil {
			t.Errorf("the name %q is taken", name)
		}
	}
	if _, err := contracts.Describe[Address]("a", 0); err == nil {
		t.Error("major version 0 is taken")
	}
}

func TestCatalogHasEveryContractOnce(t *testing.T) {
	all := catalog.All()
	if c, ok := all.ByID("company.profile/v1"); !ok || c != profilev1.Contract {
		t.Errorf("company.profile/v1 is %v, %t", c, ok)
	}
	if c, ok := all.ByID("company.profile/v2"); ok {
		t.Errorf("company.profile/v2 is %v", c)
	}
	if !slices.Contains(all.All(), profilev1.Contract) {
		t.Errorf("company.profile/v1 is not in %v", all.All())
	}
	if _, err := contracts.NewCatalog(profilev1.Contract, contracts.MustDescribe[Address]("company.profile", 1)); err == nil {
		t.Error("two contracts of one name are taken")
	}
	if _, err := contracts.NewCatalog(nil); err == nil {
		t.Error("a nil contract is taken")
	}
}

func TestContractsAreEqualByWhatTheyShare(t *testing.T) {
	same := contracts.MustDescribe[profilev1.Profile]("company.profile", 1)
	if !same.Equal(profilev1.Contract) {
		t.Error("the same contract is not equal")
	}
	for name, other := range map[string]*contracts.Contract{
		"another major": contracts.MustDescribe[profilev1.Profile]("company.profile", 2),
		"another name":  contracts.MustDescribe[profilev1.Profile]("company.profiles", 1),
		"another type":  contracts.MustDescribe[Address]("company.profile", 1),
		"none":          nil,
		"one label less": contracts.MustDescribe[struct {
			Name string `json:"name"`
		}]("company.profile", 1),
	} {
		if profilev1.Contract.Equal(other) {
			t.Errorf("%s is equal", name)
		}
	}
}
