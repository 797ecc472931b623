package sns

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// param is one node of a query-protocol form: its keys are paths, such as
// MessageAttributes.entry.1.Value.DataType. Reading a param marks it, so that
// what no operation read can be refused by name.
type param struct {
	path    string
	value   string
	set     bool // the path itself has a value
	read    bool
	parts   map[string]*param
	problem *problem
}

// problem keeps the first thing wrong with a form.
type problem struct{ err error }

func (p *problem) note(err error) {
	if p.err == nil {
		p.err = err
	}
}

// maxKeyBytes and maxKeyParts bound a parameter's path, well above the longest
// there is (PublishBatchRequestEntries.member.10.MessageAttributes.entry.10.
// Value.StringValue), so that a form costs memory in proportion to its length.
const (
	maxKeyBytes = 256
	maxKeyParts = 16
)

// parseForm turns a form into its tree.
func parseForm(form url.Values) *param {
	root := &param{problem: &problem{}}
	keys := make([]string, 0, len(form))
	for key := range form {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if len(key) > maxKeyBytes || strings.Count(key, ".") >= maxKeyParts {
			root.problem.note(wire.Errorf("InvalidParameter", "localaws does not know the parameter %s, whose name is too long", strings.ToValidUTF8(key[:min(len(key), maxKeyBytes)], "")))
			continue
		}
		at := root
		for part := range strings.SplitSeq(key, ".") {
			next := at.parts[part]
			if next == nil {
				next = &param{path: part, problem: root.problem}
				if at != root {
					next.path = at.path + "." + part
				}
				if at.parts == nil {
					at.parts = map[string]*param{}
				}
				at.parts[part] = next
			}
			at = next
		}
		if values := form[key]; len(values) == 1 {
			at.value, at.set = values[0], true
		} else {
			root.problem.note(wire.Errorf("InvalidParameter", "the parameter %s is given %d times", key, len(values)))
		}
	}
	return root
}

// done reports what was wrong with the values read, or else the first
// parameter that nothing read.
func (p *param) done() error {
	if p.problem.err != nil {
		return p.problem.err
	}
	if unread := p.unread(); unread != "" {
		return wire.Errorf("InvalidParameter", "localaws does not know the parameter %s", unread)
	}
	return nil
}

func (p *param) unread() string {
	if p.set && !p.read {
		return p.path
	}
	names := make([]string, 0, len(p.parts))
	for name := range p.parts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if unread := p.parts[name].unread(); unread != "" {
			return unread
		}
	}
	return ""
}

// optional returns a parameter's text and whether it was given.
func (p *param) optional(name string) (string, bool) {
	part := p.parts[name]
	if part == nil || !part.set {
		return "", false
	}
	part.read = true
	return part.value, true
}

// text returns a parameter's text, empty where it was not given.
func (p *param) text(name string) string {
	value, _ := p.optional(name)
	return value
}

// required returns the text of a parameter without which there is no request.
func (p *param) required(name string) string {
	value, ok := p.optional(name)
	if !ok {
		member := strings.ToLower(name[:1]) + name[1:]
		if p.path != "" {
			member = p.path + "." + member
		}
		p.problem.note(wire.Errorf("ValidationError",
			"1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member))
	}
	return value
}

// flag returns a boolean parameter, false where it was not given.
func (p *param) flag(name string) bool {
	value, ok := p.optional(name)
	switch {
	case !ok || value == "false":
		return false
	case value == "true":
		return true
	}
	p.problem.note(wire.Errorf("MalformedInput", "the parameter %s is neither true nor false: %q", name, value))
	return false
}

// bytes returns a base64 parameter, nil where it was not given.
func (p *param) bytes(name string) []byte {
	value, ok := p.optional(name)
	if !ok {
		return nil
	}
	decoded, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		p.problem.note(wire.Errorf("MalformedInput", "the parameter %s.%s is not base64", p.path, name))
	}
	return decoded
}

// list returns the numbered items of a list (kind "member") or of a map (kind
// "entry") in the order of their numbers. The SDK sends an empty list as the
// bare name without a value.
func (p *param) list(name, kind string) []*param {
	head := p.parts[name]
	if head == nil {
		return nil
	}
	if head.set && head.value == "" {
		head.read = true
	}
	numbered := head.parts[kind]
	if numbered == nil {
		return nil
	}
	numbers := make([]int, 0, len(numbered.parts))
	for text := range numbered.parts {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || strconv.Itoa(number) != text {
			p.problem.note(wire.Errorf("MalformedInput", "%s.%s is not a number from 1 up", numbered.path, text))
			continue
		}
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	items := make([]*param, len(numbers))
	for i, number := range numbers {
		items[i] = numbered.parts[strconv.Itoa(number)]
	}
	return items
}

// textMap returns a map of texts, such as a topic's Attributes.
func (p *param) textMap(name string) map[string]string {
	entries := map[string]string{}
	for _, entry := range p.list(name, "entry") {
		key := entry.required("key")
		if _, twice := entries[key]; twice {
			p.problem.note(wire.Errorf("InvalidParameter", "Invalid parameter: %s names %s twice", name, key))
		}
		entries[key] = entry.required("value")
	}
	return entries
}

// attributes returns the MessageAttributes map.
func (p *param) attributes(name string) map[string]Attribute {
	entries := map[string]Attribute{}
	for _, entry := range p.list(name, "entry") {
		key := entry.required("Name")
		if _, twice := entries[key]; twice {
			p.problem.note(wire.Errorf("InvalidParameter", "Invalid parameter: %s names %s twice", name, key))
		}
		value := entry.parts["Value"]
		if value == nil {
			entry.required("Value")
			continue
		}
		entries[key] = Attribute{
			DataType:    value.required("DataType"),
			StringValue: value.text("StringValue"),
			BinaryValue: value.bytes("BinaryValue"),
		}
	}
	return entries
}
