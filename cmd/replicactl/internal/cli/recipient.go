package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/policy"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

// recipient is one subscriber, to which verbs publish over its owner's topic.
type recipient struct {
	owner   target.Published
	sub     target.Subscribed
	source  *replica.Source
	clients connect.Clients

	topicARN, queueURL, queueARN string
	// backlog is the queue's length when it was looked at.
	backlog int
	// items and itemBytes are DescribeTable's of the owner's table, some six
	// hours old.
	items, tableBytes int64
}

// recipient finds a subscriber and looks at everything that is between the
// owner's table and its queue, so that what cannot work is refused before
// anything is published. The error says all that is wrong. needs are the verb's
// rights besides those of looking, publishing and proving.
func (g *globals) recipient(ctx context.Context, contract, subscriber string, needs func(*recipient) []trouble.Need) (*recipient, error) {
	r, err := g.parties(contract, subscriber)
	if err != nil {
		return nil, err
	}
	if r.clients, err = open(ctx, append(needs(r), r.needs()...)...); err != nil {
		return nil, err
	}
	return r, r.look(ctx, r.lookAtTable, r.lookAtQueue, r.lookAtTopic, r.lookAtControlTable)
}

// parties finds a subscriber and its owner in the manifests. It asks no endpoint.
func (g *globals) parties(contract, subscriber string) (*recipient, error) {
	set, err := g.set()
	if err != nil {
		return nil, err
	}
	r := &recipient{}
	if r.owner, err = set.Publication(contract); err != nil {
		return nil, err
	}
	if r.sub, err = set.Subscription(contract, subscriber); err != nil {
		return nil, err
	}
	r.source, err = r.owner.Source()
	return r, err
}

// look looks at one after the other. The error says all that is wrong.
func (r *recipient) look(ctx context.Context, looks ...func(context.Context) error) error {
	var problems []error
	for _, look := range looks {
		err := look(ctx)
		if err == nil {
			continue
		}
		if ctx.Err() != nil || !isFinding(err) && trouble.Everywhere(err) {
			return err // the others would say the same
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// finding is something that is not as it has to be.
type finding struct{ text string }

func (f *finding) Error() string { return f.text }

func found(format string, args ...any) error { return &finding{fmt.Sprintf(format, args...)} }

// absent is the finding that something does not exist.
func (r *recipient) absent(service connect.Service, format string, args ...any) error {
	return found("%s", trouble.Absent(r.clients, service, fmt.Sprintf(format, args...)))
}

func isFinding(err error) bool {
	_, is := errors.AsType[*finding](err)
	return is
}

// needs are the rights to look, to publish and to prove.
func (r *recipient) needs() []trouble.Need {
	return []trouble.Need{
		{Right: "dynamodb:DescribeTable", On: r.source.Table(), For: "to estimate how much there is"},
		{Right: "sqs:GetQueueUrl", For: "to find the subscriber's queue"},
		{Right: "sqs:GetQueueAttributes", For: "to see how long the subscriber's queue is, and to slow down"},
		{Right: "sns:ListTopics", For: "to find the owner's topic"},
		{Right: "sns:ListSubscriptionsByTopic", For: "to see that the subscriber's queue is subscribed"},
		{Right: "sns:GetSubscriptionAttributes", For: "to compare the subscription's filter with the manifest"},
		{Right: "sns:Publish", For: "to send the canary and the changes"},
		{Right: "dynamodb:GetItem", On: r.sub.Subscription.ControlTable, For: "to see the canary come through the subscription's filter"},
	}
}

func (r *recipient) lookAtTable(ctx context.Context) (err error) {
	r.items, r.tableBytes, err = r.describe(ctx, r.owner.Service(), r.source.Table())
	return err
}

// describe returns how much there is in a service's table.
func (r *recipient) describe(ctx context.Context, service, table string) (items, bytes int64, err error) {
	out, err := r.clients.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if _, missing := errors.AsType[*dynamotypes.ResourceNotFoundException](err); missing {
		return 0, 0, r.absent(connect.DynamoDB, "%s's table %s", service, table)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("describe table %s: %w", table, err)
	}
	return aws.ToInt64(out.Table.ItemCount), aws.ToInt64(out.Table.TableSizeBytes), nil
}

func (r *recipient) lookAtQueue(ctx context.Context) error {
	queue := r.sub.Subscription.Queue.Name
	url, err := r.clients.SQS.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
	if _, missing := errors.AsType[*sqstypes.QueueDoesNotExist](err); missing {
		return r.absent(connect.SQS, "%s's queue %s", r.sub.Service(), queue)
	}
	if err != nil {
		return fmt.Errorf("find queue %s: %w", queue, err)
	}
	r.queueURL = aws.ToString(url.QueueUrl)
	about, err := r.queueAttributes(ctx, sqstypes.QueueAttributeNameQueueArn)
	if err != nil {
		return err
	}
	r.queueARN = about[sqstypes.QueueAttributeNameQueueArn]
	r.backlog, err = r.Backlog(ctx)
	return err
}

// Backlog returns how many messages wait in the subscriber's queue or are in
// flight from it. It receives none.
func (r *recipient) Backlog(ctx context.Context) (int, error) {
	about, err := r.queueAttributes(ctx, sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible)
	if err != nil {
		return 0, err
	}
	sum := 0
	for name, text := range about {
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("read %s of queue %s: %w", name, r.sub.Subscription.Queue.Name, err)
		}
		sum += n
	}
	return sum, nil
}

func (r *recipient) queueAttributes(ctx context.Context, names ...sqstypes.QueueAttributeName) (map[sqstypes.QueueAttributeName]string, error) {
	out, err := r.clients.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &r.queueURL, AttributeNames: names})
	if err != nil {
		return nil, fmt.Errorf("read attributes of queue %s: %w", r.sub.Subscription.Queue.Name, err)
	}
	about := make(map[sqstypes.QueueAttributeName]string, len(names))
	for _, name := range names {
		about[name] = out.Attributes[string(name)]
	}
	return about, nil
}

