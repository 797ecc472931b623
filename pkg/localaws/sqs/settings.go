package sqs

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings are a queue's attributes that a caller may set, in a form to work
// with.
type settings struct {
	delay      time.Duration
	maxBytes   int
	retention  time.Duration
	wait       time.Duration
	visibility time.Duration

	policyText    string
	policy        *policy
	redriveText   string
	redrive       *redrivePolicy
	allowText     string
	allow         *redriveAllowPolicy
	managedSSE    bool
	fifo          bool
	contentDedup  bool
	scopeGroup    bool // DeduplicationScope is messageGroup
	limitPerGroup bool // FifoThroughputLimit is perMessageGroupId
}

// defaultSettings are those of a queue created without attributes
// ("CreateQueue", API reference).
func defaultSettings() settings {
	return settings{
		maxBytes:   maxMessageBytes,
		retention:  4 * 24 * time.Hour,
		visibility: 30 * time.Second,
		managedSSE: true,
	}
}

// maxMessageBytes is the largest message, and the largest batch ("Amazon SQS
// message quotas": 1 MiB, attributes included).
const maxMessageBytes = 1 << 20

// setting reads and writes one attribute.
type setting struct {
	set func(*settings, string) error
	// get returns the attribute's value and whether the queue reports it.
	get func(*settings) (string, bool)
}

var settingsByName = map[string]setting{
	"DelaySeconds":                  seconds("DelaySeconds", 0, 900, func(s *settings) *time.Duration { return &s.delay }),
	"MessageRetentionPeriod":        seconds("MessageRetentionPeriod", 60, 1_209_600, func(s *settings) *time.Duration { return &s.retention }),
	"ReceiveMessageWaitTimeSeconds": seconds("ReceiveMessageWaitTimeSeconds", 0, 20, func(s *settings) *time.Duration { return &s.wait }),
	"VisibilityTimeout":             seconds("VisibilityTimeout", 0, 43_200, func(s *settings) *time.Duration { return &s.visibility }),
	"MaximumMessageSize": {
		set: func(s *settings, value string) error {
			n, err := boundedInt("MaximumMessageSize", value, 1024, maxMessageBytes)
			s.maxBytes = n
			return err
		},
		get: func(s *settings) (string, bool) { return strconv.Itoa(s.maxBytes), true },
	},
	"Policy": {
		set: func(s *settings, value string) (err error) {
			s.policyText = value
			s.policy, err = parsePolicy(value)
			return err
		},
		get: func(s *settings) (string, bool) { return s.policyText, s.policyText != "" },
	},
	"RedrivePolicy": {
		set: func(s *settings, value string) (err error) {
			s.redriveText = value
			s.redrive, err = parseRedrivePolicy(value)
			return err
		},
		get: func(s *settings) (string, bool) { return s.redriveText, s.redriveText != "" },
	},
	"RedriveAllowPolicy": {
		set: func(s *settings, value string) (err error) {
			s.allowText = value
			s.allow, err = parseRedriveAllowPolicy(value)
			return err
		},
		get: func(s *settings) (string, bool) { return s.allowText, s.allowText != "" },
	},
	"SqsManagedSseEnabled": flag("SqsManagedSseEnabled", func(s *settings) *bool { return &s.managedSSE }, always),
	"FifoQueue": {
		set: func(s *settings, value string) error {
			// A standard queue is made by leaving the attribute out.
			if value != "true" {
				return unknownAttribute("FifoQueue")
			}
			s.fifo = true
			return nil
		},
		get: func(s *settings) (string, bool) { return "true", s.fifo },
	},
	"ContentBasedDeduplication": flag("ContentBasedDeduplication", func(s *settings) *bool { return &s.contentDedup }, fifoOnly),
	"DeduplicationScope":        choice("DeduplicationScope", "queue", "messageGroup", func(s *settings) *bool { return &s.scopeGroup }),
	"FifoThroughputLimit":       choice("FifoThroughputLimit", "perQueue", "perMessageGroupId", func(s *settings) *bool { return &s.limitPerGroup }),
}

func always(*settings) bool     { return true }
func fifoOnly(s *settings) bool { return s.fifo }

func invalidValue(name string) error {
	return errorf("InvalidAttributeValue", "Invalid value for the parameter %s.", name)
}

func unknownAttribute(name string) error {
	return errorf("InvalidAttributeName", "Unknown Attribute %s.", name)
}

func boundedInt(name, value string, low, high int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		return 0, invalidValue(name)
	}
	return n, nil
}

func seconds(name string, low, high int, field func(*settings) *time.Duration) setting {
	return setting{
		set: func(s *settings, value string) error {
			n, err := boundedInt(name, value, low, high)
			*field(s) = time.Duration(n) * time.Second
			return err
		},
		get: func(s *settings) (string, bool) {
			return strconv.Itoa(int(*field(s) / time.Second)), true
		},
	}
}

func flag(name string, field func(*settings) *bool, reported func(*settings) bool) setting {
	return setting{
		set: func(s *settings, value string) error {
			if value != "true" && value != "false" {
				return invalidValue(name)
			}
			*field(s) = value == "true"
			return nil
		},
		get: func(s *settings) (string, bool) { return strconv.FormatBool(*field(s)), reported(s) },
	}
}

func choice(name, off, on string, field func(*settings) *bool) setting {
	return setting{
		set: func(s *settings, value string) error {
			if value != off && value != on {
				return invalidValue(name)
			}
			*field(s) = value == on
			return nil
		},
		get: func(s *settings) (string, bool) {
			if *field(s) {
				return on, s.fifo
			}
			return off, s.fifo
		},
	}
}

// apply sets attributes on a copy of the settings and checks them together.
func (s settings) apply(attributes map[string]string) (settings, error) {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		attribute, ok := settingsByName[name]
		if !ok {
			if strings.HasPrefix(name, "Kms") {
				return s, unsupported("localaws does not build encryption with KMS keys: %s", name)
			}
			return s, unknownAttribute(name)
		}
		if err := attribute.set(&s, attributes[name]); err != nil {
			return s, err
		}
	}
	if !s.fifo {
		for _, name := range []string{"ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"} {
			if _, given := attributes[name]; given {
				return s, unknownAttribute(name)
			}
		}
	}
	if s.limitPerGroup && !s.scopeGroup {
		return s, errorf("InvalidAttributeValue", "Invalid value for the parameter FifoThroughputLimit. Reason: The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup.")
	}
	return s, nil
}

// same reports whether every given attribute has the value the queue has, and
// names the first that does not. Documents are compared by content.
func (s settings) same(attributes map[string]string, wanted settings) (string, bool) {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		attribute := settingsByName[name]
		has, _ := attribute.get(&s)
		wants, _ := attribute.get(&wanted)
		if has != wants && !sameDocument(has, wants) {
			return name, false
		}
	}
	return "", true
}

func sameDocument(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
