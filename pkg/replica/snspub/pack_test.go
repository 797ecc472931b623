package snspub

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Batches hold every entry once and in order, none is over a limit, and no
// entry could have gone with the batch before.
func TestBatchesAreFullAndWithinBothLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 1000).Draw(t, "limit")
		var all []*entry
		for i, bytes := range rapid.SliceOfN(rapid.IntRange(0, limit), 0, 60).Draw(t, "sizes") {
			all = append(all, &entry{at: i, bytes: bytes})
		}
		next, before := 0, 0
		for i, batch := range pack(all, limit) {
			bytes := 0
			for _, e := range batch {
				if e.at != next {
					t.Fatalf("number %d came in the place of %d", e.at, next)
				}
				next++
				bytes += e.bytes
			}
			if len(batch) == 0 || len(batch) > MaxBatchMessages || bytes > limit {
				t.Fatalf("a batch has %d entries and %d bytes", len(batch), bytes)
			}
			if i > 0 && before+batch[0].bytes <= limit && len(pack(all, limit)[i-1]) < MaxBatchMessages {
				t.Fatalf("batch %d had room for the next entry", i-1)
			}
			before = bytes
		}
		if next != len(all) {
			t.Fatalf("%d of %d entries were packed", next, len(all))
		}
	})
}

func TestTheZeroConfigIsValidAndEveryProblemIsReportedAtOnce(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	err := Config{MaxInFlight: -1, MaxAttempts: 1000, LimitBytes: 5, Backoff: Backoff{Base: time.Minute, Max: time.Second}}.Validate()
	for _, field := range []string{"MaxInFlight", "MaxAttempts", "LimitBytes", "Backoff.Max"} {
		if err == nil || !strings.Contains(err.Error(), field+" is ") {
			t.Errorf("nothing is said about %s: %v", field, err)
		}
	}
}
