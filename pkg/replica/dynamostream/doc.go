// Package dynamostream feeds a relay from a DynamoDB stream: under Lambda, or
// from a poller of its own that follows the stream's shards and needs no
// Lambda. Both hand the relay the same records.
//
// It promises that a record is done with (published, stamped, dead-lettered or
// of no interest) before the stream is taken as read past it, that a shard is
// read only after its parent was read and handled (a record of the parent that
// failed may come later), and that one record that keeps failing holds up
// no other. Records are handled at least once. It does not promise that two
// pollers of one stream share the work: both do all of it, which is harmless;
// nor any order between two streams of a table, of which there are two for a
// day after the stream was turned off and on again.
package dynamostream
