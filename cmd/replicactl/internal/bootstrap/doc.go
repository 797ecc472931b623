// Package bootstrap brings an endpoint to what manifests declare: tables with
// their indexes, streams and TTL, topics, queues with their dead-letter queues
// and policies, and subscriptions with their filters.
//
// It promises that a plan reads and never writes, that applying it does what
// the plan says and nothing else, that a second plan after a complete one finds
// nothing to do, and that what AWS cannot change in place is refused with the
// reason before anything is changed. Nothing is ever deleted; what exists
// beyond the manifests is left alone. Where it makes anew what a subscriber gets
// its copies by, the plan says that what was published meanwhile needs a backfill.
//
// It does not promise to undo a plan that failed half way: make another plan
// and go on. On AWS itself Terraform does this job.
package bootstrap
