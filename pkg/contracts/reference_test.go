package contracts_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// What README.md says about reading an event, written down a second time: slowly,
// over a tree that encoding/json has parsed, rule by rule in the order in which
// problems are reported. Decode has to agree with it.

// object is a JSON object with its order and its duplicates.
type object []member

type member struct {
	name  string
	value any // object, []any, string, json.Number, bool or nil
}

func (o object) find(name string) (any, bool) {
	i := slices.IndexFunc(o, func(m member) bool { return m.name == name })
	if i < 0 {
		return nil, false
	}
	return o[i].value, true
}

// parsed returns the tree of a JSON text and how deep it nests.
func parsed(text []byte) (tree any, depth int) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	token := func() json.Token {
		t, err := d.Token()
		if err != nil {
			panic(err) // the text is valid
		}
		return t
	}
	var value func(level int) any
	value = func(level int) any {
		t := token()
		switch t {
		case json.Delim('{'):
			depth = max(depth, level)
			o := object{}
			for d.More() {
				o = append(o, member{token().(string), value(level + 1)})
			}
			token()
			return o
		case json.Delim('['):
			depth = max(depth, level)
			list := []any{}
			for d.More() {
				list = append(list, value(level+1))
			}
			token()
			return list
		}
		return t
	}
	return value(1), depth
}

// refusal is the path of the field that is refused, "" for the body as a whole.
type refusal string

func refuse(path string) { panic(refusal(path)) }

func need(ok bool, path string) {
	if !ok {
		refuse(path)
	}
}

// surrogate finds the escapes of surrogates. encoding/json reads a lone one as
// U+FFFD, which leaves no trace in the tree: the reference does not judge it.
var surrogate = regexp.MustCompile(`\\u[dD][89a-fA-F]`)

// reference decodes a body. Refused is true where the body is; the path says
// which field.
func reference(body []byte, catalog *contracts.Catalog) (c *contracts.Change, path string, refused bool) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case refusal:
			c, path, refused = nil, string(r), true
		default:
			panic(r)
		}
	}()
	need(len(body) <= contracts.MaxBodyBytes && utf8.Valid(body) && json.Valid(body), "")
	tree, depth := parsed(body)
	event, ok := tree.(object)
	need(ok && depth <= 64, "")
	return refEvent(event, catalog), "", false
}

var envelopeFields = []string{
	"specversion", "id", "source", "type", "subject", "time", "datacontenttype",
	"dataschema", "version", "origin", "published", "traceparent",
}

func refEvent(event object, catalog *contracts.Catalog) *contracts.Change {
	text := map[string]string{}
	dataSeen := false
	for _, m := range event {
		if m.name == "data" {
			need(!dataSeen, "data")
			dataSeen = true
		}
		if !slices.Contains(envelopeFields, m.name) {
			continue
		}
		_, twice := text[m.name]
		need(!twice, m.name)
		if m.value != nil {
			s, ok := m.value.(string)
			need(ok, m.name)
			text[m.name] = s
		}
	}
	present := func(names ...string) {
		for _, name := range names {
			need(text[name] != "", name)
		}
	}
	present("specversion", "type")
	need(text["specversion"] == "1.0", "specversion")
	c := &contracts.Change{Operation: contracts.Canary}
	for _, contract := range catalog.All() {
		switch text["type"] {
		case contract.Name + fmt.Sprintf(".changed.v%d", contract.Major):
			c.Contract, c.Operation = contract, contracts.Upsert
		case contract.Name + fmt.Sprintf(".deleted.v%d", contract.Major):
			c.Contract, c.Operation = contract, contracts.Delete
		}
	}
	need(c.Contract != nil || text["type"] == "tributary.canary.v1", "type")
	present("id", "source", "subject", "time", "datacontenttype", "origin", "published")
	c.Source, c.Subject = text["source"], text["subject"]
	u, err := url.Parse(c.Source)
	need(err == nil && u.String() != "" && !strings.Contains(c.Source, " ") && plain(c.Source), "source")
	need(strings.TrimSpace(c.Subject) != "" && plain(c.Subject), "subject")
	refTime(text["time"], "time")
	need(text["datacontenttype"] == "application/json", "datacontenttype")
	c.Origin = contracts.Origin(text["origin"])
	need(slices.Contains([]contracts.Origin{"live", "backfill", "replay", "repair"}, c.Origin), "origin")
	c.Published = refTime(text["published"], "published")
	if trace, ok := text["traceparent"]; ok {
		need(validTrace(trace), "traceparent")
		c.TraceParent = trace
	}
	id := c.Subject
	if c.Contract != nil {
		present("dataschema", "version")
		schema, err := url.Parse(text["dataschema"])
		need(err == nil && schema.IsAbs(), "dataschema")
		_, err = fmt.Sscanf(text["version"], "%d", &c.Version)
		need(err == nil && c.Version > 0 && fmt.Sprintf("%d", c.Version) == text["version"], "version")
		id = fmt.Sprintf("%s/v%d/%s@%d", c.Contract.Name, c.Contract.Major, c.Subject, c.Version)
	}
	need(text["id"] == id, "id")
	data, _ := event.find("data")
	o, ok := data.(object)
	need(ok, "data")
	refData(o, c)
	return c
}

