package bench

import (
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// sample is what a process has used up to a moment.
type sample struct {
	at      time.Time
	cpu     time.Duration // user and system
	mallocs uint64
}

// takeSample stops the process's goroutines for a moment, to count.
func takeSample() (sample, error) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	cpu, err := processCPU()
	return sample{at: time.Now(), cpu: cpu, mallocs: memory.Mallocs}, err
}

// heapWatchEvery is the time between looks at the heap.
const heapWatchEvery = 20 * time.Millisecond

// watchHeap looks at the heap's size until stop is called, which returns the
// largest seen, in bytes.
func watchHeap() (stop func() uint64) {
	var peak atomic.Uint64
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		size := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		tick := time.NewTicker(heapWatchEvery)
		defer tick.Stop()
		for {
			metrics.Read(size)
			peak.Store(max(peak.Load(), size[0].Value.Uint64()))
			select {
			case <-tick.C:
			case <-end:
				return
			}
		}
	}()
	return func() uint64 {
		close(end)
		<-ended
		return peak.Load()
	}
}
