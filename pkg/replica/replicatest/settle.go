package replicatest

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// settle leaves everything in peace until nothing is on its way, puts dead
// letters back, and compares. The weather stays fine.
func (s *sim) settle(ctx context.Context) error {
	s.calmDown()
	if err := s.mend(ctx); err != nil {
		return err
	}
	if err := s.finish(); err != nil {
		return err
	}
	time.Sleep(2 * time.Minute) // the relay is through by then
	for left := time.Until(s.weather.lastArrival()); left > 0; left = time.Until(s.weather.lastArrival()) {
		if left > longRest {
			if err := s.history(ctx); err != nil { // which a stream keeps for a day
				return err
			}
		}
		if err := s.rest(asleep(min(left+time.Second, longRest))); err != nil {
			return err
		}
		if _, err := s.engine.DynamoDB().SweepTTL(ctx); err != nil {
			return err
		}
		time.Sleep(time.Minute)
	}
	if err := s.quieten(ctx); err != nil {
		return err
	}
	if err := s.compare(ctx, all); err != nil {
		return err
	}
	return s.history(ctx)
}

// longRest is how long no process may run without messages growing too old for
// their queue, which keeps them for four days.
const longRest = 40 * time.Hour

// calmDown ends what goes wrong, and has one process at each place.
func (s *sim) calmDown() {
	s.weather.fine.Store(true)
	s.intoRelays.wait(nil)
	for i, p := range s.posts() {
		p.spare()
		if i%2 == 0 {
			p.start()
		} else {
			p.vacate()
		}
	}
}

// quieten waits until nothing is on its way and no dead letter is left.
func (s *sim) quieten(ctx context.Context) error {
	const rounds = 120
	for round := 0; ; round++ {
		if round == rounds {
			return fmt.Errorf("messages are still on their way after %d rounds", rounds)
		}
		time.Sleep(20 * time.Second)
		moving, err := s.moving(ctx)
		if err != nil {
			return err
		}
		if moving {
			continue
		}
		back, err := s.putBack(ctx)
		if err != nil {
			return err
		}
		if !back {
			return nil
		}
		time.Sleep(time.Minute)
	}
}

// mend corrects the items that cannot be published, as their owner would.
func (s *sim) mend(ctx context.Context) error {
	for i := range Items {
		subject := subjectOf(i)
		item, err := s.foreign.read(ctx, subject)
		if err != nil {
			return err
		}
		if item == nil || s.foreign.isTombstone(item) || s.publishable(item) {
			continue
		}
		mended := contracts.Item{"name": contracts.String("mended"), "sector": contracts.String("mended")}
		if err := s.byOwner(0, func(r Repository) error { return r.Put(ctx, subject, mended) }); err != nil {
			return err
		}
	}
	return nil
}

// publishable reports whether the steps have left an item within its contract.
func (s *sim) publishable(item contracts.Item) bool {
	sector, has := item[s.foreign.attribute("sector")]
	return item[s.foreign.attribute("name")].Kind() == contracts.KindString && (!has || sector.Kind() == contracts.KindString)
}

func (s *sim) queueURL(ctx context.Context, name string) (*string, error) {
	out, err := s.queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return nil, err
	}
	return out.QueueUrl, nil
}

// moving reports whether a subscriber's queue holds a message, or somebody a
// dead letter.
func (s *sim) moving(ctx context.Context) (bool, error) {
	for _, t := range s.tenants {
		queue := t.manifest.Subscribes[0].Queue
		for name, counts := range map[string][]types.QueueAttributeName{
			queue.Name: {types.QueueAttributeNameApproximateNumberOfMessages,
				types.QueueAttributeNameApproximateNumberOfMessagesNotVisible, types.QueueAttributeNameApproximateNumberOfMessagesDelayed},
			queue.DeadLetterQueue: {types.QueueAttributeNameApproximateNumberOfMessagesNotVisible},
		} {
			url, err := s.queueURL(ctx, name)
			if err != nil {
				return false, err
			}
			out, err := s.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: counts})
			if err != nil {
				return false, err
			}
			for _, count := range out.Attributes {
				if count != "0" {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// putBack looks at every dead letter and puts it back: a subscriber's into its
// queue; the relay's by having its item stamped, as it is now.
func (s *sim) putBack(ctx context.Context) (any bool, err error) {
	for _, t := range s.tenants {
		queue := t.manifest.Subscribes[0].Queue
		to, err := s.queueURL(ctx, queue.Name)
		if err != nil {
			return any, err
		}
		err = s.letters(ctx, queue.DeadLetterQueue, func(msg types.Message, l sqssub.Letter) error {
			any = true
			if _, err := contracts.Decode(l.Body, catalog); err != nil {
				s.fail("a dead letter of %s has no whole body: %v", t.manifest.Service, err)
			}
			if s.calm && l.Reason == "" {
				s.fail("a message of %s that no handler failed came to the dead-letter queue: %s", t.manifest.Service, l.Body)
			}
			if l.Reason == "" && msg.Attributes["DeadLetterQueueSourceArn"] == "" {
				s.fail("a dead letter of %s has no reason: %s", t.manifest.Service, l.Body)
			}
			_, err := s.queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: to, MessageBody: aws.String(string(l.Body)), MessageAttributes: l.Attributes})
			return err
		})
		if err != nil {
			return any, err
		}
	}
	err = s.letters(ctx, s.m.Publishes[0].DeadLetterQueue, func(_ types.Message, l sqssub.Letter) error {
		any = true
		if l.Reason == "" || len(l.Body) == 0 {
			s.fail("a dead letter of the relay lacks body or reason: %q", l.Reason)
		}
		// Which item it is of does not matter: an item that is stamped without
		// need is published once more.
		for i := range Items {
			if err := s.foreign.change(ctx, subjectOf(i), s.foreign.names.Version, contracts.Value{}); err != nil {
				return err
			}
		}
		return nil
	})
	return any, err
}

// letters takes every message out of a dead-letter queue.
func (s *sim) letters(ctx context.Context, queue string, each func(types.Message, sqssub.Letter) error) error {
	url, err := s.queueURL(ctx, queue)
	if err != nil {
		return err
	}
	for {
		out, err := s.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10,
			MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
		if err != nil || len(out.Messages) == 0 {
			return err
		}
		for _, msg := range out.Messages {
			l, err := sqssub.ReadDeadLetter(msg)
			if err != nil {
				return err
			}
			if err := each(msg, l); err != nil {
				return err
			}
			if _, err := s.queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: msg.ReceiptHandle}); err != nil {
				return err
			}
		}
	}
}

var catalog = func() *contracts.Catalog {
	c, err := contracts.NewCatalog(profilev1.Contract)
	if err != nil {
		panic(err) // one contract has no conflict with itself
	}
	return c
}()
