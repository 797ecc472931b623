// Package replay publishes again, to one subscriber, what the relay published
// for the records that the owner's stream still holds: a past range of at most
// 24 hours.
//
// It promises that every change which the relay would publish for a record of
// the range is published, or merged into a later change of the same item, or
// reported as one that never can be; that nobody but the subscriber receives a
// message; and that it is harmless at any moment, beside live changes and other
// runs, twice, or cut off in the middle: an older version is stale where a newer
// one has come. It tells what it could not replay because the stream had lost
// it.
//
// It does not promise that the subscriber ends right: it repeats the past,
// with the past's filter, where a backfill tells the present. A record that the
// relay answered by stamping the item is not replayed: the stamp has its own
// record, which may lie past the range.
package replay
