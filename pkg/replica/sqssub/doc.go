// Package sqssub receives Watermill messages from Amazon SQS.
//
// It promises that every message is settled alone: an ack deletes it, a nack
// gives it back after a pause that grows with its receive count, and a nack
// whose handler left a *replica.RejectedError by replica.Settle moves it to the
// dead-letter queue, whole and with the reason, before it is deleted from the
// source. So does the last nack that the queue's RedrivePolicy allows: SQS
// itself would move the message without the reason. Nothing a message does or
// contains holds up its neighbours. While a message is held its visibility is
// extended, up to SQS's twelve hours; a second delivery of a message that is
// still held is joined with the first and not handed out. Deletes, extensions and returns share requests, ten each;
// failures inside a batch are retried one by one. Receiving stops while
// MaxInFlight messages are held, slows down under throttling and errors, and
// speeds up again by itself. On a FIFO queue a group has one message handed out
// at a time, and a nack takes the later ones of its group back with it, in
// their order.
//
// SQS bills every receive, the empty ones as well, so one loop polls always, and
// up to Receivers do while receives keep coming back nearly full: an idle queue
// costs one long poll in twenty seconds, what one loop can fetch is not spread
// over several, and a backlog has all of them after some six round trips. A
// receive need not be full for that, because SQS may return fewer messages than
// it has. Where handlers are slower than SQS, receives wait for room for ten.
//
// Stopping, by Close or by the end of Subscribe's context, has two phases:
// receiving ends and what was not handed out is given back, as soon as the
// receives under way have answered or a fifth of a second is over; handlers
// get DrainTimeout, after which their contexts end with ErrDrainTimeout as the
// cause and their messages are given back. Close returns within DrainTimeout
// and HandBackTimeout even if a handler hangs. Then the channel is closed and
// every goroutine has ended, except a hanging handler's own.
//
// It does not promise that a message is handed out once: a delete that fails
// for good, a lost answer, a crash or another consumer can bring it again, so
// handlers must be idempotent. A message whose receive was cut off on stopping
// comes back only after its visibility timeout. Standard queues have no order.
// Messages handed out are not limited per item, and no queue is created:
// infrastructure code owns them.
//
// The wire form is watermill-aws's: the stock watermill-aws publishers can be
// read here, its subscribers read the same queues.
package sqssub
