// Package sns is Amazon SNS in one process: topics, SQS subscriptions, filter
// policies, raw and wrapped delivery, subscription dead-letter queues, FIFO
// topics, Publish and PublishBatch, over SNS's query protocol (a form in, XML
// out).
//
// It promises that a request is answered as AWS answers it, limits and error
// codes included; that an action, a parameter or an attribute it does not know
// is refused by its name before anything changes; that a message accepted by
// Publish reaches every matching subscription's queue before Publish returns,
// unless that queue is failing or Config.Disturb asks for something else; and
// that Close joins every goroutine.
//
// It does not promise durability (everything is in memory), throttling,
// enforcement of topic policies (every caller is the topic's owner),
// encryption, message archives and replays, or any protocol but sqs. The
// Signature in a wrapped notification has the right form and cannot be
// verified.
package sns
