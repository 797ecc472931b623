package expr_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
)

const projected = `{"s":{"S":"abc"},"n":{"N":"5"},"l":{"L":[{"N":"0"},{"N":"1"},{"L":[{"N":"2"},{"N":"3"}]},{"M":{"k":{"N":"9"},"j":{"N":"8"}}}]},
	"m":{"M":{"k":{"S":"v"},"n":{"M":{"d":{"N":"3"},"e":{"N":"4"}}},"l":{"L":[{"N":"7"},{"N":"8"}]}}}}`

func TestProjections(t *testing.T) {
	item := itemOf(t, projected)
	for text, want := range map[string]string{
		"s, n": `{"s":{"S":"abc"},"n":{"N":"5"}}`, "#s": `{"s":{"S":"abc"}}`, "#dotted": `{}`, "nope": `{}`, "s.x": `{}`, "l[9]": `{}`, "m.nope": `{}`, "m.n.nope": `{}`, "l[3].nope": `{}`, "l[0][1]": `{}`,
		"l[3], l[0]":           `{"l":{"L":[{"N":"0"},{"M":{"k":{"N":"9"},"j":{"N":"8"}}}]}}`,
		"l[3].k, l[2][1]":      `{"l":{"L":[{"L":[{"N":"3"}]},{"M":{"k":{"N":"9"}}}]}}`,
		"l[2][0], l[2][1]":     `{"l":{"L":[{"L":[{"N":"2"},{"N":"3"}]}]}}`,
		"m.n.d, m.k":           `{"m":{"M":{"n":{"M":{"d":{"N":"3"}}},"k":{"S":"v"}}}}`,
		"m.l[1], m.l[0], m.#k": `{"m":{"M":{"k":{"S":"v"},"l":{"L":[{"N":"7"},{"N":"8"}]}}}}`,
	} {
		pr, err := parameters(t, `{"#s":"s","#dotted":"m.k","#k":"k"}`, "").Projection(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := pr.Apply(item)
		if !got.Equal(itemOf(t, want)) {
			wired, _ := json.Marshal(got)
			t.Errorf("%s: %s, want %s", text, wired, want)
		}
		if again := expr.ProjectPaths(item, pr.Paths()); !again.Equal(got) {
			t.Errorf("%s: ProjectPaths gives %v", text, again)
		}
		if pr.Apply(nil) != nil {
			t.Errorf("%s: something of no item", text)
		}
	}
	if !item.Equal(itemOf(t, projected)) {
		t.Error("the item was changed")
	}
}

func TestProjectionNames(t *testing.T) {
	pr, err := parameters(t, `{"#n":"name"}`, "").Projection("m.k, #n, m.l[0]")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(pr.TopLevelNames()); got != "[m name]" {
		t.Errorf("got %s", got)
	}
}
