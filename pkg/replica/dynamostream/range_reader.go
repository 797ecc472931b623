package dynamostream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	awsretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

const (
	// rangeAttempts is how often in a row a call may fail.
	rangeAttempts = 10
	// outOfOrder is how far past Until a record must be to show that the shard
	// has no more from before: creation times are approximate.
	outOfOrder = time.Minute
)

// rangeReader reads one shard from its oldest record and hands over what is
// inside the range.
type rangeReader struct {
	cfg   *RangeConfig
	shard *rangeShard
	cursor
	pages chan<- rangePage

	trimmed  bool
	begun    bool
	empty    int // reads in a row that brought nothing
	failures int // reads in a row that failed
}

// run reads the shard until its end.
func (r *rangeReader) run(ctx context.Context) rangeEnd {
	end, err := r.read(ctx)
	if err != nil {
		err = fmt.Errorf("read shard %s of %s: %w", r.key.shard, r.key.stream, err)
	}
	return rangeEnd{r.shard, end, err}
}

func (r *rangeReader) read(ctx context.Context) (ShardEnd, error) {
	for {
		out, err := r.next(ctx, r.cfg.Client, r.cfg.PageRecords)
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if err != nil {
			if end, err := r.recover(ctx, err); end != "" || err != nil {
				return end, err
			}
			continue
		}
		r.failures = 0
		if !r.begun {
			// Everything younger than the retention comes now or later, unless
			// it is trimmed in between, of which AWS tells.
			r.begun = true
			r.trimmed = !r.cfg.Since.IsZero() && r.cfg.Now().Add(-Retention).After(r.cfg.Since)
		}
		past, err := r.hand(ctx, out.Records)
		switch {
		case err != nil:
			return "", err
		case out.NextShardIterator == nil:
			return EndClosed, nil
		case past:
			return EndPast, nil
		case len(out.Records) > 0:
			r.empty = 0
			continue
		}
		if r.empty++; r.empty >= r.cfg.EmptyReads {
			return EndCaughtUp, nil
		}
		pause(ctx, r.cfg.EmptyWait)
	}
}

// hand hands a page over. past says that the records to come are past Until.
func (r *rangeReader) hand(ctx context.Context, records []types.Record) (past bool, err error) {
	if len(records) == 0 && !r.trimmed {
		return false, nil
	}
	page := rangePage{shard: r.shard, read: len(records), trimmed: r.trimmed}
	for i := range records {
		rec := fromStream(&records[i])
		if rec.SequenceNumber != "" {
			r.last, r.horizon = rec.SequenceNumber, false
		}
		if !rec.Created.IsZero() {
			page.reached = rec.Created
			past = past || rec.Created.After(r.cfg.Until.Add(outOfOrder))
		}
		if r.cfg.wants(&rec) {
			page.records = append(page.records, rec)
		}
	}
	select {
	case r.pages <- page:
		return past, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// wants reports whether a record is inside the range and one of the items'.
func (c *RangeConfig) wants(rec *replica.Record) bool {
	if at := rec.Created; !at.IsZero() && (at.Before(c.Since.Truncate(time.Second)) || at.After(c.Until)) {
		return false
	}
	if c.Keys == nil || rec.Keys == nil {
		return true
	}
	return slices.ContainsFunc(c.Keys, func(key contracts.Item) bool {
		return maps.EqualFunc(key, rec.Keys, contracts.Value.Equal)
	})
}

// recover answers an error of the stream: it pauses before the next attempt,
// or says that the shard has ended, or that there is no use.
func (r *rangeReader) recover(ctx context.Context, err error) (ShardEnd, error) {
	_, expired := errors.AsType[*types.ExpiredIteratorException](err)
	_, trimmed := errors.AsType[*types.TrimmedDataAccessException](err)
	_, missing := errors.AsType[*types.ResourceNotFoundException](err)
	r.failures++
	if expired || trimmed || missing || r.failures%3 == 0 {
		// What reads that brought nothing had gone over is gone over again.
		r.iterator, r.empty = nil, 0
	}
	switch {
	case r.failures >= rangeAttempts:
		return "", err
	case trimmed:
		r.horizon, r.trimmed = true, true
	case missing && r.failures >= 3 && r.isGone(ctx):
		// The page says so; it holds no records.
		r.trimmed = true
		_, err := r.hand(ctx, nil)
		return EndGone, err
	case !expired && !missing && !worthwhile(err):
		return "", err
	}
	if r.failures > 1 || !expired && !trimmed {
		pause(ctx, backOff(r.failures-1, rangeRetryWait, maxReadWait))
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	return "", nil
}

// isGone reports whether the stream does not list the shard any more.
func (r *rangeReader) isGone(ctx context.Context) bool {
	found, err := describe(ctx, r.cfg.Client, r.key.stream)
	return err == nil && !slices.ContainsFunc(found.shards, func(s types.Shard) bool {
		return s.ShardId != nil && *s.ShardId == r.key.shard
	})
}

// rangeRetryWait is the first pause before a call that failed is made again.
const rangeRetryWait = 200 * time.Millisecond

// patiently makes a call until it succeeds or is not worth another attempt.
func patiently(ctx context.Context, call func() error) error {
	for attempt := 0; ; attempt++ {
		err := call()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case attempt+1 >= rangeAttempts || !worthwhile(err):
			return err
		}
		pause(ctx, backOff(attempt, rangeRetryWait, maxReadWait))
	}
}

// worthwhile says whether a call may succeed later. Errors that no operation
// declares, such as a missing permission, are told by the HTTP status.
func worthwhile(err error) bool {
	response, answered := errors.AsType[*http.ResponseError](err)
	var api smithy.APIError
	if answered && response.HTTPStatusCode()/100 == 4 && errors.As(err, &api) {
		_, throttled := awsretry.DefaultThrottleErrorCodes[api.ErrorCode()]
		return throttled
	}
	return retry.Worthwhile(err)
}
