package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// What bounds the work on a manifest, whatever is in it: some checks compare
// each entry with each other one.
const (
	// MaxBytes is the largest manifest that is read.
	MaxBytes = 256 << 10
	// MaxEntries is how many entries one list, or one object, can have.
	MaxEntries = 256
	// maxNameBytes is the longest name of a field; an attribute's is the
	// longest there is.
	maxNameBytes = maxAttributeNameBytes
)

// decoder fills a Manifest from YAML and remembers where each field stands.
// It is stricter than the YAML library, which knows neither paths nor what is
// unsafe to guess: nothing is converted, repeated, aliased or left over.
type decoder struct {
	file     string
	lines    map[string]int
	problems []*Problem
}

func (d *decoder) add(rule string, line int, path, problem, advice string) {
	d.problems = note(d.problems, &Problem{Rule: rule, File: d.file, Line: line, Field: path, Problem: problem, Advice: advice})
}

// decode reads the one document in data into m.
func (d *decoder) decode(data []byte, m *Manifest) {
	if len(data) > MaxBytes {
		d.add(ruleSize, 0, "", fmt.Sprintf("the file is longer than a manifest can be, %d bytes", MaxBytes), "split the service")
		return
	}
	reader := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	switch err := reader.Decode(&document); {
	case errors.Is(err, io.EOF):
		d.add(ruleYAML, 0, "", "the file is empty", "begin with service: and the service's name")
		return
	case err != nil:
		d.syntax(err)
		return
	}
	switch err := reader.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntax(err)
		return
	default:
		d.add(ruleYAML, second.Line, "", "there is a second YAML document", "keep one document in a manifest")
		return
	}
	if len(document.Content) == 1 {
		d.value(document.Content[0], "", reflect.ValueOf(m).Elem())
	}
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)

func (d *decoder) syntax(err error) {
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		line, _ := strconv.Atoi(found[1]) // digits only; 0, which means unknown, where it overflows
		d.add(ruleYAML, line, "", "no valid YAML: "+found[2], "correct the line or the one before it")
		return
	}
	d.add(ruleYAML, 0, "", "no valid YAML: "+strings.TrimPrefix(err.Error(), "yaml: "), "correct the file")
}

var (
	templateType = reflect.TypeFor[Template]()
	durationType = reflect.TypeFor[Duration]()
	fromType     = reflect.TypeFor[From]()
)

// value fills v, which has the type that belongs at path.
func (d *decoder) value(n *yaml.Node, path string, v reflect.Value) {
	if len(d.problems) > MaxProblems {
		return
	}
	if _, known := d.lines[path]; !known {
		d.lines[path] = n.Line
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.add(ruleAlias, n.Line, path, "an anchor or an alias: what the field is can no longer be read where it stands", "write the value out")
		return
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		d.add(ruleNoValue, n.Line, path, "there is no value", "give it one, or leave the field out")
		return
	}
	switch v.Type() {
	case templateType:
		d.template(n, path, v)
		return
	case durationType:
		d.duration(n, path, v)
		return
	case fromType:
		if n.Kind == yaml.ScalarNode {
			d.value(n, path, v.FieldByName("Attribute"))
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		d.object(n, path, v)
	case reflect.Map:
		d.dictionary(n, path, v)
	case reflect.Slice:
		d.list(n, path, v)
	case reflect.Pointer:
		found := len(d.problems)
		element := reflect.New(v.Type().Elem())
		d.value(n, path, element.Elem())
		if len(d.problems) == found { // else it is as good as left out
			v.Set(element)
		}
	case reflect.String:
		if text, ok := d.text(n, path); ok {
			v.SetString(text)
		}
	case reflect.Bool:
		if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!bool" {
			v.SetBool(strings.EqualFold(n.Value, "true"))
			return
		}
		d.add(ruleWrongType, n.Line, path, describe(n)+" where true or false belongs", "write true or false, without quotes")
	case reflect.Int:
		if number, err := strconv.Atoi(n.Value); err == nil && n.Kind == yaml.ScalarNode && n.ShortTag() == "!!int" {
			v.SetInt(int64(number))
			return
		}
		d.add(ruleWrongType, n.Line, path, describe(n)+" where a whole number belongs", "write a whole number, without quotes")
	}
}

func (d *decoder) text(n *yaml.Node, path string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		d.add(ruleWrongType, n.Line, path, describe(n)+" where text belongs", "write text")
		return "", false
	}
	if n.ShortTag() != "!!str" {
		d.add(ruleWrongType, n.Line, path, describe(n)+" where text belongs", fmt.Sprintf("put it in quotes: %q", n.Value))
		return "", false
	}
	if bareWord(n) {
		d.add(ruleBareWord, n.Line, path, fmt.Sprintf("the bare word %s is a truth value in YAML 1.1, which Terraform reads", n.Value), fmt.Sprintf("put it in quotes: %q", n.Value))
		return "", false
	}
	return n.Value, true
}

