package statstest

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Queue is the service's queue as the owner's topic fills it.
type Queue struct {
	client       *sqs.Client
	url, dlqURL  string
	subscription manifest.Subscription
}

// CreateQueue makes the queue that the manifest names, and its dead-letter
// queue.
func (w *World) CreateQueue(t testing.TB) *Queue {
	t.Helper()
	q := &Queue{client: sqs.NewFromConfig(w.AWS)}
	q.subscription, _ = w.Manifest.Subscription(profilev1.Contract.ID())
	declared := q.subscription.Queue
	q.dlqURL = q.create(t, declared.DeadLetterQueue, nil)
	q.url = q.create(t, declared.Name, map[string]string{
		"VisibilityTimeout": strconv.Itoa(int(time.Duration(declared.VisibilityTimeout).Seconds())),
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"%d"}`,
			q.arnOf(t, q.dlqURL), declared.MaxReceiveCount),
	})
	return q
}

func (q *Queue) create(t testing.TB, name string, attributes map[string]string) string {
	t.Helper()
	out, err := q.client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name), Attributes: attributes})
	if err != nil {
		t.Fatalf("create queue %s: %v", name, err)
	}
	return *out.QueueUrl
}

func (q *Queue) arn(t testing.TB) string { return q.arnOf(t, q.url) }

func (q *Queue) arnOf(t testing.TB, url string) string {
	t.Helper()
	out, err := q.client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(url), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes["QueueArn"]
}

// Change sends a company's change; without a name it is a deletion.
func (q *Queue) Change(ctx context.Context, cik string, version contracts.Version, name, sector string) error {
	change := contracts.Change{
		Contract: profilev1.Contract, Operation: contracts.Delete, Source: "/services/profile", Subject: cik,
		Version: version, Origin: contracts.Live, Published: version.Time(), Changed: []string{"name", "sector"},
	}
	if name != "" {
		change.Operation = contracts.Upsert
		change.Attributes = contracts.Item{"name": contracts.String(name), "sector": contracts.String(sector)}
	}
	body, err := contracts.Encode(&change)
	if err != nil {
		return err
	}
	return q.Send(ctx, string(body))
}

// Send sends a message of any content.
func (q *Queue) Send(ctx context.Context, body string) error {
	_, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(q.url), MessageBody: aws.String(body)})
	return err
}

// DeadLetters counts the messages in the dead-letter queue.
func (q *Queue) DeadLetters(t testing.TB) int {
	t.Helper()
	return q.count(t, q.dlqURL)
}

// Messages counts the messages in the queue, those in flight included.
func (q *Queue) Messages(t testing.TB) int {
	t.Helper()
	return q.count(t, q.url)
}

func (q *Queue) count(t testing.TB, url string) int {
	t.Helper()
	names := []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	out, err := q.client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: aws.String(url), AttributeNames: names})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, name := range names {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		total += n
	}
	return total
}
