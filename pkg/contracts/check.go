package contracts

import (
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Check reports every way in which a complete state departs from the contract:
// a required attribute that is missing, a value of another shape, a number
// DynamoDB cannot hold, a string that is no UTF-8, an empty set or one with
// equal members, and an attribute the contract lacks. The error joins one
// *FieldError for each, with paths such as "attributes.tickers[2]".
//
// Null is a value of every optional attribute and of every optional field of a
// map, distinct from being absent, because a source item can hold it; it is
// never one of a required attribute or of an element.
func (c *Contract) Check(state Item) error {
	problems := checkFields(state, c.Attributes, true)
	if len(problems) == 0 {
		return nil
	}
	errs := make([]error, len(problems))
	for i, p := range problems {
		p.Field = "attributes" + p.Field
		errs[i] = p
	}
	return errors.Join(errs...)
}

func checkFields(state map[string]Value, attributes []Attribute, closed bool) []*FieldError {
	var problems []*FieldError
	known := 0
	for i := range attributes {
		a := &attributes[i]
		v, ok := state[a.Name]
		if !ok {
			if a.Required {
				problems = append(problems, wrong("."+a.Name, missing))
			}
			continue
		}
		known++
		if !a.Required && v.kind == KindNull {
			continue
		}
		problems = append(problems, below("."+a.Name, checkValue(v, &a.Shape))...)
	}
	if closed && known < len(state) {
		for _, name := range slices.Sorted(maps.Keys(state)) {
			if find(attributes, name, 0) < 0 {
				problems = append(problems, wrong("."+clip(name), "the contract has no such attribute"))
			}
		}
	}
	return problems
}

func checkValue(v Value, s *Shape) []*FieldError {
	if v.kind != s.Kind {
		return []*FieldError{wrong("", "want a %s, got a %s", s.Kind, v.kind)}
	}
	switch v.kind {
	case KindString:
		if !utf8.ValidString(v.text) {
			return []*FieldError{wrong("", "not UTF-8")}
		}
	case KindNumber:
		if err := CheckNumber(v.text); err != nil {
			return []*FieldError{wrong("", "%v", err)}
		}
	case KindList:
		var problems []*FieldError
		for i, e := range v.Elements() {
			problems = append(problems, below("["+strconv.Itoa(i)+"]", checkValue(e, s.Elem))...)
		}
		return problems
	case KindMap:
		if s.Elem == nil {
			return checkFields(v.Fields(), s.Fields, true)
		}
		return checkFree(v.Fields(), s.Elem)
	case KindStringSet, KindNumberSet, KindBinarySet:
		return checkSet(v)
	}
	return nil
}

func checkFree(dict map[string]Value, elem *Shape) []*FieldError {
	var problems []*FieldError
	for _, key := range slices.Sorted(maps.Keys(dict)) {
		path := "." + clip(key)
		if !utf8.ValidString(key) {
			problems = append(problems, wrong(path, "its name is not UTF-8"))
		}
		problems = append(problems, below(path, checkValue(dict[key], elem))...)
	}
	return problems
}

func checkSet(v Value) []*FieldError {
	if len(v.Elements()) == 0 {
		return []*FieldError{wrong("", "DynamoDB has no empty sets")}
	}
	member := Shape{Kind: memberKind(v.kind)}
	var problems []*FieldError
	for i, m := range v.Elements() {
		problems = append(problems, below("["+strconv.Itoa(i)+"]", checkValue(m, &member))...)
	}
	if len(problems) > 0 {
		return problems
	}
	texts := sortedMembers(v)
	for i := 1; i < len(texts); i++ {
		if texts[i] == texts[i-1] {
			return []*FieldError{wrong("", "the set has the member %q twice", clip(texts[i]))}
		}
	}
	return nil
}

func below(path string, problems []*FieldError) []*FieldError {
	for _, p := range problems {
		p.Field = path + p.Field
	}
	return problems
}

func memberKind(set Kind) Kind {
	switch set {
	case KindNumberSet:
		return KindNumber
	case KindBinarySet:
		return KindBinary
	default:
		return KindString
	}
}

// memberText is the text of a set's member in an event, before JSON quotes it.
// Equal members have equal texts.
func memberText(m Value) string {
	switch m.kind {
	case KindNumber:
		if text, err := NormalizeNumber(m.text); err == nil {
			return text
		}
		return m.text
	case KindBinary:
		return base64.StdEncoding.EncodeToString(m.Bytes())
	default:
		return m.text
	}
}

// sortedMembers returns the texts of a set's members in their byte order,
// which is the order an event has them in.
func sortedMembers(v Value) []string {
	texts := make([]string, len(v.Elements()))
	for i, m := range v.Elements() {
		texts[i] = memberText(m)
	}
	slices.Sort(texts)
	return texts
}
