package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// field is one member of a JSON object, in the order of the text.
type field struct {
	name  string
	value json.RawMessage // never empty, without white space around it
}

func (f field) isNull() bool { return f.value[0] == 'n' }

// text returns the value if it is a string of whole characters. Half a
// surrogate pair, which encoding/json would silently replace, is not one.
func (f field) text() (string, bool) {
	if f.value[0] != '"' || halvesCharacter(f.value) {
		return "", false
	}
	var s string
	return s, json.Unmarshal(f.value, &s) == nil
}

// kind names the value's JSON type.
func (f field) kind() string {
	switch f.value[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	case '"':
		return "a string with half a character"
	}
	return "a number"
}

// halvesCharacter reports whether a JSON text has the escape of one half of a
// surrogate pair without the other.
func halvesCharacter(text []byte) bool {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return false
		}
		first, ok := unitOf(text[i:])
		if !ok {
			text = text[i+2:] // an escape of one character
			continue
		}
		text = text[i+6:]
		if !utf16.IsSurrogate(first) {
			continue
		}
		second, _ := unitOf(text)
		if utf16.DecodeRune(first, second) == utf8.RuneError {
			return true
		}
		text = text[6:]
	}
}

// unitOf reads the \uXXXX that a text begins with.
func unitOf(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(unit), err == nil
}

// decodeObject takes a JSON object apart, keeping repeated names, which
// encoding/json would silently merge. It reports whether the body is one
// object and nothing else; if not, p says where it goes wrong.
func decodeObject(body []byte, p *problems) ([]field, bool) {
	if !utf8.Valid(body) {
		p.add("body", "want JSON in UTF-8: the body has a byte that is not")
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	wrong := func(err error) ([]field, bool) {
		p.add("body", "want a JSON object: %s", jsonProblem(err, decoder))
		return nil, false
	}
	open, err := decoder.Token()
	if err != nil {
		return wrong(err)
	}
	if open != json.Delim('{') {
		p.add("body", "want a JSON object")
		return nil, false
	}
	var fields []field
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return wrong(err)
		}
		text, ok := name.(string)
		if !ok {
			p.add("body", "want a JSON object: a field's name is no string")
			return nil, false
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return wrong(err)
		}
		fields = append(fields, field{name: text, value: bytes.TrimSpace(value)})
	}
	if _, err := decoder.Token(); err != nil {
		return wrong(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		p.add("body", "want one JSON object and nothing after it")
		return nil, false
	}
	return fields, true
}

func jsonProblem(err error, decoder *json.Decoder) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the body ends too early"
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return syntax.Error() + " near byte " + strconv.FormatInt(decoder.InputOffset(), 10)
	}
	return err.Error()
}

// clip shortens what is repeated to the sender.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
