//go:build race

package backfill_test

// The race detector makes everything some ten times slower; what it looks for
// shows in a few.
const (
	seeds      = 2
	killStride = 5
)
