package contracts

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// timeLayout is RFC 3339 with microseconds, in UTC.
const timeLayout = "2006-01-02T15:04:05.000000Z"

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
	b = append(b, `{"specversion":"1.0","id":`...)
	b = appendString(b, c.ID())
	b = append(b, `,"source":`...)
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
		b = append(b, c.Version.String()...)
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

func appendTime(b []byte, t time.Time) []byte {
	if t.After(lastTime) {
		t = lastTime
	}
	return t.AppendFormat(b, timeLayout)
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
			b = base64.StdEncoding.AppendEncode(b, v.blob)
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
		for i, e := range v.list {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e, s.Elem)
		}
		return append(b, ']')
	case KindMap:
		if s.Elem == nil {
			return appendFields(b, v.dict, s.Fields)
		}
		b = append(b, '{')
		first := true
		for _, key := range slices.Sorted(maps.Keys(v.dict)) {
			b = appendName(b, key, &first)
			b = appendValue(b, v.dict[key], s.Elem)
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

// appendString writes a JSON string and escapes only what JSON says it must,
// and U+FFFE and U+FFFF: SQS refuses a message with either, or puts U+FFFD in
// their place (Amazon SQS API Reference, SendMessage, says one and said the
// other). The string is UTF-8.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c == 0xef && (s[i:i+3] == "\ufffe" || s[i:i+3] == "\uffff") {
			b = append(b, s[from:i]...)
			b = append(b, '\\', 'u', 'f', 'f', 'f', hex[s[i+2]&15])
			from = i + 3
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
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
	return append(append(b, s[from:]...), '"')
}
