package contracts

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// The reader takes no more than encoding/json does, and less only where it
// says so: nesting, invalid UTF-8 and lone surrogates. Strings mean the same.
func FuzzTextAgreesWithEncodingJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-0.5e+7,true,false,null,"x\n\u00e9\ud83d\ude00"]} `, `"\ud800"`, `"\ud800\u0041"`, `01`, `-`, `1.`, `1e`, `[1,]`, `{"a"}`,
		`{"a":1,}`, `nul`, `"`, `"\`, `"\u12`, "\"\x00\"", "\"\xff\"", `[[[[]]]]`, `{}x`, "\u00a0[]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		r := textOf([]byte(s))
		err := r.skip()
		r.peek()
		if err == nil && r.i < len(s) {
			err = r.unexpected("the end")
		}
		if valid := json.Valid([]byte(s)); err == nil && !valid {
			t.Fatalf("%q is taken for JSON", s)
		} else if err != nil && valid && !refusedOnPurpose(s) {
			t.Fatalf("%q: %v", s, err)
		}
		if err != nil {
			return
		}
		if r = textOf([]byte(s)); r.peek() != '"' {
			return
		}
		var want string
		if err := json.Unmarshal([]byte(s), &want); err != nil {
			t.Fatal(err)
		}
		if got, err := r.str(); err != nil || got != want {
			t.Fatalf("%q is %q, %v; want %q", s, got, err, want)
		}
	})
}

// isPlain looks at eight bytes at once: every byte counts, in every place.
func TestPlainTextHasNoControlAndNoBackslashAnywhere(t *testing.T) {
	for length := range 20 {
		for at := range length {
			for _, around := range []byte{' ', 'a', 0x80, 0xff} {
				body := bytes.Repeat([]byte{around}, length)
				for c := range 256 {
					body[at] = byte(c)
					if got, want := isPlain(body), c >= ' ' && c != '\\'; got != want {
						t.Fatalf("%q: plain %t, want %t", body, got, want)
					}
				}
			}
		}
	}
	if !isPlain(nil) {
		t.Error("nothing is not plain")
	}
}

// refusedOnPurpose reports nesting past the limit and lone surrogates, which
// encoding/json reads as U+FFFD.
func refusedOnPurpose(s string) bool {
	depth := 0
	for _, c := range s {
		if c == '[' || c == '{' {
			depth++
		}
	}
	replaced := false
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			for _, r := range v {
				replaced = replaced || r == utf8.RuneError
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for k, e := range v {
				walk(k)
				walk(e)
			}
		}
	}
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		return true // an exponent no float64 has
	}
	walk(v)
	return replaced || depth > maxJSONNesting
}

func TestNestingIsLimitedExactly(t *testing.T) {
	nested := func(n int) string {
		b := make([]byte, 0, 2*n)
		for range n {
			b = append(b, '[')
		}
		for range n {
			b = append(b, ']')
		}
		return string(b)
	}
	r := text{s: nested(maxJSONNesting)}
	if err := r.skip(); err != nil {
		t.Error(err)
	}
	r = text{s: nested(maxJSONNesting + 1)}
	if err := r.skip(); err == nil {
		t.Error("one level too many is taken")
	}
}
