package localaws_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/localaws"
	localsns "github.com/tributary-dev/tributary/pkg/localaws/sns"
)

func TestRoundTripEndsWithItsContext(t *testing.T) {
	inBubble(t, localaws.Config{}, func(c *clients) {
		queue := c.queue("q", nil)
		ctx, cancel := context.WithTimeout(c.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		_, err := c.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 20})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			c.Errorf("after %s: %v", time.Since(start), err)
		}
		// The abandoned poll must not take the message with it.
		_, err = c.sqs.SendMessage(c.Context(), &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("x")})
		c.must(err)
		if got := c.received(queue); len(got) != 1 {
			c.Error("the abandoned poll took the message")
		}
	})
}

func TestCloseEndsLongPollsAndRefusesCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(localaws.Config{})
		c := connect(t, engine)
		queue := c.queue("q", nil)
		start := time.Now()
		var polls sync.WaitGroup
		for range 3 {
			polls.Go(func() {
				got, err := c.sqs.ReceiveMessage(c.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 20})
				if err != nil || len(got.Messages) != 0 {
					t.Errorf("a poll ended with %v", err)
				}
			})
		}
		time.Sleep(time.Second)
		engine.Close()
		engine.Close()
		polls.Wait()
		if elapsed := time.Since(start); elapsed != time.Second {
			t.Errorf("closing took until %s", elapsed)
		}
		if _, err := c.sqs.ListQueues(c.Context(), &sqs.ListQueuesInput{}, func(o *sqs.Options) { o.RetryMaxAttempts = 1 }); !errors.Is(err, localaws.ErrClosed) {
			t.Errorf("a call after Close: %v", err)
		}
	})
}

// subscribe subscribes a queue to a new topic and lets it in.
func (c *clients) subscribe(topic, queue string) (topicARN, queueURL *string) {
	c.Helper()
	created, err := c.sns.CreateTopic(c.Context(), &sns.CreateTopicInput{Name: &topic})
	c.must(err)
	arn := "arn:aws:sqs:us-east-1:000000000000:" + queue
	url := c.queue(queue, map[string]string{"Policy": `{"Statement":{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},
		"Action":"sqs:SendMessage","Resource":"` + arn + `","Condition":{"ArnEquals":{"aws:SourceArn":"` + *created.TopicArn + `"}}}}`})
	_, err = c.sns.Subscribe(c.Context(), &sns.SubscribeInput{TopicArn: created.TopicArn, Protocol: aws.String("sqs"), Endpoint: &arn,
		Attributes: map[string]string{"RawMessageDelivery": "true"}})
	c.must(err)
	return created.TopicArn, url
}

func (c *clients) publish(topic *string, message string) {
	c.Helper()
	_, err := c.sns.Publish(c.Context(), &sns.PublishInput{TopicArn: topic, Message: &message})
	c.must(err)
}

func TestSNSReachesQueuesThroughTheirPolicy(t *testing.T) {
	inBubble(t, localaws.Config{}, func(c *clients) {
		topic, queue := c.subscribe("news", "reader")
		c.publish(topic, "hello")
		if diff := cmp.Diff([]string{"hello"}, c.received(queue)); diff != "" {
			c.Error(diff)
		}
		_, err := c.sqs.SetQueueAttributes(c.Context(), &sqs.SetQueueAttributesInput{QueueUrl: queue, Attributes: map[string]string{"Policy": ""}})
		c.must(err)
		c.publish(topic, "not let in")
		if got := c.received(queue); len(got) != 0 {
			c.Errorf("received %v without a policy", got)
		}
	})
}

func TestDisturbedDeliveries(t *testing.T) {
	twice := func(d localsns.Delivery) []time.Duration {
		if strings.HasPrefix(d.Body, "late") {
			return []time.Duration{time.Minute}
		}
		return []time.Duration{0, 0}
	}
	inBubble(t, localaws.Config{DisturbSNS: twice}, func(c *clients) {
		topic, queue := c.subscribe("news", "reader")
		c.publish(topic, "late")
		c.publish(topic, "twice")
		if diff := cmp.Diff([]string{"twice", "twice"}, c.received(queue)); diff != "" {
			c.Error(diff)
		}
		time.Sleep(61 * time.Second)
		got := c.received(queue)
		if len(got) != 3 || got[2] != "late" {
			c.Errorf("a minute later: %v", got)
		}
	})
}

func TestTheSameSeedGivesTheSameIDs(t *testing.T) {
	ids := func(seed uint64) (ids []string) {
		inBubble(t, localaws.Config{Seed: seed}, func(c *clients) {
			queue := c.queue("q", nil)
			for range 3 {
				sent, err := c.sqs.SendMessage(c.Context(), &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("x")})
				c.must(err)
				ids = append(ids, *sent.MessageId)
			}
		})
		return ids
	}
	if diff := cmp.Diff(ids(7), ids(7)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(ids(0), ids(0)) {
		t.Error("without a seed the ids repeat")
	}
}
