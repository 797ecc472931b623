package status

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/policy"
)

// listTopics returns every topic's ARN by its name: SNS has no call that finds
// a topic by its name.
func (l *look) listTopics(ctx context.Context) Cell[map[string]string] {
	all := map[string]string{}
	pages := sns.NewListTopicsPaginator(l.Clients.SNS, &sns.ListTopicsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed[map[string]string](l, connect.SNS, "the account", err)
		}
		for _, t := range page.Topics {
			all[lastPart(aws.ToString(t.TopicArn))] = aws.ToString(t.TopicArn)
		}
	}
	return known(all)
}

// lastPart is the name at an ARN's end.
func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

// subscriptions fills in the topic's ARN and who subscribes to it.
func (l *look) subscriptions(ctx context.Context, t *Topic) {
	declared := func(cell Cell[Settings]) {
		for _, s := range t.Subscriptions {
			s.Settings = cell
		}
	}
	if l.topics.Value == nil {
		t.ARN, t.Others = without[string](l.topics.Unread), without[[]Other]("the topics could not be listed")
		declared(without[Settings]("the topics could not be listed"))
		return
	}
	arn, exists := (*l.topics.Value)[t.Name]
	if !exists {
		t.ARN, t.Others = Cell[string]{Missing: true}, Cell[[]Other]{Missing: true}
		declared(Cell[Settings]{Missing: true})
		return
	}
	t.ARN = known(arn)
	declared(Cell[Settings]{Missing: true}) // unless it is listed
	others := []Other{}
	pages := sns.NewListSubscriptionsByTopicPaginator(l.Clients.SNS, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(arn)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Others = failed[[]Other](l, connect.SNS, "topic "+t.Name, err)
			declared(without[Settings]("the subscriptions could not be listed: " + t.Others.Unread))
			return
		}
		for _, sub := range page.Subscriptions {
			if s := t.subscriber(sub, arn); s != nil {
				s.Settings = l.settings(ctx, sub)
				l.compare(t, s)
				continue
			}
			others = append(others, l.other(ctx, sub))
		}
	}
	t.Others = known(others)
}

// subscriber returns the declared subscription that SNS lists; nil if no
// manifest declares it. Queues are in the topic's account and Region.
func (t *Topic) subscriber(sub types.Subscription, topic string) *Subscription {
	place := strings.Split(topic, ":") // arn:aws:sns:region:account:name
	for _, s := range t.Subscriptions {
		if len(place) == 6 && aws.ToString(sub.Protocol) == "sqs" &&
			aws.ToString(sub.Endpoint) == strings.Join([]string{place[0], place[1], "sqs", place[3], place[4], s.Queue}, ":") {
			return s
		}
	}
	return nil
}

// settings reads a subscription's attributes.
func (l *look) settings(ctx context.Context, sub types.Subscription) Cell[Settings] {
	arn := aws.ToString(sub.SubscriptionArn)
	if !strings.HasPrefix(arn, "arn:") { // "PendingConfirmation", "Deleted"
		return unread[Settings](l, fmt.Sprintf("SNS says %s of the subscription of %s: it delivers nothing; subscribe it again with the Terraform root that makes it", arn, aws.ToString(sub.Endpoint)))
	}
	out, err := l.Clients.SNS.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: aws.String(arn)})
	if _, gone := errors.AsType[*types.NotFoundException](err); gone {
		return Cell[Settings]{Missing: true}
	}
	if err != nil {
		return failed[Settings](l, connect.SNS, "subscription "+arn, err)
	}
	a := out.Attributes
	settings := Settings{Filter: a["FilterPolicy"], Raw: a["RawMessageDelivery"] == "true"}
	if dead := policy.DeadLetterTarget(a["RedrivePolicy"]); dead != "" {
		settings.Redrive = lastPart(dead)
	}
	if scope := a["FilterPolicyScope"]; scope != "" && scope != "MessageAttributes" {
		settings.Differences = []Difference{{"FilterPolicyScope", scope, "MessageAttributes"}}
	}
	return known(settings)
}

// compare holds what SNS has against the manifest.
func (l *look) compare(t *Topic, s *Subscription) {
	have := s.Settings.Value
	if have == nil {
		return
	}
	declared, err := l.Set.Subscription(t.Contract, s.Subscriber)
	if err != nil {
		return // the contract is unknown here, which the lag says
	}
	if want := declared.Subscription.FilterPolicy(s.Subscriber); !policy.SameFilter(have.Filter, want) {
		have.Differences = append(have.Differences, Difference{"FilterPolicy", orNone(have.Filter), want})
	}
	if !have.Raw {
		have.Differences = append(have.Differences, Difference{"RawMessageDelivery", "false", "true"})
	}
	if have.Redrive != s.DeadLetterQueue {
		have.Differences = append(have.Differences, Difference{"RedrivePolicy", orNone(have.Redrive), s.DeadLetterQueue})
	}
}

func (l *look) other(ctx context.Context, sub types.Subscription) Other {
	o := Other{Protocol: aws.ToString(sub.Protocol), Endpoint: aws.ToString(sub.Endpoint)}
	switch cell := l.settings(ctx, sub); {
	case cell.Value != nil:
		o.Filter, o.Raw, o.Redrive = cell.Value.Filter, cell.Value.Raw, cell.Value.Redrive
	case cell.Missing:
		o.Unread = "it was removed meanwhile"
	default:
		o.Unread = cell.Unread
	}
	return o
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
