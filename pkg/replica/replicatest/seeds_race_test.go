//go:build race

package replicatest_test

// defaultSeeds is how many seeds go test runs: few, because the race detector
// makes each ten times as dear, and the tests run all without it as well.
const defaultSeeds = 25
