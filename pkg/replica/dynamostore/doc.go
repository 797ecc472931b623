// Package dynamostore keeps replicas and stamps sources in DynamoDB: it
// implements replica.Store, replica.BatchStore, replica.SourceTable and the
// relay's checkpoints on aws-sdk-go-v2.
//
// It promises that a write takes place exactly under the condition its caller
// gave, and that attributes nobody named are never touched. Errors that no
// retry can mend (an item over 400 KB, a key of the wrong type) are
// *replica.RejectedError; throttling and outages are returned as they are, to
// be retried by whoever holds the message. It creates no tables.
//
// Writes made together by WriteEach share requests of 25 PartiQL statements,
// which changes how many requests there are and nothing else: what a statement
// leaves in doubt an UpdateItem settles. They need the permissions
// dynamodb:PartiQLUpdate and dynamodb:PartiQLInsert beside dynamodb:UpdateItem;
// without them each write is an UpdateItem.
package dynamostore
