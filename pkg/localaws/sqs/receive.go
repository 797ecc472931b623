package sqs

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// systemAttributeNames are what MessageSystemAttributeNames and the older
// AttributeNames may ask for ("ReceiveMessage", API reference).
var systemAttributeNames = []string{
	"All", "AWSTraceHeader", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount",
	"DeadLetterQueueSourceArn", "MessageDeduplicationId", "MessageGroupId", "SenderId",
	"SentTimestamp", "SequenceNumber", "SqsManagedSseEnabled",
}

type receiveRequest struct {
	QueueURL                    string `json:"QueueUrl"`
	AttributeNames              []string
	MaxNumberOfMessages         *int
	MessageAttributeNames       []string
	MessageSystemAttributeNames []string
	ReceiveRequestAttemptID     *string `json:"ReceiveRequestAttemptId"`
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
}

// receivedMessage is one message of an answer.
type receivedMessage struct {
	Attributes             map[string]string `json:",omitempty"`
	Body                   string
	MD5OfBody              string
	MD5OfMessageAttributes string                   `json:",omitempty"`
	MessageAttributes      map[string]attributeJSON `json:",omitempty"`
	MessageID              string                   `json:"MessageId"`
	ReceiptHandle          string
}

type receiveAnswer struct {
	Messages []receivedMessage `json:",omitempty"`
}

// check checks what does not depend on the queue.
func (in receiveRequest) check() error {
	bounded := func(parameter string, value *int, low, high int) error {
		if value != nil && (*value < low || *value > high) {
			return invalid("Value %d for parameter %s is invalid. Reason: Must be between %d and %d, if provided.", *value, parameter, low, high)
		}
		return nil
	}
	if err := bounded("MaxNumberOfMessages", in.MaxNumberOfMessages, 1, 10); err != nil {
		return err
	}
	if err := bounded("WaitTimeSeconds", in.WaitTimeSeconds, 0, 20); err != nil {
		return err
	}
	if err := bounded("VisibilityTimeout", in.VisibilityTimeout, 0, 43_200); err != nil {
		return err
	}
	for _, name := range in.system() {
		if !slices.Contains(systemAttributeNames, name) {
			return unknownAttribute(name)
		}
	}
	if in.ReceiveRequestAttemptID != nil {
		return checkToken("ReceiveRequestAttemptId", *in.ReceiveRequestAttemptID)
	}
	return nil
}

func (in receiveRequest) system() []string {
	return slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)
}

func (s *Service) receiveMessage(ctx context.Context, in receiveRequest) (any, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if in.ReceiveRequestAttemptID != nil && !q.settings.fifo {
		return nil, wrongQueueType(*in.ReceiveRequestAttemptID, "ReceiveRequestAttemptId")
	}
	wait := q.settings.wait
	if in.WaitTimeSeconds != nil {
		wait = time.Duration(*in.WaitTimeSeconds) * time.Second
	}
	taken, err := q.await(ctx, in, wait)
	if err != nil {
		return nil, err
	}
	var answer receiveAnswer
	for _, m := range taken {
		answer.Messages = append(answer.Messages, q.present(m, in))
	}
	return answer, nil
}

// take receives what can be received at once. It returns an OverLimit error
// where a standard queue has too many messages in flight.
func (q *queue) take(in receiveRequest, now time.Time) ([]*message, error) {
	q.advance(now)
	visibility := q.settings.visibility
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	if again := q.repeatAttempt(in, now, visibility); again != nil {
		return again, nil
	}
	limit := 1
	if in.MaxNumberOfMessages != nil {
		limit = *in.MaxNumberOfMessages
	}
	room := q.roomInFlight()
	if room == 0 && !q.settings.fifo && q.line.next(nil) != nil {
		return nil, errorf("OverLimit", "Too many messages in flight: the queue %s has reached its limit of %d.", q.name, q.service.cfg.MaxInFlight)
	}
	var taken []*message
	var fed []*queue // dead-letter queues that got something
	var last *message
	for len(taken) < min(limit, room) {
		m := q.line.next(last)
		if m == nil {
			break
		}
		if target, dead := q.deadLetter(m); dead {
			fed = append(fed, target)
			continue
		}
		m.receives++
		m.receivesHere++
		q.receipts++
		m.receipt, m.receivedAt, m.visibilityChanged = q.receipts, now, false
		if m.firstReceived.IsZero() {
			m.firstReceived = now
		}
		q.move(m, inFlight, now.Add(visibility))
		taken = append(taken, m)
		last = m
	}
	for _, target := range fed {
		if target != q {
			target.settle(now)
		}
	}
	q.rememberAttempt(in, taken, now)
	return taken, nil
}