// lookAtTopic sees that the queue is subscribed to the topic as declared. A
// filter that differs is no reason to try: it lets too little through, or, where
// it was changed by hand, nobody knows what for.
func (r *recipient) lookAtTopic(ctx context.Context) error {
	topic := r.source.Topic()
	for pages := sns.NewListTopicsPaginator(r.clients.SNS, &sns.ListTopicsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("find topic %s: %w", topic, err)
		}
		for _, t := range page.Topics {
			if arn := aws.ToString(t.TopicArn); strings.HasSuffix(arn, ":"+topic) {
				r.topicARN = arn
			}
		}
	}
	if r.topicARN == "" {
		return r.absent(connect.SNS, "%s's topic %s", r.owner.Service(), topic)
	}
	if r.queueARN == "" {
		return nil // why is said already
	}
	for pages := sns.NewListSubscriptionsByTopicPaginator(r.clients.SNS, &sns.ListSubscriptionsByTopicInput{TopicArn: &r.topicARN}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list the subscriptions of %s: %w", topic, err)
		}
		for _, s := range page.Subscriptions {
			if aws.ToString(s.Protocol) == "sqs" && aws.ToString(s.Endpoint) == r.queueARN {
				return r.compare(ctx, s)
			}
		}
	}
	return found("%s's queue %s is not subscribed to topic %s, so that nothing would reach it: %s", r.sub.Service(), r.sub.Subscription.Queue.Name, topic, trouble.Provide(r.clients, connect.SNS))
}

func (r *recipient) compare(ctx context.Context, s snstypes.Subscription) error {
	out, err := r.clients.SNS.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: s.SubscriptionArn})
	if err != nil {
		return fmt.Errorf("read the subscription of %s: %w", r.sub.Service(), err)
	}
	mend := trouble.Provide(r.clients, connect.SNS) + "; a changed filter takes up to 15 minutes to be in force"
	if have, want := out.Attributes["FilterPolicy"], r.sub.Subscription.FilterPolicy(r.sub.Service()); !policy.SameFilter(have, want) {
		if have == "" {
			have = "none"
		}
		return found("%s's subscription has the filter policy %s, its manifest has %s: %s", r.sub.Service(), have, want, mend)
	}
	if out.Attributes["RawMessageDelivery"] != "true" {
		return found("%s's subscription delivers messages inside an envelope, which its consumer does not read, instead of raw: %s", r.sub.Service(), trouble.Provide(r.clients, connect.SNS))
	}
	return nil
}

// lookAtControlTable sees that the canary can be waited for.
func (r *recipient) lookAtControlTable(ctx context.Context) error {
	table := r.sub.Subscription.ControlTable
	_, _, err := r.canaries().Noted(ctx, "none")
	if _, missing := errors.AsType[*dynamotypes.ResourceNotFoundException](err); missing {
		return r.absent(connect.DynamoDB, "%s's control table %s, in which its consumer notes the canary,", r.sub.Service(), table)
	}
	if err != nil {
		return fmt.Errorf("read control table %s: %w", table, err)
	}
	return nil
}

func (r *recipient) canaries() *dynamostore.Canaries {
	return dynamostore.NewCanaries(r.clients.DynamoDB, r.sub.Subscription.ControlTable)
}
