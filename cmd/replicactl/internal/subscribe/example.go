package subscribe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// field is an attribute and a Go expression that makes a value of it.
type field struct{ Name, Value string }

// example is a state of the contract, for the generated test: what every item
// has, and what is subscribed to.
func example(c *contracts.Contract, attributes []string) []field {
	var fields []field
	for _, a := range c.Attributes {
		if a.Required || slices.Contains(attributes, a.Name) {
			fields = append(fields, field{a.Name, expression(a.Shape, a.Name)})
		}
	}
	return fields
}

// expression makes a value of a shape; texts in it say of what.
func expression(s contracts.Shape, of string) string {
	text := fmt.Sprintf("%q", of+" of 4711")
	switch s.Kind {
	case contracts.KindString:
		return "contracts.String(" + text + ")"
	case contracts.KindNumber:
		return `contracts.Number("7")`
	case contracts.KindBinary:
		return "contracts.Binary([]byte(" + text + "))"
	case contracts.KindBool:
		return "contracts.Bool(true)"
	case contracts.KindStringSet:
		return "contracts.StringSet(" + text + ")"
	case contracts.KindNumberSet:
		return `contracts.NumberSet("7")`
	case contracts.KindBinarySet:
		return "contracts.BinarySet([]byte(" + text + "))"
	case contracts.KindList:
		return "contracts.List(" + expression(*s.Elem, of) + ")"
	case contracts.KindMap:
		if s.Elem != nil {
			return "contracts.Map(contracts.Item{" + fmt.Sprintf("%q", of) + ": " + expression(*s.Elem, of) + "})"
		}
		var fields []string
		for _, a := range s.Fields {
			fields = append(fields, fmt.Sprintf("%q: ", a.Name)+expression(a.Shape, a.Name))
		}
		return "contracts.Map(contracts.Item{" + strings.Join(fields, ", ") + "})"
	default: // no contract has another kind: see contracts.Describe
		return "contracts.Null()"
	}
}

// unsubscribed returns an attribute that is not subscribed to, if there is one:
// its changes do not come through the filter.
func unsubscribed(c *contracts.Contract, attributes []string) string {
	for _, name := range c.Names() {
		if !slices.Contains(attributes, name) {
			return name
		}
	}
	return ""
}
