package sqs

import (
	"context"
	"maps"
)

func (s *Service) tagQueue(_ context.Context, in struct {
	QueueURL string `json:"QueueUrl"`
	Tags     map[string]string
}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, missing("Tags")
	}
	if q.tags == nil {
		q.tags = map[string]string{}
	}
	maps.Copy(q.tags, in.Tags)
	return empty{}, nil
}

func (s *Service) untagQueue(_ context.Context, in struct {
	QueueURL string `json:"QueueUrl"`
	TagKeys  []string
}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if len(in.TagKeys) == 0 {
		return nil, missing("TagKeys")
	}
	for _, key := range in.TagKeys {
		delete(q.tags, key)
	}
	return empty{}, nil
}

func (s *Service) listQueueTags(_ context.Context, in struct {
	QueueURL string `json:"QueueUrl"`
}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return struct {
		Tags map[string]string `json:",omitempty"`
	}{maps.Clone(q.tags)}, nil
}
