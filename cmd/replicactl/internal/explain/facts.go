package explain

import (
	"time"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/status"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// Facts are everything that is known about one subject, with the verdicts. The
// JSON form is stable: fields are added and never renamed.
type Facts struct {
	At       time.Time `json:"at"`
	Contract string    `json:"contract"`
	Subject  string    `json:"subject"`
	Source   Source    `json:"source"`
	// Records are what the table's streams still hold about the item, the
	// oldest first.
	Records []Record `json:"records"`
	// Stream says what was read of the streams.
	Stream Stream `json:"stream"`
	// Topic is the contract's, its ARN.
	Topic status.Cell[string] `json:"topic"`
	// Relay is how the owner's relay stands.
	Relay *status.Relay `json:"relay"`
	// RelayLetters are the records of the item that the relay gave up.
	RelayLetters []Letter     `json:"relay_letters"`
	Subscribers  []Subscriber `json:"subscribers"`
	// Unread says what could not be read, and why.
	Unread []string `json:"unread"`

	region             string
	relayLettersUnread bool // of its letters some, or all
}

// SourceState is what the owner's table has under the subject's key.
type SourceState string

// The states.
const (
	Live        SourceState = "live"
	Tombstone   SourceState = "tombstone"
	Unversioned SourceState = "unversioned" // written by something that knows nothing of versions
	Absent      SourceState = "absent"
	NotOurs     SourceState = "not the contract's"
	Unreadable  SourceState = "unread"
)

// Source is the item in the owner's table, read consistently.
type Source struct {
	Service string            `json:"service"`
	Table   string            `json:"table"`
	Key     map[string]string `json:"key,omitempty"`
	State   SourceState       `json:"state"`
	// Version is a decimal; empty for none. Written is the moment it stands for.
	Version string     `json:"version,omitempty"`
	Written *time.Time `json:"written,omitempty"`
	// Shared has the contract's attributes as text.
	Shared map[string]string `json:"shared,omitempty"`
	// Problem says why the item is not the contract's, why it can never be
	// published, or why it could not be read.
	Problem string `json:"problem,omitempty"`

	snapshot replica.Snapshot
}

// Record is a stream record of the item with what the relay decides about it.
type Record struct {
	Created time.Time         `json:"created"`
	Event   replica.EventName `json:"event"`
	ByTTL   bool              `json:"by_ttl,omitempty"`
	Action  string            `json:"action"` // ignore, stamp, publish or refuse
	// Version is the new image's, as a decimal; empty for none.
	Version string `json:"version,omitempty"`
	// Changed are the attributes that filters see, for publish.
	Changed []string `json:"changed,omitempty"`
	// Problem says why the record can never be published, for refuse.
	Problem string `json:"problem,omitempty"`

	version contracts.Version
}

// Stream is what was read of the table's streams.
type Stream struct {
	// Read is how many records, of all items.
	Read int `json:"read"`
	// Since is the earliest moment from which records can be known.
	Since time.Time `json:"since"`
	// Complete says that everything from then on was read.
	Complete bool `json:"complete"`
}

// Letter is a message or a record about the item in a dead-letter queue.
type Letter struct {
	Queue     string     `json:"queue"`
	ID        string     `json:"id"`
	Reason    string     `json:"reason"`
	Detail    string     `json:"detail,omitempty"`
	Version   string     `json:"version,omitempty"`
	Published *time.Time `json:"published,omitempty"`

	version contracts.Version
	made    time.Time // a record's; zero if unknown
}

// Subscriber is what one subscriber has of the item, and what is wrong.
type Subscriber struct {
	Service string `json:"service"`
	// Subscription has the queue's depth, the dead-letter queue's, and what SNS
	// knows.
	Subscription *status.Subscription `json:"subscription,omitempty"`
	Copies       []Copy               `json:"copies"`
	// LookedAt are the fan-outs of which not all copies were looked at, and how
	// many were. Of the others nothing is known, and the verdict is not of them.
	LookedAt []LookedAt `json:"looked_at,omitempty"`
	// Functions are replicas of the service's own, which only it can read.
	Functions []string `json:"functions,omitempty"`
	Letters   []Letter `json:"letters"`
	// Gone are tables of its replicas that do not exist, GoneIndexes indexes by
	// which copies are found that do not exist or cannot be read yet.
	Gone        []string `json:"gone,omitempty"`
	GoneIndexes []Index  `json:"gone_indexes,omitempty"`
	// Unread says why the copies are not known.
	Unread  string  `json:"unread,omitempty"`
	Verdict Verdict `json:"verdict"`

	unread     []unreadView
	attributes []string      // what the subscription asks for
	lets       []string      // what the filter at SNS lets through; nil if unknown
	secondPass time.Duration // of its fan-outs, the longest

	lettersUnread bool // some of them, or all
}

// LookedAt is how many copies of a replica were looked at, where there are more.
type LookedAt struct {
	Replica string `json:"replica"`
	Copies  int    `json:"copies"`
}

// Index is an index of a subscriber's table that cannot be read.
type Index struct {
	Table string `json:"table"`
	Name  string `json:"index"`
	// State is as DynamoDB has it, as CREATING; empty where there is no such index.
	State string `json:"state,omitempty"`
}

// Copy is one local item.
type Copy struct {
	Replica string            `json:"replica"`
	Key     map[string]string `json:"key"`
	Version string            `json:"version,omitempty"`
	// Fields are the copied attributes and the bookkeeping, as text.
	Fields map[string]string `json:"fields"`
	// Drift is how it differs from what the source asks for: in step, missing,
	// behind, extra, different, ahead.
	Drift string `json:"drift"`

	drift    replica.Drift
	stored   contracts.Version
	remapped bool
	found    local
}

// State is what is the matter, in a word.
type State string

// The states, from the best to the worst to look for.
const (
	StateInStep       State = "in step"
	StateNothing      State = "nothing"
	StateInPart       State = "in step so far" // nothing is wrong with what was looked at, which is not all
	StateNotOurs      State = "not the contract's"
	StateOnItsWay     State = "on its way"
	StateInQueue      State = "in the queue"
	StateRelayBehind  State = "relay behind"
	StateDeadLetter   State = "dead letter"
	StateRelayGaveUp  State = "relay gave up"
	StateUnpublished  State = "cannot be published"
	StateUnversioned  State = "never stamped"
	StateFilteredOut  State = "filtered out"
	StateUnsubscribed State = "not subscribed"
	StateNoTable      State = "no table"
	StateNoIndex      State = "no index"
	StateNoTopic      State = "no topic"
	StateNoStream     State = "no stream"
	StateRemapped     State = "mapping changed"
	StateDifferent    State = "different"
	StateAhead        State = "replica ahead"
	StateMissed       State = "missed"
	StateUnknown      State = "unknown"
)

// Verdict is what is wrong with a subscriber's copies.
type Verdict struct {
	State State `json:"state"`
	// Says is one sentence.
	Says string `json:"says"`
	// Command mends it; empty where nothing is to be done but to wait, or where
	// no command can.
	Command string `json:"command,omitempty"`
}

// Fine says that there is nothing to be done.
func (v Verdict) Fine() bool {
	switch v.State {
	case StateInStep, StateNothing, StateNotOurs:
		return true
	}
	return false
}
