package filter

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// operators are the match types a policy knows.
var operators = map[string]func(node) (condition, error){
	"prefix": func(n node) (condition, error) {
		return textOperand("prefix", n, hasPrefix)
	},
	"suffix": func(n node) (condition, error) {
		return textOperand("suffix", n, hasSuffix)
	},
	"equals-ignore-case": func(n node) (condition, error) {
		return textOperand("equals-ignore-case", n, equalsIgnoreCase)
	},
	"wildcard":     parseWildcard,
	"cidr":         parseCIDR,
	"exists":       parseExists,
	"numeric":      parseNumeric,
	"anything-but": parseAnythingBut,
}

// Parse checks a policy and makes it ready to match. The empty object lets
// everything through. The error is an *Error.
func Parse(text string, scope Scope) (*Policy, error) {
	switch {
	case scope != MessageAttributes && scope != MessageBody:
		return nil, &Error{fmt.Sprintf("FilterPolicyScope: Invalid value [%s]. Please use either MessageBody or MessageAttributes", scope)}
	case len(text) > MaxBytes:
		return nil, refuse("Filter policy can not be larger than %d bytes, not %d", MaxBytes, len(text))
	case !utf8.ValidString(text):
		return nil, refuse("Filter policy is not UTF-8")
	case !json.Valid([]byte(text)):
		return nil, refuse("Filter policy is not JSON")
	}
	tree, err := parseTree(text)
	if err != nil {
		return nil, refuse("Filter policy is not JSON: %v", err)
	}
	if !tree.isObject {
		return nil, refuse("Filter is not an object")
	}
	c := compiler{scope: scope, seen: map[string]bool{}}
	root, combinations, err := c.object(tree, "", 1)
	if err != nil {
		return nil, err
	}
	if len(tree.members) > MaxKeys {
		return nil, refuse("Filter policy can not have more than %d keys", MaxKeys)
	}
	if combinations > MaxCombinations {
		return nil, tooComplex()
	}
	return &Policy{scope: scope, root: root}, nil
}

func refuse(format string, args ...any) *Error {
	return &Error{"FilterPolicy: " + fmt.Sprintf(format, args...)}
}

func tooComplex() *Error { return refuse("Filter policy is too complex") }

// compiler turns the tree into rules.
type compiler struct {
	scope Scope
	seen  map[string]bool // paths met on the way down, to refuse duplicates
}

// object compiles an object and returns its rules with their number of
// combinations, which stops growing beyond the limit.
func (c *compiler) object(n node, path string, depth int) (allOf, int, error) {
	if depth > MaxCombinations {
		return nil, 0, tooComplex() // as a single value at this depth is
	}
	rules, combinations := allOf{}, 1
	for _, m := range n.members {
		var rule rule
		var count int
		var err error
		inner := m.key
		if path != "" {
			inner = path + "." + m.key
		}
		switch {
		case m.key == "$or" && isAlternatives(m.value):
			rule, count, err = c.alternatives(m.value, path, depth)
		case m.value.isObject:
			if c.scope == MessageAttributes {
				// AWS reports a misplaced operator ({"a":{"prefix":"b"}}) before
				// the nesting itself.
				for _, sub := range m.value.members {
					if sub.value.scalar() {
						return nil, 0, refuse("%q must be an object or an array", sub.key)
					}
				}
				return nil, 0, &Error{"Filter policy scope MessageAttributes does not support nested filter policy"}
			}
			if len(m.value.members) == 0 {
				return nil, 0, refuse("Empty objects are not allowed")
			}
			rule, count, err = c.object(m.value, inner, depth+1)
		case m.value.isArray:
			rule, count, err = c.property(m.value, inner, depth)
		default:
			return nil, 0, refuse("%q must be an object or an array", m.key)
		}
		if err != nil {
			return nil, 0, err
		}
		rules = append(rules, rule)
		combinations = min(combinations*count, MaxCombinations+1)
		if combinations > MaxCombinations && path != "" {
			return nil, 0, tooComplex() // before there are more paths, each as long as the policy perhaps
		}
	}
	return rules, combinations, nil
}

// isAlternatives tells the $or operator from a property of that name: at
// least two objects, none of them a match expression.
func isAlternatives(n node) bool {
	if len(n.elements) < 2 {
		return false
	}
	for _, element := range n.elements {
		if !element.isObject || len(element.members) == 0 {
			return false
		}
		for _, m := range element.members {
			if _, operator := operators[m.key]; operator {
				return false
			}
		}
	}
	return true
}

func (c *compiler) alternatives(n node, path string, depth int) (anyOf, int, error) {
	var rules anyOf
	sum := 0
	for _, element := range n.elements {
		// Alternatives may speak of the same property; one of them may not
		// twice.
		branch := compiler{scope: c.scope, seen: map[string]bool{}}
		rule, count, err := branch.object(element, path, depth)
		if err != nil {
			return nil, 0, err
		}
		rules = append(rules, rule)
		sum = min(sum+count, MaxCombinations+1)
		if sum > MaxCombinations && path != "" {
			return nil, 0, tooComplex()
		}
	}
	return rules, sum, nil
}

