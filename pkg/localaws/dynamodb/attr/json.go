package attr

import (
	"encoding/json"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// MaxDepth is how many lists and maps may enclose a scalar inside one
// attribute. DynamoDB's 32 levels count the item itself ("Quotas in Amazon
// DynamoDB": nested attribute depth).
const MaxDepth = 31

// CheckDepth returns DynamoDB's ValidationException for a value nested too
// deeply. Decoded values have passed it.
func (v Value) CheckDepth() error {
	if v.DeeperThan(MaxDepth) {
		return tooDeep()
	}
	return nil
}

func tooDeep() error {
	return invalid("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
}

// DeeperThan says whether v is more than the given number of lists and maps
// deep; a scalar is none deep.
func (v Value) DeeperThan(levels int) bool {
	if v.kind != TypeList && v.kind != TypeMap {
		return false
	}
	if levels == 0 {
		return true
	}
	for _, element := range v.list {
		if element.DeeperThan(levels - 1) {
			return true
		}
	}
	for _, field := range v.fields {
		if field.DeeperThan(levels - 1) {
			return true
		}
	}
	return false
}

// UnmarshalJSON decodes the wire form {"S": "x"}. What DynamoDB refuses is
// refused with its code and text, as a *wire.Error.
func (v *Value) UnmarshalJSON(data []byte) error {
	d := newDecoder(data)
	value, err := d.value(0)
	if err != nil {
		return err
	}
	if err := d.end(); err != nil {
		return err
	}
	*v = value
	return nil
}

func decodeItem(data []byte) (Item, error) {
	d := newDecoder(data)
	item := Item{}
	present, err := d.object(func(name string) error {
		if name == "" {
			return invalid("Empty attribute name")
		}
		value, err := d.value(0)
		item[name] = value
		return err
	})
	if err != nil {
		return nil, err
	}
	if !present {
		item = nil
	}
	return item, d.end()
}

func misplaced(token json.Token, wanted string) error {
	found := "NULL_VALUE"
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return wire.Errorf("SerializationException", "Start of structure or map found where not expected")
		}
		return wire.Errorf("SerializationException", "Unexpected value type in payload")
	case bool:
		found = "FALSE_VALUE"
		if t {
			found = "TRUE_VALUE"
		}
	case json.Number:
		found = "NUMBER_VALUE"
	case string:
		found = "STRING_VALUE"
	}
	return wire.Errorf("SerializationException", "%s can not be converted to %s", found, wanted)
}

func (d *decoder) truth() (truth, present bool, err error) {
	token, err := d.next()
	if err != nil || token == nil {
		return false, false, err
	}
	truth, ok := token.(bool)
	if !ok {
		return false, false, misplaced(token, "Boolean")
	}
	return truth, true, nil
}

func (d *decoder) value(depth int) (Value, error) {
	const empty = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
	var value Value
	count := 0
	present, err := d.object(func(name string) error {
		v, present, err := d.typed(Type(name), depth)
		if err != nil || !present {
			return err
		}
		value = v
		count++
		return nil
	})
	switch {
	case err != nil:
		return Value{}, err
	case !present || count == 0:
		return Value{}, invalid(empty)
	case count > 1:
		return Value{}, invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	}
	return value, nil
}
