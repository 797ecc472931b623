package contracts

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// lastTime is the last instant RFC 3339 can name. A later version still
// travels: its time is this one, and time says nothing that version does not.
var lastTime = time.Date(9999, time.December, 31, 23, 59, 59, 999999000, time.UTC)

// Encode returns the event of a change: a CloudEvents 1.0 event in structured
// JSON mode. Equal changes have equal bytes. Whatever a reader would refuse is
// refused here, every problem at once, each a *FieldError. The size is not
// checked; the limit is the topic's.
func Encode(c *Change) ([]byte, error) {
	if err := checkChange(c); err != nil {
		return nil, fmt.Errorf("encode change %s: %w", clip(c.ID()), err)
	}
	b := make([]byte, 0, 1024)
	b = append(b, `{"specversion":"1.0","id":"`...)
	if c.Contract != nil {
		b = append(appendEscaped(b, c.Contract.ID()), '/')
	}
	b = appendEscaped(b, c.Subject)
	if c.Contract != nil {
		b = append(b, '@')
		b = strconv.AppendInt(b, int64(c.Version), 10)
	}
	b = append(b, `","source":`...)
	b = appendString(b, c.Source)
	b = append(b, `,"type":`...)
	b = appendString(b, c.Type())
	b = append(b, `,"subject":`...)
	b = appendString(b, c.Subject)
	b = append(b, `,"time":"`...)
	b = appendTime(b, c.Time())
	b = append(b, `","datacontenttype":"application/json"`...)
	if c.Contract != nil {
		b = append(b, `,"dataschema":`...)
		b = appendString(b, c.Contract.SchemaID)
		b = append(b, `,"version":"`...)
		b = strconv.AppendInt(b, int64(c.Version), 10)
		b = append(b, '"')
	}
	b = append(b, `,"origin":"`...)
	b = append(b, c.Origin...)
	b = append(b, `","published":"`...)
	b = appendTime(b, c.Published.UTC())
	b = append(b, '"')
	if c.TraceParent != "" {
		b = append(b, `,"traceparent":"`...)
		b = append(b, c.TraceParent...)
		b = append(b, '"')
	}
	b = append(b, `,"data":{"changed":[`...)
	for i, name := range c.Changed {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, name)
	}
	b = append(b, ']')
	if c.Operation == Upsert {
		b = append(b, `,"attributes":`...)
		b = appendFields(b, c.Attributes, c.Contract.Attributes)
	}
	return append(b, '}', '}'), nil
}

func checkChange(c *Change) error {
	var problems []error
	refuse := func(field, format string, args ...any) {
		problems = append(problems, wrong(field, format, args...))
	}
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	note(checkSource(c.Source))
	note(checkSubject(c.Subject))
	note(checkOrigin(c.Origin))
	if c.TraceParent != "" {
		note(checkTraceParent(c.TraceParent))
	}
	if y := c.Published.UTC().Year(); c.Published.IsZero() || y < 0 || y > 9999 {
		refuse("published", "want the time of publication, got %s", c.Published)
	}
	if len(c.Changed) == 0 {
		refuse("data.changed", "want at least one name: no filter would let this through")
	}
	switch c.Operation {
	case Canary:
		if c.Contract != nil || c.Version != 0 {
			refuse("version", "a canary has no contract and no version")
		}
	case Upsert, Delete:
		if c.Contract == nil {
			refuse("type", "want a contract")
		}
		if c.Version < 1 {
			refuse("version", "want a version of at least 1, got %d", c.Version)
		}
	default:
		refuse("type", "unknown operation %q", clip(string(c.Operation)))
	}
	if c.Operation != Upsert && len(c.Attributes) > 0 {
		refuse("data.attributes", "a %s has no attributes", c.Operation)
	}
	for i, name := range c.Changed {
		if c.Contract != nil && find(c.Contract.Attributes, name, i) < 0 {
			refuse(fmt.Sprintf("data.changed[%d]", i), "contract %s has no attribute %q", c.Contract.ID(), clip(name))
		} else if name == "" || !utf8.ValidString(name) {
			refuse(fmt.Sprintf("data.changed[%d]", i), "want the name of an attribute, got %q", clip(name))
		}
	}
	if c.Operation == Upsert && c.Contract != nil {
		for _, p := range checkFields(c.Attributes, c.Contract.Attributes, true) {
			p.Field = "data.attributes" + p.Field
			problems = append(problems, p)
		}
	}
	return errors.Join(problems...)
}

