// Package snspub publishes Watermill messages to Amazon SNS, ten a request.
//
// It promises that Publish returns only when the fate of every message is
// known: nil means that SNS accepted all of them, a *replica.PublishError names
// those it did not accept, and a *replica.OversizeError or a *replica.RefusedError says
// that nothing was sent because some of the messages never could be. Requests
// are packed by entries and by bytes, message attributes included; only the
// entries that failed are sent again, with jittered exponential pauses; one bad
// entry never costs its neighbours. The context of the call and those of the
// messages are honoured. On a FIFO topic a message is never sent before the
// earlier ones of its group in the same call are accepted, so a failed one is
// not overtaken.
//
// The wire form is watermill-aws's: the payload is the message, metadata are
// message attributes, the UUID is one of them. The stock watermill-aws
// subscriber reads what this publisher sends. The only difference is that the
// metadata key replica.MetadataChanged travels as String.Array, which filter
// policies need.
//
// It does not promise that a message is sent once: a request whose answer was
// lost is sent again. Nothing is buffered between calls, and there is no order
// between concurrent calls, nor between messages on a standard topic. It
// creates no topics: infrastructure code owns them.
package snspub
