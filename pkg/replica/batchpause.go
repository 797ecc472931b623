package replica

import (
	"math/rand/v2"
	"time"
)

// BusyError is what kept one write of WriteEach from being made where that may
// be over in a moment: its table is throttled, or a transaction has the item.
// WriteEach does not wait for it, since others wait for its answer; a Batcher
// makes the write again after a pause, in which the others' go on. To everybody
// else it is an error like others, worth a retry.
type BusyError struct{ Err error }

func (e *BusyError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *BusyError) Unwrap() error { return e.Err }

// A write that meets a BusyError is made busyAttempts times, with pauses that
// double from busyPause to at most maxBusyPause, 2.5 s or so in all. After that
// its message is better given back.
const (
	busyAttempts = 8
	busyPause    = 25 * time.Millisecond
	maxBusyPause = time.Second
)

// pauseAfter returns the pause after the n-th attempt, of which a random half
// at most is taken off.
func pauseAfter(n int) time.Duration {
	pause := min(busyPause<<(n-1), maxBusyPause)
	return pause - time.Duration(rand.Float64()*float64(pause)/2)
}
