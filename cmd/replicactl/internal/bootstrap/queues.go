package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/policy"
)

// maxMessageBytes is the largest message SQS takes (SQS, "Message quotas"): a
// dead letter has the whole body and the reason beside it.
const maxMessageBytes = 1 << 20

// Attributes of a queue (SQS, "SetQueueAttributes").
const (
	attrPolicy     = string(types.QueueAttributeNamePolicy)
	attrRedrive    = string(types.QueueAttributeNameRedrivePolicy)
	attrVisibility = string(types.QueueAttributeNameVisibilityTimeout)
	attrRetention  = string(types.QueueAttributeNameMessageRetentionPeriod)
	attrMaxBytes   = string(types.QueueAttributeNameMaximumMessageSize)
	attrARN        = string(types.QueueAttributeNameQueueArn)
)

func (s *survey) queue(ctx context.Context, spec queueSpec) error {
	step := &Step{Action: Unchanged, Kind: Queue, Name: spec.name, Service: spec.service, Summary: spec.summary()}
	s.add(step)
	found, err := s.SQS.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(spec.name)})
	var missing *types.QueueDoesNotExist
	switch {
	case errors.As(err, &missing):
		step.Action = Create
		step.apply = func(ctx context.Context, step *Step) error { return s.createQueue(ctx, step, spec) }
		return nil
	case err != nil:
		return err
	}
	have, err := s.attributes(ctx, spec.name, aws.ToString(found.QueueUrl))
	if err != nil {
		return err
	}
	step.Differences = s.compareQueue(spec, have)
	if len(step.Differences) > 0 {
		step.Action = Update
		step.apply = func(ctx context.Context, step *Step) error { return s.changeQueue(ctx, step, spec) }
	}
	return nil
}

func (q queueSpec) summary() string {
	parts := []string{fmt.Sprintf("keeps messages %d days", q.retention/(24*time.Hour))}
	if q.visibility > 0 {
		parts = append(parts, fmt.Sprintf("visibility timeout %v", q.visibility))
	}
	if q.deadLetters != "" {
		parts = append(parts, fmt.Sprintf("%d receives, then %s", q.maxReceives, q.deadLetters))
	}
	if q.topic != "" {
		parts = append(parts, "takes from topic "+q.topic)
	}
	return strings.Join(parts, ", ")
}

// attributes reads a queue's attributes and notes where it is.
func (s *survey) attributes(ctx context.Context, name, url string) (map[string]string, error) {
	got, err := s.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(url), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		return nil, err
	}
	s.queues[name] = queueRef{url: url, arn: got.Attributes[attrARN]}
	return got.Attributes, nil
}

// wanted returns the plain attributes of the queue, those that name no other
// resource.
func (q queueSpec) wanted() map[string]string {
	want := map[string]string{
		attrRetention: strconv.Itoa(int(q.retention / time.Second)),
		attrMaxBytes:  strconv.Itoa(maxMessageBytes),
	}
	if q.visibility > 0 {
		want[attrVisibility] = strconv.Itoa(int(q.visibility / time.Second))
	}
	return want
}

func (s *survey) compareQueue(spec queueSpec, have map[string]string) []Difference {
	var all []Difference
	want := spec.wanted()
	for _, name := range []string{attrRetention, attrVisibility, attrMaxBytes} {
		if w, ok := want[name]; ok && have[name] != w {
			all = append(all, Difference{Field: name, Have: orNone(have[name]), Want: w})
		}
	}
	if spec.deadLetters != "" {
		target, count := policy.DeadLetterTarget(have[attrRedrive]), policy.RedriveCount(have[attrRedrive])
		if dead := s.queues[spec.deadLetters].arn; target == "" || target != dead || count != strconv.Itoa(spec.maxReceives) {
			all = append(all, Difference{Field: attrRedrive, Have: orNone(have[attrRedrive]), Want: fmt.Sprintf("%d receives, then %s", spec.maxReceives, spec.deadLetters)})
		}
	}
	if spec.topic != "" {
		topic := s.topics[spec.topic]
		if topic == "" || !policy.Same(have[attrPolicy], policy.Queue(have[attrARN], topic, s.overTLS())) {
			all = append(all, Difference{Field: attrPolicy, Have: orNone(have[attrPolicy]), Want: "takes from topic " + spec.topic + " and from nothing else of SNS"})
		}
	}
	return all
}

