// Package bench measures what moving changes costs: Tributary, the stock
// watermill-aws path and a bare loop over the SDK, each on the same work.
//
// A measured run is a publisher and a consumer, each a process of its own,
// against a localaws in another. The queue is filled first and then consumed,
// except where lag is measured, where both go on together. Every run ends with
// a check that the replica holds exactly the latest state of every item and
// that the queues are empty; a run that moved the wrong thing is an error, not
// a figure.
//
// It promises figures that compare with each other: taken in alternating order
// on one machine, medians of several runs. It does not promise that AWS's own
// are the same, since localaws answers from memory: requests are AWS's, times
// are this machine's.
package bench
