package replica

import (
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
// one Publish call were not accepted. All others were.
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
