package sqs

import (
	"context"
	"time"
)

// maxInFlightFor is how long a message may stay in flight after one receive,
// however often its visibility timeout is changed ("Amazon SQS visibility
// timeout").
const maxInFlightFor = 12 * time.Hour

type batchEntryAnswer struct {
	ID string `json:"Id"`
}

// delete deletes the message a handle names. With the handle of an earlier
// receive a standard queue says yes and keeps the message, as AWS says it may
// ("DeleteMessage", API reference); a FIFO queue refuses an expired one.
func (q *queue) delete(handle string) error {
	received, err := q.resolve(handle)
	if err != nil || received.message == nil {
		return err // deleting twice is no error
	}
	if q.settings.fifo && received.expired() {
		return handleExpired(handle)
	}
	if received.latest {
		q.remove(received.message)
	}
	return nil
}

func (s *Service) deleteMessage(_ context.Context, in struct {
	QueueURL      string `json:"QueueUrl"`
	ReceiptHandle string
}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if err := q.delete(in.ReceiptHandle); err != nil {
		return nil, err
	}
	q.settle(s.cfg.Now())
	return empty{}, nil
}

type deleteBatchEntry struct {
	ID            string `json:"Id"`
	ReceiptHandle string
}

func (s *Service) deleteMessageBatch(_ context.Context, in struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []deleteBatchEntry
}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("DeleteMessageBatchRequestEntry", in.Entries, func(e deleteBatchEntry) string { return e.ID }); err != nil {
		return nil, err
	}
	answer := newBatchAnswer[batchEntryAnswer]()
	for _, entry := range in.Entries {
		err := s.entryFault("DeleteMessageBatch", entry.ID)
		if err == nil {
			err = q.delete(entry.ReceiptHandle)
		}
		if err != nil {
			answer.fail(entry.ID, err)
			continue
		}
		answer.Successful = append(answer.Successful, batchEntryAnswer{entry.ID})
	}
	q.settle(s.cfg.Now())
	return answer, nil
}

// changeVisibility gives the message a handle names a new visibility timeout,
// counted from now.
func (q *queue) changeVisibility(handle string, seconds *int, now time.Time) error {
	received, err := q.resolve(handle)
	if err != nil {
		return err
	}
	m := received.message
	switch {
	case seconds == nil:
		return missing("VisibilityTimeout")
	case *seconds < 0 || *seconds > 43_200:
		return invalid("Value %d for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between 0 and 43200.", *seconds)
	case m == nil:
		return invalid("Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", handle)
	case q.settings.fifo && received.expired():
		return handleExpired(handle)
	case received.expired():
		return errorf("MessageNotInflight", "The specified message isn't in flight.")
	}
	timeout := time.Duration(*seconds) * time.Second
	if now.Add(timeout).After(m.receivedAt.Add(maxInFlightFor)) {
		return invalid("Value %d for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].", *seconds)
	}
	m.visibilityChanged = true
	if timeout == 0 {
		q.move(m, visible, time.Time{})
	} else {
		q.move(m, inFlight, now.Add(timeout))
	}
	return nil
}

func (s *Service) changeMessageVisibility(_ context.Context, in struct {
	QueueURL          string `json:"QueueUrl"`
	ReceiptHandle     string
	VisibilityTimeout *int
}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	if err := q.changeVisibility(in.ReceiptHandle, in.VisibilityTimeout, now); err != nil {
		return nil, err
	}
	q.settle(now)
	return empty{}, nil
}

type visibilityBatchEntry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string
	VisibilityTimeout *int
}

func (s *Service) changeMessageVisibilityBatch(_ context.Context, in struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []visibilityBatchEntry
}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("ChangeMessageVisibilityBatchRequestEntry", in.Entries, func(e visibilityBatchEntry) string { return e.ID }); err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	answer := newBatchAnswer[batchEntryAnswer]()
	for _, entry := range in.Entries {
		timeout := entry.VisibilityTimeout
		if timeout == nil {
			timeout = new(int) // optional in a batch, as the API reference has it
		}
		err := s.entryFault("ChangeMessageVisibilityBatch", entry.ID)
		if err == nil {
			err = q.changeVisibility(entry.ReceiptHandle, timeout, now)
		}
		if err != nil {
			answer.fail(entry.ID, err)
			continue
		}
		answer.Successful = append(answer.Successful, batchEntryAnswer{entry.ID})
	}
	q.settle(now)
	return answer, nil
}
