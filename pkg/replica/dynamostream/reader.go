package dynamostream

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// reader follows one shard from its checkpoint to its end.
type reader struct {
	poller *Poller
	key    shardKey

	last     string // sequence number read last
	iterator *string
	atEnd    bool // the shard is closed and read out
	held     []heldRecord
	saved    Checkpoint
	savedAt  time.Time
}

// heldRecord is a record that failed and waits for another attempt, while the
// shard is read on.
type heldRecord struct {
	record   replica.Record
	before   string // sequence number of the record before it; empty if it was the first
	attempts int
	due      time.Time
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
	for ctx.Err() == nil {
		records, ok := r.read(ctx)
		if !ok {
			continue
		}
		r.handle(work, records)
		r.save(work, false)
		if r.atEnd && len(r.held) == 0 {
			break
		}
		if len(records) == 0 {
			r.pause(ctx, r.poller.cfg.IdleWait)
		}
	}
	r.save(work, true)
}

// load reads the checkpoint, however long that takes; false if ctx ended.
func (r *reader) load(ctx context.Context) bool {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		c, err := r.poller.cfg.Checkpoints.Load(ctx, r.key.stream, r.key.shard)
		if err == nil {
			r.saved, r.last = c, c.Sequence
			return true
		}
		r.log(ctx, slog.LevelError, "checkpoint not read, trying again", err)
		r.backOff(ctx, attempt)
	}
	return false
}

// read returns the next records; false if there is nothing to handle yet.
func (r *reader) read(ctx context.Context) ([]types.Record, bool) {
	cfg := &r.poller.cfg
	if r.atEnd || len(r.held) >= cfg.MaxHeldRecords {
		return nil, true // only the held records are left to do
	}
	err := r.position(ctx)
	if err == nil {
		var out *dynamodbstreams.GetRecordsOutput
		out, err = cfg.Streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{
			ShardIterator: r.iterator,
			Limit:         aws.Int32(int32(cfg.MaxBatchRecords)),
		})
		if err == nil {
			r.iterator = out.NextShardIterator
			if r.iterator == nil {
				r.atEnd = true
				r.poller.shardRead(r.key)
			}
			return out.Records, true
		}
	}
	r.recover(ctx, err)
	return nil, false
}

// position gets an iterator after the record read last.
func (r *reader) position(ctx context.Context) error {
	if r.iterator != nil {
		return nil
	}
	in := &dynamodbstreams.GetShardIteratorInput{
		StreamArn:         aws.String(r.key.stream),
		ShardId:           aws.String(r.key.shard),
		ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	}
	if r.last != "" {
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, aws.String(r.last)
	}
	out, err := r.poller.cfg.Streams.GetShardIterator(ctx, in)
	if err != nil {
		return err
	}
	r.iterator = out.ShardIterator
	return nil
}

// recover answers an error of the stream: it goes on from where it was, or,
// where records are gone for good, says so and goes on with what is left.
func (r *reader) recover(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	r.iterator = nil
	if _, expired := errors.AsType[*types.ExpiredIteratorException](err); expired {
		return
	}
	if _, trimmed := errors.AsType[*types.TrimmedDataAccessException](err); trimmed {
		r.last = ""
		r.log(ctx, slog.LevelError, "records older than 24 hours were lost unread: reconcile the subscribers, or backfill them", err)
		return
	}
	if _, gone := errors.AsType[*types.ResourceNotFoundException](err); gone {
		r.atEnd = true
		r.log(ctx, slog.LevelError, "the shard is gone, what was unread in it is lost: reconcile the subscribers, or backfill them", err)
		r.poller.shardRead(r.key)
		return
	}
	r.log(ctx, slog.LevelWarn, "shard not read, trying again", err)
	r.pause(ctx, r.poller.cfg.RetryWait)
}

// handle hands new records and held ones that are due to the relay, and holds
// what failed.
func (r *reader) handle(ctx context.Context, fresh []types.Record) {
	cfg := &r.poller.cfg
	now := cfg.Now()
	var batch []heldRecord
	var waiting []heldRecord
	for _, h := range r.held {
		if h.due.After(now) {
			waiting = append(waiting, h)
			continue
		}
		batch = append(batch, h)
	}
	for i := range fresh {
		rec := fromStream(&fresh[i])
		batch = append(batch, heldRecord{record: rec, before: r.last})
		if rec.SequenceNumber != "" {
			r.last = rec.SequenceNumber
		}
	}
	if len(batch) == 0 {
		return
	}
	records := make([]replica.Record, len(batch))
	for i, h := range batch {
		records[i] = h.record
	}
	failed := cfg.Relay.Handle(ctx, records)
	for _, at := range slices.Sorted(maps.Keys(failed)) {
		h := batch[at]
		if cfg.Now().Sub(h.record.Created) > cfg.GiveUpAge && ctx.Err() == nil {
			err := cfg.Relay.GiveUp(ctx, h.record, failed[at])
			if err == nil {
				continue
			}
			failed[at] = err
		}
		if h.attempts == 0 || h.attempts%10 == 9 {
			r.log(ctx, slog.LevelError, "record failed, trying again", failed[at],
				slog.String("sequence_number", h.record.SequenceNumber), slog.Int("attempts", h.attempts+1))
		}
		h.due = cfg.Now().Add(backOff(h.attempts, cfg.RetryWait, cfg.MaxRetryWait))
		h.attempts++
		waiting = append(waiting, h)
	}
	slices.SortStableFunc(waiting, func(a, b heldRecord) int {
		return compareSequence(a.record.SequenceNumber, b.record.SequenceNumber)
	})
	r.held = waiting
}

// place is the checkpoint that loses nothing: everything up to it is done with.
func (r *reader) place() Checkpoint {
	if len(r.held) > 0 {
		return Checkpoint{Sequence: r.held[0].before}
	}
	return Checkpoint{Sequence: r.last, Finished: r.atEnd}
}

// save keeps the place, at most every CheckpointEvery unless now is set or the
// shard is finished. A checkpoint that is not kept costs duplicates, no change.
func (r *reader) save(ctx context.Context, now bool) {
	cfg := &r.poller.cfg
	place := r.place()
	if place == r.saved || place == (Checkpoint{}) {
		return
	}
	if !now && !place.Finished && cfg.Now().Sub(r.savedAt) < cfg.CheckpointEvery {
		return
	}
	if err := cfg.Checkpoints.Save(ctx, r.key.stream, r.key.shard, place); err != nil {
		r.log(ctx, slog.LevelWarn, "checkpoint not kept", err)
		return
	}
	r.saved, r.savedAt = place, cfg.Now()
}

func (r *reader) backOff(ctx context.Context, attempt int) {
	r.pause(ctx, backOff(attempt, r.poller.cfg.RetryWait, r.poller.cfg.MaxRetryWait))
}

func (r *reader) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// backOff is the pause after so many attempts: doubling, half of it at random.
func backOff(attempt int, first, most time.Duration) time.Duration {
	d := most
	if attempt < 20 {
		d = min(most, first<<attempt)
	}
	return d/2 + rand.N(d/2+1)
}

// compareSequence orders sequence numbers: decimals of differing lengths, with
// leading zeros in some engines.
func compareSequence(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func (r *reader) log(ctx context.Context, level slog.Level, what string, cause error, more ...slog.Attr) {
	r.poller.cfg.Logger.LogAttrs(ctx, level, what, append(more,
		slog.String("table", r.poller.cfg.Table),
		slog.String("shard", r.key.shard),
		slog.Any("cause", cause))...)
}
