//go:build !linux

package bench

import "runtime"

// peakMemory is what the Go runtime has ever asked the system for, in bytes:
// on other systems than Linux the nearest there is to the process's peak.
func peakMemory() (bytes int64, err error) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return int64(memory.Sys), nil
}
