package contracts

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONNesting bounds the recursion that a body can cause, in fields nobody
// knows too.
const maxJSONNesting = 64

// text is a position in JSON text that is known to be UTF-8. It reads in place:
// the strings it returns are parts of the text unless they have escapes. It
// exists because data is read by the contract that the envelope names, without
// an allocation for every token and without building a tree of what is dropped
// afterwards.
type text struct {
	s     string
	i     int
	depth int  // objects and arrays around this position
	plain bool // no escape and no control character anywhere: a string ends at the next quote
}

// textOf returns the beginning of a body that is known to be UTF-8.
func textOf(body []byte) text { return text{s: string(body), plain: isPlain(body)} }

// isPlain reports that there is neither a backslash nor a byte below a space,
// as in nearly every event: writers put no white space between tokens. It looks
// at eight bytes at once: subtracting a space from each byte sets the top bit of
// the first that is less, and of no other before it.
func isPlain(body []byte) bool {
	const (
		spaces = 0x2020202020202020
		tops   = 0x8080808080808080
	)
	if bytes.IndexByte(body, '\\') >= 0 {
		return false
	}
	for ; len(body) >= 8; body = body[8:] {
		if eight := binary.LittleEndian.Uint64(body); (eight-spaces)&^eight&tops != 0 {
			return false
		}
	}
	for _, c := range body {
		if c < ' ' {
			return false
		}
	}
	return true
}

func (t *text) fail(format string, args ...any) error {
	return fmt.Errorf("not JSON at byte %d: %s", t.i, fmt.Sprintf(format, args...))
}

func (t *text) unexpected(want string) error {
	if t.i >= len(t.s) {
		return t.fail("want %s, got the end", want)
	}
	r, _ := utf8.DecodeRuneInString(t.s[t.i:])
	return t.fail("want %s, got %q", want, r)
}

// peek returns the first byte of the next token, 0 at the end.
func (t *text) peek() byte {
	for t.i < len(t.s) {
		switch c := t.s[t.i]; c {
		case ' ', '\t', '\n', '\r':
			t.i++
		default:
			return c
		}
	}
	return 0
}

func (t *text) accept(c byte) bool {
	if t.peek() != c {
		return false
	}
	t.i++
	return true
}

// enter reads the bracket that opens an object or an array.
func (t *text) enter(bracket byte) error {
	if t.peek() != bracket {
		return t.unexpected(string(rune(bracket)))
	}
	if t.depth >= maxJSONNesting {
		return t.fail("nested deeper than %d levels", maxJSONNesting)
	}
	t.depth++
	t.i++
	return nil
}

// leave reads the bracket that closes an object or an array, if it is next.
func (t *text) leave(bracket byte) bool {
	if !t.accept(bracket) {
		return false
	}
	t.depth--
	return true
}