// overTLS reports whether the queue is on AWS, where TLS can be demanded.
func (s *survey) overTLS() bool { return s.endpoints()["sqs"] == onAWS }

func (s *survey) createQueue(ctx context.Context, step *Step, spec queueSpec) error {
	attributes := spec.wanted()
	if spec.deadLetters != "" {
		attributes[attrRedrive] = policy.Redrive(s.queues[spec.deadLetters].arn, spec.maxReceives)
	}
	create := func() (*sqs.CreateQueueOutput, error) {
		return s.SQS.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(spec.name), Attributes: attributes})
	}
	made, err := create()
	if s.smaller(step, attributes, err) {
		made, err = create()
	}
	if err != nil {
		return s.explainCreate(err)
	}
	var have map[string]string
	if err := s.soon(ctx, func() (err error) {
		have, err = s.attributes(ctx, spec.name, aws.ToString(made.QueueUrl))
		return err
	}); err != nil || spec.topic == "" {
		return err
	}
	return s.soon(ctx, func() error {
		return s.setQueue(ctx, spec, map[string]string{attrPolicy: policy.Text(policy.Queue(have[attrARN], s.topics[spec.topic], s.overTLS()))})
	})
}

// soonLooks is how often a queue that was just made is called before it counts
// as gone.
const soonLooks = 5

// soon repeats a call to a queue that was just made while SQS does not know it:
// that takes it up to a second (SQS, "CreateQueue").
func (s *survey) soon(ctx context.Context, call func() error) error {
	for looks := 1; ; looks++ {
		err := call()
		var missing *types.QueueDoesNotExist
		if !errors.As(err, &missing) || looks == soonLooks {
			return err
		}
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
}

func (s *survey) explainCreate(err error) error {
	var recent *types.QueueDeletedRecently
	if errors.As(err, &recent) {
		return fmt.Errorf("%w; a queue of that name was deleted a moment ago, and SQS keeps the name for 60 seconds: run again in a minute", err)
	}
	var exists *types.QueueNameExists
	if errors.As(err, &exists) {
		return fmt.Errorf("%w; somebody else made it meanwhile: run again", err)
	}
	return err
}

// smaller drops the message size from the attributes where err says that an
// endpoint other than AWS declines it, and notes that; it reports whether to
// try again.
func (s *survey) smaller(step *Step, attributes map[string]string, err error) bool {
	if _, asked := attributes[attrMaxBytes]; !asked || !declines(s.endpoints()["sqs"], err) {
		return false
	}
	delete(attributes, attrMaxBytes)
	step.Notes = append(step.Notes, fmt.Sprintf("this endpoint declines messages of %d bytes, so its own limit holds", maxMessageBytes))
	return true
}

func (s *survey) changeQueue(ctx context.Context, step *Step, spec queueSpec) error {
	want, change := spec.wanted(), map[string]string{}
	if spec.topic != "" {
		// Always with the rest: one engine other than AWS drops the policy when
		// attributes are set without it, and setting it again does no harm.
		change[attrPolicy] = policy.Text(policy.Queue(s.queues[spec.name].arn, s.topics[spec.topic], s.overTLS()))
	}
	for _, d := range step.Differences {
		switch d.Field {
		case attrPolicy:
		case attrRedrive:
			change[attrRedrive] = policy.Redrive(s.queues[spec.deadLetters].arn, spec.maxReceives)
		default:
			change[d.Field] = want[d.Field]
		}
	}
	err := s.setQueue(ctx, spec, change)
	if s.smaller(step, change, err) {
		if len(change) == 0 {
			return nil
		}
		err = s.setQueue(ctx, spec, change)
	}
	return err
}

func (s *survey) setQueue(ctx context.Context, spec queueSpec, attributes map[string]string) error {
	_, err := s.SQS.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: aws.String(s.queues[spec.name].url), Attributes: attributes})
	return err
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
