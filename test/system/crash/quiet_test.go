package crash

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/test/system/internal/stack"
)

// depths are attributes of a queue that count its messages: visible, in flight
// and delayed ("GetQueueAttributes", SQS API reference).
var depths = []types.QueueAttributeName{
	types.QueueAttributeNameApproximateNumberOfMessages,
	types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
}

// queues looks into the queues past the services and their bad network.
type queues struct{ client *sqs.Client }

func openQueues(system *stack.System) queues {
	return queues{sqs.New(sqs.Options{
		Region: system.AWS.Region, BaseEndpoint: aws.String(system.LocalAWSURL),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient:  awshttp.NewBuildableClient(),
	})}
}

// messages counts what is in each queue, by the queue's name.
func (q queues) messages(ctx context.Context) (map[string]int, error) {
	list, err := q.client.ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, url := range list.QueueUrls {
		answer, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(url), AttributeNames: depths})
		if err != nil {
			return nil, err
		}
		name := url[strings.LastIndex(url, "/")+1:]
		counts[name] = 0
		for _, depth := range depths {
			n, err := strconv.Atoi(answer.Attributes[string(depth)])
			if err != nil {
				return nil, fmt.Errorf("queue %s: %s: %w", name, depth, err)
			}
			counts[name] += n
		}
	}
	return counts, nil
}

// left is a line for each queue that is not empty. Dead letters are shown with
// their reasons.
func (q queues) left(ctx context.Context) ([]string, error) {
	counts, err := q.messages(ctx)
	if err != nil {
		return nil, err
	}
	if len(counts) == 0 {
		return []string{"there are no queues at all"}, nil
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] > 0 {
			lines = append(lines, fmt.Sprintf("queue %s: %d messages", name, counts[name]))
		}
	}
	return lines, nil
}

// letters shows what is in the dead-letter queues. What it has shown is out of
// sight for a while.
func (q queues) letters(ctx context.Context) ([]string, error) {
	list, err := q.client.ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, url := range list.QueueUrls {
		if !strings.HasSuffix(url, "-dlq") {
			continue
		}
		got, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(url), MaxNumberOfMessages: 10,
			MessageAttributeNames:       []string{"All"},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return nil, err
		}
		for _, m := range got.Messages {
			line := fmt.Sprintf("letter in %s: received %s times", url[strings.LastIndex(url, "/")+1:], m.Attributes["ApproximateReceiveCount"])
			for _, name := range slices.Sorted(maps.Keys(m.MessageAttributes)) {
				line += fmt.Sprintf(" %s=%s", name, aws.ToString(m.MessageAttributes[name].StringValue))
			}
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// awaitQuiet looks until nothing is left to say, and returns what is left at the
// deadline. It looks once in any case.
func awaitQuiet(t *testing.T, deadline time.Time, left func(context.Context) ([]string, error)) []string {
	t.Helper()
	for {
		lines, err := left(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) == 0 || time.Now().After(deadline) {
			return lines
		}
		pause(t.Context(), time.Second)
	}
}
