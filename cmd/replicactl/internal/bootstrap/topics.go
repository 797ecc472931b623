package bootstrap

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// findTopics plans the topics that the manifests own, and finds those that
// they subscribe to: SNS has no call that finds a topic by its name.
func (s *survey) findTopics(ctx context.Context, want declarations) error {
	if len(want.topics)+len(want.subscriptions) == 0 {
		return nil
	}
	pages := sns.NewListTopicsPaginator(s.SNS, &sns.ListTopicsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list topics: %w", err)
		}
		for _, t := range page.Topics {
			arn := aws.ToString(t.TopicArn)
			s.topics[arn[strings.LastIndexByte(arn, ':')+1:]] = arn
		}
	}
	planned := map[string]bool{}
	for _, t := range want.topics {
		planned[t.name] = true
		s.topic(t)
	}
	for _, sub := range want.subscriptions {
		if s.topics[sub.topic] == "" && !planned[sub.topic] {
			return fmt.Errorf("the topic %s, which %s subscribes to, does not exist; it belongs to the owner of %s: give the owner's manifest too, or bootstrap the owner first",
				sub.topic, sub.service, sub.contract)
		}
	}
	return nil
}

func (s *survey) topic(t topicSpec) {
	step := &Step{Action: Unchanged, Kind: Topic, Name: t.name, Service: t.service, Summary: "for " + t.contract}
	if s.topics[t.name] == "" {
		step.Action = Create
		step.apply = func(ctx context.Context, _ *Step) error {
			made, err := s.SNS.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(t.name)})
			if err != nil {
				return err
			}
			s.topics[t.name] = aws.ToString(made.TopicArn)
			return nil
		}
	}
	s.add(step)
}
