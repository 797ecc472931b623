package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/catalog"
)

const (
	schemas = "../../schema"
	goldens = "../../testdata/golden"
)

func TestCheckedInSchemasAreUpToDate(t *testing.T) {
	want, err := generate(catalog.All())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range want {
		got, err := os.ReadFile(filepath.Join(schemas, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, content) {
			t.Errorf("%s is not what its contract says: run go generate ./... in pkg/contracts", name)
		}
	}
	files, err := os.ReadDir(schemas)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := want[f.Name()]; !ok {
			t.Errorf("%s belongs to no contract of the catalog", f.Name())
		}
	}
}

func compile(t *testing.T, content []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	id := doc.(map[string]any)["$id"].(string)
	c := jsonschema.NewCompiler()
	c.AssertContent()
	if err := c.AddResource(id, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dataOf returns the data of an event, and the id of its schema.
func dataOf(t *testing.T, body []byte) (string, any) {
	t.Helper()
	var e struct {
		DataSchema string          `json:"dataschema"`
		Data       json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatal(err)
	}
	data, err := jsonschema.UnmarshalJSON(bytes.NewReader(e.Data))
	if err != nil {
		t.Fatal(err)
	}
	return e.DataSchema, data
}

func TestGoldenEventsAreValidByTheSchemaTheyName(t *testing.T) {
	for _, c := range catalog.All().All() {
		content, err := os.ReadFile(filepath.Join(schemas, strings.ReplaceAll(c.ID(), "/", ".")+".json"))
		if err != nil {
			t.Fatal(err)
		}
		schema := compile(t, content)
		files, err := filepath.Glob(filepath.Join(goldens, c.Name+".*.json"))
		if err != nil || len(files) < 2 {
			t.Fatalf("%s has %d golden events, want an upsert and a delete; %v", c.ID(), len(files), err)
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			id, data := dataOf(t, body)
			if id != c.SchemaID || schema.ID != c.SchemaID {
				t.Errorf("%s names the schema %s, which is %s", file, id, schema.ID)
			}
			if err := schema.Validate(data); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

type kinds struct {
	Text   string             `json:"text"`
	Amount *contracts.Decimal `json:"amount,omitzero"`
	Active *bool              `json:"active,omitzero"`
	Blob   []byte             `json:"blob,omitzero"`
	Rows   [][]int            `json:"rows,omitzero"`
	Labels map[string]string  `json:"labels,omitzero"`
	Place  *struct {
		City string `json:"city"`
	} `json:"place,omitzero"`
	Tags   contracts.Set[string]            `json:"tags,omitzero"`
	Grades contracts.Set[contracts.Decimal] `json:"grades,omitzero"`
	Hashes contracts.Set[[]byte]            `json:"hashes,omitzero"`
}

func TestSchemaAndContractAgreeOnEveryKind(t *testing.T) {
	contract := contracts.MustDescribe[kinds]("test.kinds", 1)
	content, err := json.Marshal(dataSchema(contract, nil))
	if err != nil {
		t.Fatal(err)
	}
	schema := compile(t, content)
	num, str := contracts.Number, contracts.String
	valid := contracts.Item{
		"text": str("x"), "amount": num("-1.50e3"), "active": contracts.Bool(true), "blob": contracts.Binary([]byte{0xff}),
		"rows":   contracts.List(contracts.List(num("1"), num("0")), contracts.List()),
		"labels": contracts.Map(map[string]contracts.Value{"": str("")}),
		"place":  contracts.Map(map[string]contracts.Value{"city": str("Bern")}),
		"tags":   contracts.StringSet("b", "a"), "grades": contracts.NumberSet("2", "0.1"), "hashes": contracts.BinarySet([]byte{1}),
	}
	change := &contracts.Change{
		Contract: contract, Operation: contracts.Upsert, Source: "/services/test", Subject: "1", Version: 1,
		Origin: contracts.Live, Published: time.Unix(0, 0), Changed: contract.Names(), Attributes: valid,
	}
	all, err := contracts.NewCatalog(contract)
	if err != nil {
		t.Fatal(err)
	}
	body, err := contracts.Encode(change)
	if err != nil {
		t.Fatal(err)
	}
	_, data := dataOf(t, body)
	if err := schema.Validate(data); err != nil {
		t.Fatal(err)
	}
	wrong := []string{`5`, `true`, `"no number? and no base64"`, `""`, `{}`, `{"city":5}`, `{"k":[]}`, `[]`, `[5]`, `["x","x"]`, `["1","x y"]`, `[["1"],["x"]]`, `null`, `"NaN"`}
	refused := 0
	for _, name := range contract.Names() {
		for _, value := range wrong {
			body := replaceAttribute(t, body, name, value)
			_, data := dataOf(t, body)
			_, errDecode := contracts.Decode(body, all)
			errSchema := schema.Validate(data)
			if (errDecode == nil) != (errSchema == nil) {
				t.Errorf("%s: %s: Decode: %v; schema: %v", name, value, errDecode, errSchema)
			}
			if errDecode != nil {
				refused++
			}
		}
	}
	if refused < len(wrong)*len(contract.Names())/2 {
		t.Errorf("only %d values were refused", refused)
	}
}

func replaceAttribute(t *testing.T, body []byte, name, value string) []byte {
	t.Helper()
	var event map[string]json.RawMessage
	var data, attributes map[string]json.RawMessage
	for _, step := range []error{
		json.Unmarshal(body, &event),
		json.Unmarshal(event["data"], &data),
		json.Unmarshal(data["attributes"], &attributes),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	attributes[name] = json.RawMessage(value)
	var errs [3]error
	data["attributes"], errs[0] = json.Marshal(attributes)
	event["data"], errs[1] = json.Marshal(data)
	body, errs[2] = json.Marshal(event)
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return body
}

func TestDescriptionsComeFromTheGoType(t *testing.T) {
	files, err := generate(catalog.All())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		schema := compile(t, files[name])
		for attribute, s := range schema.Properties["attributes"].Properties {
			if s.Description == "" {
				t.Errorf("%s: %s has no description: its field has no doc comment", name, attribute)
			}
		}
	}
}
