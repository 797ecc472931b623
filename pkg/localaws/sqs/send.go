package sqs

import (
	"context"
	"fmt"
	"regexp"
	"time"
)

// outgoing is one message of a SendMessage or SendMessageBatch request.
type outgoing struct {
	MessageBody             *string
	DelaySeconds            *int
	MessageAttributes       map[string]attributeJSON
	MessageDeduplicationID  *string `json:"MessageDeduplicationId"`
	MessageGroupID          *string `json:"MessageGroupId"`
	MessageSystemAttributes map[string]attributeJSON
}

// accepted is the answer for one message that was sent.
type accepted struct {
	ID                           string `json:"Id,omitempty"` // batches only
	MD5OfMessageBody             string
	MD5OfMessageAttributes       string `json:",omitempty"`
	MD5OfMessageSystemAttributes string `json:",omitempty"`
	MessageID                    string `json:"MessageId"`
	SequenceNumber               string `json:",omitempty"`
}

func (s *Service) sendMessage(_ context.Context, in struct {
	QueueURL string `json:"QueueUrl"`
	outgoing
}) (any, error) {
	s.mu.Lock()
	q, err := s.find(in.QueueURL)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	draft, err := q.draft(in.outgoing, s.cfg.AccountID)
	if err != nil {
		return nil, err
	}
	return s.enqueue(q, draft)
}

type sendBatchEntry struct {
	ID string `json:"Id"`
	outgoing
}