// bareWord reports whether a text is written as a word that YAML 1.1 takes for
// a truth value and the YAML of this package for text. Terraform's yamldecode is
// a reader of 1.1. The spec lists yes, Yes and YES and not yEs; who would write
// that means the same, and which spellings a reader takes differs.
func bareWord(n *yaml.Node) bool {
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) != 0 {
		return false
	}
	switch strings.ToLower(n.Value) {
	case "y", "n", "yes", "no", "on", "off":
		return true
	}
	return false
}

func (d *decoder) template(n *yaml.Node, path string, v reflect.Value) {
	text, ok := d.text(n, path)
	if !ok {
		return
	}
	t, err := ParseTemplate(text)
	if err != nil {
		problem, advice := err.Error(), ""
		if at := strings.LastIndex(problem, "; "); at >= 0 {
			problem, advice = problem[:at], problem[at+2:]
		}
		d.add(ruleTemplate, n.Line, path, problem, advice)
		return
	}
	v.Set(reflect.ValueOf(t))
}

func (d *decoder) duration(n *yaml.Node, path string, v reflect.Value) {
	const advice = "write a positive duration with its unit, like 30s or 5m"
	if n.Kind != yaml.ScalarNode {
		d.add(ruleWrongType, n.Line, path, describe(n)+" where a duration belongs", advice)
		return
	}
	length, err := time.ParseDuration(n.Value)
	if err != nil || length <= 0 {
		d.add(ruleWrongType, n.Line, path, fmt.Sprintf("%q is no duration", n.Value), advice)
		return
	}
	v.SetInt(int64(length))
}

// entries calls each for every entry of a mapping, in the order they stand,
// except for those whose key is no text or is repeated.
func (d *decoder) entries(n *yaml.Node, path string, each func(name string, key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.add(ruleWrongType, n.Line, path, describe(n)+" where named fields belong", "write name: value, one a line, indented, or {name: value}")
		return
	}
	if len(n.Content)/2 > MaxEntries {
		d.add(ruleSize, n.Line, path, fmt.Sprintf("%d fields are more than can be here, %d", len(n.Content)/2, MaxEntries), "split the service")
		return
	}
	first := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" || key.Value == "" || key.Anchor != "" {
			d.add(ruleWrongType, key.Line, path, describe(key)+" where a field's name belongs", "write a name; put one that is a number or a word like true in quotes")
			continue
		}
		if bareWord(key) {
			d.add(ruleBareWord, key.Line, path, fmt.Sprintf("the bare word %s, where a name belongs, is a truth value in YAML 1.1, which Terraform reads", key.Value), fmt.Sprintf("put it in quotes: %q", key.Value))
			continue
		}
		if len(key.Value) > maxNameBytes {
			d.add(ruleSize, key.Line, path, fmt.Sprintf("%q is longer than a name can be, %d bytes", clip(key.Value), maxNameBytes), "write a shorter name")
			continue
		}
		at := within(path, key.Value)
		if line, again := first[key.Value]; again {
			d.add(ruleFieldTwice, key.Line, at, fmt.Sprintf("the field is already on line %d", line), "keep one of the two")
			continue
		}
		first[key.Value] = key.Line
		d.lines[at] = key.Line
		each(key.Value, key, value)
	}
}

func (d *decoder) object(n *yaml.Node, path string, v reflect.Value) {
	fields := fieldNames(v.Type())
	d.entries(n, path, func(name string, key, value *yaml.Node) {
		at := slices.Index(fields, name)
		if at < 0 {
			d.add(ruleUnknownField, key.Line, within(path, name), "no such field", suggest(name, fields))
			return
		}
		d.value(value, within(path, name), v.Field(at))
	})
}

func (d *decoder) dictionary(n *yaml.Node, path string, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	d.entries(n, path, func(name string, _, value *yaml.Node) {
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(value, within(path, name), element)
		v.SetMapIndex(reflect.ValueOf(name), element)
	})
}

func (d *decoder) list(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.add(ruleWrongType, n.Line, path, describe(n)+" where a list belongs", "write each entry on its own line after a hyphen, or [a, b]")
		return
	}
	if len(n.Content) > MaxEntries {
		d.add(ruleSize, n.Line, path, fmt.Sprintf("%d entries are more than can be here, %d", len(n.Content), MaxEntries), "split the service")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, element := range n.Content {
		d.value(element, index(path, i), v.Index(i))
	}
}

// fieldNames returns a struct's YAML names by field position; a field that
// YAML does not see has the empty name, which no key can have.
func fieldNames(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		if field := t.Field(i); field.IsExported() {
			names[i], _, _ = strings.Cut(field.Tag.Get("yaml"), ",")
		}
	}
	return names
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "named fields"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		switch n.ShortTag() {
		case "!!str":
			return fmt.Sprintf("the text %q", clip(n.Value))
		case "!!int", "!!float":
			return "the number " + clip(n.Value)
		case "!!bool":
			return "the truth value " + clip(n.Value)
		case "!!null":
			return "nothing"
		}
	}
	return fmt.Sprintf("%q", clip(n.Value))
}

func clip(s string) string {
	if r := []rune(s); len(r) > 64 {
		return string(r[:64]) + "…"
	}
	return s
}

func within(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
