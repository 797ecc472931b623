//go:build !race

package backfill_test

// How many histories are made up, and every how many calls a process is killed.
const (
	seeds      = 10
	killStride = 1
)
