// Package dynamostore keeps replicas and stamps sources in DynamoDB: it
// implements replica.Store, replica.BatchStore, replica.SourceTable, the relay's
// checkpoints and a subscriber's log of canaries on aws-sdk-go-v2. For what goes
// through whole tables it has a Scan in segments, and Progress, which keeps how
// far that came.
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
