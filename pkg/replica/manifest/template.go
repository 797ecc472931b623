package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// Template is text with named placeholders: "ORGANIZATION-{org}". The bare
// word subject stands for "{subject}"; {{ and }} stand for the braces
// themselves. A placeholder stands for at least one byte and takes the
// shortest text up to the literal that follows it, so that rendering and
// matching are each other's inverse: what renders matches back to the same
// values, and what matches renders back to the same text. The zero Template is
// none; a Template is immutable and safe for concurrent use.
type Template struct {
	// parts alternate freely, except that two names never touch and two
	// literals are always one.
	parts []part
}

// part is a literal, or a placeholder where name is set.
type part struct {
	literal string
	name    string
}

// maxTemplateBytes is the longest template: its text is in every key, and the
// longest key is a partition key (DynamoDB, "Quotas").
const maxTemplateBytes = 2048

// wholeSubject is the placeholder that stands for the change's whole subject.
const wholeSubject = "subject"

// ParseTemplate reads a template. It refuses an empty one, one of more than
// 2048 bytes, unbalanced braces,
// a name that is not letters, digits and underscores, a name used twice, and
// placeholders that touch: nothing would say where one ends.
func ParseTemplate(text string) (Template, error) {
	if text == "" {
		return Template{}, fmt.Errorf("template %q: empty; write text, {name}, or both", text)
	}
	if len(text) > maxTemplateBytes {
		return Template{}, fmt.Errorf("template %q: %d bytes, and no key has more than %d; shorten it", clip(text), len(text), maxTemplateBytes)
	}
	if text == wholeSubject {
		return Template{parts: []part{{name: wholeSubject}}}, nil
	}
	var t Template
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			t.parts = append(t.parts, part{literal: literal.String()})
			literal.Reset()
		}
	}
	for rest := text; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			literal.WriteByte(rest[0])
			rest = rest[2:]
		case rest[0] == '}':
			return Template{}, fmt.Errorf("template %q: a } that closes nothing; write }} for the brace itself", text)
		case rest[0] == '{':
			name, after, closed := strings.Cut(rest[1:], "}")
			if !closed {
				return Template{}, fmt.Errorf("template %q: a { that nothing closes; write {{ for the brace itself", text)
			}
			flush()
			if err := t.appendName(name, text); err != nil {
				return Template{}, err
			}
			rest = after
		default:
			literal.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	flush()
	return t, nil
}

func (t *Template) appendName(name, text string) error {
	if !isName(name) {
		return fmt.Errorf("template %q: {%s} is no placeholder; a name is letters, digits and underscores and begins with a letter", text, name)
	}
	if slices.Contains(t.Names(), name) {
		return fmt.Errorf("template %q: {%s} occurs twice; name each placeholder once", text, name)
	}
	if n := len(t.parts); n > 0 && t.parts[n-1].name != "" {
		return fmt.Errorf("template %q: {%s} and {%s} touch, so nothing says where the first ends; put text between them", text, t.parts[n-1].name, name)
	}
	t.parts = append(t.parts, part{name: name})
	return nil
}

func isName(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '_' && (r < '0' || r > '9')) {
			return false
		}
	}
	return s != ""
}

// IsZero reports whether there is no template at all.
func (t Template) IsZero() bool { return len(t.parts) == 0 }

// whole returns the placeholder that is all of the template.
func (t Template) whole() (name string, ok bool) {
	if len(t.parts) != 1 || t.parts[0].name == "" {
		return "", false
	}
	return t.parts[0].name, true
}

// Equal reports whether both stand for the same texts.
func (t Template) Equal(o Template) bool { return slices.Equal(t.parts, o.parts) }

// String returns the template's text, which ParseTemplate reads back.
func (t Template) String() string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.name != "" {
			b.WriteString("{" + p.name + "}")
			continue
		}
		b.WriteString(strings.NewReplacer("{", "{{", "}", "}}").Replace(p.literal))
	}
	return b.String()
}

// MarshalYAML writes the template as its text.
func (t Template) MarshalYAML() (any, error) { return t.String(), nil }

// Names returns the placeholders' names in the order they appear.
func (t Template) Names() []string {
	var names []string
	for _, p := range t.parts {
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	return names
}

// Render fills the placeholders in. It refuses a value that is missing or
// empty, and one that would not match back because the literal after its
// placeholder begins earlier than the value ends: two different items would
// get one key.
func (t Template) Render(vars map[string]string) (string, error) {
	var b strings.Builder
	for i, p := range t.parts {
		if p.name == "" {
			b.WriteString(p.literal)
			continue
		}
		value := vars[p.name]
		if value == "" {
			return "", fmt.Errorf("render %s: no value for {%s}", t, p.name)
		}
		if i+1 < len(t.parts) {
			next := t.parts[i+1].literal
			if strings.Index(value+next, next) < len(value) {
				return "", fmt.Errorf("render %s: the value %q of {%s} runs into %q, which follows it, so it would not be read back the same", t, value, p.name, next)
			}
		}
		b.WriteString(value)
	}
	return b.String(), nil
}

// Match takes a text apart. It returns the placeholders' values and whether
// the text fits the template.
func (t Template) Match(text string) (map[string]string, bool) {
	if t.IsZero() {
		return nil, false
	}
	vars := make(map[string]string, 1)
	for i, p := range t.parts {
		if p.name == "" {
			rest, ok := strings.CutPrefix(text, p.literal)
			if !ok {
				return nil, false
			}
			text = rest
			continue
		}
		end := len(text)
		if i+1 < len(t.parts) {
			end = strings.Index(text, t.parts[i+1].literal)
		}
		if end < 1 {
			return nil, false
		}
		vars[p.name], text = text[:end], text[end:]
	}
	return vars, text == ""
}

// disjoint reports whether no text can fit both, as far as their literal
// beginnings and ends show.
func (t Template) disjoint(o Template) bool {
	if t.IsZero() || o.IsZero() {
		return false
	}
	if len(t.Names()) == 0 {
		_, fits := o.Match(t.parts[0].literal)
		return !fits
	}
	if len(o.Names()) == 0 {
		return o.disjoint(t)
	}
	a, b := t.parts[0].literal, o.parts[0].literal
	if !strings.HasPrefix(a, b) && !strings.HasPrefix(b, a) {
		return true
	}
	a, b = t.parts[len(t.parts)-1].literal, o.parts[len(o.parts)-1].literal
	return !strings.HasSuffix(a, b) && !strings.HasSuffix(b, a)
}
