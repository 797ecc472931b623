package filter

import (
	"encoding/json"
	"io"
	"strings"
)

// Attribute is a message attribute.
type Attribute struct {
	// DataType is String, String.Array, Number or Binary.
	DataType string
	// StringValue is the value of all of them but Binary.
	StringValue string
}

// Message is what policies are held against. It parses what a policy needs
// once, however many policies there are; so it is for one goroutine.
type Message struct {
	body       string
	attributes map[string]Attribute

	fromAttributes attributes
	fromBody       body
	bodyIsObject   bool
	bodyParsed     bool
}

// NewMessage makes a message to match.
func NewMessage(body string, attributes map[string]Attribute) *Message {
	return &Message{body: body, attributes: attributes}
}

// attributeDocument has a property for every attribute that is a String, a
// String.Array or a Number; SNS ignores the others. A message without any
// attribute matches no policy, not even one on what is absent ("Key matching").
func (m *Message) attributeDocument() (document, bool) {
	if m.fromAttributes == nil {
		m.fromAttributes = attributes{}
		for name, attribute := range m.attributes {
			switch attribute.DataType {
			case "String":
				m.fromAttributes[name] = []value{{kind: isString, text: attribute.StringValue}}
			case "Number":
				m.fromAttributes[name] = nil
				if v, ok := numberValue(attribute.StringValue); ok {
					m.fromAttributes[name] = []value{v}
				}
			case "String.Array":
				m.fromAttributes[name] = arrayValues(attribute.StringValue)
			}
		}
	}
	return m.fromAttributes, len(m.attributes) > 0
}

// arrayValues reads a String.Array: a JSON array of strings, numbers, true,
// false and null. Anything else has no values.
func arrayValues(text string) []value {
	elements, ok := decode(text).([]any)
	if !ok {
		return nil
	}
	var values []value
	for _, element := range elements {
		if v, ok := scalarValue(element); ok {
			values = append(values, v)
		}
	}
	return values
}

// attributes are the values of message attributes by name. An attribute without
// values is present all the same.
type attributes map[string][]value

func (a attributes) at(path string) ([]value, bool) {
	values, present := a[path]
	return values, present
}

// bodyDocument has a property for every leaf of the body, its path joined by
// dots; the elements of an array are values of the array's path. A body that
// is not a JSON object matches no policy.
func (m *Message) bodyDocument() (document, bool) {
	if !m.bodyParsed {
		m.bodyParsed = true
		m.fromBody, m.bodyIsObject = decode(m.body).(map[string]any)
	}
	return m.fromBody, m.bodyIsObject
}

// body is a message's JSON object. Its properties are looked for where they
// are: a list of their paths can be as long as the body squared.
type body map[string]any

func (b body) at(path string) ([]value, bool) {
	var values []value
	for key, part := range b {
		values = below(key, part, path, values)
	}
	return values, len(values) > 0
}

// below adds the values that a part of a body, which stands at a key, has at a
// path that begins with the key.
func below(key string, part any, path string, values []value) []value {
	rest, ok := strings.CutPrefix(path, key)
	if !ok || rest != "" && rest[0] != '.' {
		return values
	}
	return gather(part, rest, values)
}

// gather adds the values of a part of a body at the rest of a path, which is
// empty or begins with a dot.
func gather(part any, rest string, values []value) []value {
	switch part := part.(type) {
	case map[string]any:
		if rest == "" {
			return values
		}
		for key, inner := range part {
			values = below(key, inner, rest[1:], values)
		}
	case []any:
		for _, element := range part {
			values = gather(element, rest, values)
		}
	default:
		if v, ok := scalarValue(part); ok && rest == "" {
			values = append(values, v)
		}
	}
	return values
}

// decode parses JSON with its numbers as they are written, nil if it is none.
func decode(text string) any {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var decoded any
	if dec.Decode(&decoded) != nil {
		return nil
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil
	}
	return decoded
}
