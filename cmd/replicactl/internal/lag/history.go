package lag

import (
	"cmp"
	"slices"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
)

// announced is a change that the stream shows to have been published.
type announced struct {
	subject string
	version contracts.Version
	// made is when the change was made: what its version stands for, and no later
	// than its record. A version lies ahead of the clock where the item was
	// stamped above a copy that was ahead.
	made    time.Time
	changed []string
}

// History is what was read of a source's stream. It is filled by one goroutine:
// Add for every record, then End. After that it may be used concurrently.
type History struct {
	source  *replica.Source
	now     func() time.Time
	changes []announced
	read    int
	// maxCopies is MaxCopies.
	maxCopies int
	// complete says that all the stream holds was read. Otherwise everything
	// written before reached was.
	complete bool
	reached  time.Time
	// trimmed says that the stream is older than what it holds, so that there
	// were changes before.
	trimmed bool
}

// NewHistory makes the empty history of a source; now is the clock.
func NewHistory(source *replica.Source, now func() time.Time) *History {
	return &History{source: source, now: now, maxCopies: MaxCopies}
}

// Add takes a record of the stream. What the relay does not publish is left out:
// what it gives up it puts into its dead-letter queue, where it is counted.
func (h *History) Add(rec *replica.Record) {
	change, err := h.source.Replayed(rec)
	if change == nil || err != nil {
		return
	}
	made := change.Version.Time()
	if latest := rec.Created.Add(time.Second); made.After(latest) {
		made = latest // a record's time is rounded down
	}
	h.changes = append(h.changes, announced{change.Subject, change.Version, made, change.Changed})
}

// End says how far the stream was read, without an error.
func (h *History) End(examined dynamostream.Examined) {
	slices.SortStableFunc(h.changes, func(a, b announced) int { return cmp.Compare(a.version, b.version) })
	now := h.now()
	h.read = examined.Read
	h.complete = !examined.Stopped
	h.reached = reached(examined, now)
	h.trimmed = examined.StreamSince.Before(now.Add(-dynamostream.Retention))
}

// reached returns the moment before which every record was read: that of the
// shard that was read the least far.
func reached(examined dynamostream.Examined, now time.Time) time.Time {
	at := examined.Until
	for _, s := range examined.Shards {
		switch {
		case s.End != dynamostream.EndStopped:
		case s.Reached.IsZero():
			return now.Add(-dynamostream.Retention)
		case s.Reached.Before(at):
			at = s.Reached
		}
	}
	return at
}
