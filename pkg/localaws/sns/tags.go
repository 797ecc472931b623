package sns

import (
	"context"
	"maps"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// maxTags is how many tags a topic can have ("Amazon SNS topic tagging").
const maxTags = 50

// tags returns a list of tags as a map.
func (p *param) tags(name string) map[string]string {
	tags := map[string]string{}
	for _, tag := range p.list(name, "member") {
		key := tag.required("Key")
		if _, twice := tags[key]; twice {
			p.problem.note(wire.Errorf("InvalidParameter", "Invalid parameter: Duplicated keys are not allowed."))
		}
		if len(key) == 0 || len(key) > 128 {
			p.problem.note(wire.Errorf("InvalidParameter", "Invalid parameter: Tags Reason: a key has 1 to 128 characters, not %d", len(key)))
		}
		value := tag.required("Value")
		if len(value) > 256 {
			p.problem.note(wire.Errorf("InvalidParameter", "Invalid parameter: Tags Reason: a value has at most 256 characters, not %d", len(value)))
		}
		tags[key] = value
	}
	return tags
}

func checkTagCount(tags map[string]string) error {
	if len(tags) > maxTags {
		return wire.Errorf("TagLimitExceeded", "a resource has at most %d tags, not %d", maxTags, len(tags))
	}
	return nil
}

// tagged finds the topic whose tags a request is about. Service.mu is held.
func (s *Service) tagged(arn string) (*topic, error) {
	if t := s.topics[arn]; t != nil {
		return t, nil
	}
	return nil, &wire.Error{Code: "ResourceNotFound", Message: "Resource does not exist", Status: 404}
}

type tagResourceInput struct {
	arn  string
	tags map[string]string
}

var tagResource = action(
	func(p *param) tagResourceInput { return tagResourceInput{p.required("ResourceArn"), p.tags("Tags")} },
	func(s *Service, _ context.Context, in tagResourceInput) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		t, err := s.tagged(in.arn)
		if err != nil {
			return nil, err
		}
		tags := maps.Clone(t.tags)
		maps.Copy(tags, in.tags)
		if err := checkTagCount(tags); err != nil {
			return nil, err
		}
		t.tags = tags
		return struct{}{}, nil
	})

type untagResourceInput struct {
	arn  string
	keys []string
}

var untagResource = action(
	func(p *param) untagResourceInput {
		in := untagResourceInput{arn: p.required("ResourceArn")}
		for _, key := range p.list("TagKeys", "member") {
			key.read = true
			in.keys = append(in.keys, key.value)
		}
		return in
	},
	func(s *Service, _ context.Context, in untagResourceInput) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		t, err := s.tagged(in.arn)
		if err != nil {
			return nil, err
		}
		for _, key := range in.keys {
			delete(t.tags, key)
		}
		return struct{}{}, nil
	})

type xmlTag struct {
	Key   string
	Value string
}

type listTagsOutput struct {
	Tags []xmlTag `xml:"Tags>member"`
}

var listTagsForResource = action(
	func(p *param) string { return p.required("ResourceArn") },
	func(s *Service, _ context.Context, arn string) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		t, err := s.tagged(arn)
		if err != nil {
			return nil, err
		}
		var out listTagsOutput
		for _, entry := range xmlEntries(t.tags) {
			out.Tags = append(out.Tags, xmlTag(entry))
		}
		return out, nil
	})
