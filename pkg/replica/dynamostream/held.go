package dynamostream

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// giveUpAttempts is how often a record is tried before it is given up, however
// old it is: after a downtime of half a day one throttled call must not
// dead-letter a whole batch.
const giveUpAttempts = 10

// heldRecord is a record that failed and waits for another attempt, while the
// shard is read on.
type heldRecord struct {
	record   replica.Record
	place    int       // in the order of reading
	before   string    // sequence number of the record before it; empty if it was the first
	since    time.Time // when it was made, or read where that is not known
	attempts int
	due      time.Time
}

// handle hands new records and held ones that are due to the relay, and holds
// what failed.
func (r *reader) handle(ctx context.Context, fresh []types.Record) {
	now := r.poller.cfg.Now()
	var batch, waiting []heldRecord
	for _, h := range r.held {
		if h.due.After(now) {
			waiting = append(waiting, h)
		} else {
			batch = append(batch, h)
		}
	}
	for i := range fresh {
		batch = append(batch, r.take(&fresh[i], now))
	}
	if len(batch) == 0 {
		return
	}
	records := make([]replica.Record, len(batch))
	for i, h := range batch {
		records[i] = h.record
	}
	failed := r.poller.cfg.Relay.Handle(ctx, records)
	waiting = append(waiting, r.failed(ctx, batch, failed)...)
	slices.SortFunc(waiting, func(a, b heldRecord) int { return a.place - b.place })
	r.held = waiting
}

// take reads one record of a page.
func (r *reader) take(from *types.Record, now time.Time) heldRecord {
	h := heldRecord{record: fromStream(from), place: r.taken, before: r.last, since: now}
	r.taken++
	if made := h.record.Created; !made.IsZero() && made.Before(now) {
		h.since = made
	}
	if h.record.SequenceNumber != "" {
		r.last, r.horizon = h.record.SequenceNumber, false
	}
	return h
}

// failed gives up what failed for too long and returns the rest of what failed,
// to be held.
func (r *reader) failed(ctx context.Context, batch []heldRecord, failed map[int]error) []heldRecord {
	cfg := &r.poller.cfg
	now := cfg.Now()
	var hold []heldRecord
	var tell error // one line for a batch: an outage fails thousands of records
	var told *heldRecord
	lettersDown := false
	for _, at := range slices.Sorted(maps.Keys(failed)) {
		h, cause := &batch[at], failed[at]
		h.attempts++
		if r.isHopeless(h, now) && !lettersDown && ctx.Err() == nil {
			err := cfg.Relay.GiveUp(ctx, h.record, cause)
			if err == nil {
				continue
			}
			// Each further one would wait for the same outage.
			cause, lettersDown = err, true
		}
		if told == nil && (h.attempts == 1 || h.attempts%10 == 0) {
			told, tell = h, cause
		}
		h.due = now.Add(backOff(h.attempts-1, cfg.RetryWait, cfg.MaxRetryWait))
		hold = append(hold, *h)
	}
	switch {
	case told == nil:
	case ctx.Err() != nil:
		r.log(ctx, slog.LevelWarn, "records not done when the drain timeout passed, they will be handled again",
			slog.Int("records", len(hold)), slog.Any("cause", context.Cause(ctx)))
	default:
		r.log(ctx, slog.LevelError, "records failed, trying again",
			slog.Int("records", len(hold)), slog.String("sequence_number", told.record.SequenceNumber),
			slog.Int("attempts", told.attempts), slog.Any("cause", tell))
	}
	return hold
}

// isHopeless reports whether a record has failed long enough. A damaged one has
// nothing that could be put back from its keys: all the relay does with it is
// to dead-letter it as it is, and that is tried until it succeeds.
func (r *reader) isHopeless(h *heldRecord, now time.Time) bool {
	return h.record.Damaged == nil && h.attempts >= giveUpAttempts && now.Sub(h.since) > r.poller.cfg.GiveUpAge
}

// place is the checkpoint that loses nothing: everything up to it is done with.
func (r *reader) place() Checkpoint {
	if len(r.held) > 0 {
		return Checkpoint{Sequence: r.held[0].before}
	}
	return Checkpoint{Sequence: r.last, Finished: r.atEnd}
}

// save keeps the place, at most every CheckpointEvery unless now is set or the
// shard is finished, and less often while that fails. A checkpoint that is not
// kept costs duplicates, no change.
func (r *reader) save(ctx context.Context, now bool) {
	cfg := &r.poller.cfg
	place := r.place()
	if place == r.saved || place == (Checkpoint{}) {
		return
	}
	finished := place.Finished && r.saveFailures == 0
	if !now && !finished && cfg.Now().Before(r.saveDue) {
		return
	}
	within, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := cfg.Checkpoints.Save(within, r.key.stream, r.key.shard, place)
	if err == nil {
		r.saved, r.saveFailures, r.saveDue = place, 0, cfg.Now().Add(cfg.CheckpointEvery)
		return
	}
	r.log(ctx, slog.LevelWarn, "checkpoint not kept", slog.Any("cause", err))
	r.saveDue = cfg.Now().Add(backOff(r.saveFailures, cfg.CheckpointEvery, max(cfg.CheckpointEvery, cfg.MaxRetryWait)))
	r.saveFailures++
}
