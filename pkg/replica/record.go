package replica

import (
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// EventName says what happened to an item, as DynamoDB Streams names it.
type EventName string

// The event names.
const (
	Insert EventName = "INSERT"
	Modify EventName = "MODIFY"
	Remove EventName = "REMOVE"
)

// Record is one stream record, free of any SDK. Streams must carry new and old
// images.
type Record struct {
	// EventID identifies the record in its stream.
	EventID string
	// EventName says what happened.
	EventName EventName
	// SequenceNumber is the record's place in its shard: a decimal of 21 to 40
	// digits.
	SequenceNumber string
	// Created is when DynamoDB made the record, to the second.
	Created time.Time
	// ByTTL says that DynamoDB's TTL removed the item.
	ByTTL bool
	// Keys are the item's key attributes.
	Keys contracts.Item
	// Old is the item before, nil if there was none.
	Old contracts.Item
	// New is the item after, nil if there is none.
	New contracts.Item
	// Damaged says why the record could not be read in full; nil if it could.
	// The relay dead-letters such a record, which costs its neighbours nothing.
	Damaged error
}
