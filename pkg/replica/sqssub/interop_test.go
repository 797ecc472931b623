package sqssub_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	wsns "github.com/ThreeDotsLabs/watermill-aws/sns"
	wsqs "github.com/ThreeDotsLabs/watermill-aws/sqs"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// Every publisher's messages reach every subscriber as they were sent: ours
// and watermill-aws's are interchangeable on either side.
func TestWatermillAWSInteroperates(t *testing.T) {
	publishers := map[string]func(w *world, a account) (message.Publisher, error){
		"snspub": func(_ *world, a account) (message.Publisher, error) {
			return snspub.New(a.sns, snspub.Config{})
		},
		"stock SNS": func(w *world, a account) (message.Publisher, error) {
			return wsns.NewPublisher(wsns.PublisherConfig{AWSConfig: localawstest.Config(w.engine), TopicResolver: a,
				DoNotCreateTopicIfNotExists: true}, watermill.NopLogger{})
		},
		"stock SQS": func(w *world, _ account) (message.Publisher, error) {
			return wsqs.NewPublisher(wsqs.PublisherConfig{AWSConfig: localawstest.Config(w.engine),
				DoNotCreateQueueIfNotExists: true}, watermill.NopLogger{})
		},
		"SendDelayed": func(w *world, _ account) (message.Publisher, error) {
			return sender{w.subscriber(sqssub.Config{}), w}, nil
		},
	}
	subscribers := map[string]func(w *world) (message.Subscriber, error){
		"sqssub": func(w *world) (message.Subscriber, error) { return w.subscriber(sqssub.Config{}), nil },
		"stock SQS": func(w *world) (message.Subscriber, error) {
			return wsqs.NewSubscriber(wsqs.SubscriberConfig{AWSConfig: localawstest.Config(w.engine),
				DoNotCreateQueueIfNotExists: true}, watermill.NopLogger{})
		},
	}
	for from, newPublisher := range publishers {
		for to, newSubscriber := range subscribers {
			t.Run(from+" to "+to, func(t *testing.T) {
				inWorld(t, localaws.Config{}, func(w *world) {
					a := newAccount(w.engine)
					if err := a.subscribe(w.Context(), "company-profile", "company-profile"); err != nil {
						t.Fatal(err)
					}
					publisher, err := newPublisher(w, a)
					if err != nil {
						t.Fatal(err)
					}
					subscriber, err := newSubscriber(w)
					if err != nil {
						t.Fatal(err)
					}
					exchange(w, publisher, subscriber)
					if visible, inFlight := w.depth("http://localaws.test/000000000000/company-profile"); visible+inFlight != 0 {
						t.Errorf("%d messages are left in the queue", visible+inFlight)
					}
				})
			})
		}
	}
}

// exchange sends messages and compares what arrives with what was sent.
func exchange(w *world, publisher message.Publisher, subscriber message.Subscriber) {
	w.Helper()
	sent := map[string]*message.Message{}
	for i := range 25 {
		msg := message.NewMessage(watermill.NewUUID(), fmt.Appendf(nil, `{"number":%d}`, i))
		msg.Metadata = message.Metadata{replica.MetadataType: "company.profile.changed.v1", "note": "wörld \u2603"}
		sent[msg.UUID] = msg
		if err := publisher.Publish("company-profile", msg); err != nil {
			w.Fatal(err)
		}
	}
	messages, err := subscriber.Subscribe(w.Context(), "company-profile")
	if err != nil {
		w.Fatal(err)
	}
	timeout := time.After(time.Minute)
	for len(sent) > 0 {
		select {
		case msg := <-messages:
			if want := sent[msg.UUID]; want == nil || !msg.Equals(want) {
				w.Errorf("received %v %s %v, want %v", msg.UUID, msg.Payload, msg.Metadata, want)
			}
			delete(sent, msg.UUID)
			msg.Ack()
		case <-timeout:
			w.Fatalf("%d messages did not arrive", len(sent))
		}
	}
	time.Sleep(time.Second) // stock Close abandons deletes under way
	if err := subscriber.Close(); err != nil {
		w.Error(err)
	}
	if err := publisher.Close(); err != nil {
		w.Error(err)
	}
}

// sender publishes to a queue by SendDelayed.
type sender struct {
	*sqssub.Subscriber
	w *world
}

func (s sender) Publish(queue string, messages ...*message.Message) error {
	for _, msg := range messages {
		if err := s.SendDelayed(s.w.Context(), queue, msg, 0); err != nil {
			return err
		}
	}
	return nil
}
