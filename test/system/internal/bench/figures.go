package bench

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// Figures are what a run measured, or the medians of several. A change is one
// of the owner's, also where the relay merged several into a message.
type Figures struct {
	// Requests a change, publish to delete.
	SNS      float64 `json:"snsRequestsPerChange"`
	SQS      float64 `json:"sqsRequestsPerChange"`
	DynamoDB float64 `json:"dynamodbRequestsPerChange"`
	Total    float64 `json:"requestsPerChange"`
	// PerMessage are the requests a published message.
	PerMessage float64 `json:"requestsPerMessage"`
	// Messages a change; less than 1 where the relay merged some.
	Messages float64 `json:"messagesPerChange"`
	// Changes and messages a second of the consumer, from its first receive to
	// the last delete.
	ChangesPerSecond  float64 `json:"changesPerSecond"`
	MessagesPerSecond float64 `json:"messagesPerSecond"`
	// Microseconds of CPU, user and system, a change.
	ConsumerCPU  float64 `json:"consumerCPUMicrosPerChange"`
	PublisherCPU float64 `json:"publisherCPUMicrosPerChange"`
	// Heap allocations a change, of the consumer.
	Allocations float64 `json:"consumerAllocationsPerChange"`
	// The consumer's peaks in MiB: in RAM, and of its heap's objects.
	Memory float64 `json:"consumerPeakMiB"`
	Heap   float64 `json:"consumerPeakHeapMiB"`
	// Lag in milliseconds; 0 where it was not measured.
	LagP50 float64 `json:"lagP50Millis"`
	LagP99 float64 `json:"lagP99Millis"`
}

func (f *Figures) all() []*float64 {
	return []*float64{
		&f.SNS, &f.SQS, &f.DynamoDB, &f.Total, &f.PerMessage, &f.Messages, &f.ChangesPerSecond, &f.MessagesPerSecond,
		&f.ConsumerCPU, &f.PublisherCPU, &f.Allocations, &f.Memory, &f.Heap, &f.LagP50, &f.LagP99,
	}
}

// medians takes the median of each figure by itself.
func medians(runs []Figures) Figures {
	var out Figures
	values := make([]float64, len(runs))
	for at, to := range out.all() {
		for i := range runs {
			values[i] = *runs[i].all()[at]
		}
		*to = median(values)
	}
	return out
}

// median is the middle value, of an even number the mean of the two; 0 of none.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return sorted[n/2]
	default:
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
}

// percentile is the least value that is not below so much of all values, by
// nearest rank; 0 of none. The share is from 0 to 1.
func percentile(values []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(share * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// lags returns how long each change took, in milliseconds, from the time it
// was due until the replica held it or a later one of its item. Changes that
// were due within the warm-up are left out.
func lags(w *Workload, clock Clock, settled []Settled) ([]float64, error) {
	type mark struct {
		version contracts.Version
		at      time.Time
	}
	marks := make(map[string][]mark)
	for _, s := range settled {
		marks[s.Subject] = append(marks[s.Subject], mark{s.Version, s.At})
	}
	for _, of := range marks {
		slices.SortFunc(of, func(a, b mark) int { return int(min(max(a.version-b.version, -1), 1)) })
		for i := len(of) - 2; i >= 0; i-- { // a later version settles earlier ones too
			if of[i+1].at.Before(of[i].at) {
				of[i].at = of[i+1].at
			}
		}
	}
	var out []float64
	for i, c := range w.changes {
		if clock.at(i).Sub(clock.Base) < warmUp && len(w.changes) > int(2*warmUp/clock.Step) {
			continue
		}
		of := marks[w.subjects[c.item]]
		at := slices.IndexFunc(of, func(m mark) bool { return m.version >= clock.version(i) })
		if at < 0 {
			return nil, fmt.Errorf("lag of change %d of %s: nothing settled it", i, w.subjects[c.item])
		}
		out = append(out, float64(of[at].at.Sub(clock.at(i)))/float64(time.Millisecond))
	}
	return out, nil
}
