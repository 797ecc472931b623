package sqssub

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// visibilityAttempts is how often a visibility change is tried. An extension
// is due again soon, and a message not given back becomes visible by itself.
const visibilityAttempts = 4

// visibility is one change of a message's visibility: an extension, or the
// last one, which gives it back.
type visibility struct {
	flight  *flight
	timeout time.Duration
	last    bool
}

// keepInvisible extends the visibility of everything held until ctx ends.
func (s *subscription) keepInvisible(ctx context.Context) {
	ticker := time.NewTicker(s.cfg.VisibilityTimeout / 6)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.extend(time.Now())
		case <-ctx.Done():
			return
		}
	}
}

// extend has the visibility extended of which a third is over.
func (s *subscription) extend(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.flights {
		if f.settling || f.extending || f.lost || now.Sub(f.visibleFrom) < s.cfg.VisibilityTimeout/3 {
			continue
		}
		timeout := min(s.cfg.VisibilityTimeout, visibilityLeft(f.receivedAt, now)).Truncate(time.Second)
		if timeout < time.Second || now.Add(timeout).Before(f.visibleFrom.Add(s.cfg.VisibilityTimeout)) {
			f.lost = true
			s.logger.Warn("a message has been held for nearly twelve hours, SQS extends it no longer; it comes again",
				"message_id", f.delivery.MessageID)
			continue
		}
		f.extending = true
		s.visibilities.add(visibility{flight: f, timeout: timeout})
	}
}

// changeVisibility runs one batch of changes.
func (s *subscription) changeVisibility(batch []visibility) {
	begun := time.Now()
	// Another delivery of a message may join it at any moment, with another
	// receipt handle and twelve hours of its own: what is sent belongs together.
	receipts := make(map[*flight]string, len(batch))
	received := make(map[*flight]time.Time, len(batch))
	s.mu.Lock()
	for _, v := range batch {
		receipts[v.flight], received[v.flight] = v.flight.receipt, v.flight.receivedAt
	}
	s.mu.Unlock()
	fates := inBatch(s.requests, visibilityAttempts, s.cfg.Random, batch, func(ctx context.Context, batch []visibility) (answer, error) {
		in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: aws.String(s.queue.url),
			Entries: make([]types.ChangeMessageVisibilityBatchRequestEntry, len(batch))}
		for i, v := range batch {
			in.Entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{
				Id: entryID(i), ReceiptHandle: aws.String(receipts[v.flight]), VisibilityTimeout: v.seconds(received[v.flight], time.Now())}
		}
		s.counts.visibilityRequests.Add(1)
		out, err := s.client.ChangeMessageVisibilityBatch(ctx, in)
		if err != nil {
			return answer{}, err
		}
		said := answer{failed: out.Failed}
		for _, ok := range out.Successful {
			said.done = append(said.done, ok.Id)
		}
		return said, nil
	})
	for i, v := range batch {
		if v.last {
			if fates[i] != nil {
				s.logger.Debug("a message was not given back; it becomes visible by itself",
					"message_id", v.flight.delivery.MessageID, "error", fates[i])
			}
			s.room.settled(1)
			continue
		}
		s.extended(v.flight, receipts[v.flight], begun, fates[i])
	}
}

// extended notes the end of an extension that was sent at the given time.
func (s *subscription) extended(f *flight, receipt string, begun time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.extending = false
	switch {
	case err == nil:
		s.counts.extended.Add(1)
		if f.visibleFrom.Before(begun) {
			f.visibleFrom = begun
		}
	case !retry.Worthwhile(err) && f.receipt == receipt && s.requests.Err() == nil:
		f.lost = true
		if !f.settling {
			s.logger.Warn("a message's visibility was not extended; it may come again while it is handled",
				"message_id", f.delivery.MessageID, "error", err)
		}
	}
	if f.whenExtended != nil {
		f.whenExtended()
		f.whenExtended = nil
	}
}

// seconds returns the timeout as SQS takes it: whole seconds, rounded up, and
// no more than is left of the twelve hours of a message received at a moment.
func (v visibility) seconds(received, now time.Time) int32 {
	left := visibilityLeft(received, now)
	return int32(max(0, min((min(v.timeout, MaxVisibility)+time.Second-1)/time.Second, left/time.Second)))
}
