package attr

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// typed reads what follows a type descriptor. A JSON null counts as absent, as
// it does for AWS.
func (d *decoder) typed(t Type, depth int) (v Value, present bool, err error) {
	switch t {
	case TypeString, TypeNumber, TypeBinary:
		return d.scalar(t)
	case TypeBool:
		truth, present, err := d.truth()
		return Bool(truth), present, err
	case TypeNull:
		truth, present, err := d.truth()
		if err == nil && present && !truth {
			err = invalid("One or more parameter values were invalid: Null attribute value types must have the value of true")
		}
		return Null(), present, err
	case TypeList:
		return d.listOf(depth)
	case TypeMap:
		return d.mapOf(depth)
	case TypeStringSet, TypeNumberSet, TypeBinarySet:
		return d.setOf(t)
	}
	return Value{}, false, d.skipUnknown(t)
}

// skipUnknown refuses a descriptor that names no type.
func (d *decoder) skipUnknown(t Type) error {
	return wire.Errorf("ValidationException", "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes: %q is none", string(t))
}

func (d *decoder) scalar(t Type) (Value, bool, error) {
	text, present, err := d.string()
	if err != nil || !present {
		return Value{}, false, err
	}
	switch t {
	case TypeNumber:
		n, err := Number(text)
		return n, true, err
	case TypeBinary:
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return Value{}, false, wire.Errorf("SerializationException", "Invalid base64 text in a value of type B: %v", err)
		}
		return Value{kind: TypeBinary, text: string(raw)}, true, nil
	}
	return String(text), true, nil
}

func (d *decoder) listOf(depth int) (Value, bool, error) {
	elements := []Value{}
	present, err := d.elements(func() error {
		if depth >= MaxDepth {
			return tooDeep()
		}
		element, err := d.value(depth + 1)
		elements = append(elements, element)
		return err
	})
	if depth >= MaxDepth && present && err == nil {
		err = tooDeep()
	}
	return List(elements...), present, err
}

func (d *decoder) mapOf(depth int) (Value, bool, error) {
	fields := map[string]Value{}
	present, err := d.object(func(name string) error {
		if depth >= MaxDepth {
			return tooDeep()
		}
		if name == "" {
			return invalid("Empty attribute name")
		}
		field, err := d.value(depth + 1)
		fields[name] = field
		return err
	})
	if depth >= MaxDepth && present && err == nil {
		err = tooDeep()
	}
	return Map(fields), present, err
}

func (d *decoder) setOf(t Type) (Value, bool, error) {
	memberType, _ := t.Member()
	var members []Value
	present, err := d.elements(func() error {
		member, present, err := d.scalar(memberType)
		if err == nil && !present {
			return nullMember(t)
		}
		members = append(members, member)
		return err
	})
	if err != nil || !present {
		return Value{}, false, err
	}
	set, err := Set(t, members...)
	return set, true, err
}

func nullMember(t Type) error {
	names := map[Type]string{TypeStringSet: "An string set", TypeNumberSet: "An number set", TypeBinarySet: "A binary set"}
	singular := map[Type]string{TypeStringSet: "string", TypeNumberSet: "number", TypeBinarySet: "binary"}
	return invalid("One or more parameter values were invalid: %s may not have a null %s as a member", names[t], singular[t])
}

// MarshalJSON gives the wire form.
func (v Value) MarshalJSON() ([]byte, error) {
	return v.AppendJSON(nil)
}

// AppendJSON appends the wire form to out.
func (v Value) AppendJSON(out []byte) ([]byte, error) {
	if v.kind == "" {
		return nil, invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	}
	out = append(out, '{', '"')
	out = append(out, v.kind...)
	out = append(out, '"', ':')
	out, err := v.appendContent(out)
	if err != nil {
		return nil, err
	}
	return append(out, '}'), nil
}

func (v Value) appendContent(out []byte) ([]byte, error) {
	var err error
	switch v.kind {
	case TypeString, TypeNumber, TypeBinary:
		return appendScalar(out, v)
	case TypeBool, TypeNull:
		if v.truth {
			return append(out, "true"...), nil
		}
		return append(out, "false"...), nil
	case TypeMap:
		return appendFields(out, v.fields)
	}
	out = append(out, '[')
	for i, element := range v.list {
		if i > 0 {
			out = append(out, ',')
		}
		if v.kind == TypeList {
			out, err = element.AppendJSON(out)
		} else {
			out, err = appendScalar(out, element)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func appendFields(out []byte, fields map[string]Value) ([]byte, error) {
	out = append(out, '{')
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendString(out, name); err != nil {
			return nil, err
		}
		out = append(out, ':')
		if out, err = fields[name].AppendJSON(out); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

func appendScalar(out []byte, v Value) ([]byte, error) {
	switch v.kind {
	case TypeNumber:
		out = append(out, '"')
		out = append(out, v.text...)
		return append(out, '"'), nil
	case TypeBinary:
		out = append(out, '"')
		out = base64.StdEncoding.AppendEncode(out, []byte(v.text))
		return append(out, '"'), nil
	}
	return appendString(out, v.text)
}

// appendString quotes s; only a string with characters to escape takes the
// slow way.
func appendString(out []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(s)
			return append(out, quoted...), err
		}
	}
	out = append(out, '"')
	out = append(out, s...)
	return append(out, '"'), nil
}
