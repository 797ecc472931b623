package dynamostore

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// expression collects the names and values of one request. Every name goes
// through a placeholder, so that a reserved word or a dot in a manifest's
// attribute name means nothing special.
type expression struct {
	names        map[string]string
	placeholders map[string]string
	values       map[string]types.AttributeValue
}

func newExpression() *expression {
	return &expression{names: make(map[string]string), placeholders: make(map[string]string)}
}

func (e *expression) name(attribute string) string {
	if p, ok := e.placeholders[attribute]; ok {
		return p
	}
	p := "#" + strconv.Itoa(len(e.names))
	e.names[p], e.placeholders[attribute] = attribute, p
	return p
}

func (e *expression) value(v contracts.Value) string {
	if e.values == nil {
		e.values = make(map[string]types.AttributeValue)
	}
	p := ":" + strconv.Itoa(len(e.values))
	e.values[p] = ToAttribute(v)
	return p
}

// is is the condition that an attribute has a value, or is missing where the
// value is zero.
func (e *expression) is(attribute string, v contracts.Value) string {
	if v.IsZero() {
		return "attribute_not_exists(" + e.name(attribute) + ")"
	}
	return e.name(attribute) + " = " + e.value(v)
}

// update is the update expression that sets and removes attributes.
func (e *expression) update(set contracts.Item, remove []string) string {
	var b strings.Builder
	for i, name := range slices.Sorted(maps.Keys(set)) {
		if i == 0 {
			b.WriteString("SET ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(e.name(name) + " = " + e.value(set[name]))
	}
	for i, name := range remove {
		switch {
		case i > 0:
			b.WriteString(", ")
		case b.Len() > 0:
			b.WriteString(" REMOVE ")
		default:
			b.WriteString("REMOVE ")
		}
		b.WriteString(e.name(name))
	}
	return b.String()
}

// condition is the condition of a replica.Write, as its documentation gives it.
func (e *expression) condition(w *replica.Write) string {
	var all []string
	if w.MustExist {
		all = append(all, "attribute_exists("+e.name(firstName(w.Key))+")")
	}
	for _, name := range slices.Sorted(maps.Keys(w.Where)) {
		all = append(all, e.is(name, w.Where[name]))
	}
	if w.Replaces != nil {
		all = append(all,
			e.is(w.VersionAttribute, w.Replaces.Version),
			e.is(w.MappingAttribute, w.Replaces.Mapping))
	} else {
		version, mapping := e.name(w.VersionAttribute), e.name(w.MappingAttribute)
		all = append(all,
			"(attribute_not_exists("+version+") OR "+version+" < "+e.value(w.Version.Value())+")",
			"(attribute_not_exists("+mapping+") OR "+mapping+" = "+e.value(contracts.String(w.Mapping))+")")
	}
	return strings.Join(all, " AND ")
}

func firstName(key contracts.Item) string { return slices.Sorted(maps.Keys(key))[0] }
