package sns

import (
	"context"
	"errors"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type publishInput struct {
	topicARN, param string
	draft           draft
}

type publishOutput struct {
	MessageID      string `xml:"MessageId"`
	SequenceNumber string `xml:",omitempty"`
}

// publish sends one message to a topic.
var publish = action(
	func(p *param) publishInput {
		in := publishInput{param: "TopicArn", draft: p.draft()}
		topicARN, hasTopic := p.optional("TopicArn")
		targetARN, hasTarget := p.optional("TargetArn")
		if _, phone := p.optional("PhoneNumber"); phone {
			p.problem.note(wire.Errorf("InvalidParameter", "Invalid parameter: PhoneNumber Reason: localaws publishes to topics only"))
		}
		switch {
		case hasTopic && hasTarget:
			p.problem.note(wire.Errorf("InvalidParameter", "Invalid parameter: TopicArn or TargetArn Reason: give one of them, not both"))
		case hasTopic:
			in.topicARN = topicARN
		case hasTarget:
			in.topicARN, in.param = targetARN, "TargetArn"
		default:
			p.problem.note(wire.Errorf("InvalidParameter", "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter"))
		}
		return in
	},
	func(s *Service, _ context.Context, in publishInput) (any, error) {
		m, err := in.draft.check()
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		t, err := s.topic(in.param, in.topicARN)
		if err == nil {
			err = t.admit(in.draft)
		}
		if err == nil {
			err = s.publishFault(t.arn, in.draft.body)
		}
		if err != nil {
			s.mu.Unlock()
			return nil, err
		}
		accepted, sends, err := s.accept(t, m)
		s.mu.Unlock()
		if err != nil {
			return nil, err
		}
		s.send(sends)
		return publishOutput{accepted.id, accepted.sequence}, nil
	})

// admit refuses a message that does not fit the topic.
func (t *topic) admit(d draft) error {
	if d.bytes() > t.maximumBytes() {
		return wire.Errorf("InvalidParameter", "Invalid parameter: Message too long")
	}
	return t.checkOrdering(d)
}

// publishFault asks Config.PublishFault.
func (s *Service) publishFault(topicARN, body string) error {
	if s.cfg.PublishFault == nil {
		return nil
	}
	return s.cfg.PublishFault(topicARN, body)
}

// accept gives a message its ids and prepares its deliveries. A FIFO topic's
// duplicate has none, and the first one's ids. Service.mu is held, so that a
// FIFO topic's sequence numbers and deliveries are in one order.
func (s *Service) accept(t *topic, m message) (message, []*send, error) {
	m.published = s.cfg.Now()
	key := ""
	if t.fifo {
		if m.deduplicationID == "" {
			m.deduplicationID = contentID(m.body)
		}
		key = t.deduplicationKey(m)
		if first, found := t.recent.find(key, m.published); found {
			s.counts.countTopic(t.arn, func(c *TopicCounters) { c.Deduplicated++ })
			return first, nil, nil
		}
		m.sequence = s.nextSequence()
	}
	m.id = s.cfg.NewID()
	sends, err := s.prepare(t, m)
	if err != nil {
		return message{}, nil, err
	}
	if t.fifo {
		t.recent.remember(key, m)
	}
	s.counts.countTopic(t.arn, func(c *TopicCounters) { c.Published++ })
	return m, sends, nil
}

// entryError is an error as one entry of a batch reports it.
func entryError(err error) (code, text string, senderFault bool) {
	var apiErr *wire.Error
	if !errors.As(err, &apiErr) {
		return "InternalError", err.Error(), false
	}
	return apiErr.Code, apiErr.Message, apiErr.HTTPStatus() < 500
}
