//go:build race

package app_test

// simulatedSeeds is how many of the simulator's seeds go test runs: few, as the
// race detector makes each ten times as dear.
const simulatedSeeds = 6
