package attr

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// decoder reads a value in one pass, so that nesting costs no repeated
// scanning and is cut off at MaxDepth. It reads texts itself instead of through
// json.Decoder, since decoding values is most of what a write costs.
type decoder struct {
	text []byte
	at   int
}

func newDecoder(data []byte) *decoder { return &decoder{text: data} }

func noJSON() error {
	return wire.Errorf("SerializationException", "the attribute value is no JSON")
}

func (d *decoder) end() error {
	if d.peek(); d.at < len(d.text) {
		return wire.Errorf("SerializationException", "the attribute value goes on after its end")
	}
	return nil
}

// peek goes past space and returns the byte that follows, 0 at the end.
func (d *decoder) peek() byte {
	for ; d.at < len(d.text); d.at++ {
		switch c := d.text[d.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// take goes past a byte if it follows.
func (d *decoder) take(c byte) bool {
	if d.peek() != c {
		return false
	}
	d.at++
	return true
}

// next reads a scalar or one bracket.
func (d *decoder) next() (json.Token, error) {
	switch c := d.peek(); c {
	case '"':
		return d.quoted()
	case '{', '}', '[', ']':
		d.at++
		return json.Delim(c), nil
	}
	start := d.at
	for d.at < len(d.text) && !endsWord(d.text[d.at]) {
		d.at++
	}
	switch word := d.text[start:d.at]; string(word) {
	case "null":
		return nil, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	default:
		if !json.Valid(word) {
			return nil, noJSON()
		}
		return json.Number(word), nil
	}
}

func endsWord(c byte) bool {
	switch c {
	case ',', ':', '"', '{', '}', '[', ']', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

// quoted reads the string that follows.
func (d *decoder) quoted() (string, error) {
	start := d.at
	simple := true
	for d.at++; d.at < len(d.text) && d.text[d.at] != '"'; d.at++ {
		switch c := d.text[d.at]; {
		case c == '\\':
			d.at++
			simple = false
		case c < ' ':
			simple = false
		}
	}
	if d.at >= len(d.text) {
		return "", noJSON()
	}
	d.at++
	if inside := d.text[start+1 : d.at-1]; simple && utf8.Valid(inside) {
		return string(inside), nil
	}
	var s string
	if json.Unmarshal(d.text[start:d.at], &s) != nil {
		return "", noJSON()
	}
	return s, nil
}

// object calls field for each name of an object, positioned at its value. It
// returns false for a JSON null.
func (d *decoder) object(field func(name string) error) (bool, error) {
	if !d.take('{') {
		token, err := d.next()
		if err != nil || token == nil {
			return false, err
		}
		return false, misplaced(token, "a structure")
	}
	if d.take('}') {
		return true, nil
	}
	for {
		if d.peek() != '"' {
			return false, noJSON()
		}
		name, err := d.quoted()
		if err != nil {
			return false, err
		}
		if !d.take(':') {
			return false, noJSON()
		}
		if err := field(name); err != nil {
			return false, err
		}
		switch {
		case d.take(','):
		case d.take('}'):
			return true, nil
		default:
			return false, noJSON()
		}
	}
}

// elements calls element at each element of an array. It returns false for a
// JSON null.
func (d *decoder) elements(element func() error) (bool, error) {
	if !d.take('[') {
		token, err := d.next()
		if err != nil || token == nil {
			return false, err
		}
		return false, misplaced(token, "a list")
	}
	if d.take(']') {
		return true, nil
	}
	for {
		if err := element(); err != nil {
			return false, err
		}
		switch {
		case d.take(','):
		case d.take(']'):
			return true, nil
		default:
			return false, noJSON()
		}
	}
}

// string reads a string; false stands for a JSON null.
func (d *decoder) string() (string, bool, error) {
	if d.peek() == '"' {
		s, err := d.quoted()
		return s, true, err
	}
	token, err := d.next()
	if err != nil || token == nil {
		return "", false, err
	}
	return "", false, misplaced(token, "String")
}
