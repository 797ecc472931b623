package expr_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
)

const updated = `{"s":{"S":"abc"},"n":{"N":"5"},"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"}]},
	"m":{"M":{"k":{"S":"v"},"n":{"M":{"d":{"N":"3"}}},"l":{"L":[{"N":"7"}]}}},"ss":{"SS":["a","b"]},"ns":{"NS":["1","2"]}}`

// TestUpdates holds what DynamoDB's own engine makes of the item above: each
// row gives the attributes that change, null for those that go.
func TestUpdates(t *testing.T) {
	for text, want := range map[string]string{
		// SET: right-hand sides read the old item.
		"SET a = :1": `{"a":{"N":"1"}}`, "set a = :1 , b = :2": `{"a":{"N":"1"},"b":{"N":"2"}}`, "SET s = n, n = s": `{"s":{"N":"5"},"n":{"S":"abc"}}`,
		"SET a = n + :1": `{"a":{"N":"6"}}`, "SET a = n-:9": `{"a":{"N":"-4"}}`, "SET n = n + n": `{"n":{"N":"10"}}`, "SET a = ((n) + (:1))": `{"a":{"N":"6"}}`, "SET a = l[3] - m.n.d": `{"a":{"N":"0"}}`,
		"SET a = if_not_exists(n, :1)": `{"a":{"N":"5"}}`, "SET a = if_not_exists(a, :1) + :1": `{"a":{"N":"2"}}`, "SET a = if_not_exists(a, if_not_exists(b, :1))": `{"a":{"N":"1"}}`,
		"SET a = list_append(l, :l)":                    `{"a":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"N":"2"}]}}`,
		"SET l = list_append(:l, l)":                    `{"l":{"L":[{"N":"2"},{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"}]}}`,
		"SET a = list_append(if_not_exists(a, :l), :l)": `{"a":{"L":[{"N":"2"},{"N":"2"}]}}`,
		"SET m.k = m.n, m.n = m.k":                      `{"m":{"M":{"k":{"M":{"d":{"N":"3"}}},"n":{"S":"v"},"l":{"L":[{"N":"7"}]}}}}`,
		"SET m.n.x = :1":                                `{"m":{"M":{"k":{"S":"v"},"n":{"M":{"d":{"N":"3"},"x":{"N":"1"}}},"l":{"L":[{"N":"7"}]}}}}`,
		"SET l[9] = :9":                                 `{"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"N":"9"}]}}`,
		"SET l[9] = :9, l[8] = n, l[10] = s":            `{"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"N":"5"},{"N":"9"},{"S":"abc"}]}}`,
		"SET m.l[0] = :1, m.k = :1":                     `{"m":{"M":{"k":{"N":"1"},"n":{"M":{"d":{"N":"3"}}},"l":{"L":[{"N":"1"}]}}}}`,
		// REMOVE: indexes mean the old list.
		"REMOVE s, q": `{"s":null}`, "REMOVE l[0], l[2]": `{"l":{"L":[{"N":"1"},{"N":"3"}]}}`, "REMOVE l[3], l[0], l[1], l[2]": `{"l":{"L":[]}}`, "REMOVE l[9]": `{}`, "REMOVE m.q": `{}`,
		"REMOVE l[0] SET l[1] = :9": `{"l":{"L":[{"N":"9"},{"N":"2"},{"N":"3"}]}}`, "REMOVE l[0], l[4] SET l[9] = :9": `{"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"},{"N":"9"}]}}`,
		"REMOVE l[3], l[1] SET l[2] = :9": `{"l":{"L":[{"N":"0"},{"N":"9"}]}}`, "REMOVE m.k, m.n": `{"m":{"M":{"l":{"L":[{"N":"7"}]}}}}`,
		// ADD.
		"ADD n :1": `{"n":{"N":"6"}}`, "ADD q :1": `{"q":{"N":"1"}}`, "ADD ss :ss": `{}`, "ADD ns :new": `{"ns":{"NS":["1","2","8"]}}`, "ADD q :new": `{"q":{"NS":["2","8"]}}`,
		"ADD l[0] :9": `{"l":{"L":[{"N":"9"},{"N":"1"},{"N":"2"},{"N":"3"}]}}`, "ADD l[9] :9": `{"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"N":"9"}]}}`,
		// DELETE: an empty set goes.
		"DELETE ns :new": `{"ns":{"NS":["1"]}}`, "DELETE ss :ss": `{"ss":null}`, "DELETE q :ss, m.q :ss": `{}`, "DELETE l[9] :ss": `{}`,
		"SET a=:1 REMOVE n,s ADD q :1 DELETE ss :ss": `{"a":{"N":"1"},"n":null,"s":null,"q":{"N":"1"},"ss":null}`,
	} {
		t.Run(text, func(t *testing.T) {
			item := itemOf(t, updated)
			got, err := apply(t, text, item)
			if err != nil {
				t.Fatal(err)
			}
			if !item.Equal(itemOf(t, updated)) {
				t.Error("the given item was changed")
			}
			if want := changed(t, item, want); !got.Equal(want) {
				a, _ := json.Marshal(got)
				b, _ := json.Marshal(want)
				t.Errorf("got %s\nwant %s", a, b)
			}
		})
	}
}

