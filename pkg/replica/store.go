package replica

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// SourceTable is the owner's table as stamping needs it. It is safe for
// concurrent use.
type SourceTable interface {
	// Read reads an item consistently; nil where there is none.
	Read(ctx context.Context, key contracts.Item) (contracts.Item, error)
	// Restamp sets attributes of an item on condition that it still exists and
	// that it still has each attribute of was with its value (has it not, where
	// that is zero). It reports whether the condition held.
	Restamp(ctx context.Context, key, set, was contracts.Item) (bool, error)
	// PutAbsent puts a whole item on condition that there is none with this
	// key. It reports whether the condition held.
	PutAbsent(ctx context.Context, key, item contracts.Item) (bool, error)
}

// Store is the subscriber's database as appliers need it. It is safe for
// concurrent use.
type Store interface {
	// Write makes one conditional write; see Write for the condition.
	Write(ctx context.Context, w Write) (WriteResult, error)
	// WriteAll makes all writes or none, at most 99 of them, each to another
	// item. Where a condition fails, nothing is written and the result of
	// each write whose condition failed says so.
	WriteAll(ctx context.Context, writes []Write) ([]WriteResult, error)
	// Find returns one page of the local items that an index lists under its
	// partition key, and where the next page starts (nil at the end). The
	// index may lag behind its table.
	Find(ctx context.Context, in Find) (items []contracts.Item, next contracts.Item, err error)
	// Read reads an item consistently; nil where there is none.
	Read(ctx context.Context, table string, key contracts.Item) (contracts.Item, error)
	// PutChecked puts an item on condition that check holds, both in one
	// transaction. It reports whether the condition held.
	PutChecked(ctx context.Context, put Put, check Check) (bool, error)
}

// BatchStore is a Store that can put many independent writes into few requests.
type BatchStore interface {
	Store
	// WriteEach makes each of the writes, no two of them to the same item, as
	// Write would: each under its own condition, and none at the cost of
	// another. results has what became of each. errs is nil if all were made;
	// else it has what kept each from being made, nil for those that were.
	WriteEach(ctx context.Context, writes []Write) (results []WriteResult, errs []error)
}

// Write is one version-conditioned write to one local item. It takes place on
// condition that
//
//   - the item exists, if MustExist, and has the attributes Where;
//   - its version is missing or lower than Version;
//   - its mapping is missing or equal to Mapping;
//
// or, with Replaces set, that its version and mapping are exactly those.
// Attributes that the write does not name are never touched.
type Write struct {
	Table  string
	Key    contracts.Item
	Set    contracts.Item
	Remove []string

	Version          contracts.Version
	VersionAttribute string
	// Mapping is the fingerprint of the mapping the write was made under.
	Mapping          string
	MappingAttribute string

	MustExist bool
	Where     contracts.Item
	Replaces  *Stored
}

// Stored is what a write found: an item's version and mapping, zero where
// missing.
type Stored struct {
	Version contracts.Value
	Mapping contracts.Value
}

// WriteResult is what became of a Write.
type WriteResult struct {
	// Written says that the condition held.
	Written bool
	// Found is the item that made the condition fail; nil where there is none.
	Found contracts.Item
}

// Find asks for one page of an index.
type Find struct {
	Table, Index string
	// Partition is the index's partition key with its value.
	Partition contracts.Item
	// Attributes are what is returned of each item: the table's key, and what
	// else the index is known to hold.
	Attributes []string
	// Start is where the page begins; nil for the first.
	Start contracts.Item
}

// Put is a whole item to be put.
type Put struct {
	Table string
	Item  contracts.Item
}

// Check is a condition on an item: its attribute named Attribute has the value
// Is, or is missing (the item with it, perhaps) where Is is zero.
type Check struct {
	Table     string
	Key       contracts.Item
	Attribute string
	Is        contracts.Value
}

// Delayer puts a message into a queue so that it is delivered after a delay of
// at most 15 minutes. It returns when the message is stored.
type Delayer interface {
	SendDelayed(ctx context.Context, queue string, msg *message.Message, delay time.Duration) error
}
