package sqs_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

func TestRefusedQueues(t *testing.T) {
	const name, value = "InvalidAttributeName", "InvalidAttributeValue"
	type attrs = map[string]string
	for title, c := range map[string]struct {
		queue      string
		attributes attrs
		code       string
	}{
		"a name with a blank":             {"a b", nil, invalid},
		"a name of 81 characters":         {strings.Repeat("a", 81), nil, invalid},
		"a FIFO queue of another name":    {"a", attrs{"FifoQueue": "true"}, invalid},
		"a standard queue named .fifo":    {"a.fifo", nil, invalid},
		"FifoQueue false":                 {"a", attrs{"FifoQueue": "false"}, name},
		"an unknown attribute":            {"a", attrs{"Colour": "red"}, name},
		"a read-only attribute":           {"a", attrs{"QueueArn": "x"}, name},
		"a FIFO attribute":                {"a", attrs{"ContentBasedDeduplication": "true"}, name},
		"a KMS key":                       {"a", attrs{"KmsMasterKeyId": "alias/a"}, "AWS.SimpleQueueService.UnsupportedOperation"},
		"a delay over fifteen minutes":    {"a", attrs{"DelaySeconds": "901"}, value},
		"a negative delay":                {"a", attrs{"DelaySeconds": "-1"}, value},
		"a wait over twenty seconds":      {"a", attrs{"ReceiveMessageWaitTimeSeconds": "21"}, value},
		"a visibility over twelve hours":  {"a", attrs{"VisibilityTimeout": "43201"}, value},
		"a retention under a minute":      {"a", attrs{"MessageRetentionPeriod": "59"}, value},
		"a retention over fourteen days":  {"a", attrs{"MessageRetentionPeriod": "1209601"}, value},
		"a size under 1 KiB":              {"a", attrs{"MaximumMessageSize": "1023"}, value},
		"a size over 1 MiB":               {"a", attrs{"MaximumMessageSize": "1048577"}, value},
		"a number that is none":           {"a", attrs{"DelaySeconds": "soon"}, value},
		"a limit per group without scope": {"a.fifo", attrs{"FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId"}, value},
		"a list with allowAll":            {"a", attrs{"RedriveAllowPolicy": `{"redrivePermission":"allowAll","sourceQueueArns":["x"]}`}, invalid},
		"a permission nobody knows":       {"a", attrs{"RedriveAllowPolicy": `{"redrivePermission":"some"}`}, invalid},
		"the largest values":              {"a", attrs{"DelaySeconds": "900", "ReceiveMessageWaitTimeSeconds": "20", "VisibilityTimeout": "43200", "MessageRetentionPeriod": "1209600", "MaximumMessageSize": "1048576"}, ""},
		"high throughput":                 {"a.fifo", attrs{"FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId", "DeduplicationScope": "messageGroup"}, ""},
	} {
		t.Run(title, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				_, err := b.client.CreateQueue(b.ctx, &sqs.CreateQueueInput{QueueName: &c.queue, Attributes: c.attributes})
				if codeOf(err) != c.code {
					t.Errorf("%v, want %q", err, c.code)
				}
			})
		})
	}
}

func TestCreateQueueAgain(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queue("dead", nil)
		attributes := map[string]string{"VisibilityTimeout": "7", "RedrivePolicy": redrive("dead", 5)}
		queue := b.queue("q", attributes)
		again := maps.Clone(attributes)
		again["RedrivePolicy"] = strings.ReplaceAll(redrive("dead", 5), ",", " , ")
		if url := b.queue("q", again); *url != *queue {
			t.Errorf("created again as %s", *url)
		}
		again["VisibilityTimeout"] = "8"
		_, err := b.client.CreateQueue(b.ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: again})
		var exists *types.QueueNameExists
		if !errors.As(err, &exists) || !strings.Contains(err.Error(), "VisibilityTimeout") {
			t.Errorf("with another value: %v", err)
		}
	})
}

func TestDeletedQueueFreesItsNameAfterAMinute(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		b.send(queue, "x")
		_, err := b.client.DeleteQueue(b.ctx, &sqs.DeleteQueueInput{QueueUrl: queue})
		b.must(err)
		var gone *types.QueueDoesNotExist
		_, err = b.client.GetQueueUrl(b.ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("q")})
		if !errors.As(err, &gone) {
			t.Errorf("GetQueueUrl: %v", err)
		}
		time.Sleep(59 * time.Second)
		var recently *types.QueueDeletedRecently
		if _, err = b.client.CreateQueue(b.ctx, &sqs.CreateQueueInput{QueueName: aws.String("q")}); !errors.As(err, &recently) {
			t.Errorf("created again after 59 seconds: %v", err)
		}
		time.Sleep(time.Second)
		if got := b.receive(b.queue("q", nil)); len(got) != 0 {
			t.Error("the new queue has the old one's messages")
		}
	})
}

