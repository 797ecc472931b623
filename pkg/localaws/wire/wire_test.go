package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
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
// or refused with an error that AWS could have sent.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"Name":"a","Limit":3}`))
	f.Add([]byte(`{"Name":"a"}x`))
	f.Add([]byte(`{"name":"\ud800"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var got, want request
		err := wire.Decode("Refused", body, &got)
		var refused *wire.Error
		if err != nil && (!errors.As(err, &refused) || refused.Code == "") {
			t.Fatalf("refused with %v", err)
		}
		if err == nil {
			if err := json.Unmarshal(body, &want); err != nil || !cmp.Equal(got, want) {
				t.Fatal(fmt.Sprintf("decoded %+v, want %+v (%v)", got, want, err))
			}
		}
	})
}
