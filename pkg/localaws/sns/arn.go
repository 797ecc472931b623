package sns

import (
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// topicARN names a topic of this account and region.
func (s *Service) topicARN(name string) string {
	return "arn:aws:sns:" + s.cfg.Region + ":" + s.cfg.AccountID + ":" + name
}

// checkARN refuses text that has not an ARN's six parts.
func checkARN(param, arn string) error {
	if parts := strings.Split(arn, ":"); len(parts) < 6 || parts[0] != "arn" {
		return wire.Errorf("InvalidParameter",
			"Invalid parameter: %s Reason: An ARN must have at least 6 elements, not %d", param, len(parts))
	}
	return nil
}

// isQueueARN tells whether arn names an SQS queue.
func isQueueARN(arn string) bool {
	parts := strings.Split(arn, ":")
	return len(parts) == 6 && parts[0] == "arn" && parts[1] == "aws" && parts[2] == "sqs" &&
		parts[3] != "" && parts[4] != "" && parts[5] != ""
}

// isFIFO tells whether an ARN or a name is that of a FIFO topic or queue.
func isFIFO(arn string) bool { return strings.HasSuffix(arn, ".fifo") }

// topic finds a topic. Service.mu is held.
func (s *Service) topic(param, arn string) (*topic, error) {
	if err := checkARN(param, arn); err != nil {
		return nil, err
	}
	if t := s.topics[arn]; t != nil {
		return t, nil
	}
	return nil, &wire.Error{Code: "NotFound", Message: "Topic does not exist", Status: 404}
}

// subscription finds a subscription. Service.mu is held.
func (s *Service) subscription(arn string) (*subscription, error) {
	if err := checkARN("SubscriptionArn", arn); err != nil {
		return nil, err
	}
	if sub := s.subscriptions[arn]; sub != nil {
		return sub, nil
	}
	return nil, &wire.Error{Code: "NotFound", Message: "Subscription does not exist", Status: 404}
}

// regionAndAccount is an ARN's fourth and fifth part.
func regionAndAccount(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	return parts[3] + ":" + parts[4]
}
