package wire

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// members are the names a JSON value of one Go type may have. Package json
// takes a field's name in any case; AWS takes it in its own, and a parameter
// in another is one it does not know. Nil members have nothing to check.
type members struct {
	fields map[string]*members // of a struct
	each   *members            // of a list's or map's values
}

var membersOf sync.Map // *members by reflect.Type

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// knownMembers returns a type's members. Types that decode themselves check
// themselves. A type must not contain itself.
func knownMembers(t reflect.Type) *members {
	if known, ok := membersOf.Load(t); ok {
		return known.(*members)
	}
	var made *members
	switch {
	case t.Implements(unmarshaler) || reflect.PointerTo(t).Implements(unmarshaler):
	case t.Kind() == reflect.Pointer:
		made = knownMembers(t.Elem())
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Map:
		if each := knownMembers(t.Elem()); each != nil {
			made = &members{each: each}
		}
	case t.Kind() == reflect.Struct:
		made = &members{fields: map[string]*members{}}
		for _, f := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case f.Anonymous && name == "": // its own fields are visible too
			case f.IsExported() && name == "":
				made.fields[f.Name] = knownMembers(f.Type)
			case f.IsExported():
				made.fields[name] = knownMembers(f.Type)
			}
		}
	}
	membersOf.Store(t, made)
	return made
}

// walk goes through a JSON text that was decoded before, so that it is known
// to be well formed.
type walk struct {
	text    []byte
	at      int
	unknown string // the first name that no member has
	found   bool
}

// value goes through one value.
func (w *walk) value(m *members) {
	switch first := w.next(); {
	case first == '"':
		w.quoted()
	case first == '{' || first == '[':
		w.at++
		for closing := first + 2; w.next() != closing; { // in ASCII, both pairs are two apart
			var of *members
			if first == '{' {
				of = w.member(m)
			} else if m != nil {
				of = m.each
			}
			w.value(of)
			if w.next() == ',' {
				w.at++
			}
		}
		w.at++
	default:
		for w.at < len(w.text) && !strings.ContainsRune(",]} \t\r\n", rune(w.text[w.at])) {
			w.at++
		}
	}
}

// member goes past a name and its colon and returns what its value may have.
func (w *walk) member(m *members) *members {
	quoted := w.quoted()
	w.next()
	w.at++
	switch {
	case m == nil:
		return nil
	case m.fields == nil:
		return m.each
	}
	of, known := m.fields[string(quoted[1:len(quoted)-1])]
	if known || w.found {
		return of
	}
	var name string
	if json.Unmarshal(quoted, &name) != nil {
		return nil
	}
	if of, known = m.fields[name]; !known { // written with escapes, it may be
		w.unknown, w.found = name, true
	}
	return of
}

// next goes past space and returns the byte that follows, 0 at the end.
func (w *walk) next() byte {
	for w.at < len(w.text) {
		switch c := w.text[w.at]; c {
		case ' ', '\t', '\r', '\n':
			w.at++
		default:
			return c
		}
	}
	return 0
}

// quoted goes past a string and returns it with its quotes.
func (w *walk) quoted() []byte {
	start := w.at
	for w.at++; w.text[w.at] != '"'; w.at++ {
		if w.text[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	return w.text[start:w.at]
}
