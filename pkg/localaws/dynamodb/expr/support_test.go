package expr_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// refusal gives an error as "message", after checking that it is DynamoDB's
// ValidationException.
func refusal(t testing.TB, err error) string {
	t.Helper()
	var refused *wire.Error
	if !errors.As(err, &refused) || refused.Code != "ValidationException" {
		t.Fatalf("got %v, want a ValidationException", err)
	}
	return refused.Message
}

func itemOf(t testing.TB, wired string) attr.Item {
	t.Helper()
	var item attr.Item
	if err := json.Unmarshal([]byte(wired), &item); err != nil {
		t.Fatalf("%s: %v", wired, err)
	}
	return item
}

// parameters takes names and values in their wire form, either may be empty.
func parameters(t testing.TB, names, values string) *expr.Parameters {
	t.Helper()
	var n map[string]string
	var v expr.Values
	if names != "" {
		if err := json.Unmarshal([]byte(names), &n); err != nil {
			t.Fatal(err)
		}
	}
	if values != "" {
		if err := json.Unmarshal([]byte(values), &v); err != nil {
			t.Fatal(err)
		}
	}
	p, err := expr.NewParameters(n, v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// everything has an attribute of each type, as the values of theValues.
const everything = `{"s":{"S":"abc"},"n":{"N":"5"},"b":{"B":"AAEC"},"t":{"BOOL":true},"z":{"NULL":true},
	"l":{"L":[{"N":"1"},{"S":"x"},{"L":[{"N":"2"}]},{"M":{"k":{"S":"v"}}}]},
	"m":{"M":{"k":{"S":"v"},"n":{"M":{"d":{"N":"3"}}}}},
	"ss":{"SS":["a","b"]},"ns":{"NS":["1","2"]},"bs":{"BS":["AA==","AQ=="]}}`

const theValues = `{":v":{"S":"abc"},":s":{"S":"abc"},":n":{"N":"5.0"},":b":{"B":"AAEC"},":t":{"BOOL":true},":z":{"NULL":true},
	":l":{"L":[{"N":"2"}]},":m":{"M":{"k":{"S":"v"}}},":ss":{"SS":["b","a"]},":ns":{"NS":["2","1"]},":bs":{"BS":["AA=="]},
	":0":{"N":"0"},":1":{"N":"1"},":2":{"N":"2"},":3":{"N":"3"},":4":{"N":"4"},":9":{"N":"9"},":a":{"S":"a"},":e":{"S":""},":typeS":{"S":"S"},":typeN":{"S":"N"}}`
