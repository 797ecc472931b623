package sqs

import (
	"context"
	"strconv"
	"time"
)

func (s *Service) setQueueAttributes(_ context.Context, in struct {
	QueueURL   string `json:"QueueUrl"`
	Attributes map[string]string
}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if len(in.Attributes) == 0 {
		return nil, missing("Attributes")
	}
	if _, given := in.Attributes["FifoQueue"]; given {
		return nil, unknownAttribute("FifoQueue") // a queue's kind never changes
	}
	wanted, err := q.settings.apply(in.Attributes)
	if err != nil {
		return nil, err
	}
	if _, given := in.Attributes["RedrivePolicy"]; given {
		if err := s.checkRedrive(q.arn, wanted); err != nil {
			return nil, err
		}
	}
	delayChanged := wanted.delay != q.settings.delay
	now := s.cfg.Now()
	q.settings, q.modified = wanted, now
	if delayChanged && wanted.fifo {
		q.delayAgain(now)
	}
	q.settle(now)
	return empty{}, nil
}

// delayAgain applies a new queue delay to messages already on a FIFO queue:
// there, and only there, it is retroactive ("Amazon SQS delay queues").
func (q *queue) delayAgain(now time.Time) {
	var affected []*message
	for _, m := range q.messages {
		if m.state == delayed || m.state == visible && m.receives == 0 {
			affected = append(affected, m)
		}
	}
	for _, m := range affected {
		if due := m.sentAt.Add(q.settings.delay); due.After(now) {
			q.move(m, delayed, due)
		} else {
			q.move(m, visible, time.Time{})
		}
	}
}

// countNames are the attributes that count messages, by state.
var countNames = [3]string{
	delayed:  "ApproximateNumberOfMessagesDelayed",
	visible:  "ApproximateNumberOfMessages",
	inFlight: "ApproximateNumberOfMessagesNotVisible",
}

// reported returns every attribute of the queue by name.
func (q *queue) reported() map[string]string {
	reported := map[string]string{
		"QueueArn":              q.arn,
		"CreatedTimestamp":      strconv.FormatInt(q.created.Unix(), 10),
		"LastModifiedTimestamp": strconv.FormatInt(q.modified.Unix(), 10),
	}
	for state, name := range countNames {
		reported[name] = strconv.Itoa(q.counts[state])
	}
	for name, attribute := range settingsByName {
		if value, has := attribute.get(&q.settings); has {
			reported[name] = value
		}
	}
	return reported
}

// knownAttribute reports whether GetQueueAttributes may be asked for a name.
func knownAttribute(name string) bool {
	switch name {
	case "All", "QueueArn", "CreatedTimestamp", "LastModifiedTimestamp",
		countNames[delayed], countNames[visible], countNames[inFlight],
		"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds": // never set here, so never reported
		return true
	}
	_, ok := settingsByName[name]
	return ok
}

func (s *Service) getQueueAttributes(_ context.Context, in struct {
	QueueURL       string `json:"QueueUrl"`
	AttributeNames []string
}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	all := q.reported()
	wanted := map[string]string{}
	for _, name := range in.AttributeNames {
		if !knownAttribute(name) {
			return nil, unknownAttribute(name)
		}
		if name == "All" {
			wanted = all
			continue
		}
		if value, has := all[name]; has {
			wanted[name] = value
		}
	}
	return struct {
		Attributes map[string]string `json:",omitempty"`
	}{wanted}, nil
}
