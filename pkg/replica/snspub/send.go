package snspub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// errOvertaking is the fate of the later messages of a FIFO group.
var errOvertaking = errors.New("not sent, because an earlier message of its group was not accepted")

// sendAll sends entries in as many requests as they need, several at a time,
// and returns those that were not accepted, by position.
func (p *Publisher) sendAll(ctx context.Context, topicARN string, all []*entry, limit int) map[int]error {
	batches := pack(all, limit)
	if len(batches) == 1 {
		return p.sendBatch(ctx, topicARN, batches[0])
	}
	var (
		mu      sync.Mutex
		failed  = map[int]error{}
		next    = make(chan []*entry)
		workers sync.WaitGroup
	)
	for range min(len(batches), p.cfg.MaxInFlight) {
		workers.Go(func() {
			for batch := range next {
				lost := p.sendBatch(ctx, topicARN, batch)
				mu.Lock()
				maps.Copy(failed, lost)
				mu.Unlock()
			}
		})
	}
	for _, batch := range batches {
		next <- batch // a worker is always about to take it: sendBatch honours ctx
	}
	close(next)
	workers.Wait()
	return failed
}

// sendInOrder sends the entries of a FIFO call round by round. A group of
// which an entry is not accepted gets nothing more.
func (p *Publisher) sendInOrder(ctx context.Context, topicARN string, all []*entry, limit int) map[int]error {
	failed := map[int]error{}
	stopped := map[string]int{}
	for _, round := range waves(all) {
		var sendable []*entry
		for _, e := range round {
			if at, ok := stopped[e.group]; ok {
				failed[e.at] = fmt.Errorf("%w: message %d", errOvertaking, at+1)
				continue
			}
			sendable = append(sendable, e)
		}
		lost := p.sendAll(ctx, topicARN, sendable, limit)
		for _, e := range sendable {
			if err, ok := lost[e.at]; ok {
				failed[e.at] = err
				stopped[e.group] = e.at
			}
		}
	}
	return failed
}

// sendBatch sends a batch that fits one request until each entry is accepted
// or given up, and returns those given up.
func (p *Publisher) sendBatch(ctx context.Context, topicARN string, batch []*entry) map[int]error {
	failed := map[int]error{}
	for attempt := 1; ; attempt++ {
		batch = dropEnded(ctx, batch, failed)
		if len(batch) == 0 {
			return failed
		}
		refused, err := p.request(ctx, topicARN, batch, attempt)
		if err != nil && len(batch) > 1 && blamesAnEntry(err) {
			half := len(batch) / 2
			lost := p.sendBatch(ctx, topicARN, batch[:half])
			maps.Copy(lost, p.sendBatch(ctx, topicARN, batch[half:]))
			for at, cause := range lost {
				if len(lost) < len(batch) && blamesAnEntry(cause) {
					cause = refusedAlone(cause) // the topic took others
				}
				failed[at] = cause
			}
			return failed
		}
		var again []*entry
		for _, e := range batch {
			cause := err
			if cause == nil {
				cause = refused[e.at]
			}
			switch {
			case cause == nil:
			case attempt >= p.cfg.MaxAttempts && retry.Worthwhile(cause):
				failed[e.at] = fmt.Errorf("given up after %d attempts: %w", attempt, cause)
			case !retry.Worthwhile(cause):
				failed[e.at] = rejected(cause)
			default:
				again = append(again, e)
			}
		}
		// Contexts that ended during the request have their own cause to tell;
		// dropEnded finds them before and after the pause.
		batch = dropEnded(ctx, again, failed)
		if len(batch) == 0 {
			return failed
		}
		p.counts.retried.Add(uint64(len(batch)))
		p.wait(ctx, batch, p.cfg.Backoff.Pause(attempt, p.cfg.Random))
	}
}

// request makes one PublishBatch call. It returns what SNS said about the
// entries it did not accept, by position, or why the whole call failed.
func (p *Publisher) request(ctx context.Context, topicARN string, batch []*entry, attempt int) (map[int]error, error) {
	ctx, cancel := whileAnyWants(ctx, contexts(batch))
	defer cancel()
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	in := &sns.PublishBatchInput{
		TopicArn:                   aws.String(topicARN),
		PublishBatchRequestEntries: make([]types.PublishBatchRequestEntry, len(batch)),
	}
	seen := Request{TopicARN: topicARN, Attempt: attempt, Entries: len(batch)}
	for i, e := range batch {
		in.PublishBatchRequestEntries[i] = e.wire
		seen.Bytes += e.bytes
	}
	begun := time.Now()
	out, err := p.client.PublishBatch(ctx, in)
	seen.Duration = time.Since(begun)
	refused := map[int]error{}
	if err != nil {
		seen.FailedEntries, seen.Err = len(batch), err
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	} else {
		refused = verdicts(batch, out)
		seen.FailedEntries = len(refused)
	}
	p.counts.request(seen)
	if p.cfg.Observe != nil {
		p.cfg.Observe(seen)
	}
	return refused, err
}

// verdicts returns the entries that are not among the successful ones.
func verdicts(batch []*entry, out *sns.PublishBatchOutput) map[int]error {
	accepted := make(map[int]bool, len(batch))
	for _, ok := range out.Successful {
		if at, err := strconv.Atoi(aws.ToString(ok.Id)); err == nil {
			accepted[at] = true
		}
	}
	refused := map[int]error{}
	for _, e := range batch {
		if !accepted[e.at] {
			refused[e.at] = retry.ErrUnanswered
		}
	}
	for _, no := range out.Failed {
		at, err := strconv.Atoi(aws.ToString(no.Id))
		if _, ours := refused[at]; err == nil && ours {
			refused[at] = &EntryError{Code: aws.ToString(no.Code), Message: aws.ToString(no.Message), SenderFault: no.SenderFault}
		}
	}
	return refused
}

// dropEnded removes the entries whose context, or the call's, has ended, and
// notes the cause.
func dropEnded(ctx context.Context, batch []*entry, failed map[int]error) []*entry {
	var left []*entry
	for _, e := range batch {
		switch {
		case ctx.Err() != nil:
			failed[e.at] = context.Cause(ctx)
		case e.ctx.Err() != nil:
			failed[e.at] = context.Cause(e.ctx)
		default:
			left = append(left, e)
		}
	}
	return left
}

// wait pauses, or less where nobody waits for the batch any more.
func (p *Publisher) wait(ctx context.Context, batch []*entry, pause time.Duration) {
	ctx, cancel := whileAnyWants(ctx, contexts(batch))
	defer cancel()
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func contexts(batch []*entry) []context.Context {
	all := make([]context.Context, len(batch))
	for i, e := range batch {
		all[i] = e.ctx
	}
	return all
}

// whileAnyWants returns a context that ends with ctx, or when the contexts of
// all messages have ended. A message's own deadline must not take its
// neighbours' request down with it.
func whileAnyWants(ctx context.Context, messages []context.Context) (context.Context, context.CancelFunc) {
	for _, m := range messages {
		if m.Done() == nil {
			return ctx, func() {} // this one never ends
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var (
		mu    sync.Mutex
		left  = len(messages)
		stops = make([]func() bool, 0, len(messages))
	)
	for _, m := range messages {
		stops = append(stops, context.AfterFunc(m, func() {
			mu.Lock()
			defer mu.Unlock()
			if left--; left == 0 {
				cancel(context.Cause(m))
			}
		}))
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel(context.Canceled)
	}
}
