package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// Message sizes in bytes, of the body and the attributes together ("Publishing
// large messages with Amazon SNS").
const (
	defaultMaximumBytes = 262144
	smallestMaximum     = 1024
	largestMaximum      = 1048576
)

// topicDefaults are the values of attributes nobody set.
var topicDefaults = map[string]string{
	"ContentBasedDeduplication": "false",
	"FifoThroughputScope":       "Topic",
	"MaximumMessageSize":        strconv.Itoa(defaultMaximumBytes),
	"SignatureVersion":          "1",
	"TracingConfig":             "PassThrough",
}

// topicAttributes are the attributes a topic can be given, each with what its
// value must be. Delivery status logging, archives and data protection are
// not among them.
var topicAttributes = map[string]func(value string, fifo bool) string{
	"DisplayName": func(value string, _ bool) string {
		if len(value) > 100 {
			return "must be at most 100 characters"
		}
		return ""
	},
	"Policy":         jsonObject,
	"DeliveryPolicy": jsonObject,
	"KmsMasterKeyId": func(string, bool) string { return "" },
	"TracingConfig": func(value string, fifo bool) string {
		if fifo && value == "Active" {
			return "must be PassThrough on a FIFO topic"
		}
		return oneOf(value, "PassThrough", "Active")
	},
	"SignatureVersion": func(value string, _ bool) string { return oneOf(value, "1", "2") },
	"MaximumMessageSize": func(value string, _ bool) string {
		size, err := strconv.Atoi(value)
		if err != nil || size < smallestMaximum || size > largestMaximum {
			return fmt.Sprintf("must be a number of bytes from %d to %d", smallestMaximum, largestMaximum)
		}
		return ""
	},
	"ContentBasedDeduplication": func(value string, fifo bool) string {
		if !fifo {
			return "is for FIFO topics only"
		}
		return oneOf(value, "true", "false")
	},
	"FifoThroughputScope": func(value string, fifo bool) string {
		if !fifo {
			return "is for FIFO topics only"
		}
		return oneOf(value, "Topic", "MessageGroup")
	},
}

func jsonObject(value string, _ bool) string {
	var object map[string]any
	if json.Unmarshal([]byte(value), &object) != nil || object == nil {
		return "must be a JSON object"
	}
	return ""
}

func oneOf(value, first, second string) string {
	if value != first && value != second {
		return "must be " + first + " or " + second
	}
	return ""
}

// checkTopicAttribute says what is wrong with an attribute, if anything.
func checkTopicAttribute(name, value string, fifo bool) *wire.Error {
	check, ok := topicAttributes[name]
	if !ok {
		return wire.Errorf("InvalidParameter", "localaws does not know the topic attribute %s", name)
	}
	if wrong := check(value, fifo); wrong != "" {
		return wire.Errorf("InvalidParameter", "%s %s, not %q", name, wrong, value)
	}
	return nil
}

type attributesOutput struct {
	Attributes []xmlEntry `xml:"Attributes>entry"`
}

var getTopicAttributes = action(
	func(p *param) string { return p.required("TopicArn") },
	func(s *Service, _ context.Context, arn string) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		t, err := s.topic("TopicArn", arn)
		if err != nil {
			return nil, err
		}
		all := map[string]string{
			"TopicArn":                arn,
			"Owner":                   s.cfg.AccountID,
			"DisplayName":             "",
			"Policy":                  s.ownerPolicy(arn),
			"SubscriptionsConfirmed":  strconv.Itoa(len(t.subscriptions)),
			"SubscriptionsPending":    "0",
			"SubscriptionsDeleted":    "0",
			"EffectiveDeliveryPolicy": effectiveDeliveryPolicy,
		}
		if t.fifo {
			all["FifoTopic"] = "true"
			all["ContentBasedDeduplication"] = t.attribute("ContentBasedDeduplication")
			all["FifoThroughputScope"] = t.attribute("FifoThroughputScope")
		}
		maps.Copy(all, t.attributes)
		return attributesOutput{xmlEntries(all)}, nil
	})

// effectiveDeliveryPolicy is AWS's default for HTTP endpoints ("Amazon SNS
// message delivery retries"); nothing here delivers by HTTP.
const effectiveDeliveryPolicy = `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,` +
	`"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false}}`

// ownerPolicy is the access policy a topic has until it gets another: its
// owner may do everything.
func (s *Service) ownerPolicy(arn string) string {
	return fmt.Sprintf(`{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow",`+
		`"Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission",`+
		`"SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":%q,`+
		`"Condition":{"StringEquals":{"AWS:SourceOwner":%q}}}]}`, arn, s.cfg.AccountID)
}

type setTopicAttributesInput struct {
	arn, name, value string
}

var setTopicAttributes = action(
	func(p *param) setTopicAttributesInput {
		return setTopicAttributesInput{p.required("TopicArn"), p.required("AttributeName"), p.text("AttributeValue")}
	},
	func(s *Service, _ context.Context, in setTopicAttributesInput) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		t, err := s.topic("TopicArn", in.arn)
		if err != nil {
			return nil, err
		}
		if in.name == "FifoTopic" {
			return nil, wire.Errorf("InvalidParameter", "Invalid parameter: AttributeName Reason: FifoTopic is set when a topic is created and never changes")
		}
		if err := checkTopicAttribute(in.name, in.value, t.fifo); err != nil {
			return nil, wire.Errorf("InvalidParameter", "Invalid parameter: AttributeName Reason: %s", err.Message)
		}
		if in.name == "MaximumMessageSize" && len(t.subscriptions) > largeTopicSubscriptions && bytesOf(in.value) > defaultMaximumBytes {
			return nil, wire.Errorf("InvalidParameter", "Invalid parameter: MaximumMessageSize Reason: a topic above %d bytes has at most %d subscriptions, not %d",
				defaultMaximumBytes, largeTopicSubscriptions, len(t.subscriptions))
		}
		t.attributes[in.name] = in.value
		return nil, nil
	})

// bytesOf reads a MaximumMessageSize that was checked before it was stored.
func bytesOf(size string) int {
	bytes, err := strconv.Atoi(size)
	if err != nil {
		return defaultMaximumBytes
	}
	return bytes
}

// maximumBytes is the size a message to the topic, or a whole batch of them,
// may have.
func (t *topic) maximumBytes() int { return bytesOf(t.attribute("MaximumMessageSize")) }
