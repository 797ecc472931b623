// Package streams is DynamoDB Streams of the local AWS: the records that
// tables append, kept in shards with lineage, and the four operations that
// read them.
//
// It promises what AWS's "Change data capture for DynamoDB Streams" promises:
// every record once, an item's records in the order of its changes, records
// readable for 24 hours, a parent shard's records before its children's.
// Sequence numbers grow across the whole service, so an item's records are in
// order also across the shards of one lineage. A shard that closed more than
// 24 hours ago is gone together with its records.
//
// It does not limit readers per shard, nor the rate of calls, and a shard
// closes only when Split, Rotate or Disable says so: AWS rolls shards over by
// itself every few hours.
//
// All of it is safe for concurrent use.
package streams
