package dynamodb

import (
	"context"
	"strconv"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

// maxExpiryYears is how far back an expiry may lie: AWS takes an older one for
// an error and spares the item ("Computing time to live (TTL) in DynamoDB").
const maxExpiryYears = 5

// sweepBatch is how many items a sweep looks at before it lets writers in.
const sweepBatch = 1000

// SweepTTL deletes every item that has expired by now, as DynamoDB's own
// process does within days, and returns how many there were. Their stream
// records carry the service's user identity. It stops early with the
// context's error.
func (s *Service) SweepTTL(ctx context.Context) (int, error) {
	swept := 0
	for _, name := range s.tableNames() {
		t := s.lookup(name)
		if t == nil {
			continue
		}
		var after *entry
		for more := true; more; {
			if err := ctx.Err(); err != nil {
				return swept, err
			}
			var n int
			n, after, more = t.sweep(after)
			swept += n
		}
	}
	return swept, nil
}

// sweep deletes what has expired among the entries after the given one. It
// returns how many, the last entry it looked at and whether there are more.
func (t *table) sweep(after *entry) (int, *entry, bool) {
	if t.lock() != nil {
		return 0, nil, false // deleted meanwhile
	}
	defer t.mu.Unlock()
	if t.ttl == "" {
		return 0, nil, false
	}
	now := t.service.cfg.Now()
	var expired []*entry
	seen := 0
	look := func(e *entry) bool {
		if after != nil && e.compare(after) == 0 {
			return true
		}
		if seen == sweepBatch {
			return false
		}
		seen++
		after = e
		if hasExpired(e.item[t.ttl], now) {
			expired = append(expired, e)
		}
		return true
	}
	if after == nil {
		t.entries.Scan(look)
	} else {
		t.entries.Ascend(after, look)
	}
	for _, e := range expired {
		t.write(e.at, e, nil, true)
	}
	return len(expired), after, seen == sweepBatch
}

// hasExpired says whether a TTL attribute's value lies in the past: a number
// of epoch seconds, at most five years back.
func hasExpired(v attr.Value, now time.Time) bool {
	if v.Type() != attr.TypeNumber {
		return false
	}
	at, err := strconv.ParseFloat(v.Num(), 64)
	if err != nil {
		return false
	}
	return at < float64(now.Unix()) && at >= float64(now.AddDate(-maxExpiryYears, 0, 0).Unix())
}

// sweepForever sweeps now and then until ctx ends.
func (s *Service) sweepForever(ctx context.Context) {
	ticker := time.NewTicker(s.cfg.TTLSweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			// Its only error is the context's, which ends the loop above.
			_, _ = s.SweepTTL(ctx)
		}
	}
}