// appendTime writes RFC 3339 with microseconds; the time is in UTC and in the
// years from 0 on. (AppendFormat interprets its layout each time, which took a
// seventh of Encode.)
func appendTime(b []byte, t time.Time) []byte {
	if t.After(lastTime) {
		t = lastTime
	}
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = append(appendDigits(b, year, 4), '-')
	b = append(appendDigits(b, int(month), 2), '-')
	b = append(appendDigits(b, day, 2), 'T')
	b = append(appendDigits(b, hour, 2), ':')
	b = append(appendDigits(b, minute, 2), ':')
	b = append(appendDigits(b, second, 2), '.')
	return append(appendDigits(b, t.Nanosecond()/int(time.Microsecond), 6), 'Z')
}

// appendDigits writes the last count digits of a number.
func appendDigits(b []byte, n, count int) []byte {
	b = append(b, "000000"[:count]...)
	for i := len(b) - 1; n > 0 && i >= len(b)-count; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return b
}

// appendFields writes the attributes in declared order; the state has been
// checked.
func appendFields(b []byte, state map[string]Value, attributes []Attribute) []byte {
	b = append(b, '{')
	first := true
	for i := range attributes {
		v, ok := state[attributes[i].Name]
		if !ok {
			continue
		}
		b = appendName(b, attributes[i].Name, &first)
		b = appendValue(b, v, &attributes[i].Shape)
	}
	return append(b, '}')
}

func appendName(b []byte, name string, first *bool) []byte {
	if !*first {
		b = append(b, ',')
	}
	*first = false
	return append(appendString(b, name), ':')
}

func appendValue(b []byte, v Value, s *Shape) []byte {
	switch v.kind {
	case KindString:
		return appendString(b, v.text)
	case KindNumber, KindBinary:
		if v.kind == KindBinary {
			b = append(b, '"')
			b = base64.StdEncoding.AppendEncode(b, v.Bytes())
			return append(b, '"')
		}
		return appendString(b, memberText(v))
	case KindBool:
		if v.flag {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	case KindList:
		b = append(b, '[')
		for i, e := range v.Elements() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e, s.Elem)
		}
		return append(b, ']')
	case KindMap:
		if s.Elem == nil {
			return appendFields(b, v.Fields(), s.Fields)
		}
		b = append(b, '{')
		first := true
		for _, key := range slices.Sorted(maps.Keys(v.Fields())) {
			b = appendName(b, key, &first)
			b = appendValue(b, v.Fields()[key], s.Elem)
		}
		return append(b, '}')
	case KindStringSet, KindNumberSet, KindBinarySet:
		b = append(b, '[')
		for i, text := range sortedMembers(v) {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, text)
		}
		return append(b, ']')
	default:
		return append(b, "null"...)
	}
}

// appendString writes a JSON string.
func appendString(b []byte, s string) []byte {
	return append(appendEscaped(append(b, '"'), s), '"')
}

// special marks the bytes that an escape may begin at: what JSON has no place
// for in a string, and the first of the three of U+FFFE and U+FFFF.
var special = func() (bytes [256]bool) {
	for c := range ' ' {
		bytes[c] = true
	}
	bytes['"'], bytes['\\'], bytes[0xef] = true, true, true
	return bytes
}()

// appendEscaped writes what is between a JSON string's quotes. It escapes only
// what JSON says it must, and U+FFFE and U+FFFF: SQS refuses a message with
// either, or puts U+FFFD in their place (Amazon SQS API Reference, SendMessage,
// says one and said the other). The string is UTF-8.
func appendEscaped(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	from := 0
	for i := range len(s) {
		c := s[i]
		if !special[c] {
			continue
		}
		if c == 0xef {
			if rest := s[i:]; strings.HasPrefix(rest, "\ufffe") || strings.HasPrefix(rest, "\uffff") {
				b = append(b, s[from:i]...)
				b = append(b, '\\', 'u', 'f', 'f', 'f', hex[rest[2]&15])
				from = i + 3
			}
			continue
		}
		b = append(b, s[from:i]...)
		if c < ' ' {
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		} else {
			b = append(b, '\\', c)
		}
		from = i + 1
	}
	return append(b, s[from:]...)
}