func (s *Service) sendMessageBatch(_ context.Context, in struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []sendBatchEntry
}) (any, error) {
	s.mu.Lock()
	q, err := s.find(in.QueueURL)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := checkBatch("SendMessageBatchRequestEntry", in.Entries, func(e sendBatchEntry) string { return e.ID }); err != nil {
		return nil, err
	}
	total := 0
	for _, entry := range in.Entries {
		total += entry.sizeBytes()
	}
	if total > maxMessageBytes {
		return nil, errorf("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxMessageBytes, total)
	}
	answer := newBatchAnswer[accepted]()
	for _, entry := range in.Entries {
		draft, err := q.draft(entry.outgoing, s.cfg.AccountID)
		if err == nil {
			err = s.entryFault("SendMessageBatch", entry.ID)
		}
		if err == nil {
			var sent accepted
			if sent, err = s.enqueue(q, draft); err == nil {
				sent.ID = entry.ID
				answer.Successful = append(answer.Successful, sent)
			}
		}
		if err != nil {
			answer.fail(entry.ID, err)
		}
	}
	return answer, nil
}

// sizeBytes is what a message counts towards the limits: its body and its
// attributes' names, types and values.
func (o outgoing) sizeBytes() int {
	total := 0
	if o.MessageBody != nil {
		total = len(*o.MessageBody)
	}
	for name, attribute := range o.MessageAttributes {
		total += len(name) + len(attribute.DataType) + len(attribute.BinaryValue)
		if attribute.StringValue != nil {
			total += len(*attribute.StringValue)
		}
	}
	return total
}

// draft is a message that was checked and waits to be put on its queue.
type draft struct {
	message *message
	delay   *time.Duration // of this message; the queue's if nil
}

// token is what group, deduplication and receive attempt ids may be
// ("SendMessage", API reference).
var token = regexp.MustCompile("^[A-Za-z0-9!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]{1,128}$")

func checkToken(parameter string, value string) error {
	if !token.MatchString(value) {
		return invalid("Value %s for parameter %s is invalid. Reason: %s can only include alphanumeric and punctuation characters. 1 to 128 in length.", value, parameter, parameter)
	}
	return nil
}

// draft checks a message and makes it. It needs no lock: of the queue it reads
// only the kind, which never changes. What depends on the queue's settings is
// checked by enqueue, at the moment of sending.
func (q *queue) draft(o outgoing, sender string) (draft, error) {
	if o.MessageBody == nil || *o.MessageBody == "" {
		return draft{}, missing("MessageBody")
	}
	if !validText(*o.MessageBody) {
		return draft{}, errorf("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
	}
	attributes, err := readAttributes(o.MessageAttributes)
	if err != nil {
		return draft{}, err
	}
	m := &message{body: *o.MessageBody, attributes: attributes, sender: sender}
	if m.traceHeader, err = readSystemAttributes(o.MessageSystemAttributes); err != nil {
		return draft{}, err
	}
	made := draft{message: m}
	if o.DelaySeconds != nil {
		if *o.DelaySeconds < 0 || *o.DelaySeconds > 900 {
			return draft{}, invalid("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", *o.DelaySeconds)
		}
		if q.isFIFO() && *o.DelaySeconds != 0 {
			return draft{}, wrongQueueType(fmt.Sprint(*o.DelaySeconds), "DelaySeconds")
		}
		delay := time.Duration(*o.DelaySeconds) * time.Second
		made.delay = &delay
	}
	if o.MessageGroupID != nil {
		if err := checkToken("MessageGroupId", *o.MessageGroupID); err != nil {
			return draft{}, err
		}
		m.group = *o.MessageGroupID
	} else if q.isFIFO() {
		return draft{}, missing("MessageGroupId")
	}
	if o.MessageDeduplicationID != nil {
		if !q.isFIFO() {
			return draft{}, wrongQueueType(*o.MessageDeduplicationID, "MessageDeduplicationId")
		}
		if err := checkToken("MessageDeduplicationId", *o.MessageDeduplicationID); err != nil {
			return draft{}, err
		}
		m.deduplication = *o.MessageDeduplicationID
	}
	return made, nil
}

// isFIFO needs no lock: a queue's kind never changes.
func (q *queue) isFIFO() bool { return isFIFOName(q.name) }

func wrongQueueType(value, parameter string) error {
	return invalid("Value %s for parameter %s is invalid. Reason: The request include parameter that is not valid for this queue type.", value, parameter)
}

// readSystemAttributes returns the AWSTraceHeader, the only one there is.
func readSystemAttributes(in map[string]attributeJSON) (string, error) {
	for name, attribute := range in {
		if name != "AWSTraceHeader" {
			return "", invalid("Message system attribute name '%s' is invalid.", name)
		}
		if attribute.DataType != "String" || attribute.StringValue == nil || *attribute.StringValue == "" {
			return "", invalid("The message system attribute 'AWSTraceHeader' must be a non-empty String.")
		}
		return *attribute.StringValue, nil
	}
	return "", nil
}

// sizeBytes is the size of a message as outgoing.sizeBytes counts it.
func (m *message) sizeBytes() int {
	total := len(m.body)
	for name, attribute := range m.attributes {
		total += attribute.sizeBytes(name)
	}
	return total
}

// enqueue puts a message on its queue, or finds that a FIFO queue has had it.
func (s *Service) enqueue(q *queue, d draft) (accepted, error) {
	m := d.message
	m.id = s.cfg.NewID()
	answer := accepted{MD5OfMessageBody: md5Hex(m.body), MD5OfMessageAttributes: attributesMD5(m.attributes)}
	if m.traceHeader != "" {
		answer.MD5OfMessageSystemAttributes = attributesMD5(map[string]Attribute{
			"AWSTraceHeader": {DataType: "String", StringValue: m.traceHeader},
		})
	}
	copies := []time.Duration{0}
	if s.cfg.Disturb != nil && !q.isFIFO() {
		copies = s.cfg.Disturb(Arrival{QueueARN: q.arn, MessageID: m.id, Body: m.body})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.gone {
		return accepted{}, noSuchQueue()
	}
	if m.sizeBytes() > q.settings.maxBytes {
		return accepted{}, invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.settings.maxBytes)
	}
	now := s.cfg.Now()
	q.advance(now)
	m.sentAt = now
	if q.settings.fifo {
		if m.deduplication == "" {
			if !q.settings.contentDedup {
				return accepted{}, invalid("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
			}
			m.deduplication = contentID(m.body)
		}
		key := q.deduplicationKey(m)
		if earlier, repeated := q.dedup.lookup(key, now); repeated {
			answer.MessageID, answer.SequenceNumber = earlier.messageID, earlier.sequence
			return answer, nil
		}
		m.sequence = q.nextSequence()
		q.dedup.remember(key, m.id, m.sequence, now)
	}
	delay := q.settings.delay
	if d.delay != nil && !q.settings.fifo {
		delay = *d.delay
	}
	for _, extra := range copies {
		one := *m
		q.add(&one, delay+extra)
	}
	q.settle(now)
	answer.MessageID, answer.SequenceNumber = m.id, m.sequence
	return answer, nil
}

// nextSequence returns a FIFO queue's next sequence number: 20 digits, never
// decreasing ("Amazon SQS message identifiers").
func (q *queue) nextSequence() string {
	q.sequence++
	return fmt.Sprintf("%020d", 18_000_000_000_000_000_000+q.sequence)
}
