package dynamostream

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// maxReadWait is the longest pause before a read that failed is tried again.
const maxReadWait = 5 * time.Second

// goneAfter is how long a shard that its stream still lists must be answered
// with "not found" before it counts as gone. One such answer proves nothing.
const goneAfter = 5 * time.Minute

// reader follows one shard from its checkpoint to its end.
type reader struct {
	poller *Poller
	cursor

	atEnd     bool // the shard is closed and read out
	announced bool // to the poller, for the sake of its children

	failures    int // reads that failed in a row
	missedSince time.Time

	taken int // records read so far
	held  []heldRecord

	saved        Checkpoint
	saveDue      time.Time
	saveFailures int
}

// run reads the shard until its end, or until ctx ends. Calls that must not be
// cut off half-way use work, which outlives ctx by the drain timeout.
func (r *reader) run(ctx, work context.Context) {
	if !r.load(ctx) {
		return
	}
	if r.saved.Finished {
		r.poller.shardRead(r.key)
		return
	}
	for ctx.Err() == nil && !r.saved.Finished {
		fresh, wait := r.read(ctx)
		r.handle(work, fresh)
		if r.atEnd && !r.announced {
			// Only now: the children's records come after this one's last.
			r.announced = true
			r.poller.shardRead(r.key)
		}
		r.save(work, false)
		pause(ctx, wait)
	}
	r.save(work, true)
}

// load reads the checkpoint, however long that takes; false if ctx ended.
func (r *reader) load(ctx context.Context) bool {
	cfg := &r.poller.cfg
	for attempt := 0; ctx.Err() == nil; attempt++ {
		c, err := r.loadOnce(ctx)
		if err == nil {
			r.saved, r.last = c, c.Sequence
			return true
		}
		if ctx.Err() != nil {
			break
		}
		r.log(ctx, slog.LevelError, "checkpoint not read, trying again", slog.Any("cause", err))
		pause(ctx, backOff(attempt, cfg.RetryWait, maxReadWait))
	}
	return false
}

func (r *reader) loadOnce(ctx context.Context) (Checkpoint, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return r.poller.cfg.Checkpoints.Load(ctx, r.key.stream, r.key.shard)
}

// read returns the next records and how long to pause after they are handled.
func (r *reader) read(ctx context.Context) ([]types.Record, time.Duration) {
	cfg := &r.poller.cfg
	if r.atEnd || len(r.held) >= cfg.MaxHeldRecords {
		return nil, cfg.IdleWait // only what is held is left to do
	}
	out, err := r.next(ctx, cfg.Streams, cfg.MaxBatchRecords)
	if err != nil {
		return nil, r.recover(ctx, err)
	}
	r.failures, r.missedSince = 0, time.Time{}
	r.atEnd = r.iterator == nil
	if len(out.Records) == 0 && !r.atEnd {
		return nil, cfg.IdleWait
	}
	return out.Records, 0
}

// recover answers an error of the stream and returns the pause before the next
// read: it goes on from where it was, or, where records are gone for good, says
// so and goes on with what is left.
func (r *reader) recover(ctx context.Context, err error) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	r.failures++
	wait := backOff(r.failures-1, r.poller.cfg.RetryWait, maxReadWait)
	_, expired := errors.AsType[*types.ExpiredIteratorException](err)
	_, trimmed := errors.AsType[*types.TrimmedDataAccessException](err)
	_, missing := errors.AsType[*types.ResourceNotFoundException](err)
	if !missing {
		r.missedSince = time.Time{}
	}
	// An iterator survives what is not its fault, but not for ever: errors that
	// are its fault have more names than are documented.
	if expired || trimmed || missing || r.failures%3 == 0 {
		r.iterator = nil
	}
	switch {
	case trimmed && (!r.horizon || r.failures > 1):
		r.horizon = true
		r.log(ctx, slog.LevelError, "records older than 24 hours are gone, some may be lost unread: reconcile the subscribers, or backfill them", slog.Any("cause", err))
	case missing && r.gone():
		r.atEnd = true
		r.log(ctx, slog.LevelError, "the shard is gone, what was unread in it is lost: reconcile the subscribers, or backfill them", slog.Any("cause", err))
		return 0
	default:
		level := slog.LevelWarn
		if r.failures >= 5 {
			level = slog.LevelError
		}
		r.log(ctx, level, "shard not read, trying again", slog.Int("failures", r.failures), slog.Any("cause", err))
	}
	if (expired || trimmed) && r.failures == 1 {
		return 0
	}
	return wait
}

// gone decides, once a call has said that there is no such shard, whether to
// believe it: to take a shard for gone that is not loses all of it.
func (r *reader) gone() bool {
	now := r.poller.cfg.Now()
	if r.missedSince.IsZero() {
		r.missedSince = now
	}
	return r.failures >= 3 && !r.poller.isListed(r.key) || now.Sub(r.missedSince) >= goneAfter
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// backOff is the pause after so many attempts: doubling, half of it at random.
func backOff(attempt int, first, most time.Duration) time.Duration {
	return retry.Backoff{Base: first, Max: most}.Pause(attempt+1, rand.Float64)
}

func (r *reader) log(ctx context.Context, level slog.Level, what string, attrs ...slog.Attr) {
	r.poller.log(ctx, level, what, append(attrs, slog.String("shard", r.key.shard))...)
}
