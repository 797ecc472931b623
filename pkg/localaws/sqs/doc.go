// Package sqs is Amazon SQS in one process: standard and FIFO queues over the
// JSON protocol.
//
// It promises that a request is answered as AWS documents it, limits and error
// codes included; that an operation, a parameter or an attribute it does not
// know is refused by its name before anything changes; that a message accepted
// by SendMessage is delivered until it is deleted, expires or is purged; that a
// FIFO queue delivers each group in order, one batch at a time; and that Close
// joins every goroutine.
//
// It does not promise durability (everything is in memory), throttling,
// encryption with keys of one's own, or access control between the account's
// callers: a queue's policy is enforced for deliveries from SNS alone. A
// standard queue delivers roughly in order and exactly once, unless
// Config.Shuffle or Config.Disturb asks for what AWS allows: any order, and
// duplicates.
//
// Times are those of Config.Now; waiting follows the time package, so that
// everything works in testing/synctest's virtual time.
package sqs
