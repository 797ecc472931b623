package expr_test

import (
	"errors"
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// FuzzExpressions reads arbitrary text as each kind of expression. What is
// refused is refused as DynamoDB does; what is accepted is deterministic,
// reads the same through a cache, and leaves the item alone.
func FuzzExpressions(f *testing.F) {
	for text := range conditionTexts {
		f.Add(text)
	}
	for _, text := range []string{"SET a = n + :1, l[9] = list_append(l, :l) REMOVE m.k ADD n :1 DELETE ss :ss", "NOT (s = :s OR size(l) IN (:1, :2)) AND begins_with(s, :a)", "s, m.k, l[0].x", "((((((((((s = :s))))))))))"} {
		f.Add(text)
	}
	item := itemOf(f, everything)
	before := itemOf(f, everything)
	cache := expr.NewCache()
	f.Fuzz(func(t *testing.T, text string) {
		p := parameters(t, `{"#a":"s","#b":"m"}`, theValues)
		cached, err := cache.Parameters(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := p.Condition("ConditionExpression", text)
		checkRefusal(t, text, err)
		if err == nil {
			first, _ := c.Eval(item)
			if again, _ := c.Eval(item); again != first {
				t.Fatalf("%q is now %v, now %v", text, first, again)
			}
			if _, err := c.Eval(nil); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
		if _, err := cached.Condition("ConditionExpression", text); err != nil {
			checkRefusal(t, text, err)
		}
		_, err = p.KeyCondition(text, expr.KeyAttr{Name: "s", Type: attr.TypeString}, expr.KeyAttr{Name: "n", Type: attr.TypeNumber})
		checkRefusal(t, text, err)
		u, err := p.Update(text)
		checkRefusal(t, text, err)
		if err == nil {
			_, err := u.Apply(item)
			checkRefusal(t, text, err)
		}
		pr, err := p.Projection(text)
		checkRefusal(t, text, err)
		if err == nil && pr.Apply(item).Size() > item.Size() {
			t.Fatalf("%q keeps more than there is", text)
		}
		if !item.Equal(before) {
			t.Fatalf("%q changed the item", text)
		}
	})
}

func checkRefusal(t *testing.T, text string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var refused *wire.Error
	if !errors.As(err, &refused) || refused.Code != "ValidationException" {
		t.Fatalf("%q: %v", text, err)
	}
}

// BenchmarkConditionalUpdate is the work of one conditional update of a hot
// statement.
func BenchmarkConditionalUpdate(b *testing.B) {
	cache := expr.NewCache()
	item := itemOf(b, everything)
	names := map[string]string{"#n": "name", "#v": "version"}
	values := map[string]attr.Value{":n": attr.String("x"), ":v": attr.String("0000000000000000001")}
	b.ReportAllocs()
	for b.Loop() {
		p, err := cache.Parameters(names, values)
		if err != nil {
			b.Fatal(err)
		}
		c, err := p.Condition("ConditionExpression", "attribute_not_exists(#v) OR #v < :v")
		if err != nil {
			b.Fatal(err)
		}
		u, err := p.Update("SET #n = :n, #v = :v")
		if err != nil {
			b.Fatal(err)
		}
		if err := p.Unused(); err != nil {
			b.Fatal(err)
		}
		if ok, _ := c.Eval(item); !ok {
			b.Fatal("the condition does not hold")
		}
		if _, err := u.Apply(item); err != nil {
			b.Fatal(err)
		}
	}
}