func TestPurge(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		b.send(queue, "1", "2")
		b.receive(queue, atMost(1), hidingFor(5))
		b.sendDelayed(queue, "3", 5)
		purge := func() error {
			_, err := b.client.PurgeQueue(b.ctx, &sqs.PurgeQueueInput{QueueUrl: queue})
			return err
		}
		b.must(purge())
		b.send(queue, "new")
		time.Sleep(10 * time.Second)
		if diff := cmp.Diff([]string{"new"}, bodies(b.receive(queue))); diff != "" {
			t.Error(diff)
		}
		var busy *types.PurgeQueueInProgress
		if err := purge(); !errors.As(err, &busy) {
			t.Errorf("again within a minute: %v", err)
		}
		time.Sleep(50 * time.Second)
		b.must(purge())
	})
}

func TestListQueuesByPage(t *testing.T) {
	inBubble(t, func(b *bench) {
		var want []string
		for i := range 7 {
			want = append(want, *b.queue(fmt.Sprintf("wanted-%d", i), nil))
		}
		b.queue("other", nil)
		var got []string
		calls := 0
		pages := sqs.NewListQueuesPaginator(b.client, &sqs.ListQueuesInput{QueueNamePrefix: aws.String("wanted"), MaxResults: aws.Int32(3)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(b.ctx)
			b.must(err)
			got = append(got, page.QueueUrls...)
			calls++
		}
		if diff := cmp.Diff(want, got); diff != "" || calls != 3 {
			t.Errorf("in %d calls:\n%s", calls, diff)
		}
		if _, err := b.client.ListQueues(b.ctx, &sqs.ListQueuesInput{MaxResults: aws.Int32(1001)}); codeOf(err) != invalid {
			t.Errorf("1,001 a page: %v", err)
		}
	})
}

func TestReportedAttributes(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.fifo("q.fifo", map[string]string{"DelaySeconds": "5"})
		created := time.Now()
		time.Sleep(time.Hour)
		b.must(b.set(queue, "VisibilityTimeout", "45"))
		got, err := b.client.GetQueueAttributes(b.ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue, AttributeNames: []types.QueueAttributeName{"All"}})
		b.must(err)
		seconds := func(t time.Time) string { return fmt.Sprint(t.Unix()) }
		want := map[string]string{
			"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesDelayed": "0", "ApproximateNumberOfMessagesNotVisible": "0",
			"CreatedTimestamp": seconds(created), "LastModifiedTimestamp": seconds(created.Add(time.Hour)),
			"ContentBasedDeduplication": "true", "DeduplicationScope": "queue", "FifoQueue": "true", "FifoThroughputLimit": "perQueue",
			"DelaySeconds": "5", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600", "QueueArn": arnOf("q.fifo"),
			"ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true", "VisibilityTimeout": "45",
		}
		if diff := cmp.Diff(want, got.Attributes); diff != "" {
			t.Error(diff)
		}
		_, err = b.client.GetQueueAttributes(b.ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue, AttributeNames: []types.QueueAttributeName{"Colour"}})
		if codeOf(err) != "InvalidAttributeName" {
			t.Errorf("an unknown attribute: %v", err)
		}
	})
}

func TestTags(t *testing.T) {
	inBubble(t, func(b *bench) {
		created, err := b.client.CreateQueue(b.ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Tags: map[string]string{"a": "1", "b": "2"}})
		b.must(err)
		_, err = b.client.TagQueue(b.ctx, &sqs.TagQueueInput{QueueUrl: created.QueueUrl, Tags: map[string]string{"b": "3", "c": "4"}})
		b.must(err)
		_, err = b.client.UntagQueue(b.ctx, &sqs.UntagQueueInput{QueueUrl: created.QueueUrl, TagKeys: []string{"a", "absent"}})
		b.must(err)
		got, err := b.client.ListQueueTags(b.ctx, &sqs.ListQueueTagsInput{QueueUrl: created.QueueUrl})
		b.must(err)
		if diff := cmp.Diff(map[string]string{"b": "3", "c": "4"}, got.Tags); diff != "" {
			t.Error(diff)
		}
	})
}

// What the service does not know it refuses by name.
func TestUnknownRequests(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		for title, c := range map[string]struct {
			operation string
			body      map[string]any
			names     string
		}{
			"an operation":                {"SendParcel", nil, "SQS.SendParcel"},
			"an operation not built":      {"AddPermission", nil, "SQS.AddPermission"},
			"a parameter":                 {"SendMessage", map[string]any{"QueueUrl": *queue, "MessageBody": "x", "Colour": "red"}, `"Colour"`},
			"a parameter of an entry":     {"SendMessageBatch", map[string]any{"QueueUrl": *queue, "Entries": []any{map[string]any{"Id": "1", "MessageBody": "x", "Colour": "red"}}}, `"Colour"`},
			"a parameter of a wrong type": {"ReceiveMessage", map[string]any{"QueueUrl": *queue, "WaitTimeSeconds": "ten"}, "WaitTimeSeconds"},
		} {
			if err := b.raw(c.operation, c.body); err == nil || !strings.Contains(err.Error(), c.names) {
				t.Errorf("%s: %v", title, err)
			}
		}
		if got := b.receive(queue); len(got) != 0 {
			t.Error("a refused request had an effect")
		}
	})
}
