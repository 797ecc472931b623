// Package dynamodb is the DynamoDB of the local AWS: tables with their
// indexes, items, transactions, time to live and the stream records of every
// change.
//
// It promises AWS's results, error codes and limits for the operations it
// has, serializable isolation for every one of them, and stream records in
// commit order, one for each item that changed. A write that changes nothing
// writes no record ("Change data capture for DynamoDB Streams": a PutItem or
// UpdateItem that does not change any data in an item). An operation or
// parameter it does not have, the legacy ones (Expected, AttributeUpdates,
// KeyConditions, ...) included, is refused by its name. Of PartiQL it has
// BatchExecuteStatement with the statements that package partiql reads.
//
// It differs from AWS on purpose where waiting serves nobody: tables and
// indexes are usable at once, counts and sizes are current, throughput is
// unlimited, UpdateTimeToLive has no hour between two changes, and a single
// write or statement waits for a transaction on its item where AWS answers
// TransactionConflictException or TransactionConflict. It keeps everything in memory.
//
// All of it is safe for concurrent use.
package dynamodb
