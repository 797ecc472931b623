package expr_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
)

func TestParametersRefused(t *testing.T) {
	x := attr.String("x")
	for name, row := range map[string]struct {
		names  map[string]string
		values map[string]attr.Value
		want   string
	}{
		"value without colon": {nil, map[string]attr.Value{"y": x}, `ExpressionAttributeValues contains invalid key: Syntax error; key: "y"`},
		"colon alone":         {nil, map[string]attr.Value{":": x}, `ExpressionAttributeValues contains invalid key: Syntax error; key: ":"`},
		"strange character":   {nil, map[string]attr.Value{":y-z": x}, `ExpressionAttributeValues contains invalid key: Syntax error; key: ":y-z"`},
		"empty value key":     {nil, map[string]attr.Value{"": x}, `ExpressionAttributeValues contains invalid key: The expression attribute map contains an empty key;`},
		"no value":            {nil, map[string]attr.Value{":v": {}}, `ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes for key :v`},
		"name without hash":   {map[string]string{"a": "b"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
		"dotted name key":     {map[string]string{"#a.b": "b"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "#a.b"`},
		"empty name":          {map[string]string{"#a": ""}, nil, `ExpressionAttributeNames contains invalid value: Empty attribute name for key #a`},
		"long name":           {map[string]string{"#a": strings.Repeat("x", 65536)}, nil, `ExpressionAttributeNames contains invalid value: Attribute name is too large, must be less than 65536 bytes for key #a`},
		"long name key":       {map[string]string{"#" + strings.Repeat("a", 255): "s"}, nil, `ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; size of key: 256`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := expr.NewParameters(row.names, row.values)
			if err == nil {
				t.Fatal("accepted")
			}
			if got := refusal(t, err); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

func TestUnusedParametersAreNamed(t *testing.T) {
	for name, row := range map[string]struct{ names, values, text, want string }{
		"all used":       {`{"#a":"s"}`, `{":v":{"S":"x"}}`, "#a = :v", ""},
		"unused values":  {"", `{":v":{"S":"x"},":z":{"S":"x"},":y":{"S":"x"}}`, "a = :v", "Value provided in ExpressionAttributeValues unused in expressions: keys: {:y, :z}"},
		"names go first": {`{"#q":"s","#r":"t"}`, `{":v":{"S":"x"},":z":{"S":"x"}}`, "a = :v", "Value provided in ExpressionAttributeNames unused in expressions: keys: {#q, #r}"},
	} {
		t.Run(name, func(t *testing.T) {
			p := parameters(t, row.names, row.values)
			if _, err := p.Condition("ConditionExpression", row.text); err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := p.Unused(); err != nil {
				got = refusal(t, err)
			}
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestValuesNameTheKeyOfARefusedValue(t *testing.T) {
	var v expr.Values
	err := json.Unmarshal([]byte(`{":v":{"S":"x"},":w":{"NS":[]}}`), &v)
	if err == nil {
		t.Fatal("accepted")
	}
	if got, want := refusal(t, err), "ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: An number set  may not be empty for key :w"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestCacheSharesTextsNotParameters has many requests send one text with
// names and values of their own.
func TestCacheSharesTextsNotParameters(t *testing.T) {
	cache := expr.NewCache()
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			mine := attr.Int(int64(i))
			name := map[string]string{"#a": "attr" + mine.Num()}
			p, err := cache.Parameters(name, map[string]attr.Value{":v": mine})
			if err != nil {
				t.Error(err)
				return
			}
			c, err := p.Condition("ConditionExpression", "#a = :v")
			if err != nil {
				t.Error(err)
				return
			}
			if ok, _ := c.Eval(attr.Item{name["#a"]: mine}); !ok {
				t.Errorf("request %d read another's parameters", i)
			}
			if err := p.Unused(); err != nil {
				t.Error(err)
			}
			if _, err := p.Update("#a = :v"); err == nil {
				t.Error("a condition's text was taken for an update")
			}
		})
	}
	wg.Wait()
}

func TestReservedWordsAreRefusedInAnyCase(t *testing.T) {
	words := strings.Fields("ABORT Status name TTL Year comment size ZONE hash timestamp value convert")
	for _, word := range words {
		_, err := parameters(t, "", "").Projection("a." + word)
		if err == nil {
			t.Errorf("%s was accepted", word)
			continue
		}
		if got, want := refusal(t, err), "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: "+word; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, free := range []string{"names2", "sizes", "x_name", "contains"} {
		if _, err := parameters(t, "", "").Projection(free); err != nil {
			t.Errorf("%s: %v", free, err)
		}
	}
}
