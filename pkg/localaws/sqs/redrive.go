package sqs

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// redrivePolicy says where messages go that were received too often.
type redrivePolicy struct {
	target      string // ARN of the dead-letter queue
	maxReceives int
}

// invalidDocument is the error for a policy attribute that does not hold.
func invalidDocument(name, value, reason string) error {
	return invalid("Value %s for parameter %s is invalid. Reason: %s", value, name, reason)
}

// parseRedrivePolicy reads the RedrivePolicy attribute; the empty string
// removes the policy.
func parseRedrivePolicy(text string) (*redrivePolicy, error) {
	if text == "" {
		return nil, nil
	}
	var document struct {
		DeadLetterTargetArn string          `json:"deadLetterTargetArn"`
		MaxReceiveCount     json.RawMessage `json:"maxReceiveCount"`
	}
	if err := decodeStrictly(text, &document); err != nil {
		return nil, invalidDocument("RedrivePolicy", text, err.Error())
	}
	if document.DeadLetterTargetArn == "" {
		return nil, invalidDocument("RedrivePolicy", text, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	}
	if len(document.MaxReceiveCount) == 0 {
		return nil, invalidDocument("RedrivePolicy", text, "Redrive policy does not contain mandatory attribute: maxReceiveCount.")
	}
	// AWS takes the count as a number and as a string.
	count, err := strconv.Atoi(string(bytes.Trim(document.MaxReceiveCount, `"`)))
	if err != nil || count < 1 || count > 1000 {
		return nil, invalidDocument("RedrivePolicy", text, "Invalid value for maxReceiveCount: "+string(document.MaxReceiveCount)+", valid values are from 1 to 1000 both inclusive.")
	}
	return &redrivePolicy{target: document.DeadLetterTargetArn, maxReceives: count}, nil
}

// redriveAllowPolicy says which queues may name this one as their dead-letter
// queue. Nil allows all.
type redriveAllowPolicy struct {
	denyAll bool
	sources map[string]bool // by ARN, where only these may
}

func (p *redriveAllowPolicy) allows(source string) bool {
	switch {
	case p == nil:
		return true
	case p.denyAll:
		return false
	case p.sources != nil:
		return p.sources[source]
	default:
		return true
	}
}

// parseRedriveAllowPolicy reads the RedriveAllowPolicy attribute.
func parseRedriveAllowPolicy(text string) (*redriveAllowPolicy, error) {
	if text == "" {
		return nil, nil
	}
	const name = "RedriveAllowPolicy"
	var document struct {
		RedrivePermission string   `json:"redrivePermission"`
		SourceQueueArns   []string `json:"sourceQueueArns"`
	}
	if err := decodeStrictly(text, &document); err != nil {
		return nil, invalidDocument(name, text, err.Error())
	}
	if document.RedrivePermission != "byQueue" && document.SourceQueueArns != nil {
		return nil, invalidDocument(name, text, "sourceQueueArns may be given only with the byQueue permission.")
	}
	switch document.RedrivePermission {
	case "allowAll":
		return &redriveAllowPolicy{}, nil
	case "denyAll":
		return &redriveAllowPolicy{denyAll: true}, nil
	case "byQueue":
		if n := len(document.SourceQueueArns); n < 1 || n > 10 {
			return nil, invalidDocument(name, text, "byQueue needs 1 to 10 sourceQueueArns.")
		}
		sources := map[string]bool{}
		for _, arn := range document.SourceQueueArns {
			sources[arn] = true
		}
		return &redriveAllowPolicy{sources: sources}, nil
	default:
		return nil, invalidDocument(name, text, "redrivePermission is one of allowAll, denyAll and byQueue.")
	}
}

// decodeStrictly decodes a JSON document and refuses members it does not know.
func decodeStrictly(text string, into any) error {
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

// checkRedrive checks what a redrive policy says about other queues. The
// service is locked.
func (s *Service) checkRedrive(source string, wanted settings) error {
	if wanted.redrive == nil {
		return nil
	}
	const name = "RedrivePolicy"
	target := s.findARN(wanted.redrive.target)
	switch {
	case target == nil:
		return invalidDocument(name, wanted.redriveText, "Dead letter target does not exist.")
	case target.settings.fifo != wanted.fifo:
		return invalidDocument(name, wanted.redriveText, "Dead-letter queue must be same type of queue as the source.")
	case !target.settings.allow.allows(source):
		return invalidDocument(name, wanted.redriveText, "Dead letter target's RedriveAllowPolicy does not allow this queue.")
	}
	return nil
}

// deadLetter moves a message that was received too often to its queue's
// dead-letter queue and reports whether there is one. A message on a standard
// queue keeps its enqueue time, one on a FIFO queue gets a new one, and its
// deduplication id becomes its message id ("Using dead-letter queues in Amazon
// SQS"; "Learn how to configure a dead-letter queue redrive in Amazon SQS").
func (q *queue) deadLetter(m *message) (*queue, bool) {
	if q.settings.redrive == nil || m.receivesHere < q.settings.redrive.maxReceives {
		return nil, false
	}
	target := q.service.findARN(q.settings.redrive.target)
	if target == nil || !target.settings.allow.allows(q.arn) {
		return nil, false // the target was deleted since: the message stays
	}
	q.remove(m)
	moved := *m
	moved.source = q.arn
	if target.settings.fifo {
		moved.sentAt = q.service.cfg.Now()
		moved.deduplication = m.id
		moved.sequence = target.nextSequence()
	}
	target.add(&moved, 0)
	return target, true
}
