package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// here is this package's import path: what a directory beside it is called in
// Go follows from it.
const here = "github.com/tributary-dev/tributary/pkg/contracts/internal/schemagen"

// canonicalNumber is the form in which Encode writes numbers.
const canonicalNumber = `^(0|-?(0\.[0-9]*[1-9]|[1-9][0-9]*(\.[0-9]*[1-9])?))$`

// generate returns the schema of each contract by its file name. A schema
// describes the data of an event, which is what CloudEvents' dataschema is for.
// The doc comments of the contract's Go type become descriptions.
func generate(catalog *contracts.Catalog) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, c := range catalog.All() {
		comments, err := commentsOn(c.GoType())
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", c.ID(), err)
		}
		content, err := json.MarshalIndent(dataSchema(c, comments), "", "  ")
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", c.ID(), err)
		}
		files[fmt.Sprintf("%s.v%d.json", c.Name, c.Major)] = append(unescapeHTML(content), '\n')
	}
	return files, nil
}

// unescapeHTML undoes what encoding/json does for web pages.
func unescapeHTML(content []byte) []byte {
	for _, c := range "<>&" {
		content = bytes.ReplaceAll(content, fmt.Appendf(nil, `\u%04x`, c), []byte(string(c)))
	}
	return content
}

// commentsOn returns the doc comments of a type's fields by attribute name, and
// the first sentence of the type's own under "".
func commentsOn(t reflect.Type) (map[string]string, error) {
	dir := "../../" + t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]
	var r jsonschema.Reflector
	if err := r.AddGoComments(here, dir); err != nil {
		return nil, err
	}
	key := t.PkgPath() + "." + t.Name()
	comments := map[string]string{"": oneLine(r.CommentMap[key])}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		comments[name] = oneLine(r.CommentMap[key+"."+t.Field(i).Name])
	}
	return comments, nil
}

func oneLine(comment string) string { return strings.Join(strings.Fields(comment), " ") }

func dataSchema(c *contracts.Contract, comments map[string]string) *jsonschema.Schema {
	one := uint64(1)
	attributes := fieldsSchema(c.Attributes)
	attributes.Description = "The complete shared state; absent from a delete. " + comments[""]
	for pair := attributes.Properties.Oldest(); pair != nil; pair = pair.Next() {
		pair.Value.Description = comments[pair.Key]
	}
	properties := jsonschema.NewProperties()
	properties.Set("changed", &jsonschema.Schema{
		Description: "The names of the shared attributes that the change may have touched, for filtering only.",
		Type:        "array",
		Items:       &jsonschema.Schema{Type: "string"},
		MinItems:    &one,
	})
	properties.Set("attributes", attributes)
	return &jsonschema.Schema{
		Version:     jsonschema.Version,
		ID:          jsonschema.ID(c.SchemaID),
		Title:       c.ID(),
		Description: fmt.Sprintf("The data of the events %s and %s.", c.ChangedType(), c.DeletedType()),
		Type:        "object",
		Properties:  properties,
		Required:    []string{"changed"},
	}
}

// fieldsSchema describes a map of fixed keys. Others may come with it: readers
// pass over what they do not know.
func fieldsSchema(fields []contracts.Attribute) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties()}
	for _, f := range fields {
		field := shapeSchema(f.Shape)
		if f.Required {
			s.Required = append(s.Required, f.Name)
		} else {
			field = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{field, {Type: "null"}}}
		}
		s.Properties.Set(f.Name, field)
	}
	return s
}

func shapeSchema(shape contracts.Shape) *jsonschema.Schema {
	switch shape.Kind {
	case contracts.KindString:
		return &jsonschema.Schema{Type: "string"}
	case contracts.KindNumber:
		return &jsonschema.Schema{Type: "string", Pattern: canonicalNumber}
	case contracts.KindBinary:
		return &jsonschema.Schema{Type: "string", ContentEncoding: "base64"}
	case contracts.KindBool:
		return &jsonschema.Schema{Type: "boolean"}
	case contracts.KindList:
		return &jsonschema.Schema{Type: "array", Items: shapeSchema(*shape.Elem)}
	case contracts.KindMap:
		if shape.Elem != nil {
			return &jsonschema.Schema{Type: "object", AdditionalProperties: shapeSchema(*shape.Elem)}
		}
		return fieldsSchema(shape.Fields)
	case contracts.KindStringSet:
		return setSchema(contracts.KindString)
	case contracts.KindNumberSet:
		return setSchema(contracts.KindNumber)
	case contracts.KindBinarySet:
		return setSchema(contracts.KindBinary)
	default: // no shape has another kind; nothing is valid
		return jsonschema.FalseSchema
	}
}

func setSchema(member contracts.Kind) *jsonschema.Schema {
	one := uint64(1)
	return &jsonschema.Schema{
		Type:        "array",
		Items:       shapeSchema(contracts.Shape{Kind: member}),
		MinItems:    &one,
		UniqueItems: true,
	}
}
