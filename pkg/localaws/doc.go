// Package localaws is DynamoDB, DynamoDB Streams, SNS and SQS in one process,
// over their real wire protocols, so that unchanged programs and the unchanged
// AWS SDK run against it: in tests through an in-memory transport that works
// inside testing/synctest, on a developer's machine through a loopback
// listener.
//
// It promises that a call it answers is answered as AWS documents it, limits
// and error codes included; that an operation, a parameter or an attribute it
// does not know is refused by its name and never ignored; that it never
// listens beyond the loopback interface; and that Close joins every goroutine
// it started.
//
// It does not promise durability (everything is in memory and gone with the
// process), AWS's throughput or throttling (tests inject them with
// Engine.SetFaults), nor security: a request must carry an Authorization
// header, because AWS answers one without it differently, but its signature is
// not verified. Every caller is the account's owner; of all policies only a
// queue's is enforced, and only for deliveries from SNS.
//
// One Engine is one account in one region. All its methods are safe for
// concurrent use.
package localaws
