package sqssub

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// deleteAttempts is how often a delete is tried, some fifteen seconds; after
// that the message comes back, which is harmless.
const deleteAttempts = 8

// deletion is one receipt handle to be deleted.
type deletion struct {
	flight  *flight
	receipt string
}

// finish lets the next of the group go ahead and has the message deleted.
func (s *subscription) finish(f *flight) {
	s.room.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	f.settling = true
	s.next(f)
	s.deleteAll(f)
}

// deleteAll has all receipt handles of a message deleted that are not on their
// way yet, the newest last. s.mu is held.
func (s *subscription) deleteAll(f *flight) {
	for _, receipt := range f.older {
		s.deletes.add(deletion{f, receipt})
	}
	f.older = nil
	s.deletes.add(deletion{f, f.receipt})
}

// delete runs one batch of deletes.
func (s *subscription) delete(batch []deletion) {
	fates := inBatch(s.requests, deleteAttempts, s.cfg.Random, batch, func(ctx context.Context, batch []deletion) (answer, error) {
		in := &sqs.DeleteMessageBatchInput{QueueUrl: aws.String(s.queue.url), Entries: make([]types.DeleteMessageBatchRequestEntry, len(batch))}
		for i := range batch {
			in.Entries[i] = types.DeleteMessageBatchRequestEntry{Id: entryID(i), ReceiptHandle: &batch[i].receipt}
		}
		s.counts.deleteRequests.Add(1)
		out, err := s.client.DeleteMessageBatch(ctx, in)
		if err != nil {
			return answer{}, err
		}
		said := answer{failed: out.Failed, done: make([]*string, len(out.Successful))}
		for i := range out.Successful {
			said.done[i] = out.Successful[i].Id
		}
		return said, nil
	})
	done, lost, why := s.noteDeleted(batch, fates)
	s.room.settled(done + lost)
	s.counts.deleted.Add(uint64(done))
	if lost > 0 {
		s.counts.undeleted.Add(uint64(lost))
		s.logger.Warn("settled messages were not deleted; they come again", "messages", lost, "error", why)
	}
}

// noteDeleted counts the messages that are deleted, and those of which the last
// delete has failed.
func (s *subscription) noteDeleted(batch []deletion, fates []error) (done, lost int, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, d := range batch {
		switch {
		case !s.wasLast(d):
		case fates[i] != nil:
			lost, why = lost+1, fates[i]
		default:
			done++
		}
	}
	return done, lost, why
}

// wasLast says whether a delete that has been tried was the last of its
// message. s.mu is held.
func (s *subscription) wasLast(d deletion) bool {
	switch f := d.flight; {
	case len(f.older) > 0 && s.requests.Err() == nil:
		// It was received once more meanwhile. The handle just deleted is among
		// the older ones by now.
		f.older = slices.DeleteFunc(f.older, func(receipt string) bool { return receipt == d.receipt })
		s.deleteAll(f)
		return false
	case d.receipt != f.receipt:
		return false // an older one; the newest is on its way
	default:
		s.forget(f)
		return true
	}
}
