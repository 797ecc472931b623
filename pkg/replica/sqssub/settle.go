package sqssub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// acked has a message deleted.
func (s *subscription) acked(f *flight) {
	s.counts.acked.Add(1)
	s.finish(f)
}

// nacked does what the handler's error asks for.
func (s *subscription) nacked(f *flight) {
	s.counts.nacked.Add(1)
	cause, _ := replica.SettledWith(f.ctx)
	verdict := replica.Classify(cause)
	switch {
	case verdict.Verdict == replica.Reject:
		s.reject(f, cause)
	case s.isLast(f):
		s.reject(f, &replica.RejectedError{Reason: ReasonExhausted, Err: cause})
	case verdict.Verdict == replica.RetryAfter:
		s.giveBack(f, verdict.After)
	default:
		s.giveBack(f, s.backoff(f))
	}
}

// isLast reports whether SQS would move a message to the dead-letter queue
// instead of delivering it again. It would do so without a reason, so the
// message is better moved here; but not where its handler was interrupted.
func (s *subscription) isLast(f *flight) bool {
	if errors.Is(context.Cause(f.ctx), ErrDrainTimeout) {
		return false
	}
	policy, err := s.queues.redrive(s.requests, s.queue.url)
	return err == nil && policy.maxReceives > 0 && f.delivery.ReceiveCount >= policy.maxReceives
}

// backoff is how long a message stays away that was not handled. One that the
// end of the drain interrupted does not: the fault is not its own.
func (s *subscription) backoff(f *flight) time.Duration {
	if errors.Is(context.Cause(f.ctx), ErrDrainTimeout) {
		return 0
	}
	return s.cfg.NackBackoff.Pause(f.delivery.ReceiveCount, s.cfg.Random)
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
	s.finish(f)
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
	case rejected.Err == nil: // its Error method would only repeat the reason
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
	s.visibilities.hurry() // only now, so that they share requests
}