// found names the kind of the next value for an error message.
func (t *text) found() string {
	switch c := t.peek(); c {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// object reads an object, calling field with each name; field reads the value.
func (t *text) object(field func(name string) error) error {
	if err := t.enter('{'); err != nil {
		return err
	}
	if t.leave('}') {
		return nil
	}
	for {
		if t.peek() != '"' {
			return t.unexpected("a name")
		}
		name, err := t.str()
		if err != nil {
			return err
		}
		if !t.accept(':') {
			return t.unexpected(":")
		}
		if err := field(name); err != nil {
			return err
		}
		if t.leave('}') {
			return nil
		}
		if !t.accept(',') {
			return t.unexpected(", or }")
		}
	}
}

// array reads an array, calling element with each place; element reads the
// value.
func (t *text) array(element func(i int) error) error {
	if err := t.enter('['); err != nil {
		return err
	}
	if t.leave(']') {
		return nil
	}
	for i := 0; ; i++ {
		if err := element(i); err != nil {
			return err
		}
		if t.leave(']') {
			return nil
		}
		if !t.accept(',') {
			return t.unexpected(", or ]")
		}
	}
}

// skip reads any value.
func (t *text) skip() error {
	switch c := t.peek(); {
	case c == '{':
		return t.object(func(string) error { return t.skip() })
	case c == '[':
		return t.array(func(int) error { return t.skip() })
	case c == '"':
		_, err := t.str()
		return err
	case c == 't':
		return t.word("true")
	case c == 'f':
		return t.word("false")
	case c == 'n':
		return t.word("null")
	case c == '-' || '0' <= c && c <= '9':
		return t.number()
	default:
		return t.unexpected("a value")
	}
}

func (t *text) word(w string) error {
	if !strings.HasPrefix(t.s[t.i:], w) {
		return t.unexpected(w)
	}
	t.i += len(w)
	return nil
}

func (t *text) number() error {
	if t.s[t.i] == '-' {
		t.i++
	}
	if t.i < len(t.s) && t.s[t.i] == '0' {
		t.i++
	} else if !t.digits() {
		return t.unexpected("a digit")
	}
	if t.i < len(t.s) && t.s[t.i] == '.' {
		t.i++
		if !t.digits() {
			return t.unexpected("a digit")
		}
	}
	if t.i < len(t.s) && t.s[t.i]|0x20 == 'e' {
		t.i++
		if t.i < len(t.s) && (t.s[t.i] == '+' || t.s[t.i] == '-') {
			t.i++
		}
		if !t.digits() {
			return t.unexpected("a digit")
		}
	}
	return nil
}

func (t *text) digits() bool {
	from := t.i
	for t.i < len(t.s) && '0' <= t.s[t.i] && t.s[t.i] <= '9' {
		t.i++
	}
	return t.i > from
}

// str reads a string; the next byte is its opening quote.
func (t *text) str() (string, error) {
	from := t.i + 1
	if t.plain {
		if n := strings.IndexByte(t.s[from:], '"'); n >= 0 {
			t.i = from + n + 1
			return t.s[from : from+n], nil
		}
	}
	for i := from; i < len(t.s); i++ {
		switch c := t.s[i]; {
		case c == '"':
			t.i = i + 1
			return t.s[from:i], nil
		case c == '\\':
			t.i = i
			return t.escaped(t.s[from:i])
		case c < ' ':
			t.i = i
			return "", t.fail("control character %q in a string", c)
		}
	}
	t.i = len(t.s)
	return "", t.unexpected("the end of a string")
}

// escaped reads the rest of a string from its first escape on.
func (t *text) escaped(before string) (string, error) {
	b := make([]byte, len(before), len(before)+32)
	copy(b, before)
	for t.i < len(t.s) {
		c := t.s[t.i]
		switch {
		case c == '"':
			t.i++
			return string(b), nil
		case c < ' ':
			return "", t.fail("control character %q in a string", c)
		case c != '\\':
			b = append(b, c)
			t.i++
			continue
		}
		r, err := t.escape()
		if err != nil {
			return "", err
		}
		b = utf8.AppendRune(b, r)
	}
	return "", t.unexpected("the end of a string")
}

func (t *text) escape() (rune, error) {
	rest := t.s[t.i+1:]
	if rest == "" {
		t.i = len(t.s)
		return 0, t.unexpected("an escape")
	}
	if rest[0] == 'u' {
		r, ok := t.unit(t.i)
		n := 6
		if ok && utf16.IsSurrogate(r) {
			low, lowOK := t.unit(t.i + 6)
			r = utf16.DecodeRune(r, low)
			ok, n = lowOK && r != utf8.RuneError, 12
		}
		if !ok {
			return 0, t.fail("want \\u and the code of a character; a surrogate comes in a pair")
		}
		t.i += n
		return r, nil
	}
	at := strings.IndexByte(`"\/bfnrt`, rest[0])
	if at < 0 {
		return 0, t.fail("no such escape")
	}
	t.i += 2
	return rune("\"\\/\b\f\n\r\t"[at]), nil
}

// unit returns the UTF-16 code unit written \uXXXX at that place.
func (t *text) unit(at int) (rune, bool) {
	if at+6 > len(t.s) || t.s[at] != '\\' || t.s[at+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(t.s[at+2:at+6], 16, 16)
	return rune(n), err == nil
}
