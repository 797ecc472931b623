package sqssub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// deleteAttempts is how often a delete is tried, some fifteen seconds; after
// that the message comes back, which is harmless.
const deleteAttempts = 8

// acked has a message deleted.
func (s *subscription) acked(f *flight) {
	s.counts.acked.Add(1)
	s.mu.Lock()
	f.settling = true
	s.next(f)
	s.mu.Unlock()
	s.room.settle()
	s.deletes.add(f)
}

// nacked does what the handler's error asks for.
func (s *subscription) nacked(f *flight) {
	s.counts.nacked.Add(1)
	cause, told := replica.SettledWith(f.ctx)
	if told {
		switch verdict := replica.Classify(cause); verdict.Verdict {
		case replica.Reject:
			s.reject(f, cause)
			return
		case replica.RetryAfter:
			s.giveBack(f, verdict.After)
			return
		case replica.Retry:
		}
	}
	s.giveBack(f, s.backoff(f))
}

// backoff is how long a message stays away that was not handled. One that the
// end of the drain interrupted does not: the fault is not its own.
func (s *subscription) backoff(f *flight) time.Duration {
	if errors.Is(context.Cause(f.ctx), ErrDrainTimeout) {
		return 0
	}
	return s.cfg.NackBackoff.pause(f.delivery.ReceiveCount, s.cfg.Random)
}

// reject moves a message to the dead-letter queue, and then deletes it. Where
// the first half does not succeed, the message is given back: it is never
// deleted before it is stored.
func (s *subscription) reject(f *flight, cause error) {
	defer f.cancel(ErrSettled)
	if err := s.bury(f, cause); err != nil {
		s.logger.Error("a rejected message did not reach its dead-letter queue; it is given back",
			"message_id", f.delivery.MessageID, "reason", replica.Classify(cause).Reason, "error", err)
		s.giveBack(f, s.backoff(f))
		return
	}
	s.counts.deadLettered.Add(1)
	s.mu.Lock()
	f.settling = true
	s.next(f)
	s.mu.Unlock()
	s.room.settle()
	s.deletes.add(f)
}

// bury stores a message in the dead-letter queue.
func (s *subscription) bury(f *flight, cause error) error {
	var to queue
	var err error
	if s.cfg.DeadLetterQueue != "" {
		to, err = s.queues.find(s.requests, s.cfg.DeadLetterQueue)
	} else {
		to, err = s.queues.deadLetterQueue(s.requests, s.queue.url)
	}
	if err != nil {
		return err
	}
	if to.url == s.queue.url {
		return fmt.Errorf("%w; %s is the source itself", ErrNoDeadLetterQueue, to.name)
	}
	p, err := letter{
		body: aws.ToString(f.raw.Body), attributes: f.raw.MessageAttributes,
		reason: replica.Classify(cause).Reason, detail: detail(cause),
		source: s.queue.name, count: f.delivery.ReceiveCount,
		group: f.delivery.Group, deduplication: f.delivery.MessageID,
	}.pack(to, s.queues.limitBytes(s.requests, to.url))
	if err != nil {
		return err
	}
	return s.post(s.requests, to, p)
}

// detail is what of a rejection's error is worth keeping beside the reason.
func detail(cause error) string {
	rejected, ok := errors.AsType[*replica.RejectedError](cause)
	switch {
	case !ok || error(rejected) != cause && rejected.Err != nil:
		return cause.Error()
	case rejected.Err == nil: // its Error method would not survive
		return ""
	}
	return rejected.Err.Error()
}

// giveBack makes a message visible again after a delay, and with it those of
// its group that wait behind it, which cannot be received before it.
func (s *subscription) giveBack(f *flight, delay time.Duration) {
	s.mu.Lock()
	behind := s.clearLane(f)
	s.mu.Unlock()
	s.giveBackOne(f, delay)
	for _, later := range behind {
		s.giveBackOne(later, 0)
	}
}

func (s *subscription) giveBackOne(f *flight, delay time.Duration) {
	s.counts.givenBack.Add(1)
	s.room.settle()
	f.cancel(ErrSettled)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(f)
	send := func() { s.visibilities.add(visibility{flight: f, timeout: delay, last: true}) }
	if f.extending {
		f.whenExtended = send
		return
	}
	send()
}

// giveBackWaiting gives back at once what was not handed out.
func (s *subscription) giveBackWaiting() {
	s.mu.Lock()
	waiting := s.ready
	s.ready = nil
	for group, behind := range s.lanes {
		waiting = append(waiting, behind...)
		s.lanes[group] = nil
	}
	s.mu.Unlock()
	for _, f := range waiting {
		s.giveBackOne(f, 0)
	}
	s.visibilities.hurry()
}

// delete runs one batch of deletes.
func (s *subscription) delete(batch []*flight) {
	receipts := make(map[*flight]string, len(batch))
	s.mu.Lock()
	for _, f := range batch {
		receipts[f] = f.receipt
	}
	s.mu.Unlock()
	fates := inBatch(s.requests, deleteAttempts, s.cfg.Random, batch, func(ctx context.Context, batch []*flight) (answer, error) {
		in := &sqs.DeleteMessageBatchInput{QueueUrl: aws.String(s.queue.url)}
		for i, f := range batch {
			in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: entryID(i), ReceiptHandle: aws.String(receipts[f])})
		}
		s.counts.deleteRequests.Add(1)
		out, err := s.client.DeleteMessageBatch(ctx, in)
		if err != nil {
			return answer{}, err
		}
		said := answer{failed: out.Failed}
		for _, ok := range out.Successful {
			said.done = append(said.done, ok.Id)
		}
		return said, nil
	})
	var lost int
	var why error
	for i, f := range batch {
		s.mu.Lock()
		again := f.receipt != receipts[f] && s.requests.Err() == nil
		if !again {
			s.forget(f)
		}
		s.mu.Unlock()
		if again { // it was received once more meanwhile
			s.deletes.add(f)
			continue
		}
		s.room.settled()
		if fates[i] != nil {
			lost, why = lost+1, fates[i]
			continue
		}
		s.counts.deleted.Add(1)
	}
	if lost > 0 {
		s.counts.undeleted.Add(uint64(lost))
		s.logger.Warn("settled messages were not deleted; they come again", "messages", lost, "error", why)
	}
}
