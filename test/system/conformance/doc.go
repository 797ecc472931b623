// Package conformance holds localaws against AWS's documentation and against
// other implementations of the same services: AWS's own DynamoDB Local
// (DynamoDB and Streams) and moto's server (SNS and SQS).
//
// Every case says what AWS documents, by the page's title, and is run with the
// real SDK on every engine there is. A known difference of an engine from AWS
// is stated with the case and asserted, so that a note which is no longer true
// fails too. Cases that need what no other engine can be made to do (a shard
// that splits, a day that passes) run on a localaws of their own. Generated
// operations then have to get the same answers and stream records from localaws
// and DynamoDB Local.
//
// go test runs the cases against localaws only; go test -engines all, or make
// conformance, against all of them. An engine that is not to be had is named at
// the end with the reason, and is no failure.
//
// What it cannot show is where AWS itself differs from its documentation and
// from all of these.
package conformance
