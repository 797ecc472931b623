// Package dynamostore keeps replicas and stamps sources in DynamoDB: it
// implements replica.Store, replica.SourceTable and the relay's checkpoints on
// aws-sdk-go-v2.
//
// It promises that a write takes place exactly under the condition its caller
// gave, and that attributes nobody named are never touched. Errors that no
// retry can mend (an item over 400 KB, a key of the wrong type) are
// *replica.RejectedError; throttling and outages are returned as they are, to
// be retried by whoever holds the message. It creates no tables.
package dynamostore
