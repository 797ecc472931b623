package sns

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/sns/filter"
)

// subscription is a queue's subscription to a topic; Service.mu guards it.
type subscription struct {
	arn      string
	topic    *topic
	endpoint string

	raw     bool
	redrive string // the RedrivePolicy as it was given
	dead    string // the dead-letter queue's ARN, from redrive
	policy  string // the FilterPolicy as it was given
	scope   filter.Scope

	applied *filter.Policy // what messages are held against
	coming  []policyChange // what they will be, once it is time

	lanes map[string]*lane // FIFO topics: deliveries under way, by group
}

// policyChange is a filter policy on its way into effect.
type policyChange struct {
	at     time.Time
	policy *filter.Policy
}

// inEffect returns the policy that applies now, nil for none.
func (sub *subscription) inEffect(now time.Time) *filter.Policy {
	for len(sub.coming) > 0 && !sub.coming[0].at.After(now) {
		sub.applied = sub.coming[0].policy
		sub.coming = sub.coming[1:]
	}
	return sub.applied
}

// settings are a subscription's attributes, checked.
type settings struct {
	raw     bool
	redrive string
	dead    string
	policy  string
	scope   filter.Scope
	parsed  *filter.Policy
}

func (sub *subscription) settings() settings {
	parsed := sub.applied
	if n := len(sub.coming); n > 0 {
		parsed = sub.coming[n-1].policy
	}
	return settings{raw: sub.raw, redrive: sub.redrive, dead: sub.dead, policy: sub.policy, scope: sub.scope, parsed: parsed}
}

// apply gives the subscription new settings; a changed filter policy takes
// effect after delay.
func (sub *subscription) apply(set settings, now time.Time, delay time.Duration) {
	sub.inEffect(now)
	if set.policy != sub.policy || set.scope != sub.scope {
		if delay <= 0 {
			sub.applied, sub.coming = set.parsed, nil
		} else {
			sub.coming = append(sub.coming, policyChange{now.Add(delay), set.parsed})
		}
	}
	sub.raw, sub.redrive, sub.dead, sub.policy, sub.scope = set.raw, set.redrive, set.dead, set.policy, set.scope
}

// refusal is what is wrong with an attribute's value, without the words
// "Invalid parameter" that the operations put before it.
type refusal string

// set changes one attribute. The filter policy itself is checked by check,
// once its scope is known.
func (set *settings) set(name, value string, t *topic) refusal {
	switch name {
	case "RawMessageDelivery":
		if value != "true" && value != "false" {
			return refusal(fmt.Sprintf("RawMessageDelivery: Invalid value [%s]. Must be true or false.", value))
		}
		set.raw = value == "true"
	case "FilterPolicyScope":
		if value != string(filter.MessageAttributes) && value != string(filter.MessageBody) {
			return refusal(fmt.Sprintf("FilterPolicyScope: Invalid value [%s]. Please use either MessageBody or MessageAttributes", value))
		}
		set.scope = filter.Scope(value)
	case "FilterPolicy":
		set.policy = value
	case "RedrivePolicy":
		return set.setRedrive(value, t)
	default:
		return refusal("localaws does not know the subscription attribute " + name)
	}
	return ""
}

// check compiles the filter policy for its scope. An empty policy, or the
// empty object, is none.
func (set *settings) check() refusal {
	set.parsed = nil
	if set.policy == "" {
		return ""
	}
	parsed, err := filter.Parse(set.policy, set.scope)
	if err != nil {
		return refusal(err.Error())
	}
	if set.empty() {
		set.policy = ""
		return ""
	}
	set.parsed = parsed
	return ""
}

func (set *settings) empty() bool {
	var object map[string]json.RawMessage
	return json.Unmarshal([]byte(set.policy), &object) == nil && len(object) == 0
}

// setRedrive reads {"deadLetterTargetArn": "<queue>"}; an empty value takes
// the dead-letter queue away ("Amazon SNS dead-letter queues").
func (set *settings) setRedrive(value string, t *topic) refusal {
	if value == "" {
		set.redrive, set.dead = "", ""
		return ""
	}
	var policy map[string]any
	if err := json.Unmarshal([]byte(value), &policy); err != nil {
		return refusal("RedrivePolicy: policy is not a JSON object")
	}
	for name := range policy {
		if name != "deadLetterTargetArn" {
			return refusal("RedrivePolicy: localaws does not know " + name)
		}
	}
	target, ok := policy["deadLetterTargetArn"].(string)
	switch {
	case !ok || target == "":
		return "RedrivePolicy: deadLetterTargetArn is required"
	case !isQueueARN(target):
		return "RedrivePolicy: deadLetterTargetArn is an invalid arn"
	case regionAndAccount(target) != regionAndAccount(t.arn):
		return "RedrivePolicy: deadLetterTargetArn must be in the same account and region as the subscription"
	case isFIFO(target) != t.fifo:
		return "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO topic, and a standard queue for a standard topic"
	}
	set.redrive, set.dead = value, target
	return ""
}
