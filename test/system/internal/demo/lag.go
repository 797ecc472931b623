package demo

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// lagMetric is the stats service's histogram of the time from a change's
// version until it was applied.
const lagMetric = "tributary_apply_lag_seconds"

// histogram is a Prometheus histogram: how many observations are at most each
// bound, in seconds.
type histogram struct {
	atMost map[float64]uint64
	count  uint64
}

// readLag finds the lag among metrics in text format, over all contracts. One
// that is not there is empty.
func readLag(metrics []byte) (histogram, error) {
	h := histogram{atMost: map[float64]uint64{}}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(metrics))
	if err != nil {
		return h, fmt.Errorf("read metrics: %w", err)
	}
	for _, m := range families[lagMetric].GetMetric() {
		h.count += m.GetHistogram().GetSampleCount()
		for _, b := range m.GetHistogram().GetBucket() {
			h.atMost[b.GetUpperBound()] += b.GetCumulativeCount()
		}
	}
	return h, nil
}

// since returns what was observed after an earlier reading. Where there is less
// now than then, the process has begun anew, and all of it was.
func (h histogram) since(earlier histogram) histogram {
	if h.count < earlier.count {
		return h
	}
	d := histogram{atMost: map[float64]uint64{}, count: h.count - earlier.count}
	for bound, n := range h.atMost {
		if n < earlier.atMost[bound] {
			return h
		}
		d.atMost[bound] = n - earlier.atMost[bound]
	}
	return d
}

// quantile returns the lag that a share q of the observations do not exceed,
// interpolated within its bucket. It is 0 without observations, and the highest
// finite bound where the quantile is beyond it.
func (h histogram) quantile(q float64) time.Duration {
	bounds := slices.Sorted(maps.Keys(h.atMost))
	rank := q * float64(h.count)
	var lower float64
	var below uint64
	for _, bound := range bounds {
		if math.IsInf(bound, 1) {
			break
		}
		n := h.atMost[bound]
		if n > below && float64(n) >= rank {
			lower += (bound - lower) * (rank - float64(below)) / float64(n-below)
			return seconds(lower)
		}
		lower, below = bound, n
	}
	if h.count == 0 {
		return 0
	}
	return seconds(lower)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