func (c *compiler) property(n node, path string, depth int) (rule, int, error) {
	if c.seen[path] {
		return nil, 0, refuse("Path `%s` cannot be allowed multiple times", path)
	}
	c.seen[path] = true
	if len(n.elements) == 0 {
		return nil, 0, refuse("Empty arrays are not allowed")
	}
	p := property{path: path}
	for _, element := range n.elements {
		parsed, err := parseCondition(element)
		if err != nil {
			return nil, 0, err
		}
		p.conditions = append(p.conditions, parsed)
	}
	return p, min(len(n.elements), MaxCombinations+1) * min(depth, MaxCombinations+1), nil
}

func parseCondition(n node) (condition, error) {
	switch {
	case n.isArray:
		return nil, refuse("Match value must be String, number, true, false, or null")
	case !n.isObject:
		return parseExact(n)
	case len(n.members) == 0:
		return nil, refuse("Empty objects are not allowed")
	}
	operator := n.members[0]
	parse, known := operators[operator.key]
	if !known {
		return nil, refuse("Unrecognized match type %s", operator.key)
	}
	parsed, err := parse(operator.value)
	if err != nil {
		return nil, err
	}
	if len(n.members) > 1 {
		return nil, refuse("Only one key allowed in match expression")
	}
	return parsed, nil
}

// parseExact reads a value to be matched as it is.
func parseExact(n node) (each, error) {
	v, ok := scalarValue(n.token)
	switch {
	case !ok:
		return nil, refuse("Match value must be String, number, true, false, or null")
	case v.kind == isOutside:
		return nil, outOfRange()
	}
	return equals(v), nil
}

func outOfRange() *Error {
	return refuse("Value must be between %d and %d, inclusive", -numberLimit, numberLimit)
}

func textOperand(operator string, n node, make func(string) each) (each, error) {
	operand, ok := n.string()
	switch {
	case !ok:
		return nil, refuse("%s match pattern must be a string", operator)
	case operand == "" && operator != "equals-ignore-case":
		return nil, refuse("Null %s not allowed", operator)
	}
	return make(operand), nil
}

func parseExists(n node) (condition, error) {
	want, ok := n.token.(bool)
	if !ok {
		return nil, refuse("exists match pattern must be either true or false.")
	}
	return exists(want), nil
}

func parseCIDR(n node) (condition, error) {
	operand, ok := n.string()
	if !ok {
		return nil, refuse("prefix match pattern must be a string")
	}
	network, err := netip.ParsePrefix(operand)
	if err != nil {
		return nil, refuse("Malformed CIDR, %v", err)
	}
	return inNetwork(network), nil
}

// parseWildcard reads a pattern in which an asterisk stands for any number of
// characters; a backslash takes an asterisk or a backslash literally.
func parseWildcard(n node) (condition, error) { return wildcardOperand(n) }

func wildcardOperand(n node) (each, error) {
	pattern, ok := n.string()
	if !ok {
		return nil, refuse("wildcard match pattern must be a string")
	}
	parts, part := wildcard{}, strings.Builder{}
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '*':
			if i > 0 && pattern[i-1] == '*' && part.Len() == 0 && len(parts) > 0 {
				return nil, refuse("Consecutive wildcard characters at pos %d", i-1)
			}
			parts = append(parts, part.String())
			part.Reset()
		case '\\':
			i++
			if i == len(pattern) || pattern[i] != '*' && pattern[i] != '\\' {
				return nil, refuse("Invalid escape character at pos %d", i-1)
			}
			part.WriteByte(pattern[i])
		default:
			part.WriteByte(pattern[i])
		}
	}
	return text(append(parts, part.String()).holds), nil
}

// parseAnythingBut reads a value, a list of values of one type, or a prefix
// or wildcard to stay away from.
func parseAnythingBut(n node) (condition, error) {
	switch {
	case n.isObject:
		return parseAnythingButPattern(n)
	case n.isArray:
		return parseAnythingButList(n.elements)
	}
	if _, isText := n.string(); !isText {
		if _, isNumber := n.number(); !isNumber {
			return nil, refuse("Value of anything-but must be an array or single string/number value.")
		}
	}
	match, err := parseExact(n)
	if err != nil {
		return nil, err
	}
	return none(match), nil
}

func parseAnythingButPattern(n node) (condition, error) {
	if len(n.members) == 0 {
		return nil, refuse("Anything-But expression name not found")
	}
	var match each
	var err error
	switch inner := n.members[0]; inner.key {
	case "prefix":
		match, err = textOperand("prefix", inner.value, hasPrefix)
	case "wildcard":
		match, err = wildcardOperand(inner.value)
	default:
		return nil, refuse("Unsupported anything-but pattern: %s", inner.key)
	}
	switch {
	case err != nil:
		return nil, err
	case len(n.members) > 1:
		return nil, refuse("Only one key allowed in match expression")
	}
	return none(match), nil
}

func parseAnythingButList(elements []node) (condition, error) {
	if len(elements) == 0 {
		return nil, refuse("Empty arrays are not allowed")
	}
	matches := make([]each, len(elements))
	texts := 0
	for i, element := range elements {
		if _, isText := element.string(); isText {
			texts++
		} else if _, isNumber := element.number(); !isNumber {
			return nil, refuse("Inside anything but list, start|null|boolean is not supported.")
		}
		match, err := parseExact(element)
		if err != nil {
			return nil, err
		}
		matches[i] = match
	}
	if texts != 0 && texts != len(elements) {
		return nil, refuse("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return none(matches...), nil
}
