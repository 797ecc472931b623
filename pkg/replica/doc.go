// Package replica keeps copies of a service's shared attributes right in every
// service that needs them.
//
// An owner's relay turns the records of its table's DynamoDB stream into
// changes and publishes them to the owner's topic; a subscriber's consumer
// receives them from its own queue and applies each to the service's own
// tables. The two sides never meet.
//
//	Source    which items of a table are a contract's, and how they look through it
//	Relay     decides about each stream record: ignore, stamp or publish
//	Consumer  a subscription's consumer, or a Watermill handler: decode, apply, second pass
//	Applier   one change to all local replicas: items, then fan-outs, then functions
//	Batcher   writes that wait at the same moment share requests, one write an item
//
// Adapters: dynamostream feeds a relay (under Lambda, or by a poller), snspub
// and sqssub are the Watermill publisher and subscriber, dynamostore is the
// database, manifest reads the declaration that all of them follow. This
// package itself knows no AWS SDK.
//
// # What it promises
//
// Once changes stop and queues drain, every replica holds exactly the
// contract's attributes of the source item's latest version, whatever was
// duplicated, reordered, delayed, retried or put back, in any order and any
// number of times. Each change carries the complete shared state and a version;
// a write takes place only where the stored version is lower. State therefore
// merges by maximum version, which is commutative, associative and idempotent,
// and everything else rests on that.
//
// Nothing is lost silently: what cannot be published or applied goes to a
// dead-letter queue with its full body and the reason. Nobody is blocked: a
// poison record or message fails alone. Deletes stay deleted: a tombstone keeps
// the version and outlives every path by which an older change can still
// arrive. The guarantee holds for every writer of the source table, also one
// that knows nothing of versions; see Source.Decide.
//
// # What it does not promise
//
// Delivery order, or order between items. Reading one's own write in another
// service. A bound on the lag while AWS is down. Fan-out copies before the local
// index shows them: a second pass catches most of those.
//
// # Concurrency and shutdown
//
// Source, Relay, Applier and Consumer hold no state that changes; Batcher holds
// the writes that wait. All are safe for concurrent use, and any number of
// processes may run them at once. They start no goroutine that outlives a call,
// but for a Batcher's write that its caller no longer waits for, and for a
// handler that hangs. Errors are classified in one place,
// Classify; what it does not know is retried by giving the message back.
package replica
