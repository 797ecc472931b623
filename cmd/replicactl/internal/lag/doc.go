// Package lag tells how far behind a subscriber's copies are: the age of the
// oldest change that passed its filter and that its item replicas do not have,
// from the source's stream and the copies' versions. SQS tells the age of a
// queue's oldest message to CloudWatch alone.
//
// It promises never to give a figure for what is not known: a History that was
// not read to its end gives bounds, one that cannot tell is Unknown, with the
// reason, and a stream that reaches back less far than what waits gives the least
// that it can be. It reads no more than MaxCopies copies of a replica, and writes
// nothing.
//
// It does not look at fan-out copies and function replicas, and says nothing of
// drift: a change that is on its way nowhere any more is told by a comparison.
package lag
