package wire_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type request struct {
	Name  string
	Limit *int
	Inner struct{ Kind string }
	Odd   odd
	Lists map[string][]*struct{ Kind string }
	Embedded
}

type Embedded struct {
	URL string `json:"Url"`
}

// odd refuses every value with an error of its own.
type odd string

func (o *odd) UnmarshalJSON([]byte) error { return wire.Errorf("ValidationException", "odd") }

func TestDecode(t *testing.T) {
	for name, c := range map[string]struct{ body, code, names string }{
		"a request":                 {`{"Name":"a","Limit":3,"Inner":{"Kind":"k"}}`, "", ""},
		"an empty request":          {`{}`, "", ""},
		"white space after it":      {"{} \n", "", ""},
		"an unknown parameter":      {`{"Colour":1}`, "Refused", `"Colour"`},
		"an unknown inner one":      {`{"Inner":{"Colour":1}}`, "Refused", `"Colour"`},
		"an unknown listed one":     {`{"Lists":{"any":[{"Kind":"[{\"\\"},{"Colour":1}]}}`, "Refused", `"Colour"`},
		"another case":              {`{"name":"a"}`, "Refused", `"name"`},
		"another case inside":       {`{"Name": "a" , "Inner" : { "kind" : "k" } }`, "Refused", `"kind"`},
		"another case in a list":    {`{"Lists":{"kind":[{"Kind":"k"},{"KIND":"k"}]}}`, "Refused", `"KIND"`},
		"an embedded one":           {`{"Url":"u"}`, "", ""},
		"an embedded one's field":   {`{"URL":"u"}`, "Refused", `"URL"`},
		"a name with escapes":       {`{"N\u0061me":"a"}`, "", ""},
		"what is no UTF-8":          {"{\"Name\":\"\xff\"}", "SerializationException", "UTF-8"},
		"null":                      {` null`, "SerializationException", "null"},
		"a parameter's own error":   {`{"Odd":1}`, "ValidationException", "odd"},
		"a wrong type":              {`{"Limit":"three"}`, "SerializationException", "Limit has a string"},
		"a wrong inner type":        {`{"Inner":{"Kind":1}}`, "SerializationException", "Inner.Kind has a number"},
		"a list":                    {`[]`, "SerializationException", "array"},
		"nothing":                   {``, "SerializationException", "no body"},
		"half a request":            {`{"Name":`, "SerializationException", "EOF"},
		"two requests":              {`{}{}`, "SerializationException", "goes on"},
		"something after a request": {`{} x`, "SerializationException", "goes on"},
	} {
		t.Run(name, func(t *testing.T) {
			var in request
			err := wire.Decode("Refused", []byte(c.body), &in)
			var refused *wire.Error
			switch {
			case c.code == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.code != "" && (!errors.As(err, &refused) || refused.Code != c.code || !strings.Contains(refused.Message, c.names)):
				t.Errorf("%v, want %s naming %q", err, c.code, c.names)
			}
		})
	}
}

func TestErrorHidesItsCause(t *testing.T) {
	cause := errors.New("inside")
	err := error(&wire.Error{Code: "Code", Message: "said", Cause: cause})
	if !errors.Is(err, cause) || strings.Contains(err.Error(), "inside") {
		t.Errorf("%v", err)
	}
	if got := (&wire.Error{}).HTTPStatus(); got != 400 {
		t.Errorf("status %d without one", got)
	}
}

// Whatever a body is, it is either decoded as encoding/json would decode it,
// or refused with an error that AWS could have sent. One that is taken has no
// member but the parameters.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"Name":"a","Limit":3}`))
	f.Add([]byte(`{"Name":"a"}x`))
	f.Add([]byte(`{"name":"\ud800"}`))
	f.Add([]byte(`{"Name":"a\\","Limit":-1e3,"Lists":{"":[null,{"Kind":""}]}}`))
	f.Add([]byte(` null `))
	f.Fuzz(func(t *testing.T, body []byte) {
		var got, want request
		err := wire.Decode("Refused", body, &got)
		var refused *wire.Error
		if err != nil && (!errors.As(err, &refused) || refused.Code == "") {
			t.Fatalf("refused with %v", err)
		}
		if err == nil {
			var members map[string]any
			if err := json.Unmarshal(body, &members); err != nil || members == nil {
				t.Fatalf("took what is no object: %v", err)
			}
			for name := range members {
				if !slices.Contains([]string{"Name", "Limit", "Inner", "Odd", "Lists", "Url"}, name) {
					t.Errorf("took the member %q", name)
				}
			}
			if err := json.Unmarshal(body, &want); err != nil || !cmp.Equal(got, want) {
				t.Fatalf("decoded %+v, want %+v (%v)", got, want, err)
			}
		}
	})
}
