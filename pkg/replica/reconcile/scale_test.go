//go:build !race

package reconcile_test

// How many histories are made up, and how many items make a large table.
const (
	histories  = 3
	largeItems = 50_000
)
