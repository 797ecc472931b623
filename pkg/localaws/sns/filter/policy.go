// Package filter is Amazon SNS's filter policy language: which messages a
// subscription takes, by their attributes or by their body.
//
// It promises that a policy is accepted or refused as the AWS pages "Amazon
// SNS subscription filter policies" and "Filter policy constraints in Amazon
// SNS" say, with AWS's words where they are known, and that matching never
// fails: a message that is not what a policy expects simply does not match.
//
// Properties are independent of each other, as the documentation describes
// them: with several objects in an array of the body, one property may match
// in one object and another property in the next.
package filter

// Limits of a policy ("Filter policy constraints in Amazon SNS").
const (
	// MaxKeys is how many keys a policy has at its top; nested ones do not
	// count.
	MaxKeys = 5
	// MaxCombinations is the product, over all arrays of values, of their
	// length times their depth.
	MaxCombinations = 150
	// MaxBytes is the size of a policy's JSON.
	MaxBytes = 256 * 1024
)

// Scope is what a policy looks at.
type Scope string

// The two scopes, as SNS names them.
const (
	MessageAttributes Scope = "MessageAttributes"
	MessageBody       Scope = "MessageBody"
)

// Error says why a policy is refused.
type Error struct {
	// Reason is AWS's text after "Invalid parameter: ".
	Reason string
}

func (e *Error) Error() string { return e.Reason }

// Policy is a filter policy that was found valid. It is immutable and safe
// for concurrent use.
type Policy struct {
	scope Scope
	root  allOf
}

// Scope returns what the policy looks at.
func (p *Policy) Scope() Scope { return p.scope }

// Matches tells whether the policy lets a message through. The nil policy and
// the one without keys let everything through.
func (p *Policy) Matches(m *Message) bool {
	if p == nil || len(p.root) == 0 {
		return true
	}
	doc := m.attributeDocument
	if p.scope == MessageBody {
		doc = m.bodyDocument
	}
	properties, ok := doc()
	return ok && p.root.holds(properties)
}

// document is a message as a policy sees it: the values of a property by its
// path, and whether it is there.
type document interface {
	at(path string) ([]value, bool)
}

// rule is a part of a policy.
type rule interface {
	holds(document) bool
}

// allOf holds if all its rules do: the keys of an object.
type allOf []rule

func (rules allOf) holds(doc document) bool {
	for _, r := range rules {
		if !r.holds(doc) {
			return false
		}
	}
	return true
}

// anyOf holds if one of its rules does: the $or operator.
type anyOf []rule

func (rules anyOf) holds(doc document) bool {
	for _, r := range rules {
		if r.holds(doc) {
			return true
		}
	}
	return false
}

// property holds if one of its conditions accepts one value at its path.
type property struct {
	path       string
	conditions []condition
}

func (p property) holds(doc document) bool {
	values, present := doc.at(p.path)
	for _, c := range p.conditions {
		if c.accepts(values, present) {
			return true
		}
	}
	return false
}
