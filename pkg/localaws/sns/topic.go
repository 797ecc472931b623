package sns

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// topic is a topic and what hangs off it; Service.mu guards it.
type topic struct {
	arn           string
	name          string
	fifo          bool
	attributes    map[string]string // those set explicitly
	tags          map[string]string
	subscriptions []*subscription // in the order they were made
	recent        deduplication
}

var (
	topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	// fifoTopicName counts the suffix among the 256 characters.
	fifoTopicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,251}\.fifo$`)
)

type createTopicInput struct {
	name       string
	attributes map[string]string
	tags       map[string]string
}

type topicOutput struct {
	TopicArn string
}

// createTopic makes a topic, or returns the one of that name if the
// attributes and tags given are those it has.
var createTopic = action(
	func(p *param) createTopicInput {
		return createTopicInput{name: p.required("Name"), attributes: p.textMap("Attributes"), tags: p.tags("Tags")}
	},
	func(s *Service, _ context.Context, in createTopicInput) (any, error) {
		attributes := maps.Clone(in.attributes)
		fifo := attributes["FifoTopic"] == "true"
		if given, ok := attributes["FifoTopic"]; ok && given != "true" && given != "false" {
			return nil, wire.Errorf("InvalidParameter", "Invalid parameter: Attributes Reason: FifoTopic must be true or false, not %q", given)
		}
		delete(attributes, "FifoTopic")
		if err := checkTopicName(in.name, fifo); err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(attributes)) {
			if err := checkTopicAttribute(name, attributes[name], fifo); err != nil {
				return nil, wire.Errorf("InvalidParameter", "Invalid parameter: Attributes Reason: %s", err.Message)
			}
		}
		if err := checkTagCount(in.tags); err != nil {
			return nil, err
		}

		s.mu.Lock()
		defer s.mu.Unlock()
		arn := s.topicARN(in.name)
		if t := s.topics[arn]; t != nil {
			for name, value := range attributes {
				if t.attribute(name) != value {
					return nil, wire.Errorf("InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes")
				}
			}
			for key, value := range in.tags {
				if has, ok := t.tags[key]; !ok || has != value {
					return nil, wire.Errorf("InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags")
				}
			}
			return topicOutput{arn}, nil
		}
		s.topics[arn] = &topic{arn: arn, name: in.name, fifo: fifo, attributes: attributes, tags: in.tags}
		s.counts.topic(arn)
		return topicOutput{arn}, nil
	})

// checkTopicName refuses what AWS refuses as a topic's name ("CreateTopic").
func checkTopicName(name string, fifo bool) error {
	switch {
	case fifo && !fifoTopicName.MatchString(name):
		return wire.Errorf("InvalidParameter", "Invalid parameter: Fifo Topic names must end with .fifo and must be made up of only "+
			"uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.")
	case !fifo && !topicName.MatchString(name):
		return wire.Errorf("InvalidParameter", "Invalid parameter: Topic Name")
	}
	return nil
}

// deleteTopic removes a topic and its subscriptions. Deleting a topic that is
// not there is a success ("DeleteTopic").
var deleteTopic = action(
	func(p *param) string { return p.required("TopicArn") },
	func(s *Service, _ context.Context, arn string) (any, error) {
		if err := checkARN("TopicArn", arn); err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if t := s.topics[arn]; t != nil {
			for _, sub := range t.subscriptions {
				delete(s.subscriptions, sub.arn)
			}
			delete(s.topics, arn)
		}
		return nil, nil
	})

type listTopicsOutput struct {
	Topics    []topicOutput `xml:"Topics>member"`
	NextToken string        `xml:",omitempty"`
}

var listTopics = action(
	func(p *param) string { return p.text("NextToken") },
	func(s *Service, _ context.Context, token string) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		page, next, err := pageOf(slices.Collect(maps.Keys(s.topics)), token)
		if err != nil {
			return nil, err
		}
		out := listTopicsOutput{NextToken: next}
		for _, arn := range page {
			out.Topics = append(out.Topics, topicOutput{arn})
		}
		return out, nil
	})

// attribute returns what an attribute is set to, or its default.
func (t *topic) attribute(name string) string {
	if value, ok := t.attributes[name]; ok {
		return value
	}
	if strings.HasPrefix(name, "Fifo") || name == "ContentBasedDeduplication" {
		if !t.fifo {
			return ""
		}
	}
	return topicDefaults[name]
}
