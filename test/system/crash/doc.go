// Package crash kills the real binaries with kill -9 while they work, cuts,
// stalls and slows their connections to localaws, has localaws refuse calls over
// their rate, and then looks whether anything was lost.
//
// Its test promises: after the last kill, with the network well again, profile
// and stats agree on every company, every acknowledged write is there, no
// message is left in the queue and none in a dead-letter queue. The plan of
// kills and faults comes from a seed. It does not promise that the same seed
// meets the same moments again: processes, connections and the machine's load
// are real. localaws itself is not killed, since it keeps everything in memory;
// AWS does not forget.
//
// go test runs a short version, make crash the whole.
package crash
