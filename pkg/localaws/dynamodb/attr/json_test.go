package attr_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

func TestValuesRefused(t *testing.T) {
	const empty = "ValidationException: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
	for name, row := range map[string]struct{ wired, want string }{
		"no type":            {`{}`, empty},
		"null":               {`null`, empty},
		"null content":       {`{"S":null}`, empty},
		"null list":          {`{"L":null}`, empty},
		"unknown type":       {`{"X":"1"}`, empty + `: "X" is none`},
		"two types":          {`{"S":"x","N":"1"}`, "ValidationException: Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"},
		"empty string set":   {`{"SS":[]}`, "ValidationException: One or more parameter values were invalid: An string set  may not be empty"},
		"empty number set":   {`{"NS":[]}`, "ValidationException: One or more parameter values were invalid: An number set  may not be empty"},
		"empty binary set":   {`{"BS":[]}`, "ValidationException: One or more parameter values were invalid: Binary sets should not be empty"},
		"repeated strings":   {`{"SS":["a","b","a"]}`, "ValidationException: One or more parameter values were invalid: Input collection [a, b, a] contains duplicates"},
		"equal numbers":      {`{"NS":["1","1.0"]}`, "ValidationException: Input collection contains duplicates"},
		"repeated binaries":  {`{"BS":["AA==","AA=="]}`, "ValidationException: One or more parameter values were invalid: Input collection of type BS contains duplicates."},
		"null in a set":      {`{"SS":[null]}`, "ValidationException: One or more parameter values were invalid: An string set may not have a null string as a member"},
		"false null":         {`{"NULL":false}`, "ValidationException: One or more parameter values were invalid: Null attribute value types must have the value of true"},
		"malformed member":   {`{"NS":["x"]}`, "ValidationException: A value provided cannot be converted into a number"},
		"nameless field":     {`{"M":{"":{"S":"x"}}}`, "ValidationException: Empty attribute name"},
		"empty element":      {`{"L":[{}]}`, empty},
		"number for string":  {`{"S":1}`, "SerializationException: NUMBER_VALUE can not be converted to String"},
		"string for boolean": {`{"BOOL":"x"}`, "SerializationException: STRING_VALUE can not be converted to Boolean"},
		"object for list":    {`{"L":{}}`, "SerializationException: Start of structure or map found where not expected"},
	} {
		t.Run(name, func(t *testing.T) {
			var v attr.Value
			err := json.Unmarshal([]byte(row.wired), &v)
			if err == nil {
				t.Fatalf("%s was accepted", row.wired)
			}
			if got := refusal(t, err); got != row.want {
				t.Errorf("%s\n got %s\nwant %s", row.wired, got, row.want)
			}
		})
	}
}

func TestEmptyContentIsAccepted(t *testing.T) {
	for _, wired := range []string{`{"S":""}`, `{"B":""}`, `{"L":[]}`, `{"M":{}}`, `{"SS":[""]}`, `{"BS":[""]}`} {
		var v attr.Value
		if err := json.Unmarshal([]byte(wired), &v); err != nil {
			t.Errorf("%s: %v", wired, err)
			continue
		}
		if back, err := json.Marshal(v); err != nil || string(back) != wired {
			t.Errorf("%s came back %s, %v", wired, back, err)
		}
	}
}

func TestSetsComeBackSorted(t *testing.T) {
	var v attr.Value
	if err := json.Unmarshal([]byte(`{"NS":["10","9","-1.50"]}`), &v); err != nil {
		t.Fatal(err)
	}
	if back, err := json.Marshal(v); err != nil || string(back) != `{"NS":["-1.5","9","10"]}` {
		t.Fatalf("got %s, %v", back, err)
	}
}

func nested(open, end string, levels int) string {
	return strings.Repeat(open, levels) + `{"S":"x"}` + strings.Repeat(end, levels)
}

func TestNestingIsBounded(t *testing.T) {
	for _, form := range [][2]string{{`{"L":[`, `]}`}, {`{"M":{"a":`, `}}`}} {
		var v attr.Value
		if err := json.Unmarshal([]byte(nested(form[0], form[1], attr.MaxDepth)), &v); err != nil {
			t.Errorf("%d levels of %s: %v", attr.MaxDepth, form[0], err)
		}
		if err := v.CheckDepth(); err != nil {
			t.Errorf("%d levels of %s, checked: %v", attr.MaxDepth, form[0], err)
		}
		for _, levels := range []int{attr.MaxDepth + 1, 2000} {
			err := json.Unmarshal([]byte(nested(form[0], form[1], levels)), &v)
			if err == nil || !strings.Contains(refusal(t, err), "Nesting Levels have exceeded supported limits") {
				t.Errorf("%d levels of %s: %v", levels, form[0], err)
			}
		}
	}
	deep := attr.List()
	for range attr.MaxDepth - 1 {
		deep = attr.Map(map[string]attr.Value{"a": deep})
	}
	if err := deep.CheckDepth(); err != nil {
		t.Errorf("%d levels: %v", attr.MaxDepth, err)
	}
	if attr.List(deep).CheckDepth() == nil {
		t.Errorf("%d levels were accepted", attr.MaxDepth+1)
	}
}

func TestItemNamesWhatIsWrong(t *testing.T) {
	var item attr.Item
	if err := json.Unmarshal([]byte(`{"":{"S":"x"}}`), &item); err == nil || refusal(t, err) != "ValidationException: Empty attribute name" {
		t.Errorf("nameless attribute: %v", err)
	}
	if err := json.Unmarshal([]byte(`{"a":{"S":"x"},"b":{"N":"01"}}`), &item); err != nil || item["b"].Num() != "1" {
		t.Errorf("got %v, %v", item, err)
	}
}

// FuzzValueUnmarshalJSON feeds arbitrary bytes. What is accepted obeys the
// rules and survives the way to the wire and back; what is refused is refused
// with DynamoDB's codes.
func FuzzValueUnmarshalJSON(f *testing.F) {
	for _, seed := range []string{`{"S":"x"}`, `{"N":"1.50e3"}`, `{"NS":["1","2"]}`, `{"L":[{"M":{"a":{"B":"AA=="}}}]}`, `{"S":"x"}x`, `{"L":[`, nested(`{"L":[`, `]}`, 40)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v attr.Value
		if err := v.UnmarshalJSON(data); err != nil {
			var refused *wire.Error
			if !errors.As(err, &refused) {
				t.Fatalf("%q: %v", data, err)
			}
			if json.Valid(data) && strings.Contains(err.Error(), "is no JSON") {
				t.Fatalf("%q is taken for no JSON", data)
			}
			return
		}
		if !json.Valid(data) {
			t.Fatalf("%q was accepted, and is no JSON", data)
		}
		if err := v.CheckDepth(); err != nil {
			t.Fatalf("%q was accepted: %v", data, err)
		}
		wired, err := v.MarshalJSON()
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		var back attr.Value
		if err := back.UnmarshalJSON(wired); err != nil || !back.Equal(v) {
			t.Fatalf("%q became %s: %v", data, wired, err)
		}
	})
}
