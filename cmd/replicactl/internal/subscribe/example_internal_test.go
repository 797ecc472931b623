package subscribe

import (
	"go/parser"
	"testing"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// Every kind of attribute that a contract may have becomes Go that can be read,
// and is left out where it is neither asked for nor always there.
func TestExamplesOfEveryShape(t *testing.T) {
	type inner struct {
		City string   `json:"city"`
		Lots []string `json:"lots"`
	}
	type shared struct {
		Name    string                           `json:"name"`
		Count   int                              `json:"count"`
		Open    bool                             `json:"open"`
		Seal    []byte                           `json:"seal"`
		Where   inner                            `json:"where"`
		Labels  map[string]string                `json:"labels"`
		Tags    contracts.Set[string]            `json:"tags"`
		Sizes   contracts.Set[contracts.Decimal] `json:"sizes"`
		Hashes  contracts.Set[[]byte]            `json:"hashes"`
		Wanted  *string                          `json:"wanted,omitzero"`
		Ignored *string                          `json:"ignored,omitzero"`
	}
	c := contracts.MustDescribe[shared]("test.shapes", 1)
	want := []string{
		`contracts.String("name of 4711")`, `contracts.Number("7")`, `contracts.Bool(true)`, `contracts.Binary([]byte("seal of 4711"))`,
		`contracts.Map(contracts.Item{"city": contracts.String("city of 4711"), "lots": contracts.List(contracts.String("lots of 4711"))})`,
		`contracts.Map(contracts.Item{"labels": contracts.String("labels of 4711")})`,
		`contracts.StringSet("tags of 4711")`, `contracts.NumberSet("7")`, `contracts.BinarySet([]byte("hashes of 4711"))`,
		`contracts.String("wanted of 4711")`,
	}
	fields := example(c, []string{"wanted"})
	if len(fields) != len(want) {
		t.Fatalf("%d attributes, want %d: %v", len(fields), len(want), fields)
	}
	for i, f := range fields {
		if _, err := parser.ParseExpr(f.Value); err != nil || f.Value != want[i] {
			t.Errorf("%s: %s, want %s (%v)", f.Name, f.Value, want[i], err)
		}
	}
	if other := unsubscribed(c, []string{"name"}); other != "count" {
		t.Errorf("not subscribed to: %q", other)
	}
	if other := unsubscribed(c, c.Names()); other != "" {
		t.Errorf("not subscribed to, of all: %q", other)
	}
}
