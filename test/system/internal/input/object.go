package input

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	cikText    = regexp.MustCompile(`^[1-9][0-9]{0,19}$`)
	tickerText = regexp.MustCompile(`^[A-Z0-9][A-Z0-9.-]{0,15}$`)
)

// maxFieldBytes is how much of an unknown field's name is repeated.
const maxFieldBytes = 64

// object is one line's JSON object, being read. Every problem it meets is kept,
// so that one look at a line names all of them.
type object struct {
	fields   map[string]json.RawMessage
	problems []error
}

// wrong notes a problem, and after maxProblems of them that there are more.
func (o *object) wrong(field, format string, args ...any) {
	switch {
	case len(o.problems) > maxProblems:
		return
	case len(o.problems) == maxProblems:
		o.problems = append(o.problems, errors.New("more is wrong with the line"))
		return
	case len(field) > maxFieldBytes:
		field = strings.ToValidUTF8(field[:maxFieldBytes], "") + "…"
	}
	o.problems = append(o.problems, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
}

func (o *object) err() error { return errors.Join(o.problems...) }

// readObject takes a line apart. encoding/json alone would take the last of two
// equal names and names in any case; here a name has to be one of the known
// ones, once. It fails where the line is no JSON object at all.
func readObject(line []byte, known ...string) (*object, error) {
	switch {
	case len(bytes.TrimSpace(line)) == 0:
		return nil, errors.New("the line is empty")
	case bytes.HasPrefix(line, []byte("\ufeff")):
		return nil, errors.New("the line begins with a byte order mark; save the file as UTF-8 without one")
	case !utf8.Valid(line):
		return nil, errors.New("the line is not UTF-8")
	}
	o := &object{fields: map[string]json.RawMessage{}}
	d := json.NewDecoder(bytes.NewReader(line))
	if open, err := d.Token(); err != nil {
		return nil, notJSON(err)
	} else if open != json.Delim('{') {
		return nil, fmt.Errorf("want a JSON object, found %s", kind(bytes.TrimSpace(line)))
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		name, _ := token.(string) // in an object a name is what comes here
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, notJSON(err)
		}
		if _, twice := o.fields[name]; twice {
			o.wrong(name, "the field is there more than once")
		} else if !slices.Contains(known, name) {
			o.wrong(name, "the field is unknown")
		}
		o.fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something after the JSON object")
	}
	return o, nil
}

func notJSON(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("not JSON: the line ends too early")
	}
	return fmt.Errorf("not JSON: %w", err)
}

// kind names a value's JSON type.
func kind(value []byte) string {
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// text returns a field that has to be there and be a string.
func (o *object) text(field string) string {
	value, ok := o.fields[field]
	if !ok {
		o.wrong(field, "the field is missing")
		return ""
	}
	return o.stringOf(field, value)
}

// optionalText returns a field that may be left out: nil then.
func (o *object) optionalText(field string) *string {
	value, ok := o.fields[field]
	if !ok {
		return nil
	}
	s := o.stringOf(field, value)
	return &s
}

func (o *object) stringOf(field string, value json.RawMessage) string {
	var s string
	if value[0] != '"' || json.Unmarshal(value, &s) != nil {
		o.wrong(field, "want a string, found %s", kind(value))
	} else if strings.Count(s, "\ufffd") > strings.Count(strings.ToLower(string(value)), `\ufffd`)+bytes.Count(value, []byte("\ufffd")) {
		// encoding/json puts U+FFFD in the place of half a surrogate pair.
		o.wrong(field, "want whole characters, found half a surrogate pair")
	}
	return s
}

// optionalTexts returns a field that may be left out, an array of strings.
func (o *object) optionalTexts(field string) []string {
	value, ok := o.fields[field]
	if !ok {
		return nil
	}
	var elements []json.RawMessage
	if value[0] != '[' || json.Unmarshal(value, &elements) != nil {
		o.wrong(field, "want an array of strings, found %s", kind(value))
		return nil
	}
	texts := make([]string, 0, len(elements))
	for i, e := range elements {
		if len(o.problems) > maxProblems {
			break
		}
		texts = append(texts, o.stringOf(fmt.Sprintf("%s[%d]", field, i), e))
	}
	return texts
}

// cik, date and ticker read the fields that identify a row. A field that is
// missing or no string is reported as that alone.

func (o *object) cik() string {
	return o.matching("cik", func(s string) bool { return cikText.MatchString(s) }, "want 1 to 20 digits without leading zeros")
}

func (o *object) date() string {
	return o.matching("date", func(s string) bool {
		t, err := time.Parse(time.DateOnly, s)
		return err == nil && t.Format(time.DateOnly) == s
	}, "want a day of the calendar as YYYY-MM-DD")
}

func (o *object) ticker() string {
	return o.matching("ticker", func(s string) bool { return tickerText.MatchString(s) }, "want 1 to 16 of A-Z, 0-9, '.' and '-', beginning with a letter or digit")
}

func (o *object) matching(field string, ok func(string) bool, want string) string {
	before := len(o.problems)
	s := o.text(field)
	if len(o.problems) == before && !ok(s) {
		o.wrong(field, "%s, found %.40q", want, s)
	}
	return s
}
