package contracts

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// readData reads data. Its syntax may be wrong yet: what it returns nil for is
// right.
func readData(t *text, c *Change) error {
	var changed, attributes bool
	err := t.object(func(name string) error {
		switch name {
		case "changed":
			if changed {
				return wrong(".changed", "is there twice")
			}
			changed = true
			return within(".changed", readChanged(t, c))
		case "attributes":
			if attributes {
				return wrong(".attributes", "is there twice")
			}
			attributes = true
			if c.Operation != Upsert {
				return wrong(".attributes", "a %s has no attributes", c.Operation)
			}
			fields, err := t.fields(c.Contract.Attributes, len(c.Contract.Attributes))
			c.Attributes = fields
			return within(".attributes", err)
		}
		return t.skip()
	})
	switch {
	case err != nil:
		return err
	case !changed:
		return wrong(".changed", missing)
	case !attributes && c.Operation == Upsert:
		return wrong(".attributes", missing)
	}
	return nil
}

func readChanged(t *text, c *Change) error {
	if t.peek() != '[' {
		return wrong("", "want an array, got %s", t.found())
	}
	count := 0
	err := t.array(func(i int) error {
		count++
		if t.peek() != '"' {
			return wrong("["+strconv.Itoa(i)+"]", "want a string, got %s", t.found())
		}
		name, err := t.str()
		if err != nil {
			return err
		}
		if name == "" {
			return wrong("["+strconv.Itoa(i)+"]", "is empty")
		}
		if c.Contract != nil {
			known := find(c.Contract.Attributes, name, i)
			if known < 0 {
				return nil
			}
			name = c.Contract.Attributes[known].Name // the body need not be kept for it
		}
		if c.Changed == nil {
			c.Changed = make([]string, 0, 8)
		}
		c.Changed = append(c.Changed, name)
		return nil
	})
	if err == nil && count == 0 {
		return wrong("", "is empty")
	}
	return err
}

// fields reads an object as a map of fixed keys; keys the contract lacks are
// dropped. The map is made for room of them.
func (t *text) fields(attributes []Attribute, room int) (map[string]Value, error) {
	if t.peek() != '{' {
		return nil, wrong("", "want an object, got %s", t.found())
	}
	dict := make(map[string]Value, room)
	next := 0 // behind the last place taken: only what is before it can be there twice
	err := t.object(func(name string) error {
		i := find(attributes, name, next)
		if i < 0 {
			return t.skip()
		}
		a := &attributes[i]
		if i < next {
			if _, twice := dict[a.Name]; twice {
				return wrong("."+name, "is there twice")
			}
		}
		next = max(next, i+1)
		if !a.Required && t.peek() == 'n' {
			dict[a.Name] = Null()
			return t.word("null")
		}
		v, err := t.value(&a.Shape)
		if err != nil {
			return within("."+name, err)
		}
		dict[a.Name] = v
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range attributes {
		if !attributes[i].Required {
			continue
		}
		if _, ok := dict[attributes[i].Name]; !ok {
			return nil, wrong("."+attributes[i].Name, missing)
		}
	}
	return dict, nil
}

// value reads a value of that shape.
func (t *text) value(s *Shape) (Value, error) {
	switch s.Kind {
	case KindString, KindNumber, KindBinary:
		return t.scalar(s.Kind)
	case KindBool:
		switch t.peek() {
		case 't':
			return Bool(true), t.word("true")
		case 'f':
			return Bool(false), t.word("false")
		}
		return Value{}, wrong("", "want true or false, got %s", t.found())
	case KindMap:
		if s.Elem != nil {
			return t.free(s.Elem)
		}
		// There may be one of these in every three bytes: room for all fields
		// at once would let a small body take memory out of proportion.
		dict, err := t.fields(s.Fields, min(len(s.Fields), 8))
		return Map(dict), err
	case KindList:
		list, err := t.elements(func() (Value, error) { return t.value(s.Elem) })
		return List(list...), err
	default:
		member := memberKind(s.Kind)
		list, err := t.elements(func() (Value, error) { return t.scalar(member) })
		if err != nil {
			return Value{}, err
		}
		v := Value{kind: s.Kind, more: list}
		for _, p := range checkSet(v) {
			return Value{}, p
		}
		return v, nil
	}
}

func (t *text) scalar(kind Kind) (Value, error) {
	if t.peek() != '"' {
		return Value{}, wrong("", "want a %s, as a string, got %s", kind, t.found())
	}
	s, err := t.str()
	if err != nil {
		return Value{}, err
	}
	switch kind {
	case KindNumber:
		n, err := NormalizeNumber(s)
		if err != nil {
			return Value{}, wrong("", "%v", err)
		}
		return Number(n), nil
	case KindBinary:
		b, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil || strings.ContainsAny(s, "\r\n") {
			return Value{}, wrong("", "want base64, got %q", clip(s))
		}
		return Binary(b), nil
	}
	return String(s), nil
}

func (t *text) elements(read func() (Value, error)) ([]Value, error) {
	if t.peek() != '[' {
		return nil, wrong("", "want an array, got %s", t.found())
	}
	var few [8]Value // most have no more, and are copied once at their length
	list := few[:0]
	err := t.array(func(i int) error {
		v, err := read()
		if err != nil {
			return within("["+strconv.Itoa(i)+"]", err)
		}
		list = append(list, v)
		return nil
	})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return slices.Clone(list), nil
}

// free reads an object as a map of free keys.
func (t *text) free(elem *Shape) (Value, error) {
	if t.peek() != '{' {
		return Value{}, wrong("", "want an object, got %s", t.found())
	}
	dict := map[string]Value{}
	err := t.object(func(key string) error {
		if _, twice := dict[key]; twice {
			return wrong("."+clip(key), "is there twice")
		}
		v, err := t.value(elem)
		if err != nil {
			return within("."+clip(key), err)
		}
		dict[key] = v
		return nil
	})
	return Map(dict), err
}
