//go:build race

package reconcile_test

// The race detector makes everything some ten times slower; what it looks for
// shows in a few.
const (
	histories  = 1
	largeItems = 4_000
)
