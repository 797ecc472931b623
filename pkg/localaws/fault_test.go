package localaws_test

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// firstAttempt gives one fault to the first attempt of every call.
func firstAttempt(fault localaws.Fault) localaws.Faults {
	return func(call localaws.Call) localaws.Fault {
		if call.Attempt == 1 {
			return fault
		}
		return localaws.Fault{}
	}
}

// What a fault does to a SendMessage: how often the message is there, and how
// many requests the SDK needed.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault    localaws.Fault
		messages int
		requests int64
		atLeast  time.Duration
	}{
		"none":                        {localaws.Fault{}, 1, 1, 0},
		"a throttled call is retried": {localaws.Fault{Error: localaws.Throttled(localaws.SQS)}, 1, 2, 1},
		"an outage is retried":        {localaws.Fault{Error: localaws.Unavailable(localaws.SQS)}, 1, 2, 1},
		"a lost request has no effect, and is retried":     {localaws.Fault{Drop: localaws.DropRequest}, 1, 2, 1},
		"a lost response has an effect, and another after": {localaws.Fault{Drop: localaws.DropResponse}, 2, 2, 1},
		"a delay before": {localaws.Fault{DelayBefore: 3 * time.Second}, 1, 1, 3 * time.Second},
		"a delay after":  {localaws.Fault{DelayAfter: 3 * time.Second}, 1, 1, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, localaws.Config{}, func(cl *clients) {
				queue := cl.queue("q", nil)
				cl.engine.SetFaults(firstAttempt(c.fault))
				cl.engine.ResetRequests()
				start := time.Now()
				_, err := cl.sqs.SendMessage(cl.Context(), &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("x")})
				cl.must(err)
				if elapsed := time.Since(start); elapsed < c.atLeast || c.atLeast == 0 && elapsed > 0 {
					t.Errorf("took %s, want at least %s", elapsed, c.atLeast)
				}
				if got := cl.engine.Requests().Of(localaws.SQS, "SendMessage"); got != c.requests {
					t.Errorf("%d requests, want %d", got, c.requests)
				}
				cl.engine.SetFaults(nil)
				if got := cl.received(queue); len(got) != c.messages {
					t.Errorf("%d messages, want %d", len(got), c.messages)
				}
			})
		})
	}
}

// Every service's throttling and outage is one that the SDK retries.
func TestThrottlingIsRetriedForEveryService(t *testing.T) {
	inBubble(t, localaws.Config{}, func(c *clients) {
		for _, errorOf := range []func(localaws.Service) *wire.Error{localaws.Throttled, localaws.Unavailable} {
			c.engine.ResetRequests()
			c.engine.SetFaults(func(call localaws.Call) localaws.Fault {
				if call.Attempt == 1 {
					return localaws.Fault{Error: errorOf(call.Service)}
				}
				return localaws.Fault{}
			})
			_, err := c.dynamodb.ListTables(c.Context(), &dynamodb.ListTablesInput{})
			c.must(err)
			_, err = c.streams.ListStreams(c.Context(), &dynamodbstreams.ListStreamsInput{})
			c.must(err)
			_, err = c.sns.ListTopics(c.Context(), &sns.ListTopicsInput{})
			c.must(err)
			_, err = c.sqs.ListQueues(c.Context(), &sqs.ListQueuesInput{})
			c.must(err)
			for operation, count := range c.engine.Requests() {
				if count != 2 {
					c.Errorf("%s took %d requests, want 2", operation, count)
				}
			}
			if total := c.engine.Requests().Total(); total != 8 {
				c.Errorf("%d requests in all, want 8", total)
			}
		}
	})
}

func TestAnErrorThatIsInjectedReachesTheCaller(t *testing.T) {
	inBubble(t, localaws.Config{}, func(c *clients) {
		c.table("items")
		c.engine.SetFaults(func(localaws.Call) localaws.Fault {
			return localaws.Fault{Error: wire.Errorf("ConditionalCheckFailedException", "made up")}
		})
		if err := c.put("items", "1"); codeOf(err) != "ConditionalCheckFailedException" || !strings.Contains(err.Error(), "made up") {
			c.Errorf("%v", err)
		}
	})
}

func TestFaultsSeeTheCall(t *testing.T) {
	inBubble(t, localaws.Config{}, func(c *clients) {
		var seen atomic.Pointer[localaws.Call]
		c.engine.SetFaults(func(call localaws.Call) localaws.Fault {
			if !bytes.Contains(call.Body, []byte("wanted")) {
				return localaws.Fault{}
			}
			call.Body = nil
			seen.Store(&call)
			return localaws.Fault{}
		})
		c.queue("first", nil)
		c.queue("wanted", nil)
		call := seen.Load()
		if call == nil || call.Service != localaws.SQS || call.Operation != "CreateQueue" || call.Sequence != 2 || call.Attempt != 1 || call.RequestID == "" || call.InvocationID == "" {
			c.Errorf("the hook saw %+v", call)
		}
	})
}

func TestLatencyIsAddedToEveryCall(t *testing.T) {
	inBubble(t, localaws.Config{Latency: 10 * time.Millisecond}, func(c *clients) {
		start := time.Now()
		c.queue("a", nil)
		c.queue("b", nil)
		if got := time.Since(start); got != 20*time.Millisecond {
			c.Errorf("two calls took %s", got)
		}
	})
}

func TestRequestCounts(t *testing.T) {
	inBubble(t, localaws.Config{}, func(c *clients) {
		c.queue("a", nil)
		before := c.engine.Requests()
		c.table("items")
		c.must(c.put("items", "1"))
		c.must(c.put("items", "2"))
		since := c.engine.Requests().Since(before)
		if len(since) != 2 || since.Of(localaws.DynamoDB, "PutItem") != 2 || since.Total(localaws.SQS) != 0 || c.engine.Requests().Total(localaws.SQS) != 1 {
			c.Errorf("since: %v", since)
		}
	})
}
