package sns

import (
	"context"
	"maps"
	"slices"

	"github.com/tributary-dev/tributary/pkg/localaws/sns/filter"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// Quotas ("Filter policy constraints in Amazon SNS", "Publishing large
// messages with Amazon SNS").
const (
	topicFilterPolicies     = 200
	largeTopicSubscriptions = 100
)

type subscribeInput struct {
	topicARN, protocol, endpoint string
	attributes                   map[string]string
}

type subscribeOutput struct {
	SubscriptionArn string
}

// subscribe subscribes a queue, which is confirmed at once because topic and
// queue have one owner. The same queue with the same attributes has its
// subscription already.
var subscribe = action(
	func(p *param) subscribeInput {
		// ReturnSubscriptionArn changes nothing: every subscription is
		// confirmed, so its ARN is always returned.
		p.flag("ReturnSubscriptionArn")
		return subscribeInput{
			topicARN: p.required("TopicArn"), protocol: p.required("Protocol"), endpoint: p.text("Endpoint"),
			attributes: p.textMap("Attributes"),
		}
	},
	func(s *Service, _ context.Context, in subscribeInput) (any, error) {
		if in.protocol != "sqs" {
			return nil, wire.Errorf("InvalidParameter",
				"Invalid parameter: Protocol Reason: localaws delivers to sqs only, not to %q", in.protocol)
		}
		if !isQueueARN(in.endpoint) {
			return nil, wire.Errorf("InvalidParameter", "Invalid parameter: SQS endpoint ARN")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		t, err := s.topic("TopicArn", in.topicARN)
		if err != nil {
			return nil, err
		}
		if isFIFO(in.endpoint) && !t.fifo {
			return nil, wire.Errorf("InvalidParameter",
				"Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
		}
		set := settings{scope: filter.MessageAttributes}
		for _, name := range slices.Sorted(maps.Keys(in.attributes)) {
			if wrong := set.set(name, in.attributes[name], t); wrong != "" {
				return nil, wire.Errorf("InvalidParameter", "Invalid parameter: Attributes Reason: %s", wrong)
			}
		}
		if wrong := set.check(); wrong != "" {
			return nil, wire.Errorf("InvalidParameter", "Invalid parameter: Attributes Reason: %s", wrong)
		}
		if sub := t.subscriptionOf(in.endpoint); sub != nil {
			if !sub.has(in.attributes, set) {
				return nil, wire.Errorf("InvalidParameter",
					"Invalid parameter: Attributes Reason: Subscription already exists with different attributes")
			}
			return subscribeOutput{sub.arn}, nil
		}
		if t.maximumBytes() > defaultMaximumBytes && len(t.subscriptions) >= largeTopicSubscriptions {
			return nil, wire.Errorf("InvalidParameter", "Invalid parameter: a topic whose MaximumMessageSize is above %d has at most %d subscriptions",
				defaultMaximumBytes, largeTopicSubscriptions)
		}
		if err := t.roomForPolicy(set); err != nil {
			return nil, err
		}
		sub := &subscription{
			arn: t.arn + ":" + s.cfg.NewID(), topic: t, endpoint: in.endpoint,
			scope: filter.MessageAttributes, lanes: map[string]*lane{},
		}
		sub.apply(set, s.cfg.Now(), s.cfg.FilterDelay)
		t.subscriptions = append(t.subscriptions, sub)
		s.subscriptions[sub.arn] = sub
		s.counts.count(sub.arn, func(*SubscriptionCounters) {})
		return subscribeOutput{sub.arn}, nil
	})

func (t *topic) subscriptionOf(endpoint string) *subscription {
	for _, sub := range t.subscriptions {
		if sub.endpoint == endpoint {
			return sub
		}
	}
	return nil
}

// has tells whether the subscription has the attributes given, which set
// holds as values.
func (sub *subscription) has(given map[string]string, set settings) bool {
	for name := range given {
		same := true
		switch name {
		case "RawMessageDelivery":
			same = sub.raw == set.raw
		case "FilterPolicy":
			same = sub.policy == set.policy
		case "FilterPolicyScope":
			same = sub.scope == set.scope
		case "RedrivePolicy":
			same = sub.redrive == set.redrive
		}
		if !same {
			return false
		}
	}
	return true
}

// roomForPolicy refuses one filter policy more than a topic can have.
func (t *topic) roomForPolicy(set settings) error {
	if set.parsed == nil {
		return nil
	}
	policies := 0
	for _, sub := range t.subscriptions {
		if sub.policy != "" {
			policies++
		}
	}
	if policies >= topicFilterPolicies {
		return &wire.Error{Code: "FilterPolicyLimitExceeded", Status: 403,
			Message: "Filter policy limit exceeded: a topic has at most 200 filter policies"}
	}
	return nil
}

// unsubscribe removes a subscription; one that is not there is gone already.
var unsubscribe = action(
	func(p *param) string { return p.required("SubscriptionArn") },
	func(s *Service, _ context.Context, arn string) (any, error) {
		if err := checkARN("SubscriptionArn", arn); err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if sub := s.subscriptions[arn]; sub != nil {
			t := sub.topic
			t.subscriptions = slices.DeleteFunc(t.subscriptions, func(other *subscription) bool { return other == sub })
			delete(s.subscriptions, arn)
		}
		return nil, nil
	})

type xmlSubscription struct {
	TopicArn        string
	Protocol        string
	SubscriptionArn string
	Owner           string
	Endpoint        string
}

type listSubscriptionsOutput struct {
	Subscriptions []xmlSubscription `xml:"Subscriptions>member"`
	NextToken     string            `xml:",omitempty"`
}

// list answers with the page of the given subscriptions that a token asks for.
func (s *Service) list(arns []string, token string) (any, error) {
	page, next, err := pageOf(arns, token)
	if err != nil {
		return nil, err
	}
	out := listSubscriptionsOutput{NextToken: next}
	for _, arn := range page {
		sub := s.subscriptions[arn]
		out.Subscriptions = append(out.Subscriptions, xmlSubscription{
			TopicArn: sub.topic.arn, Protocol: "sqs", SubscriptionArn: arn, Owner: s.cfg.AccountID, Endpoint: sub.endpoint,
		})
	}
	return out, nil
}

var listSubscriptions = action(
	func(p *param) string { return p.text("NextToken") },
	func(s *Service, _ context.Context, token string) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.list(slices.Collect(maps.Keys(s.subscriptions)), token)
	})

type listByTopicInput struct {
	topicARN, token string
}

var listSubscriptionsByTopic = action(
	func(p *param) listByTopicInput { return listByTopicInput{p.required("TopicArn"), p.text("NextToken")} },
	func(s *Service, _ context.Context, in listByTopicInput) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		t, err := s.topic("TopicArn", in.topicARN)
		if err != nil {
			return nil, err
		}
		arns := make([]string, len(t.subscriptions))
		for i, sub := range t.subscriptions {
			arns[i] = sub.arn
		}
		return s.list(arns, in.token)
	})
