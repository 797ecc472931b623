package sqs

import (
	"context"
	"net/http"
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// snsSender is the SenderId of messages that SNS sends.
const snsSender = "AIDALOCALAWSSNSSENDER"

// Delivery is a message that another AWS service puts on a queue.
type Delivery struct {
	// QueueARN names the queue.
	QueueARN string
	// Service is the sender's principal, such as sns.amazonaws.com, and
	// SourceARN what it sends for: a topic.
	Service, SourceARN string
	Body               string
	Attributes         map[string]Attribute
	// GroupID and DeduplicationID are empty where the sender gives none.
	GroupID, DeduplicationID string
}

// Deliver puts a message on a queue for another AWS service, if the queue's
// policy lets it. Errors are *wire.Error: QueueDoesNotExist, AccessDenied
// (status 403), and what SendMessage says of the message.
func (s *Service) Deliver(_ context.Context, d Delivery) error {
	s.mu.Lock()
	q := s.findARN(d.QueueARN)
	allowed := q != nil && q.settings.policy.allows(publisher{
		service: d.Service, sourceARN: d.SourceARN, account: accountOf(d.SourceARN),
	}, q.arn)
	s.mu.Unlock()
	if q == nil {
		return noSuchQueue()
	}
	if !allowed {
		return &wire.Error{Code: "AccessDenied", Status: http.StatusForbidden,
			Message: "The policy of " + d.QueueARN + " does not allow " + d.Service + " to send for " + d.SourceARN + "."}
	}
	out := outgoing{MessageBody: &d.Body, MessageAttributes: make(map[string]attributeJSON, len(d.Attributes))}
	for name, attribute := range d.Attributes {
		out.MessageAttributes[name] = attribute.json()
	}
	if d.GroupID != "" {
		out.MessageGroupID = &d.GroupID
	}
	if d.DeduplicationID != "" && q.isFIFO() {
		out.MessageDeduplicationID = &d.DeduplicationID
	}
	made, err := q.draft(out, snsSender)
	if err != nil {
		return err
	}
	_, err = s.enqueue(q, made)
	return err
}

// accountOf returns the account in an ARN.
func accountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}