// receiveAttempt is what a FIFO queue remembers of a receive with an attempt
// id ("ReceiveMessage", API reference).
type receiveAttempt struct {
	messages []*message
	receipts []uint64
	until    time.Time
}

// repeatAttempt returns the messages of an earlier receive with the same
// attempt id, with the same handles, where none of them was deleted, changed
// or became visible since. Their visibility timeout starts again.
func (q *queue) repeatAttempt(in receiveRequest, now time.Time, visibility time.Duration) []*message {
	if in.ReceiveRequestAttemptID == nil {
		return nil
	}
	for len(q.attemptOrder) > 0 {
		oldest := q.attemptOrder[0]
		if attempt := q.attempts[oldest]; attempt.until.After(now) {
			break // the window is constant, so the rest is younger
		}
		delete(q.attempts, oldest)
		q.attemptOrder = q.attemptOrder[1:]
	}
	attempt, ok := q.attempts[*in.ReceiveRequestAttemptID]
	if !ok {
		return nil
	}
	for i, m := range attempt.messages {
		if q.messages[m.serial] != m || m.state != inFlight || m.receipt != attempt.receipts[i] || m.visibilityChanged {
			return nil
		}
	}
	for _, m := range attempt.messages {
		q.move(m, inFlight, now.Add(visibility))
	}
	return attempt.messages
}

func (q *queue) rememberAttempt(in receiveRequest, taken []*message, now time.Time) {
	if in.ReceiveRequestAttemptID == nil || len(taken) == 0 {
		return
	}
	attempt := receiveAttempt{messages: taken, until: now.Add(deduplicationInterval)}
	for _, m := range taken {
		attempt.receipts = append(attempt.receipts, m.receipt)
	}
	q.attempts[*in.ReceiveRequestAttemptID] = attempt
	q.attemptOrder = append(q.attemptOrder, *in.ReceiveRequestAttemptID)
}

// present is a message as the request wants to see it.
func (q *queue) present(m *message, in receiveRequest) receivedMessage {
	shown := receivedMessage{
		Body: m.body, MD5OfBody: md5Hex(m.body),
		MessageID: m.id, ReceiptHandle: q.handle(m),
	}
	if selected := selectAttributes(m.attributes, in.MessageAttributeNames); len(selected) > 0 {
		shown.MD5OfMessageAttributes = attributesMD5(selected)
		shown.MessageAttributes = make(map[string]attributeJSON, len(selected))
		for name, attribute := range selected {
			shown.MessageAttributes[name] = attribute.json()
		}
	}
	wanted := in.system()
	all := slices.Contains(wanted, "All")
	show := func(name, value string) {
		if value != "" && (all || slices.Contains(wanted, name)) {
			if shown.Attributes == nil {
				shown.Attributes = map[string]string{}
			}
			shown.Attributes[name] = value
		}
	}
	if len(wanted) == 0 {
		return shown
	}
	show("SenderId", m.sender)
	show("SentTimestamp", strconv.FormatInt(millis(m.sentAt), 10))
	show("ApproximateReceiveCount", strconv.Itoa(m.receives))
	show("ApproximateFirstReceiveTimestamp", strconv.FormatInt(millis(m.firstReceived), 10))
	show("AWSTraceHeader", m.traceHeader)
	show("MessageGroupId", m.group)
	show("MessageDeduplicationId", m.deduplication)
	show("SequenceNumber", m.sequence)
	show("DeadLetterQueueSourceArn", m.source)
	return shown
}
