package replica

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Metadata keys of a message that carries a change. They become SNS message
// attributes, which exist for filter policies only; everything else is in the
// body. MetadataChanged holds a JSON array of strings and travels as
// String.Array; the others travel as String.
const (
	MetadataType      = "type"
	MetadataOperation = "operation"
	MetadataChanged   = "changed"
	MetadataOrigin    = "origin"
	MetadataAudience  = "audience"
)

// AudienceAll is the audience of a change that is meant for every subscriber.
const AudienceAll = "all"

// PublishError is returned by publishers that can say which of the messages of
// one Publish call were not accepted. All others were. A cause that is a
// *RejectedError says that the message itself can never be accepted.
type PublishError struct {
	// Failed holds the cause by the message's position in the call.
	Failed map[int]error
}

func (e *PublishError) Error() string {
	first := slices.Min(slices.Collect(maps.Keys(e.Failed)))
	return fmt.Sprintf("publish: %d of the messages were not accepted; the first, number %d: %v", len(e.Failed), first+1, e.Failed[first])
}

// Unwrap returns the causes.
func (e *PublishError) Unwrap() []error { return slices.Collect(maps.Values(e.Failed)) }

// OversizeError is returned before anything is sent when messages of a Publish
// call are larger than the topic accepts.
type OversizeError struct {
	// Bytes holds the size, body and attributes, by the message's position in
	// the call.
	Bytes map[int]int
	// LimitBytes is what the topic accepts.
	LimitBytes int
}

func (e *OversizeError) Error() string {
	first := slices.Min(slices.Collect(maps.Keys(e.Bytes)))
	return fmt.Sprintf("publish: message %d has %d bytes with its attributes, the topic accepts %d; nothing of this call was sent",
		first+1, e.Bytes[first], e.LimitBytes)
}

// RefusedError is returned before anything is sent when messages of a Publish
// call could never be accepted, for another reason than their size: more than
// ten attributes, an empty payload, text that is not UTF-8. Where a call has
// oversize messages too, both errors are joined.
type RefusedError struct {
	// Causes holds what is wrong by the message's position in the call.
	Causes map[int]error
}

func (e *RefusedError) Error() string {
	first := slices.Min(slices.Collect(maps.Keys(e.Causes)))
	return fmt.Sprintf("publish: message %d %v; nothing of this call was sent", first+1, e.Causes[first])
}

// Unwrap returns the causes.
func (e *RefusedError) Unwrap() []error { return slices.Collect(maps.Values(e.Causes)) }

// Unsendable returns the messages because of which nothing of a call was sent,
// by position, each with the reason as the dead-letter queue is to show it.
func Unsendable(err error) map[int]error {
	never := make(map[int]error)
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		for at, cause := range refused.Causes {
			never[at] = &RejectedError{Reason: "not a message SNS accepts", Err: cause}
		}
	}
	if oversize, ok := errors.AsType[*OversizeError](err); ok {
		for at, size := range oversize.Bytes {
			never[at] = &RejectedError{
				Reason: "larger than the topic accepts",
				Err:    fmt.Errorf("%d bytes with attributes, the topic accepts %d", size, oversize.LimitBytes),
			}
		}
	}
	return never
}
