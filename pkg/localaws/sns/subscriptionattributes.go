package sns

import (
	"context"
	"strconv"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// getSubscriptionAttributes names the scope only where there is a filter
// policy, as AWS does.
var getSubscriptionAttributes = action(
	func(p *param) string { return p.required("SubscriptionArn") },
	func(s *Service, _ context.Context, arn string) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		sub, err := s.subscription(arn)
		if err != nil {
			return nil, err
		}
		all := map[string]string{
			"SubscriptionArn":              sub.arn,
			"TopicArn":                     sub.topic.arn,
			"Protocol":                     "sqs",
			"Endpoint":                     sub.endpoint,
			"Owner":                        s.cfg.AccountID,
			"SubscriptionPrincipal":        "arn:aws:iam::" + s.cfg.AccountID + ":root",
			"ConfirmationWasAuthenticated": "true",
			"PendingConfirmation":          "false",
			"RawMessageDelivery":           strconv.FormatBool(sub.raw),
		}
		if sub.policy != "" {
			all["FilterPolicy"] = sub.policy
			all["FilterPolicyScope"] = string(sub.scope)
		}
		if sub.redrive != "" {
			all["RedrivePolicy"] = sub.redrive
		}
		return attributesOutput{xmlEntries(all)}, nil
	})

type setSubscriptionAttributesInput struct {
	arn, name, value string
}

var setSubscriptionAttributes = action(
	func(p *param) setSubscriptionAttributesInput {
		return setSubscriptionAttributesInput{p.required("SubscriptionArn"), p.required("AttributeName"), p.text("AttributeValue")}
	},
	func(s *Service, _ context.Context, in setSubscriptionAttributesInput) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		sub, err := s.subscription(in.arn)
		if err != nil {
			return nil, err
		}
		set := sub.settings()
		had := set.policy != ""
		if wrong := set.set(in.name, in.value, sub.topic); wrong != "" {
			return nil, wire.Errorf("InvalidParameter", "Invalid parameter: %s", wrong)
		}
		if wrong := set.check(); wrong != "" {
			return nil, wire.Errorf("InvalidParameter", "Invalid parameter: %s", wrong)
		}
		if !had {
			if err := sub.topic.roomForPolicy(set); err != nil {
				return nil, err
			}
		}
		sub.apply(set, s.cfg.Now(), s.cfg.FilterDelay)
		return nil, nil
	})