func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Noncharacter_Code_Point, r) })
}

func refTime(s, path string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	at = at.UTC().Truncate(time.Microsecond)
	need(err == nil && !at.IsZero() && 0 <= at.Year() && at.Year() <= 9999, path)
	return at
}

var tracePattern = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[!#-\[\]-~]*)?$`)

func validTrace(s string) bool {
	m := tracePattern.FindStringSubmatch(s)
	return m != nil && m[1] != "ff" && strings.Trim(m[2], "0") != "" && strings.Trim(m[3], "0") != "" && (m[1] != "00" || m[4] == "")
}

func refData(data object, c *contracts.Change) {
	var changed, attributes bool
	for _, m := range data {
		switch m.name {
		case "changed":
			need(!changed, "data.changed")
			changed = true
			list, ok := m.value.([]any)
			need(ok && len(list) > 0, "data.changed")
			for i, e := range list {
				name, _ := e.(string)
				need(name != "", fmt.Sprintf("data.changed[%d]", i))
				if c.Contract == nil || slices.Contains(c.Contract.Names(), name) {
					c.Changed = append(c.Changed, name)
				}
			}
		case "attributes":
			need(!attributes && c.Operation == contracts.Upsert, "data.attributes")
			attributes = true
			c.Attributes = refFields(m.value, c.Contract.Attributes, "data.attributes")
		}
	}
	need(changed, "data.changed")
	need(attributes || c.Operation != contracts.Upsert, "data.attributes")
}

func refFields(v any, attributes []contracts.Attribute, path string) map[string]contracts.Value {
	o, ok := v.(object)
	need(ok, path)
	dict := map[string]contracts.Value{}
	for _, m := range o {
		i := slices.IndexFunc(attributes, func(a contracts.Attribute) bool { return a.Name == m.name })
		if i < 0 {
			continue
		}
		_, twice := dict[m.name]
		need(!twice, path+"."+m.name)
		if m.value == nil && !attributes[i].Required {
			dict[m.name] = contracts.Null()
		} else {
			dict[m.name] = refValue(m.value, attributes[i].Shape, path+"."+m.name)
		}
	}
	for _, a := range attributes {
		_, ok := dict[a.Name]
		need(ok || !a.Required, path+"."+a.Name)
	}
	return dict
}

var memberKinds = map[contracts.Kind]contracts.Kind{
	contracts.KindStringSet: contracts.KindString, contracts.KindNumberSet: contracts.KindNumber, contracts.KindBinarySet: contracts.KindBinary,
}

func refValue(v any, s contracts.Shape, path string) contracts.Value {
	switch s.Kind {
	case contracts.KindBool:
		b, ok := v.(bool)
		need(ok, path)
		return contracts.Bool(b)
	case contracts.KindMap:
		if s.Elem == nil {
			return contracts.Map(refFields(v, s.Fields, path))
		}
		o, ok := v.(object)
		need(ok, path)
		dict := map[string]contracts.Value{}
		for _, m := range o {
			_, twice := dict[m.name]
			need(!twice, path+"."+m.name)
			dict[m.name] = refValue(m.value, *s.Elem, path+"."+m.name)
		}
		return contracts.Map(dict)
	case contracts.KindList, contracts.KindStringSet, contracts.KindNumberSet, contracts.KindBinarySet:
		return refList(v, s, path)
	}
	text, ok := v.(string)
	need(ok, path)
	switch s.Kind {
	case contracts.KindNumber:
		n, err := contracts.NormalizeNumber(text) // has a fuzz test of its own
		need(err == nil, path)
		return contracts.Number(n)
	case contracts.KindBinary:
		b, err := base64.StdEncoding.DecodeString(text)
		need(err == nil && base64.StdEncoding.EncodeToString(b) == text, path)
		return contracts.Binary(b)
	}
	return contracts.String(text)
}

func refList(v any, s contracts.Shape, path string) contracts.Value {
	list, ok := v.([]any)
	need(ok, path)
	elem := contracts.Shape{Kind: memberKinds[s.Kind]}
	if s.Kind == contracts.KindList {
		elem = *s.Elem
	}
	var values []contracts.Value
	for i, e := range list {
		values = append(values, refValue(e, elem, fmt.Sprintf("%s[%d]", path, i)))
	}
	if s.Kind == contracts.KindList {
		return contracts.List(values...)
	}
	need(len(values) > 0, path)
	var texts []string
	var blobs [][]byte
	for i, m := range values {
		need(!slices.ContainsFunc(values[:i], m.Equal), path)
		texts, blobs = append(texts, m.Text()), append(blobs, m.Bytes())
	}
	switch s.Kind {
	case contracts.KindStringSet:
		return contracts.StringSet(texts...)
	case contracts.KindNumberSet:
		return contracts.NumberSet(texts...)
	}
	return contracts.BinarySet(blobs...)
}