func apply(t testing.TB, text string, item attr.Item) (attr.Item, error) {
	t.Helper()
	values := strings.TrimSuffix(theValues, "}") + `,":new":{"NS":["8","2"]}}`
	u, err := parameters(t, "", values).Update(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return u.Apply(item)
}

func changed(t testing.TB, item attr.Item, changes string) attr.Item {
	t.Helper()
	var raw map[string]*attr.Value
	if err := json.Unmarshal([]byte(changes), &raw); err != nil {
		t.Fatal(err)
	}
	item = item.Clone()
	for name, v := range raw {
		if v == nil {
			delete(item, name)
		} else {
			item[name] = *v
		}
	}
	return item
}

func TestUpdatesRefusedByTheItem(t *testing.T) {
	const (
		path     = "The document path provided in the update expression is invalid for update"
		absent   = "The provided expression refers to an attribute that does not exist in the item"
		mistyped = "An operand in the update expression has an incorrect data type"
	)
	for text, want := range map[string]string{
		"SET a.b = :1": path, "SET m.q.x = :1": path, "SET s.x = :1": path, "SET l.x = :1": path, "SET m[0] = :1": path, "SET l[9][0] = :1": path, "SET a[0] = :1": path,
		"REMOVE m.q.x": path, "REMOVE s[0]": path, "REMOVE q.x": path, "REMOVE l.x": path, "REMOVE l[9].x": path, "ADD q.d :1": path, "DELETE m.q.x :ss": path,
		"SET a = q": absent, "SET a = n + q": absent, "SET a = l[9]": absent, "SET a = s.x": absent, "SET a = if_not_exists(b, q)": absent, "SET a = if_not_exists(n, q)": absent, "SET a = list_append(q, l)": absent,
		"SET a = s + :1": mistyped, "SET a = n + s": mistyped, "SET a = if_not_exists(s, :1) + :1": mistyped, "SET a = list_append(s, l)": mistyped,
		"ADD s :1": mistyped, "ADD ns :ss": mistyped, "DELETE ss :ns": mistyped, "DELETE n :ns": mistyped, "DELETE l[0] :ss": mistyped,
	} {
		_, err := apply(t, text, itemOf(t, updated))
		if err == nil {
			t.Errorf("%q was accepted", text)
			continue
		}
		if got := refusal(t, err); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestUpdatesOfNoItem(t *testing.T) {
	for text, want := range map[string]string{
		"SET a = :1": `{"a":{"N":"1"}}`, "REMOVE a": `{}`, "ADD a :1": `{"a":{"N":"1"}}`, "DELETE a :ss": `{}`, "SET a = if_not_exists(b, :1)": `{"a":{"N":"1"}}`,
	} {
		got, err := apply(t, text, nil)
		if err != nil || got == nil || !got.Equal(itemOf(t, want)) {
			t.Errorf("%s: %v, %v, want %s", text, got, err, want)
		}
	}
}

func TestUpdatesCannotNestTooDeeply(t *testing.T) {
	deep := attr.Int(1)
	for range attr.MaxDepth - 1 {
		deep = attr.List(deep)
	}
	p, err := expr.NewParameters(nil, map[string]attr.Value{":v": deep})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"SET m.q = :v": "", "SET m.n.q = :v": "Nesting Levels have exceeded supported limits"} {
		u, err := p.Update(text)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if _, err := u.Apply(itemOf(t, updated)); err != nil {
			got = refusal(t, err)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestUpdatePathsAndNames(t *testing.T) {
	u, err := parameters(t, `{"#n":"name"}`, theValues).Update("SET m.k = :1, #n[2].x = n REMOVE m.n, b")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(u.Paths()); got != "[[m, k] [name, [2], x] [m, n] [b]]" {
		t.Errorf("paths %s", got)
	}
	if got := fmt.Sprint(u.TopLevelNames()); got != "[m name b]" {
		t.Errorf("names %s", got)
	}
}

// TestListUpdatesFollowTheModel sets, adds to and removes elements of one
// list at random. The model keeps a cell for each index that is named: the old
// ones in place, those beyond the end behind them in the order of their
// indexes.
func TestListUpdatesFollowTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old := rapid.SliceOfN(rapid.IntRange(0, 99), 0, 8).Draw(t, "old")
		indexes := rapid.SliceOfNDistinct(rapid.IntRange(0, 12), 1, 8, rapid.ID).Draw(t, "indexes")
		sections := map[string][]string{}
		cells := map[int]int{}
		for i, v := range old {
			cells[i] = v
		}
		for _, i := range indexes {
			_, exists := cells[i]
			switch kind := rapid.SampledFrom([]string{"SET", "ADD", "REMOVE", "SUM"}).Draw(t, "kind"); {
			case kind == "REMOVE":
				sections[kind] = append(sections[kind], fmt.Sprintf("l[%d]", i))
				delete(cells, i)
			case kind == "ADD":
				sections[kind] = append(sections[kind], fmt.Sprintf("l[%d] :v", i))
				cells[i] += 7
			case kind == "SUM" && exists:
				sections["SET"] = append(sections["SET"], fmt.Sprintf("l[%d] = l[%d] - :v", i, i))
				cells[i] -= 7
			default:
				sections["SET"] = append(sections["SET"], fmt.Sprintf("l[%d] = :v", i))
				cells[i] = 7
			}
		}
		var parts []string
		for section, actions := range sections {
			parts = append(parts, section+" "+strings.Join(actions, ", "))
		}
		text := strings.Join(parts, " ")
		var want, elements []attr.Value
		for i := range 13 {
			if v, ok := cells[i]; ok {
				want = append(want, attr.Int(int64(v)))
			}
		}
		for _, v := range old {
			elements = append(elements, attr.Int(int64(v)))
		}
		var values map[string]attr.Value
		if strings.Contains(text, ":v") {
			values = map[string]attr.Value{":v": attr.Int(7)}
		}
		p, err := expr.NewParameters(nil, values)
		if err != nil {
			t.Fatal(err)
		}
		u, err := p.Update(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got, err := u.Apply(attr.Item{"l": attr.List(elements...)})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !got["l"].Equal(attr.List(want...)) {
			a, _ := json.Marshal(got["l"])
			b, _ := json.Marshal(attr.List(want...))
			t.Fatalf("%s on %v\n got %s\nwant %s", text, old, a, b)
		}
	})
}
