//go:build !race

package app_test

// simulatedSeeds is how many of the simulator's seeds go test runs.
const simulatedSeeds = 40
