// Package rendered writes what Terraform made of a root, with every value known,
// as configuration again.
//
// Scanners read a configuration and pass over what they cannot evaluate: a role's
// policy that names an ARN which is known after an apply is not looked into at
// all. In what this package writes nothing is left to evaluate, but for references
// by which a scanner finds what belongs to a bucket or to a role. It reads what
// `terraform test -json -verbose` prints, whose mocks know every value; it is for
// scanners, and nothing that could be applied.
package rendered

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Resource is one managed resource with its values.
type Resource struct {
	Address string // in the root, with its modules
	Type    string
	Values  map[string]any

	block block
}

// State are a root's resources in the order that Terraform has them.
type State []Resource

// block is what a provider's schema says of a block: which of its arguments are
// blocks themselves.
type block struct {
	Types map[string]struct {
		Block block `json:"block"`
	} `json:"block_types"`
}

type module struct {
	Resources []struct {
		Address, Mode, Type string
		Values              map[string]any
	} `json:"resources"`
	Children []module `json:"child_modules"`
}

type message struct {
	State *struct {
		Root    module `json:"root_module"`
		Schemas map[string]struct {
			Resources map[string]struct {
				Block block `json:"block"`
			} `json:"resource_schemas"`
		} `json:"provider_schemas"`
	} `json:"test_state"`
}

// Read returns the largest of the states that a `terraform test -json -verbose`
// has printed: runs of single modules print theirs too.
func Read(printed string) (State, error) {
	var largest State
	for line := range strings.Lines(printed) {
		if !strings.HasPrefix(line, "{") {
			continue // a warning, before Terraform has read its flags
		}
		var said message
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			return nil, fmt.Errorf("read what terraform test prints: %w", err)
		}
		if said.State == nil {
			continue
		}
		blocks := make(map[string]block)
		for _, provider := range said.State.Schemas {
			for kind, schema := range provider.Resources {
				blocks[kind] = schema.Block
			}
		}
		if state := flatten(said.State.Root, blocks); len(state) > len(largest) {
			largest = state
		}
	}
	if len(largest) == 0 {
		return nil, errors.New("read what terraform test prints: no run has left a state, or -verbose is missing")
	}
	return largest, nil
}

func flatten(m module, blocks map[string]block) State {
	var state State
	for _, r := range m.Resources {
		if r.Mode == "managed" {
			state = append(state, Resource{Address: r.Address, Type: r.Type, Values: r.Values, block: blocks[r.Type]})
		}
	}
	for _, child := range m.Children {
		state = append(state, flatten(child, blocks)...)
	}
	return state
}

// referring are the arguments by which a scanner finds what belongs together, and
// the type of what they name by its id. A value alone is not enough for it.
var referring = map[string]string{"bucket": "aws_s3_bucket", "role": "aws_iam_role"}

// Configuration is the state as a Terraform configuration of one file. A
// resource's name is made of its address.
func (s State) Configuration() []byte {
	names := make([]string, len(s))
	ids := make(map[string]string) // type and id to address
	for i, r := range s {
		names[i] = fmt.Sprintf("%s_%d", strings.Map(func(c rune) rune {
			if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
				return c
			}
			return '_'
		}, r.Address), i)
		if id, ok := r.Values["id"].(string); ok {
			ids[r.Type+" "+id] = r.Type + "." + names[i] + ".id"
		}
	}
	var out bytes.Buffer
	for i, r := range s {
		fmt.Fprintf(&out, "# %s\nresource %q %q {\n", r.Address, r.Type, names[i])
		writeBody(&out, "  ", r.Values, r.block, func(name string, value any) string {
			if id, ok := value.(string); ok && referring[name] != r.Type {
				return ids[referring[name]+" "+id]
			}
			return ""
		})
		out.WriteString("}\n\n")
	}
	return out.Bytes()
}

// writeBody writes arguments and blocks. What refer returns stands for a value of
// the outermost arguments.
func writeBody(out *bytes.Buffer, indent string, values map[string]any, of block, refer func(name string, value any) string) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		nested, isBlock := of.Types[name]
		switch {
		case value == nil:
		case isBlock:
			many, ok := value.([]any)
			if !ok {
				many = []any{value}
			}
			for _, one := range many {
				inner, _ := one.(map[string]any)
				fmt.Fprintf(out, "%s%s {\n", indent, name)
				writeBody(out, indent+"  ", inner, nested.Block, func(string, any) string { return "" })
				fmt.Fprintf(out, "%s}\n", indent)
			}
		default:
			text := refer(name, value)
			if text == "" {
				text = literal(value)
			}
			fmt.Fprintf(out, "%s%s = %s\n", indent, name, text)
		}
	}
}

// literal writes a value of JSON in Terraform's language, in which a text is a
// template.
func literal(value any) string {
	switch v := value.(type) {
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = literal(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		items := make([]string, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			items = append(items, literal(name)+" = "+literal(v[name]))
		}
		return "{ " + strings.Join(items, ", ") + " }"
	default:
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // it came from JSON
		}
		return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(string(text))
	}
}
