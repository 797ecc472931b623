// Package status looks at what manifests declare, as it is at the endpoint:
// topics, who subscribes with which filter, queues, relays, and how far behind
// the copies are.
//
// It promises to only read, never to receive a message (a receive counts as a
// delivery), and that a call which is denied or fails hides nothing but its own
// cell, which then says why. What does not exist is shown as missing.
//
// It does not promise one instant: AWS answers one call after the other, and
// SQS's depths are approximate ("GetQueueAttributes", SQS API reference).
package status

import (
	"fmt"
	"time"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
)

// Report is everything that was seen. Its JSON form is stable: fields are added
// and never renamed.
type Report struct {
	At        time.Time         `json:"at"`
	Region    string            `json:"region"`
	Endpoints map[string]string `json:"endpoints"`
	Topics    []*Topic          `json:"topics"`
	// Complete says that every call was answered. A missing resource is an
	// answer.
	Complete bool `json:"complete"`
	// Failures are the reasons why not; each is at its cell too.
	Failures []string `json:"-"`
}

// Cell is one thing that was asked for. Exactly one of its fields is set.
type Cell[T any] struct {
	Value *T `json:"value,omitempty"`
	// Missing says that the resource does not exist.
	Missing bool `json:"missing,omitempty"`
	// Unread says why there is no answer.
	Unread string `json:"unread,omitempty"`
	// Unknown says why no call could give an answer.
	Unknown string `json:"unknown,omitempty"`
}

func known[T any](value T) Cell[T] { return Cell[T]{Value: &value} }

// Topic is a contract's topic, with its relay and its subscriptions.
type Topic struct {
	Contract string `json:"contract"`
	Name     string `json:"name"`
	// Owner is the publishing service; empty if no manifest publishes it.
	Owner string       `json:"owner,omitempty"`
	ARN   Cell[string] `json:"arn"`
	// Relay is nil where no manifest publishes the topic.
	Relay         *Relay          `json:"relay,omitempty"`
	Subscriptions []*Subscription `json:"subscriptions"`
	// Others are subscriptions that no manifest declares.
	Others Cell[[]Other] `json:"others"`
}

// Relay is how a stream handler stands.
type Relay struct {
	Table string `json:"table"`
	// Stream is the source table's stream.
	Stream Cell[string] `json:"stream"`
	// Followed is when a poller last said that it follows the stream, which it
	// does every minute. It has no value where none ever did, as under Lambda.
	Followed Cell[Instant] `json:"followed"`
	// Saved is when a place in the stream was last kept. A place is only kept
	// when it moves: an old one says nothing about a stream in which nothing
	// happens.
	Saved Cell[Instant] `json:"saved"`
	// Behind is the age of the oldest record that the relay is not done with,
	// read from the stream itself; known only of a poller.
	Behind  Cell[lag.Age] `json:"behind"`
	Letters Cell[Depth]   `json:"dead_letters"`
	// DeadLetterQueue is the relay's.
	DeadLetterQueue string `json:"dead_letter_queue"`
}

// Instant is a moment, or none.
type Instant struct {
	// At is nil for never.
	At *time.Time `json:"at"`
	// AgeSeconds is how long ago that was.
	AgeSeconds float64 `json:"age_seconds"`
}

// Subscription is a subscriber's, as its manifest declares it.
type Subscription struct {
	Subscriber string `json:"subscriber"`
	Queue      string `json:"queue"`
	// Settings are the subscription's at SNS.
	Settings Cell[Settings] `json:"settings"`
	Depth    Cell[Depth]    `json:"depth"`
	// Letters are the dead-letter queue's.
	DeadLetterQueue string      `json:"dead_letter_queue"`
	Letters         Cell[Depth] `json:"dead_letters"`
	// Lag is the age of the oldest change that is not applied.
	Lag Cell[lag.Age] `json:"lag"`
	// Stores are the tables, and their indexes, in which its consumer works.
	Stores []Store `json:"stores"`
}

// Store is a table, or one of its indexes.
type Store struct {
	Table string `json:"table"`
	Index string `json:"index,omitempty"`
	// State is as DynamoDB has it: ACTIVE, CREATING and so on.
	State Cell[string] `json:"state"`
}

func (s Store) name(subscriber string) string {
	if s.Index != "" {
		return fmt.Sprintf("index %s of %s's table %s", s.Index, subscriber, s.Table)
	}
	return subscriber + "'s table " + s.Table
}

// Settings are a subscription's at SNS.
type Settings struct {
	Filter  string `json:"filter"`
	Raw     bool   `json:"raw_delivery"`
	Redrive string `json:"redrive,omitempty"` // name of the dead-letter queue
	// Differences are where they are not as the manifest says.
	Differences []Difference `json:"differences,omitempty"`
}

// Difference is a setting that is not as declared.
type Difference struct {
	Field string `json:"field"`
	Have  string `json:"have"`
	Want  string `json:"want"`
}

// Other is a subscription that no manifest declares.
type Other struct {
	Protocol string `json:"protocol"`
	Endpoint string `json:"endpoint"`
	Filter   string `json:"filter,omitempty"`
	Raw      bool   `json:"raw_delivery"`
	Redrive  string `json:"redrive,omitempty"`
	// Unread says why its settings are not known.
	Unread string `json:"unread,omitempty"`
}

// Depth is how many messages a queue holds, about.
type Depth struct {
	Waiting  int `json:"waiting"`
	InFlight int `json:"in_flight"`
	Delayed  int `json:"delayed"`
}

// Total is all of them.
func (d Depth) Total() int { return d.Waiting + d.InFlight + d.Delayed }
