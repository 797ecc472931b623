//go:build !race

package replay_test

// seeds is how many histories are replayed into.
const seeds = 6
