package bootstrap

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/policy"
)

// Attributes of a subscription (SNS, "SetSubscriptionAttributes").
const (
	rawDelivery   = "RawMessageDelivery"
	filterPolicy  = "FilterPolicy"
	filterScope   = "FilterPolicyScope"
	redrivePolicy = "RedrivePolicy"

	onMessageAttributes = "MessageAttributes"
)

func (s *survey) subscription(ctx context.Context, spec subscriptionSpec) error {
	step := &Step{Action: Unchanged, Kind: Subscription, Name: spec.name(), Service: spec.service, Summary: "raw delivery, filter " + spec.filter}
	s.add(step)
	arn, err := s.findSubscription(ctx, s.topics[spec.topic], s.queues[spec.queue].arn)
	if err != nil {
		return err
	}
	if arn == "" {
		step.Action = Create
		step.apply = func(ctx context.Context, step *Step) error { return s.subscribe(ctx, step, spec) }
		return nil
	}
	have, err := s.SNS.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: aws.String(arn)})
	if err != nil {
		return err
	}
	s.compareSubscription(step, spec, have.Attributes)
	if len(step.Differences) > 0 {
		step.Action = Update
		step.apply = func(ctx context.Context, step *Step) error { return s.changeSubscription(ctx, step, spec, arn) }
	}
	return nil
}

// findSubscription returns the ARN of the queue's subscription to the topic,
// empty where there is none or where one of the two does not exist yet.
func (s *survey) findSubscription(ctx context.Context, topicARN, queueARN string) (string, error) {
	if topicARN == "" || queueARN == "" {
		return "", nil
	}
	pages := sns.NewListSubscriptionsByTopicPaginator(s.SNS, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(topicARN)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, sub := range page.Subscriptions {
			if aws.ToString(sub.Protocol) == "sqs" && aws.ToString(sub.Endpoint) == queueARN {
				return aws.ToString(sub.SubscriptionArn), nil
			}
		}
	}
	return "", nil
}

func (s *survey) compareSubscription(step *Step, spec subscriptionSpec, have map[string]string) {
	differ := func(field, have, want string) {
		step.Differences = append(step.Differences, Difference{Field: field, Have: orNone(have), Want: want})
	}
	if have[rawDelivery] != "true" {
		differ(rawDelivery, have[rawDelivery], "true")
	}
	if scope := have[filterScope]; scope != "" && scope != onMessageAttributes {
		differ(filterScope, scope, onMessageAttributes)
	}
	if !policy.SameFilter(have[filterPolicy], spec.filter) {
		differ(filterPolicy, have[filterPolicy], spec.filter)
		if s.endpoints()["sns"] == onAWS {
			step.Notes = append(step.Notes, "a changed filter policy takes up to 15 minutes to be in force everywhere (SNS, \"Subscription filter policies\")")
		}
	}
	dead := s.queues[spec.deadLetters].arn
	if got := policy.DeadLetterTarget(have[redrivePolicy]); got == "" || got != dead {
		differ(redrivePolicy, got, "to "+spec.deadLetters)
	}
}

// wantedAttributes returns the subscription's attributes; the queues exist by
// now.
func (s *survey) wantedAttributes(spec subscriptionSpec) map[string]string {
	return map[string]string{
		rawDelivery:   "true",
		filterScope:   onMessageAttributes,
		filterPolicy:  spec.filter,
		redrivePolicy: policy.Redrive(s.queues[spec.deadLetters].arn, 0),
	}
}

func (s *survey) subscribe(ctx context.Context, step *Step, spec subscriptionSpec) error {
	made, err := s.SNS.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: aws.String(s.topics[spec.topic]), Protocol: aws.String("sqs"), Endpoint: aws.String(s.queues[spec.queue].arn),
		Attributes: s.wantedAttributes(spec), ReturnSubscriptionArn: true,
	})
	if err != nil {
		return err
	}
	if made.SubscriptionArn == nil {
		step.Notes = append(step.Notes, "the subscription waits for its confirmation")
	}
	return nil
}

func (s *survey) changeSubscription(ctx context.Context, step *Step, spec subscriptionSpec, arn string) error {
	want := s.wantedAttributes(spec)
	for _, d := range step.Differences {
		if _, err := s.SNS.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{
			SubscriptionArn: aws.String(arn), AttributeName: aws.String(d.Field), AttributeValue: aws.String(want[d.Field]),
		}); err != nil {
			return fmt.Errorf("set %s: %w", d.Field, err)
		}
	}
	return nil
}
