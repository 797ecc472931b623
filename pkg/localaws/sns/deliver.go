package sns

import (
	"context"
	"errors"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/sns/filter"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// rawAttributes is how many message attributes a raw delivery to SQS can
// carry; SNS discards a message with more as a client-side error ("Amazon SNS
// message attributes").
const rawAttributes = 10

// send is one message on its way to one subscription.
type send struct {
	subscriptionARN string
	delivery        Delivery
	dead            *Delivery // for the dead-letter queue, nil without one
	discard         bool      // never deliverable: to the dead-letter queue at once
	attempt         int

	lane   *lane         // of a FIFO topic, else nil
	first  chan struct{} // closed when a FIFO send was tried or must wait for others
	closed bool          // first is closed; Service.mu guards it
}

// prepare makes a message's deliveries: for each subscription whose filter
// policy takes it. Service.mu is held.
func (s *Service) prepare(t *topic, m message) ([]*send, error) {
	sends := make([]*send, 0, len(t.subscriptions))
	var matchable *filter.Message
	for _, sub := range t.subscriptions {
		if policy := sub.inEffect(m.published); policy != nil {
			if matchable == nil {
				matchable = m.matchable()
			}
			if !policy.Matches(matchable) {
				s.counts.count(sub.arn, func(c *SubscriptionCounters) { c.FilteredOut++ })
				continue
			}
		}
		made, err := s.prepareOne(t, sub, m)
		if err != nil {
			return nil, err
		}
		sends = append(sends, made)
	}
	for _, made := range sends {
		if t.fifo {
			s.enlane(made)
		}
	}
	return sends, nil
}

func (s *Service) prepareOne(t *topic, sub *subscription, m message) (*send, error) {
	made := &send{subscriptionARN: sub.arn, delivery: Delivery{
		QueueARN: sub.endpoint, TopicARN: t.arn, Body: m.body, GroupID: m.groupID,
	}}
	made.discard = sub.raw && !m.structured && len(m.attributes) > rawAttributes
	if sub.raw && !made.discard {
		if !m.structured {
			made.delivery.Attributes = m.attributes
		}
	} else {
		body, err := s.wrap(m, t, sub.arn, t.attribute("SignatureVersion"))
		if err != nil {
			return nil, err
		}
		made.delivery.Body = body
	}
	if sub.dead != "" {
		// The dead-letter queue gets what the queue would have got, without
		// additions ("Amazon SNS dead-letter queues" names none). A message
		// with too many attributes for a raw delivery gets there wrapped, its
		// attributes in the body, because SQS would refuse it too.
		dead := made.delivery
		dead.QueueARN = sub.dead
		made.dead = &dead
	}
	for _, d := range []*Delivery{&made.delivery, made.dead} {
		if d != nil && isFIFO(d.QueueARN) {
			d.DeduplicationID = m.deduplicationID
		}
	}
	if t.fifo {
		made.lane = s.laneOf(sub, m.groupID)
		made.first = make(chan struct{})
	}
	return made, nil
}

// send delivers, and returns when every delivery was tried that has not to
// wait: for a delay, for a retry, or for an earlier message of its group.
func (s *Service) send(sends []*send) {
	for _, one := range sends {
		if one.lane != nil {
			s.drive(one)
			continue
		}
		copies := []time.Duration{0}
		if s.cfg.Disturb != nil {
			copies = s.cfg.Disturb(one.delivery)
		}
		if len(copies) == 0 {
			s.counts.count(one.subscriptionARN, func(c *SubscriptionCounters) { c.Lost++ })
		}
		for _, delay := range copies {
			own := *one
			if delay <= 0 {
				if pause, again := s.try(&own); again {
					s.after(pause, func() { s.finish(&own) })
				}
				continue
			}
			s.after(delay, func() { s.finish(&own) })
		}
	}
}

// after runs a function later, on a goroutine that Close joins; a closing
// service drops it.
func (s *Service) after(pause time.Duration, run func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	s.later.Go(func() {
		if wait(s.ctx, pause) {
			run()
		}
	})
}

// finish tries until it succeeds, gives up, or the service closes.
func (s *Service) finish(one *send) {
	for {
		pause, again := s.try(one)
		if !again || !wait(s.ctx, pause) {
			return
		}
	}
}

// try attempts a delivery, and where that is hopeless the dead-letter queue.
// It reports the pause before the next attempt if there has to be one.
func (s *Service) try(one *send) (pause time.Duration, again bool) {
	for {
		err := s.attempt(one)
		if err == nil || s.ctx.Err() != nil {
			return 0, false
		}
		if !clientSide(err) && one.attempt < len(s.cfg.Retries) {
			pause := s.cfg.Retries[one.attempt]
			one.attempt++
			if pause > 0 {
				return pause, true
			}
			continue
		}
		redriving := one.dead != nil && one.delivery.QueueARN != one.dead.QueueARN
		first := one.dead == nil || redriving
		s.counts.count(one.subscriptionARN, func(c *SubscriptionCounters) {
			if first {
				c.Failed++
			}
			if !redriving {
				c.Lost++
			}
		})
		if !redriving {
			return 0, false
		}
		one.delivery, one.attempt, one.discard = *one.dead, 0, false
	}
}

// attempt delivers once and counts.
func (s *Service) attempt(one *send) error {
	if one.discard {
		return wire.Errorf("InvalidParameter", "a raw delivery carries at most %d message attributes", rawAttributes)
	}
	redriven := one.dead != nil && one.delivery.QueueARN == one.dead.QueueARN
	err := s.cfg.Queues.Deliver(s.ctx, one.delivery)
	s.counts.count(one.subscriptionARN, func(c *SubscriptionCounters) {
		switch {
		case redriven && err == nil:
			c.Redriven++
		case redriven:
		case err == nil:
			c.Attempts++
			c.Delivered++
		default:
			c.Attempts++
		}
	})
	return err
}

// clientSide tells the errors that no retry mends: what SQS answers with a
// status below 500, throttling excepted.
func clientSide(err error) bool {
	var apiErr *wire.Error
	return errors.As(err, &apiErr) && apiErr.HTTPStatus() < 500 && apiErr.HTTPStatus() != 429
}

// wait pauses, and reports false if the context ended first.
func wait(ctx context.Context, pause time.Duration) bool {
	if ctx.Err() != nil {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
