package manifest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cockroachdb/apd/v3"
)

// Identify finds out whether an item with these key attributes is one of the
// publication's, and its subject. The key maps each key attribute to its text,
// a number's being its decimal text. An item that is not the publication's
// gives ours false and no error. An error means that the item is the
// publication's but has no subject that could be read back, because a value
// contains the text that separates it from the next one.
func (p Publication) Identify(key map[string]string) (subject string, ours bool, err error) {
	vars := map[string]string{}
	for name, template := range p.Key {
		text, ok := key[name]
		if ok && p.keyTypes[name] == "N" {
			text, ok = canonicalNumber(text)
		}
		if !ok {
			return "", false, nil
		}
		captured, fits := template.Match(text)
		if !fits {
			return "", false, nil
		}
		for variable, value := range captured {
			if other, again := vars[variable]; again && other != value {
				return "", false, nil
			}
			vars[variable] = value
		}
	}
	if len(p.Key) == 0 {
		return "", false, nil
	}
	subject, err = p.Subject.Render(vars)
	if err != nil {
		return "", true, fmt.Errorf("subject of %s item %v: %w", p.Contract, key, err)
	}
	return subject, true, nil
}

// SubjectOf returns the subject of the item with these key attributes, and
// whether it is one of the publication's and has one; see Identify for the
// difference.
func (p Publication) SubjectOf(key map[string]string) (string, bool) {
	subject, ours, err := p.Identify(key)
	return subject, ours && err == nil
}

// KeyOf returns the key attributes, as texts, of the item with that subject;
// it is the inverse of SubjectOf. The error says why there can be none.
func (p Publication) KeyOf(subject string) (map[string]string, error) {
	vars, ok := p.Subject.Match(subject)
	if !ok {
		return nil, fmt.Errorf("key of %s %q: the subject does not have the form %s", p.Contract, subject, p.Subject)
	}
	key, err := render(p.Key, vars, p.keyTypes)
	if err != nil {
		return nil, fmt.Errorf("key of %s %q: %w", p.Contract, subject, err)
	}
	return key, nil
}

// KeyType returns the type of a key attribute, S or N; S where the table is
// not declared.
func (p Publication) KeyType(attribute string) string { return typeOr(p.keyTypes[attribute], "S") }

// KeyFor returns the key of the subject's local item as texts, a number's
// being its decimal text; for a fan-out it is the index's partition key, and
// for a function nil. The error says why there can be none.
func (r Replica) KeyFor(subject string) (map[string]string, error) {
	if r.Kind() == Function {
		return nil, nil
	}
	vars, ok := r.Subject.Match(subject)
	if !ok {
		return nil, fmt.Errorf("key in %s for %q: the subject does not have the form %s", r.Table, subject, r.Subject)
	}
	vars[wholeSubject] = subject
	key, err := render(r.Key, vars, r.keyTypes)
	if err != nil {
		return nil, fmt.Errorf("key in %s for %q: %w", r.Table, subject, err)
	}
	return key, nil
}

// SubjectOf returns the subject whose local item has these key attributes, and
// whether it is any subject's: items of another kind that share the table are
// nobody's. It is the inverse of KeyFor. For a fan-out the key is the index's
// partition key; a function has no keys.
func (r Replica) SubjectOf(key map[string]string) (string, bool) {
	if r.Kind() == Function || len(r.Key) == 0 {
		return "", false
	}
	vars := make(map[string]string, len(r.Key))
	for name, template := range r.Key {
		text, ok := key[name]
		if ok && r.keyTypes[name] == "N" {
			text, ok = canonicalNumber(text)
		}
		if !ok {
			return "", false
		}
		captured, fits := template.Match(text)
		if !fits {
			return "", false
		}
		for variable, value := range captured {
			if other, again := vars[variable]; again && other != value {
				return "", false
			}
			vars[variable] = value
		}
	}
	subject, whole := vars[wholeSubject]
	if !whole {
		var err error
		if subject, err = r.Subject.Render(vars); err != nil {
			return "", false
		}
	}
	// What does not render back is an item that no subject leads to.
	rendered, err := r.KeyFor(subject)
	if err != nil {
		return "", false
	}
	for name, text := range rendered {
		found := key[name]
		if r.keyTypes[name] == "N" {
			found, _ = canonicalNumber(found)
		}
		if found != text {
			return "", false
		}
	}
	return subject, true
}

// WholeKey returns the key attribute whose value is the subject as it is, if
// that is all there is to the local item's key, as is usual: then any subject
// gives a key.
func (r Replica) WholeKey() (attribute string, ok bool) {
	subject, ok := r.Subject.whole()
	if !ok || len(r.Key) != 1 {
		return "", false
	}
	for name, template := range r.Key {
		variable, ok := template.whole()
		if ok && r.KeyType(name) == "S" && (variable == wholeSubject || variable == subject) {
			return name, true
		}
	}
	return "", false
}

// KeyType returns the type of a key attribute, S or N; S where the table is
// not declared.
func (r Replica) KeyType(attribute string) string { return typeOr(r.keyTypes[attribute], "S") }

func typeOr(declared, otherwise string) string {
	if declared == "" {
		return otherwise
	}
	return declared
}

func render(templates map[string]Template, vars, types map[string]string) (map[string]string, error) {
	key := make(map[string]string, len(templates))
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		text, err := templates[name].Render(vars)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
		if types[name] == "N" {
			// A text that is the same number as another would give two
			// subjects one key.
			if number, ok := canonicalNumber(text); !ok || number != text {
				return nil, fmt.Errorf("attribute %s: %q is no number in its shortest form, and the attribute is a number", name, text)
			}
		}
		key[name] = text
	}
	return key, nil
}

// captured returns the names that key templates capture, sorted.
func captured(key map[string]Template) []string {
	names := map[string]bool{}
	for _, t := range key {
		for _, name := range t.Names() {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// DynamoDB's numbers, as its data types page has them: up to 38 digits,
// magnitudes from 1E-130 to 9.99…E+125.
const (
	maxDigits   = 38
	maxExponent = 125
	minExponent = -130
)

// canonicalNumber returns a DynamoDB number's shortest plain decimal text, the
// same for every text of the number.
func canonicalNumber(text string) (string, bool) {
	if len(text) > 512 {
		return "", false
	}
	d, _, err := apd.NewFromString(text)
	if err != nil || d.Form != apd.Finite {
		return "", false
	}
	if d.IsZero() {
		return "0", true
	}
	d.Reduce(d)
	first := int64(d.Exponent) + d.NumDigits() - 1 // the exponent of the first digit
	if d.NumDigits() > maxDigits || first > maxExponent || first < minExponent {
		return "", false
	}
	return d.Text('f'), true
}
