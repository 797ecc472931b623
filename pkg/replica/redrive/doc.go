// Package redrive looks through the dead-letter queue of a subscription, puts
// back what the consumer can apply now, and empties the rest.
//
// It promises that a letter is deleted only after the main queue has stored the
// message, whole and with the attributes it had at first, or after it was handed
// to an archive: whatever is interrupted, and wherever, a message is in one of
// the queues or in both, and being there twice is harmless. What it leaves is
// visible again when it returns. It puts back no message that is superseded
// (every replica of the subscription holds a higher version), none whose age has
// outlived the tombstones that keep deletes deleted, none of another queue that
// shares the dead-letter queue, and none that the consumer would reject again, as
// far as a dry run on the tables as they are can tell.
//
// It does not promise to see a letter that another tool holds at the moment, or
// that arrives while it reads; and what the service's own functions would say of
// a message is not known before they are run. Letters of FIFO queues are left to
// SQS's own redrive, which keeps their groups.
//
// The values of its types are not safe for concurrent use; any number of
// processes may run on one queue, each with the letters the others do not hold.
package redrive
