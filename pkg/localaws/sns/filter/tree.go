package filter

import (
	"encoding/json"
	"strings"
)

// node is a policy's JSON with the order of its keys, so that what is wrong
// is reported where a reader of the policy meets it, and with its duplicate
// keys, which are refused.
type node struct {
	token    json.Token // the scalar; nil for null, objects and arrays
	isObject bool
	isArray  bool
	members  []member // of an object
	elements []node   // of an array
}

type member struct {
	key   string
	value node
}

// parseTree parses text that is valid JSON.
func parseTree(text string) (node, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	return readNode(dec)
}

func readNode(dec *json.Decoder) (node, error) {
	token, err := dec.Token()
	if err != nil {
		return node{}, err
	}
	switch token {
	case json.Delim('{'):
		n := node{isObject: true}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return node{}, err
			}
			inner, err := readNode(dec)
			if err != nil {
				return node{}, err
			}
			n.members = append(n.members, member{key.(string), inner})
		}
		_, err := dec.Token()
		return n, err
	case json.Delim('['):
		n := node{isArray: true}
		for dec.More() {
			inner, err := readNode(dec)
			if err != nil {
				return node{}, err
			}
			n.elements = append(n.elements, inner)
		}
		_, err := dec.Token()
		return n, err
	}
	return node{token: token}, nil
}

func (n node) scalar() bool { return !n.isObject && !n.isArray }

// string returns the text of a string.
func (n node) string() (string, bool) {
	text, ok := n.token.(string)
	return text, ok
}

// number returns the text of a number.
func (n node) number() (string, bool) {
	number, ok := n.token.(json.Number)
	return number.String(), ok
}

// written is a scalar as AWS quotes it in an error.
func (n node) written() string {
	switch token := n.token.(type) {
	case string:
		return token
	case json.Number:
		return token.String()
	case bool:
		if token {
			return "true"
		}
		return "false"
	}
	switch {
	case n.isObject:
		return "{"
	case n.isArray:
		return "["
	}
	return "null"
}
