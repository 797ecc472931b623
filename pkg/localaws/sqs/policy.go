package sqs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// policy is a queue's access policy, as far as deliveries from SNS need it.
// parsePolicy refuses what this type does not express.
type policy struct{ statements []statement }

type statement struct {
	allow      bool
	anyone     bool     // Principal *
	services   []string // Principal Service
	actions    []string
	resources  []string
	conditions []condition
}

// condition holds where any of the patterns matches the key's value.
type condition struct {
	key      string // lower case
	like     bool   // * and ? are wildcards
	negated  bool
	patterns []string
}

// publisher is who a policy is asked about.
type publisher struct {
	service   string // sns.amazonaws.com
	sourceARN string // of the topic
	account   string // of the topic
}

// allows decides by AWS's evaluation logic: a matching Deny wins, and without
// a matching Allow the answer is no ("Policy evaluation logic", IAM user
// guide).
func (p *policy) allows(who publisher, queueARN string) bool {
	if p == nil {
		return false
	}
	allowed := false
	for _, s := range p.statements {
		if !s.matches(who, queueARN) {
			continue
		}
		if !s.allow {
			return false
		}
		allowed = true
	}
	return allowed
}

func (s statement) matches(who publisher, queueARN string) bool {
	if !s.anyone && !slices.Contains(s.services, who.service) {
		return false
	}
	anyMatch := func(patterns []string, value string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool { return wildcard(pattern, value) })
	}
	if !anyMatch(s.actions, "sqs:sendmessage") || !anyMatch(s.resources, queueARN) {
		return false
	}
	for _, c := range s.conditions {
		if !c.holds(who) {
			return false
		}
	}
	return true
}

func (c condition) holds(who publisher) bool {
	value := who.sourceARN
	if c.key == "aws:sourceaccount" {
		value = who.account
	}
	matched := slices.ContainsFunc(c.patterns, func(pattern string) bool {
		return pattern == value || c.like && wildcard(pattern, value)
	})
	return matched != c.negated
}

// wildcard matches * with any text and ? with any character. It goes back only
// to the last *, so that no pattern takes longer than pattern times value.
func wildcard(pattern, value string) bool {
	p, v := 0, 0
	star, resume := -1, 0
	for v < len(value) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, v
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == value[v]):
			p, v = p+1, v+1
		case star >= 0:
			resume++
			p, v = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// texts is a JSON string or list of strings.
type texts []string

func (t *texts) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = texts{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		return fmt.Errorf("%s is neither a string nor a list of strings", raw)
	}
	*t = many
	return nil
}

type policyDocument struct {
	Version   string
	ID        string `json:"Id"`
	Statement json.RawMessage
}

type statementDocument struct {
	Sid       string
	Effect    string
	Principal json.RawMessage
	Action    texts
	Resource  texts
	Condition map[string]map[string]texts
}

// parsePolicy reads the Policy attribute; the empty string removes the policy.
// An element that is not enforced here is refused by its name: NotAction,
// NotPrincipal, NotResource, and other condition operators and keys.
func parsePolicy(text string) (*policy, error) {
	if text == "" {
		return nil, nil
	}
	refuse := func(format string, args ...any) (*policy, error) {
		return nil, invalidDocument("Policy", text, fmt.Sprintf(format, args...))
	}
	var document policyDocument
	if err := decodeStrictly(text, &document); err != nil {
		return refuse("%v", err)
	}
	if document.Version != "" && document.Version != "2012-10-17" && document.Version != "2008-10-17" {
		return refuse("the policy language has no version %q.", document.Version)
	}
	var statements []statementDocument
	if trimmed := strings.TrimSpace(string(document.Statement)); strings.HasPrefix(trimmed, "{") {
		var single statementDocument
		if err := decodeStrictly(trimmed, &single); err != nil {
			return refuse("Statement: %v", err)
		}
		statements = []statementDocument{single}
	} else if err := decodeStrictly(trimmed, &statements); err != nil {
		return refuse("Statement: %v", err)
	}
	if len(statements) == 0 {
		return refuse("a policy needs at least one Statement.")
	}
	parsed := &policy{}
	for i, one := range statements {
		s, err := one.parse()
		if err != nil {
			return refuse("Statement %d: %v", i, err)
		}
		parsed.statements = append(parsed.statements, s)
	}
	return parsed, nil
}

func (d statementDocument) parse() (statement, error) {
	s := statement{allow: d.Effect == "Allow", resources: d.Resource}
	if d.Effect != "Allow" && d.Effect != "Deny" {
		return s, fmt.Errorf("the Effect is Allow or Deny, not %q", d.Effect)
	}
	if len(d.Action) == 0 || len(d.Resource) == 0 || len(d.Principal) == 0 {
		return s, fmt.Errorf("a statement needs Principal, Action and Resource")
	}
	for _, action := range d.Action {
		s.actions = append(s.actions, strings.ToLower(action))
	}
	if err := s.readPrincipal(d.Principal); err != nil {
		return s, err
	}
	for _, operator := range slices.Sorted(maps.Keys(d.Condition)) {
		read := condition{negated: strings.Contains(operator, "Not")}
		switch operator {
		case "ArnEquals", "ArnLike", "StringLike", "ArnNotEquals", "ArnNotLike", "StringNotLike":
			read.like = true // ArnEquals and ArnLike behave alike ("IAM JSON policy elements: Condition operators")
		case "StringEquals", "StringNotEquals":
		default:
			return s, fmt.Errorf("localaws does not know the condition operator %q", operator)
		}
		for _, key := range slices.Sorted(maps.Keys(d.Condition[operator])) {
			read.key = strings.ToLower(key)
			if read.key != "aws:sourcearn" && read.key != "aws:sourceaccount" {
				return s, fmt.Errorf("localaws does not know the condition key %q", key)
			}
			read.patterns = d.Condition[operator][key]
			s.conditions = append(s.conditions, read)
		}
	}
	return s, nil
}

// readPrincipal reads who a statement is about. AWS accounts never send to a
// queue here but through the SDK, as the queue's owner; they match nothing.
func (s *statement) readPrincipal(raw json.RawMessage) error {
	var anyone string
	if json.Unmarshal(raw, &anyone) == nil {
		if anyone != "*" {
			return fmt.Errorf("a Principal is *, Service or AWS, not %q", anyone)
		}
		s.anyone = true
		return nil
	}
	var named map[string]texts
	if err := json.Unmarshal(raw, &named); err != nil {
		return fmt.Errorf("the Principal: %w", err)
	}
	for _, kind := range slices.Sorted(maps.Keys(named)) {
		switch kind {
		case "Service":
			s.services = append(s.services, named[kind]...)
		case "AWS":
			s.anyone = s.anyone || slices.Contains(named[kind], "*")
		default:
			return fmt.Errorf("localaws does not know the principal %q", kind)
		}
	}
	return nil
}
