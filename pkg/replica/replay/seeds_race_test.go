//go:build race

package replay_test

// seeds is how many histories are replayed into: under the race detector each
// takes ten times as long.
const seeds = 1
