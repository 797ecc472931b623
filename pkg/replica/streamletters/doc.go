// Package streamletters puts right what a relay, or Lambda in front of it, gave
// up: it stamps the items that the letters name, as they are now, so that their
// current state comes through the stream once more. An old body is never
// published.
//
// It reads three kinds of letters: records in the relay's dead-letter queue;
// what Lambda's on-failure destination keeps in S3, which has the whole records;
// and what it sends to SQS or SNS, which names a shard and a range of sequence
// numbers, to be read back from the stream within its 24 hours.
//
// It promises that a letter is deleted only after every item it names was
// stamped, and that an item named by a thousand letters is stamped once a run.
// A letter that cannot be put right stays, with the reason and the way out: it
// names nothing of ours, its range is gone from the stream, or an item still
// violates the contract, so that the relay would only give it up again. It can
// be interrupted anywhere and run again: a stamp too many is harmless.
//
// It does not promise anything about what lies in no letter, nor that Lambda
// delivers a letter for each batch that it gave up; reconcile tells.
package streamletters
