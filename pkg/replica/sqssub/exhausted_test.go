package sqssub_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// SQS moves a message that was received too often without a word on why. The
// last error is known here, and nowhere afterwards.
func TestAMessageWhoseRetriesAreExhaustedIsDeadLetteredWithItsLastError(t *testing.T) {
	for name, c := range map[string]struct {
		maxReceives int
		err         error
		detail      string
	}{
		"after five receives": {5, errors.New("write company-stats 1: throttled"), "write company-stats 1: throttled"},
		"after one receive":   {1, errors.New("throttled"), "throttled"},
		"a pause of its own":  {3, &replica.DelayedError{After: time.Second, Err: errors.New("not yet")}, "not yet"},
		"without an error":    {2, nil, ""}, // a stock handler's
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, localaws.Config{}, func(w *world) {
				source, dead := w.withDeadLetters("stats-profile", c.maxReceives)
				w.send(source, 1)
				s := w.subscriber(sqssub.Config{})
				var deliveries atomic.Int64
				w.handle(s, source, func(msg *message.Message) {
					deliveries.Add(1)
					if c.err != nil {
						replica.Settle(msg, c.err)
					}
					msg.Nack()
				})
				time.Sleep(5 * time.Minute)
				w.close(s)
				letters := w.read(dead)
				if int(deliveries.Load()) != c.maxReceives || len(letters) != 1 {
					w.Fatalf("%d deliveries and %d dead letters, want %d and 1", deliveries.Load(), len(letters), c.maxReceives)
				}
				letter, err := sqssub.ReadDeadLetter(letters[0])
				if err != nil || letter.Reason != sqssub.ReasonExhausted || letter.Detail != c.detail ||
					letter.ReceiveCount != c.maxReceives || string(letter.Body) != "0" {
					w.Errorf("the dead letter is %+v, %v", letter, err)
				}
			})
		})
	}
}

// A handler that a stop interrupts has not failed, not even at its message's
// last receive; and a dead-letter queue that fails costs the reason, never the
// message.
func TestExhaustionLosesNothing(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		source, dead := w.withDeadLetters("stats-profile", 1)
		w.send(source, 1)
		s := w.subscriber(sqssub.Config{DrainTimeout: time.Second})
		w.handle(s, source, func(msg *message.Message) {
			<-msg.Context().Done()
			replica.Settle(msg, msg.Context().Err())
			msg.Nack()
		})
		time.Sleep(time.Second)
		w.close(s)
		w.wantDepth(source, 1, 0)
		w.wantDepth(dead, 0, 0)
	})
}

// Every nack needs to know the queue's RedrivePolicy, and every request is
// billed: many nacks at a time ask once, and none is asked for once a minute.
func TestNacksDoNotAskForTheRedrivePolicyEachTime(t *testing.T) {
	for name, c := range map[string]struct {
		policy bool
		fault  localaws.Fault
		most   int64
	}{
		"where there is one":       {true, localaws.Fault{}, 1},
		"where there is none":      {false, localaws.Fault{}, 3},
		"where it may not be read": {true, localaws.Fault{Error: &wire.Error{Code: "AccessDenied", Message: "no", Status: 403}}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, localaws.Config{Latency: 10 * time.Millisecond}, func(w *world) {
				url := ""
				if c.policy {
					url, _ = w.withDeadLetters("stats-profile", 1000)
				} else {
					url = w.queue("stats-profile", nil)
				}
				w.send(url, 60)
				w.engine.SetFaults(func(call localaws.Call) localaws.Fault {
					if call.Operation == "GetQueueAttributes" {
						return c.fault
					}
					return localaws.Fault{}
				})
				s := w.subscriber(sqssub.Config{NackBackoff: sqssub.Backoff{Max: 4 * time.Second}})
				var nacks atomic.Int64
				w.handle(s, "stats-profile", func(msg *message.Message) {
					nacks.Add(1)
					msg.Nack()
				})
				time.Sleep(3*time.Minute - time.Second)
				if n := nacks.Load(); n < 2000 {
					w.Errorf("only %d nacks", n)
				}
				w.wantAtMost("GetQueueAttributes", c.most)
				w.close(s)
			})
		})
	}
}

func TestARedrivePolicyThatIsAddedWorksWithinAMinute(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		source := w.queue("stats-profile", nil)
		w.send(source, 1)
		s := w.subscriber(sqssub.Config{NackBackoff: sqssub.Backoff{Max: 4 * time.Second}})
		w.handle(s, source, func(msg *message.Message) {
			replica.Settle(msg, &replica.RejectedError{Reason: "malformed event", Err: errors.New("no subject")})
			msg.Nack()
		})
		time.Sleep(30 * time.Second)
		dead := w.queue("stats-profile-dlq", nil)
		policy := `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:stats-profile-dlq","maxReceiveCount":1000}`
		if _, err := w.client.SetQueueAttributes(w.Context(), &awssqs.SetQueueAttributesInput{QueueUrl: &source,
			Attributes: map[string]string{"RedrivePolicy": policy}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(70 * time.Second)
		w.close(s)
		w.wantDepth(source, 0, 0)
		w.wantDepth(dead, 1, 0)
	})
}
