// Package replicatest shows whether consumers stay right under every fault: a
// simulator runs the real relay, publisher, subscriber and appliers on localaws
// in virtual time, along a plan made from a seed, and then asks whether every
// promise was kept.
//
// A plan mixes what owners, other writers and subscribers' services do with
// what happens to processes, shards and time; a seed's weather breaks calls,
// and duplicates, delays and reorders messages. In the end everything is left
// in peace until nothing is on its way, dead letters are put back, and each
// replica is compared with the source table itself.
//
// It promises that what it reports is a broken promise of DESIGN.md section 1,
// or of the simulated consumer. It does not promise that a seed runs the same
// way twice to the last step: weather and plan are a function of the seed, the
// order in which goroutines run at one instant of virtual time is not. A
// failure that depends on it may take several runs to show again. Teams that
// write their own services give theirs to Check as Services: a consumer, a
// repository, a relay, each made of the aws.Config it is given.
package replicatest
