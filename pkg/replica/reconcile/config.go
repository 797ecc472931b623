package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Scanner reads whole tables. dynamostore.Scan is one.
type Scanner interface {
	// Segment returns one page of a segment of a table, read consistently, at
	// most limit items of it, and where the next page starts; nil at the end.
	Segment(ctx context.Context, table string, segment, of int, start contracts.Item, limit int) (items []contracts.Item, next contracts.Item, err error)
}

// Reader reads items by their keys. dynamostore.Store is one.
type Reader interface {
	// BatchRead reads items consistently, in the order of the keys, nil where
	// there is none: whole ones, or their key and the attributes named.
	BatchRead(ctx context.Context, table string, keys []contracts.Item, attributes ...string) ([]contracts.Item, error)
}

// Runs keeps how far a run has come, one place for each segment of each pass.
// dynamostore.Progress is one.
type Runs interface {
	// Begin resumes the task's run that was interrupted if resume takes it, or
	// begins another.
	Begin(ctx context.Context, task string, segments int, resume dynamostore.Resume) (*dynamostore.Run, error)
	// Save keeps a place. It refuses where another run was begun meanwhile.
	Save(ctx context.Context, run *dynamostore.Run, segment int, place dynamostore.Place) error
	// Finish ends the run, so that the next one begins anew.
	Finish(ctx context.Context, run *dynamostore.Run) error
}

// Side is one party's tables, read with the rights of that party.
type Side struct {
	Scanner Scanner
	Reader  Reader
}

// Config is what a Reconcile is made of.
type Config struct {
	// Source is the contract's source. Required.
	Source *replica.Source
	// Subscriber is the subscribing service's name: its audience. Subscription
	// and Tables are from its manifest. Required.
	Subscriber   string
	Subscription manifest.Subscription
	Tables       []manifest.Table
	// Owner reads the source table, Local the subscriber's tables. Required.
	Owner, Local Side

	// Repair mends what is found. It needs Publisher, which publishes to the
	// owner's topic, and Stamps, the source table as stamping needs it.
	Repair    bool
	Publisher message.Publisher
	Stamps    replica.SourceTable

	// Rate is the most items repaired a second, by messages or by stamps, 0 for
	// any number. None is while Backlog, the length of the subscriber's queue, is above
	// MaxBacklog; a nil Backlog is not asked.
	Rate       float64
	Backlog    func(context.Context) (int, error)
	MaxBacklog int

	// Runs keeps the run's places, in the owner's checkpoint table; nil for a run
	// that cannot be resumed. Restart discards an interrupted run and begins anew.
	Runs    Runs
	Restart bool
	// ResumeWithin is how long before Run nothing may have been heard of an
	// interrupted run, for it to be resumed: what happened since to what it had
	// compared by then is not seen. Default dynamostore.ResumeWithin, 1 h;
	// dynamostore.AnyAge for however long.
	ResumeWithin time.Duration

	// Segments is how many segments of a table are scanned at the same time.
	// Default 4, from 1 to 64, and as few as make 100 places with all passes. A
	// run that is resumed keeps its own.
	Segments int
	// PageItems is the most items of a page; a page has at most 1 MB anyway
	// (Scan, DynamoDB API reference). Default 1000, from 1 to 10,000.
	PageItems int
	// Settle is how long a difference is held before both sides are read again:
	// longer than the subscriber's usual lag. Default 30 s, at least 1 s.
	Settle time.Duration
	// MaxHeld is how many differences and unverified repairs are held at the
	// same time; about half a kilobyte each. Default 10,000, at least 100.
	MaxHeld int
	// VerifyTimeout is how long a repair may take to show. Default 2 min.
	VerifyTimeout time.Duration

	// Found is called with each finding once it is confirmed. Optional. It is
	// called by one goroutine at a time, as Repaired and Report are.
	Found func(Finding)
	// Repaired is called with what became of each finding's repair: nil when
	// the replica was seen to be right, else why it is not. Optional.
	Repaired func(Finding, error)
	// Report is called after every page, and whenever differences were looked at
	// again. Optional.
	Report func(Progress)
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

func (c Config) validate() error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	require := func(field string, ok bool) {
		if !ok {
			report("%s is missing", field)
		}
	}
	require("Source", c.Source != nil)
	require("Subscriber", c.Subscriber != "")
	if c.Subscriber == replica.AudienceAll {
		report("Subscriber is %q, which would reach every subscriber", c.Subscriber)
	}
	require("Owner.Scanner", c.Owner.Scanner != nil)
	require("Owner.Reader", c.Owner.Reader != nil)
	require("Local.Scanner", c.Local.Scanner != nil)
	require("Local.Reader", c.Local.Reader != nil)
	if c.Repair {
		require("Publisher", c.Publisher != nil)
		require("Stamps", c.Stamps != nil)
	}
	outside := func(field string, value, low, high int) {
		if value < low || value > high {
			report("%s is %d, it must be from %d to %d", field, value, low, high)
		}
	}
	outside("Segments", c.Segments, 1, 64)
	outside("PageItems", c.PageItems, 1, 10_000)
	outside("MaxHeld", c.MaxHeld, 100, 10_000_000)
	if c.Settle < time.Second {
		report("Settle is %v, it must be at least 1s", c.Settle)
	}
	if c.ResumeWithin < 0 {
		report("ResumeWithin is %v, it must not be negative", c.ResumeWithin)
	}
	if c.VerifyTimeout < 0 {
		report("VerifyTimeout is %v, it must not be negative", c.VerifyTimeout)
	}
	return errors.Join(problems...)
}

func (c Config) withDefaults() Config {
	fill(&c.Segments, 4)
	fill(&c.PageItems, 1000)
	fill(&c.ResumeWithin, dynamostore.ResumeWithin)
	fill(&c.Settle, 30*time.Second)
	fill(&c.MaxHeld, 10_000)
	fill(&c.VerifyTimeout, 2*time.Minute)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Found == nil {
		c.Found = func(Finding) {}
	}
	if c.Repaired == nil {
		c.Repaired = func(Finding, error) {}
	}
	if c.Report == nil {
		c.Report = func(Progress) {}
	}
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
