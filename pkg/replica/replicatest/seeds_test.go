//go:build !race

package replicatest_test

// defaultSeeds is how many seeds go test runs.
const defaultSeeds = 300
