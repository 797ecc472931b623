package sqssub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// boxParallel is how many batch requests of a box are under way at a time.
const boxParallel = 8

// extendedBy is how many visibility timeouts an extension lasts: long enough for
// a large box not to do nothing else.
const extendedBy = 5

var errNotHeld = errors.New("the message is not held any more")

// Delete deletes messages that are held, ten a request, and returns what kept
// each from it, nil where nothing did.
func (b *DeadLetterBox) Delete(ctx context.Context, ids []string) []error {
	fates := b.inBatches(ctx, deleteAttempts, ids, func(ctx context.Context, batch []receipt) (answer, error) {
		in := &sqs.DeleteMessageBatchInput{QueueUrl: aws.String(b.queue.url), Entries: make([]types.DeleteMessageBatchRequestEntry, len(batch))}
		for i, r := range batch {
			in.Entries[i] = types.DeleteMessageBatchRequestEntry{Id: entryID(i), ReceiptHandle: aws.String(r.handle)}
		}
		out, err := b.client.DeleteMessageBatch(ctx, in)
		if err != nil {
			return answer{}, err
		}
		said := answer{failed: out.Failed}
		for _, ok := range out.Successful {
			said.done = append(said.done, ok.Id)
		}
		return said, nil
	})
	b.forget(ids, fates)
	return fates
}

// Release makes messages visible again at once, ten a request, and returns what
// kept each from it: it becomes visible by itself then. Take does not return
// them once more.
func (b *DeadLetterBox) Release(ctx context.Context, ids []string) []error {
	fates := b.changeVisibility(ctx, ids, func(receipt) int32 { return 0 })
	for i, fate := range fates {
		if isVisible(fate) {
			fates[i] = nil
		}
	}
	b.forget(ids, fates)
	return fates
}

// isVisible says that a message is visible already: by itself, or by a request
// whose answer was lost ("ChangeMessageVisibility", Errors).
func isVisible(fate error) bool {
	entry, ok := errors.AsType[*EntryError](fate)
	return ok && strings.HasSuffix(entry.Code, "MessageNotInflight")
}

// Close gives back what is held and ends the box; it goes on for a minute at
// most, also where the context that opened the box has ended. The error says how
// many messages become visible only by themselves.
func (b *DeadLetterBox) Close() error {
	var err error
	b.closed.Do(func() {
		b.stop()
		b.keeping.Wait()
		ctx, cancel := context.WithTimeout(b.base, handBackTime)
		defer cancel()
		var ids []string
		b.mu.Lock()
		for id, h := range b.seen {
			if h != nil {
				ids = append(ids, id)
			}
		}
		b.mu.Unlock()
		slices.Sort(ids)
		var missed int
		var cause error
		for _, fate := range b.Release(ctx, ids) {
			if fate != nil {
				missed, cause = missed+1, fate
			}
		}
		if missed > 0 {
			err = fmt.Errorf("give back to %s: %d of %d messages become visible only in up to %v: %w",
				b.queue.name, missed, len(ids), extendedBy*b.cfg.Visibility, cause)
		}
	})
	return err
}

// receipt is what SQS wants to know of a message that is held.
type receipt struct {
	handle     string
	receivedAt time.Time
}

// inBatches carries out a batch request for messages that are held.
func (b *DeadLetterBox) inBatches(ctx context.Context, attempts int, ids []string, call func(context.Context, []receipt) (answer, error)) []error {
	fates := make([]error, len(ids))
	var at []int // of those that are held
	var receipts []receipt
	b.mu.Lock()
	for i, id := range ids {
		if h := b.seen[id]; h != nil {
			at, receipts = append(at, i), append(receipts, receipt{h.receipt, h.receivedAt})
		} else {
			fates[i] = errNotHeld
		}
	}
	b.mu.Unlock()
	var group errgroup.Group
	group.SetLimit(boxParallel)
	for start := 0; start < len(at); start += MaxBatchMessages {
		end := min(start+MaxBatchMessages, len(at))
		group.Go(func() error {
			for i, fate := range inBatch(ctx, attempts, b.cfg.Random, receipts[start:end], call) {
				fates[at[start+i]] = fate
			}
			return nil
		})
	}
	_ = group.Wait() // each has its fate
	return fates
}

func (b *DeadLetterBox) changeVisibility(ctx context.Context, ids []string, seconds func(receipt) int32) []error {
	return b.inBatches(ctx, visibilityAttempts, ids, func(ctx context.Context, batch []receipt) (answer, error) {
		in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: aws.String(b.queue.url),
			Entries: make([]types.ChangeMessageVisibilityBatchRequestEntry, len(batch))}
		for i, r := range batch {
			in.Entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{
				Id: entryID(i), ReceiptHandle: aws.String(r.handle), VisibilityTimeout: seconds(r)}
		}
		out, err := b.client.ChangeMessageVisibilityBatch(ctx, in)
		if err != nil {
			return answer{}, err
		}
		said := answer{failed: out.Failed}
		for _, ok := range out.Successful {
			said.done = append(said.done, ok.Id)
		}
		return said, nil
	})
}

// forget notes which messages are not held any more.
func (b *DeadLetterBox) forget(ids []string, fates []error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, id := range ids {
		if fates[i] == nil && b.seen[id] != nil {
			b.seen[id] = nil
			b.held--
		}
	}
}

// keepInvisible extends the visibility of what is held until the box is closed.
func (b *DeadLetterBox) keepInvisible(ctx context.Context) {
	ticker := time.NewTicker(b.cfg.Visibility / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			b.extend(ctx, time.Now())
		}
	}
}

// extend extends what becomes visible within half a visibility timeout. What
// SQS extends no longer, after twelve hours, becomes visible and is joined with
// what it was when it comes again.
func (b *DeadLetterBox) extend(ctx context.Context, now time.Time) {
	var due []string
	b.mu.Lock()
	for id, h := range b.seen {
		if h != nil && h.visibleAt.Before(now.Add(b.cfg.Visibility/2)) {
			due = append(due, id)
		}
	}
	b.mu.Unlock()
	seconds := func(r receipt) int32 {
		return int32(max(0, min(extendedBy*b.cfg.Visibility, visibilityLeft(r.receivedAt, now))) / time.Second)
	}
	for i, fate := range b.changeVisibility(ctx, due, seconds) {
		if fate != nil && retry.Worthwhile(fate) {
			continue // due again at the next tick
		}
		b.mu.Lock()
		if h := b.seen[due[i]]; h != nil {
			h.visibleAt = now.Add(extendedBy * b.cfg.Visibility)
		}
		b.mu.Unlock()
	}
}
