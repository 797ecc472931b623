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

	fromAttributes document
	fromBody       document
	bodyIsObject   bool
	bodyParsed     bool
}

// NewMessage makes a message to match.
func NewMessage(body string, attributes map[string]Attribute) *Message {
	return &Message{body: body, attributes: attributes}
}

// attributeDocument has a property for every attribute that is a String, a
// String.Array or a Number; SNS ignores the others.
func (m *Message) attributeDocument() (document, bool) {
	if m.fromAttributes == nil {
		m.fromAttributes = document{}
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
	return m.fromAttributes, true
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

// bodyDocument has a property for every leaf of the body, its path joined by
// dots; the elements of an array are values of the array's path. A body that
// is not a JSON object matches no policy.
func (m *Message) bodyDocument() (document, bool) {
	if !m.bodyParsed {
		m.bodyParsed = true
		var object map[string]any
		if object, m.bodyIsObject = decode(m.body).(map[string]any); m.bodyIsObject {
			m.fromBody = document{}
			for key, part := range object {
				m.fromBody.add(key, part)
			}
		}
	}
	return m.fromBody, m.bodyIsObject
}

func (doc document) add(path string, part any) {
	switch part := part.(type) {
	case map[string]any:
		for key, inner := range part {
			doc.add(path+"."+key, inner)
		}
	case []any:
		for _, element := range part {
			doc.add(path, element)
		}
	default:
		if v, ok := scalarValue(part); ok {
			doc[path] = append(doc[path], v)
		}
	}
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
