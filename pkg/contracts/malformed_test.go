package contracts_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

// edit returns the golden event with some JSON replaced; "" as the new value
// of a field removes the field.
func edit(t *testing.T, body []byte, path string, value string) []byte {
	t.Helper()
	var tree map[string]json.RawMessage
	if err := json.Unmarshal(body, &tree); err != nil {
		t.Fatal(err)
	}
	name, rest, nested := strings.Cut(path, ".")
	switch {
	case nested:
		tree[name] = edit(t, tree[name], rest, value)
	case value == "":
		delete(tree, name)
	default:
		tree[name] = json.RawMessage(value)
	}
	out, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMissingFieldIsRefusedByItsName(t *testing.T) {
	all := catalogOf(t, profilev1.Contract, everything(t))
	for _, g := range goldens(t) {
		fields := []string{"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "origin", "published", "data", "data.changed"}
		if g.change.Contract != nil {
			fields = append(fields, "dataschema", "version")
		}
		if g.change.Operation == contracts.Upsert {
			fields = append(fields, "data.attributes", "data.attributes."+g.change.Contract.Attributes[0].Name)
		}
		for _, field := range fields {
			t.Run(g.file+" without "+field, func(t *testing.T) {
				refusedFor(t, edit(t, g.body(t), field, ""), all, field, "is missing")
			})
		}
	}
}

func TestMalformedFieldIsRefusedByItsName(t *testing.T) {
	all := catalogOf(t, profilev1.Contract, everything(t))
	long := strings.Repeat("9", 300)
	rows := []struct{ field, value, below, problem string }{
		{"specversion", `"0.3"`, "", "want 1.0"},
		{"specversion", `1.0`, "", "want a string, got a number"},
		{"id", `""`, "", "is empty"},
		{"id", `null`, "", "is missing"},
		{"id", `"test.everything/v3/ORG-7@1"`, "", "want"},
		{"id", `"test.everything/v3/ORG-7/é@home@1731000000123457"`, "", "@1731000000123456"},
		{"source", `"/services/my profile"`, "", "want a URI reference"},
		{"source", `"http://[::1"`, "", "want a URI reference"},
		{"source", `"/services/\u0000"`, "", "want a URI reference"},
		{"type", `["test.everything.changed.v3"]`, "", "want a string, got an array"},
		{"subject", `"a\u0007"`, "", "control characters"},
		{"subject", `"a\ufffeb"`, "", "control characters"},
		{"subject", `" "`, "", "blank"},
		{"time", `"yesterday"`, "", "RFC 3339"},
		{"time", `"2024-02-30T00:00:00Z"`, "", "RFC 3339"},
		{"datacontenttype", `"text/plain"`, "", "application/json"},
		{"dataschema", `"v1.json"`, "", "absolute URI"},
		{"version", `1731000000123456`, "", "want a string, got a number"},
		{"version", `"0"`, "", "whole number"},
		{"version", `"-5"`, "", "whole number"},
		{"version", `"01731000000123456"`, "", "whole number"},
		{"version", `"1731000000123456.0"`, "", "whole number"},
		{"version", `"9223372036854775808"`, "", "whole number"},
		{"origin", `"elsewhere"`, "", "live, backfill, replay or repair"},
		{"published", `"1731000000"`, "", "RFC 3339"},
		{"published", `"0000-01-01T00:30:00+01:00"`, "", "years 0 to 9999"},
		{"traceparent", `"00-xyz"`, "", "W3C"},
		{"traceparent", `"00-00000000000000000000000000000000-00f067aa0ba902b7-01"`, "", "W3C"},
		{"traceparent", `""`, "", "W3C"},
		{"data", `null`, "", "want an object, got null"},
		{"data", `"AAEC"`, "", "want an object, got a string"},
		{"data.changed", `{}`, "", "want an array, got an object"},
		{"data.changed", `[]`, "", "is empty"},
		{"data.changed", `["text",7]`, "[1]", "want a string, got a number"},
		{"data.changed", `[""]`, "[0]", "is empty"},
		{"data.attributes", `[]`, "", "want an object, got an array"},
		{"data.attributes.text", `null`, "", "want a string"},
		{"data.attributes.text", `{}`, "", "want a string"},
		{"data.attributes.amount", `12.5`, "", "as a string, got a number"},
		{"data.attributes.amount", `"NaN"`, "", "not a decimal number"},
		{"data.attributes.amount", `"Infinity"`, "", "not a decimal number"},
		{"data.attributes.amount", `"0x10"`, "", "not a decimal number"},
		{"data.attributes.amount", `"1e999999999"`, "", "not a decimal number"},
		{"data.attributes.amount", `"1e2000"`, "", "magnitude above"},
		{"data.attributes.amount", `"1E+126"`, "", "magnitude above"},
		{"data.attributes.amount", `"1E-131"`, "", "magnitude below"},
		{"data.attributes.amount", `"123456789012345678901234567890123456789"`, "", "more than 38"},
		{"data.attributes.amount", `"` + long + `"`, "", "longer than"},
		{"data.attributes.active", `"true"`, "", "want true or false"},
		{"data.attributes.blob", `"AAEC="`, "", "base64"},
		{"data.attributes.blob", `"AA\nEC"`, "", "base64"},
		{"data.attributes.blob", `"AB=="`, "", "base64"},
		{"data.attributes.names", `"AAPL"`, "", "want an array"},
		{"data.attributes.names", `["a",null]`, "[1]", "want a string, as a string, got null"},
		{"data.attributes.rows", `[["1"],["x"]]`, "[1][0]", "not a decimal number"},
		{"data.attributes.labels", `{"a":"1","b":2}`, ".b", "got a number"},
		{"data.attributes.labels", `{"a":"1","a":"2"}`, ".a", "is there twice"},
		{"data.attributes.address", `[]`, "", "want an object"},
		{"data.attributes.address", `{"floor":"1"}`, ".city", "is missing"},
		{"data.attributes.address", `{"city":"x","floor":"up"}`, ".floor", "not a decimal number"},
		{"data.attributes.tags", `[]`, "", "no empty sets"},
		{"data.attributes.tags", `["a","b","a"]`, "", "twice"},
		{"data.attributes.grades", `["1","1.0"]`, "", "twice"},
		{"data.attributes.grades", `[1]`, "[0]", "got a number"},
		{"data.attributes.hashes", `["AA==","?"]`, "[1]", "base64"},
		{"data.attributes.offices", `{"head":{"city":[]}}`, ".head.city", "want a string"},
	}
	for _, row := range rows {
		t.Run(fmt.Sprintf("%s is %.40s", row.field, row.value), func(t *testing.T) {
			refusedFor(t, edit(t, goldens(t)[3].body(t), row.field, row.value), all, row.field+row.below, row.problem)
		})
	}
}

func TestFieldThatIsThereTwiceIsRefused(t *testing.T) {
	all := catalogOf(t, profilev1.Contract)
	for field, again := range map[string]string{
		"version":              `"version":"1",`,
		"data":                 `"data":{"changed":["name"]},`,
		"data.changed":         `"data":{"changed":["name"],`,
		"data.attributes":      `"attributes":{"name":"x"},"attributes":{`,
		"data.attributes.name": `"attributes":{"name":"x",`,
	} {
		t.Run(field, func(t *testing.T) {
			body := string(goldens(t)[0].body(t))
			switch field {
			case "version", "data":
				body = strings.Replace(body, `"origin"`, again+`"origin"`, 1)
			case "data.changed":
				body = strings.Replace(body, `"data":{`, again, 1)
			default:
				body = strings.Replace(body, `"attributes":{`, again, 1)
			}
			refusedFor(t, []byte(body), all, field, "is there twice")
		})
	}
}

func TestDeleteAndCanaryWithAttributesAreRefused(t *testing.T) {
	all := catalogOf(t, profilev1.Contract)
	for _, g := range goldens(t)[1:3] {
		refusedFor(t, edit(t, g.body(t), "data.attributes", `{"name":"x"}`), all, "data.attributes", "has no attributes")
	}
}

func refusedFor(t *testing.T, body []byte, all *contracts.Catalog, field, problem string) {
	t.Helper()
	c, err := contracts.Decode(body, all)
	if err == nil {
		t.Fatalf("decoded to %+v, want %s refused", c, field)
	}
	var fe *contracts.FieldError
	if !errors.As(err, &fe) {
		t.Fatalf("%v: no FieldError", err)
	}
	if fe.Field != field || !strings.Contains(fe.Problem, problem) {
		t.Errorf("refused %q for %q, want %q for %q", fe.Field, fe.Problem, field, problem)
	}
	if want := "event field " + field + ": "; !strings.Contains(err.Error(), want) {
		t.Errorf("%v: does not say %q", err, want)
	}
}

func TestBodyThatIsNoEventIsRefusedWhole(t *testing.T) {
	good := string(goldens(t)[0].body(t))
	for name, row := range map[string]struct{ body, cause string }{
		"empty":           {"", "want an object, got the end"},
		"another value":   {`[]`, "want an object"},
		"cut off":         {good[:len(good)-1], "got the end"},
		"two events":      {good + good, "want the end"},
		"trailing zero":   {good + "\x00", "want the end"},
		"byte order mark": {"\ufeff" + good, "want an object"},
		"not UTF-8":       {strings.Replace(good, "Apple", "Appl\xff", 1), "not UTF-8"},
		"lone surrogate":  {strings.Replace(good, "Apple", `Appl\ud800`, 1), "surrogate"},
		"raw control":     {strings.Replace(good, "Apple", "Appl\n", 1), "control character"},
		"no such escape":  {strings.Replace(good, "Apple", `Appl\x`, 1), "no such escape"},
		"NaN":             {strings.Replace(good, `"data":`, `"x":NaN,"data":`, 1), "want a value"},
		"leading zero":    {strings.Replace(good, `"data":`, `"x":01,"data":`, 1), "want ,"},
		"huge nesting":    {strings.Replace(good, `"data":`, `"x":`+strings.Repeat("[", 1<<19)+`,"data":`, 1), "deeper than 64"},
		"huge body":       {good + strings.Repeat(" ", contracts.MaxBodyBytes), "more than the 1048576"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := contracts.Decode([]byte(row.body), catalogOf(t, profilev1.Contract))
			if err == nil {
				t.Fatalf("decoded to %+v", c)
			}
			if !strings.Contains(err.Error(), row.cause) {
				t.Errorf("%v: want %q", err, row.cause)
			}
		})
	}
}

type wide struct {
	Rows []wideRow `json:"rows"`
}

type wideRow struct {
	A *string `json:"a,omitzero"`
	B *string `json:"b,omitzero"`
	C *string `json:"c,omitzero"`
	D *string `json:"d,omitzero"`
	E *string `json:"e,omitzero"`
	F *string `json:"f,omitzero"`
	G *string `json:"g,omitzero"`
	H *string `json:"h,omitzero"`
	I *string `json:"i,omitzero"`
	J *string `json:"j,omitzero"`
	K *string `json:"k,omitzero"`
	L *string `json:"l,omitzero"`
	M *string `json:"m,omitzero"`
	N *string `json:"n,omitzero"`
	O *string `json:"o,omitzero"`
	P *string `json:"p,omitzero"`
	Q *string `json:"q,omitzero"`
	R *string `json:"r,omitzero"`
	S *string `json:"s,omitzero"`
	T *string `json:"t,omitzero"`
}

func TestMemoryIsProportionalToTheBody(t *testing.T) {
	contract, err := contracts.Describe[wide]("test.wide", 1)
	if err != nil {
		t.Fatal(err)
	}
	c := typical()
	c.Contract, c.Changed = contract, []string{"rows"}
	c.Attributes = contracts.Item{"rows": contracts.List()}
	body, err := contracts.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.TrimSuffix(strings.Repeat("{},", 100_000), ",")
	body = []byte(strings.Replace(string(body), `"rows":[]`, `"rows":[`+rows+`]`, 1))
	all := catalogOf(t, contract)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := contracts.Decode(body, all)
	runtime.ReadMemStats(&after)
	if err != nil || len(got.Attributes["rows"].Elements()) != 100_000 {
		t.Fatal(len(got.Attributes["rows"].Elements()), err)
	}
	if took, most := after.TotalAlloc-before.TotalAlloc, uint64(128*len(body)); took > most {
		t.Errorf("%d bytes for a body of %d, want at most %d", took, len(body), most)
	}
}

func TestUnknownFieldsAreAcceptedAndDropped(t *testing.T) {
	g := goldens(t)[3]
	extra := `{"deep":[[[{"a":1.5e3,"a":null}]]],"text":false}`
	body := g.body(t)
	for _, path := range []string{"extra", "data_base64", "Version", "data.extra", "data.Changed", "data.attributes.extra", "data.attributes.address.extra"} {
		body = edit(t, body, path, extra)
	}
	body = edit(t, body, "data.changed", `["brandNew","text","amount"]`)
	got, err := contracts.Decode(body, catalogOf(t, everything(t)))
	if err != nil {
		t.Fatal(err)
	}
	g.change.Changed = []string{"text", "amount"}
	if diff := cmp.Diff(g.change, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestUnknownTypeIsToldApartFromMalformed(t *testing.T) {
	all := catalogOf(t, profilev1.Contract)
	for _, kind := range []string{"company.profile.changed.v2", "test.everything.changed.v3", "com.github.push", "tributary.canary.v2"} {
		_, err := contracts.Decode(edit(t, goldens(t)[0].body(t), "type", `"`+kind+`"`), all)
		if !errors.Is(err, contracts.ErrUnknownType) {
			t.Errorf("%s: %v is not ErrUnknownType", kind, err)
		}
		var fe *contracts.FieldError
		if !errors.As(err, &fe) || fe.Field != "type" {
			t.Errorf("%s: %v does not name the type", kind, err)
		}
	}
	if _, err := contracts.Decode(edit(t, goldens(t)[0].body(t), "version", ""), all); errors.Is(err, contracts.ErrUnknownType) {
		t.Errorf("%v is ErrUnknownType", err)
	}
	if _, err := contracts.Decode(goldens(t)[2].body(t), nil); err != nil {
		t.Errorf("a canary needs no catalog: %v", err)
	}
}

func TestEncodeRefusesAnInvalidChangeNamingEveryField(t *testing.T) {
	c := typical()
	c.Source, c.Subject, c.Version, c.Origin, c.Published = "", "\x00", 0, "", time.Time{}
	c.TraceParent, c.Changed = "x", []string{"name", "Name"}
	c.Attributes["tickers"] = contracts.List(contracts.String("A"), contracts.Number("1"), contracts.String("\xff"))
	c.Attributes["cik"] = contracts.String("1")
	delete(c.Attributes, "name")
	_, err := contracts.Encode(c)
	if err == nil {
		t.Fatal("encoded")
	}
	for _, field := range []string{
		"source", "subject", "version", "origin", "published", "traceparent", "data.changed[1]",
		"data.attributes.name", "data.attributes.tickers[1]", "data.attributes.tickers[2]", "data.attributes.cik",
	} {
		if !strings.Contains(err.Error(), "event field "+field+": ") {
			t.Errorf("%s is not named in\n%v", field, err)
		}
	}
}

func TestEncodeRefusesWhatNoFilterOrReaderWouldTake(t *testing.T) {
	for name, row := range map[string]struct {
		change *contracts.Change
		spoil  func(*contracts.Change)
		field  string
	}{
		"nothing changed":        {typical(), func(c *contracts.Change) { c.Changed = nil }, "data.changed"},
		"no contract":            {typical(), func(c *contracts.Change) { c.Contract = nil }, "type"},
		"unknown operation":      {typical(), func(c *contracts.Change) { c.Operation = "merge" }, "type"},
		"delete with attributes": {deletion(), func(c *contracts.Change) { c.Attributes = typical().Attributes }, "data.attributes"},
		"canary with a version":  {canary(), func(c *contracts.Change) { c.Version = 1 }, "version"},
		"year 10000":             {canary(), func(c *contracts.Change) { c.Published = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "published"},
	} {
		t.Run(name, func(t *testing.T) {
			row.spoil(row.change)
			_, err := contracts.Encode(row.change)
			var fe *contracts.FieldError
			if !errors.As(err, &fe) || fe.Field != row.field {
				t.Errorf("%v: want %s refused", err, row.field)
			}
		})
	}
}
