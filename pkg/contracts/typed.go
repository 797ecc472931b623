package contracts

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strconv"
)

// Marshal returns the state that a value of the contract's Go type stands for,
// checked as Check does. Nil fields and empty optional sets are absent; an
// empty slice or map that is not nil is present.
func Marshal[T any](c *Contract, v T) (Item, error) {
	if err := describes[T](c); err != nil {
		return nil, fmt.Errorf("marshal %s: %w", c.ID(), err)
	}
	state := Item(c.layout.fieldsOf(reflect.ValueOf(v)))
	if err := c.Check(state); err != nil {
		return nil, fmt.Errorf("marshal %s: %w", c.ID(), err)
	}
	return state, nil
}

// Unmarshal returns the contract's Go type for a state. Null is read as absent
// and attributes the contract lacks are passed over, so that a stored item can
// be read without projecting it first. Every problem is a *FieldError; a number
// that is no integer, or too large, is one where the field is an integer.
func Unmarshal[T any](c *Contract, state Item) (T, error) {
	var v T
	if err := describes[T](c); err != nil {
		return v, fmt.Errorf("unmarshal %s: %w", c.ID(), err)
	}
	if err := c.layout.setFields(reflect.ValueOf(&v).Elem(), state); err != nil {
		return *new(T), fmt.Errorf("unmarshal %s: %w", c.ID(), within("attributes", err))
	}
	return v, nil
}

func describes[T any](c *Contract) error {
	if t := reflect.TypeFor[T](); c.goType != t {
		return fmt.Errorf("the contract is described by %v, not by %v", c.goType, t)
	}
	return nil
}

func (l *layout) fieldsOf(v reflect.Value) map[string]Value {
	dict := make(map[string]Value, len(l.fields))
	for i := range l.fields {
		f := &l.fields[i]
		field := v.Field(f.index)
		if f.optional && (field.IsNil() || f.layout.isSet() && !f.pointer && field.Len() == 0) {
			continue
		}
		if f.pointer {
			field = field.Elem()
		}
		dict[f.name] = f.layout.valueOf(field)
	}
	return dict
}

func (l *layout) isSet() bool {
	return l.kind == KindStringSet || l.kind == KindNumberSet || l.kind == KindBinarySet
}

func (l *layout) valueOf(v reflect.Value) Value {
	switch l.kind {
	case KindString:
		return String(v.String())
	case KindNumber:
		switch {
		case v.Kind() == reflect.String:
			return Number(v.String())
		case v.CanInt():
			return Number(strconv.FormatInt(v.Int(), 10))
		default:
			return Number(strconv.FormatUint(v.Uint(), 10))
		}
	case KindBinary:
		return Binary(bytes.Clone(v.Bytes()))
	case KindBool:
		return Bool(v.Bool())
	case KindMap:
		if l.elem == nil {
			return Map(l.fieldsOf(v))
		}
		dict := make(map[string]Value, v.Len())
		for entries := v.MapRange(); entries.Next(); {
			dict[entries.Key().String()] = l.elem.valueOf(entries.Value())
		}
		return Map(dict)
	default:
		list := make([]Value, v.Len())
		for i := range list {
			list[i] = l.elem.valueOf(v.Index(i))
		}
		return Value{kind: l.kind, more: list}
	}
}

func (l *layout) setFields(v reflect.Value, state map[string]Value) error {
	for i := range l.fields {
		f := &l.fields[i]
		value, ok := state[f.name]
		if f.optional && (!ok || value.kind == KindNull) {
			continue
		}
		if !ok {
			return wrong("."+f.name, missing)
		}
		field := v.Field(f.index)
		if f.pointer {
			field.Set(reflect.New(f.layout.goType))
			field = field.Elem()
		}
		if err := f.layout.set(field, value); err != nil {
			return within("."+f.name, err)
		}
	}
	return nil
}

func (l *layout) set(v reflect.Value, value Value) error {
	if value.kind != l.kind {
		return wrong("", "want a %s, got a %s", l.kind, value.kind)
	}
	switch l.kind {
	case KindString:
		v.SetString(value.text)
	case KindNumber:
		return setNumber(v, value.text)
	case KindBinary:
		v.SetBytes(append([]byte{}, value.Bytes()...))
	case KindBool:
		v.SetBool(value.flag)
	case KindMap:
		if l.elem == nil {
			return l.setFields(v, value.Fields())
		}
		dict := reflect.MakeMapWithSize(l.goType, len(value.Fields()))
		for key, e := range value.Fields() {
			elem := reflect.New(l.elem.goType).Elem()
			if err := l.elem.set(elem, e); err != nil {
				return within("."+clip(key), err)
			}
			dict.SetMapIndex(reflect.ValueOf(key).Convert(l.goType.Key()), elem)
		}
		v.Set(dict)
	default:
		list := reflect.MakeSlice(l.goType, len(value.Elements()), len(value.Elements()))
		for i, e := range value.Elements() {
			if err := l.elem.set(list.Index(i), e); err != nil {
				return within("["+strconv.Itoa(i)+"]", err)
			}
		}
		v.Set(list)
	}
	return nil
}

func setNumber(v reflect.Value, text string) error {
	number, err := NormalizeNumber(text)
	if err != nil {
		return wrong("", "%v", err)
	}
	bits := v.Type().Bits
	switch {
	case v.Kind() == reflect.String:
		v.SetString(number)
		return nil
	case v.CanInt():
		var n int64
		n, err = strconv.ParseInt(number, 10, bits())
		v.SetInt(n)
	default:
		var n uint64
		n, err = strconv.ParseUint(number, 10, bits())
		v.SetUint(n)
	}
	switch {
	case errors.Is(err, strconv.ErrRange):
		return wrong("", "%s does not fit into %s", clip(number), v.Type())
	case err != nil:
		return wrong("", "want a whole number for %s, got %s", v.Type(), clip(number))
	}
	return nil
}
