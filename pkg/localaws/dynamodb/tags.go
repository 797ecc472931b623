package dynamodb

import (
	"slices"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const maxTags = 50 // "Quotas in Amazon DynamoDB"

type tagResourceInput struct {
	ResourceArn string
	Tags        []tag
}

type untagResourceInput struct {
	ResourceArn string
	TagKeys     []string
}

type listTagsOfResourceInput struct {
	ResourceArn string
	NextToken   string
}

type listTagsOfResourceOutput struct {
	Tags []tag
}

func checkTags(tags []tag) error {
	seen := make(map[string]bool, len(tags))
	for _, tg := range tags {
		switch {
		case tg.Key == "" || len([]rune(tg.Key)) > 128:
			return parameter("'"+tg.Key+"'", "tags.member.key", "Member must have a length from 1 to 128")
		case len([]rune(tg.Value)) > 256:
			return parameter("'"+tg.Value+"'", "tags.member.value", "Member must have length less than or equal to 256")
		case seen[tg.Key]:
			return invalid("One or more parameter values were invalid: Duplicate tag key: %s", tg.Key)
		}
		seen[tg.Key] = true
	}
	if len(tags) > maxTags {
		return invalid("One or more parameter values were invalid: Too many tags: the limit is %d", maxTags)
	}
	return nil
}

// tagged finds and locks the table of an ARN.
func (s *Service) tagged(arn string) (*table, error) {
	if arn == "" {
		return nil, required("resourceArn")
	}
	t := s.lookup(arn)
	if t == nil || t.arn != arn {
		return nil, wire.Errorf(codeNotFound, "Requested resource not found: ResourceArn: %s not found", arn)
	}
	return t, t.lock()
}

func (s *Service) tagResource(body []byte) (any, error) {
	var in tagResourceInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, required("tags")
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	t, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	added := 0
	for _, tg := range in.Tags {
		if _, ok := t.tags[tg.Key]; !ok {
			added++
		}
	}
	if len(t.tags)+added > maxTags {
		return nil, invalid("One or more parameter values were invalid: Too many tags: the limit is %d", maxTags)
	}
	for _, tg := range in.Tags {
		t.tags[tg.Key] = tg.Value
	}
	return struct{}{}, nil
}

func (s *Service) untagResource(body []byte) (any, error) {
	var in untagResourceInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if len(in.TagKeys) == 0 {
		return nil, required("tagKeys")
	}
	t, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	for _, key := range in.TagKeys {
		delete(t.tags, key)
	}
	return struct{}{}, nil
}

// listTagsOfResource answers in one page: a table has at most 50 tags.
func (s *Service) listTagsOfResource(body []byte) (any, error) {
	var in listTagsOfResourceInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if in.NextToken != "" {
		return nil, invalid("Invalid NextToken: localaws gives none out")
	}
	t, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	out := listTagsOfResourceOutput{Tags: make([]tag, 0, len(t.tags))}
	for key, value := range t.tags {
		out.Tags = append(out.Tags, tag{Key: key, Value: value})
	}
	slices.SortFunc(out.Tags, func(a, b tag) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	return out, nil
}
