// Package crash kills the real binaries with kill -9 while they work, cuts,
// stalls and slows their connections to localaws, has localaws refuse calls over
// their rate and single statements inside calls that succeed, and then looks
// whether anything was lost.
//
// Its test promises: after the last kill, with the network well again, profile
// and stats agree on every company, every acknowledged write is there, no
// message is left in the queue and none in a dead-letter queue. The plan of
// kills and faults comes from a seed. It does not promise that the same seed
// meets the same moments again: processes, connections and the machine's load
// are real.
//
// localaws itself is never killed. It keeps everything in memory, so that its
// death is not an outage of AWS but the loss of all tables, streams and queues at
// once, which AWS does not do and nothing here promises to survive: the test
// would find that localaws forgets, and nothing about the services. What they
// meet of an outage, calls that are refused, cut off or never answered, the
// proxies between them and localaws play.
//
// go test runs a short version, make crash the whole.
package crash
