package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/internal/outflow"
	"github.com/tributary-dev/tributary/pkg/replica/internal/pace"
)

// Config is what a Replay is made of. The zero value of every number means its
// default.
type Config struct {
	// Source is the contract's source. Required.
	Source *replica.Source
	// Table is the owner's table, Streams the SDK's client of its streams.
	// Required.
	Table   string
	Streams *dynamodbstreams.Client
	// Publisher publishes to the owner's topic. Required unless Count.
	Publisher message.Publisher
	// Subscriber is the service that is to receive the changes. Required.
	Subscriber string
	// Since and Until are creation times of records, both inclusive to the
	// second. Since is required and at most 24 hours ago; Until is the moment of
	// the call by default.
	Since, Until time.Time
	// Prove shows that the subscription's filter policy lets through what is
	// meant for the subscriber, before anything is published; nil to take it for
	// granted. A policy that is new takes up to 15 minutes to be in force
	// (Amazon SNS subscription filter policies), and swallows a replay till
	// then.
	Prove func(ctx context.Context) error
	// Rate is how many changes are published a second at the most; 0 for any
	// number.
	Rate float64
	// Backlog returns how many messages wait in the subscriber's queue; nothing
	// is published while they are more than MaxBacklog. Nil for not slowed.
	Backlog func(ctx context.Context) (messages int, err error)
	// MaxBacklog is 10,000 by default.
	MaxBacklog int
	// Count reads the range and counts, and publishes nothing.
	Count bool
	// CountMost ends the counting after about so many records were read of the
	// stream, which Result.Examined.Stopped says; 0 for all. It is for Count
	// alone: a replay reads the whole range.
	CountMost int
	// Range tunes the reading: Parallel, PageRecords, EmptyReads and EmptyWait.
	// Its other fields are set by the replay.
	Range dynamostream.RangeConfig
	// Progress is called after every batch, from the caller's goroutine.
	// Optional.
	Progress func(Progress)
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Progress is how far a replay has come.
type Progress struct {
	// Records are those of the range that were read, Published the messages
	// accepted by the topic.
	Records, Published int
	// Reached is the creation time of the record read last. Shards are read side
	// by side, so that it goes back now and then.
	Reached time.Time
	// Backlog is the length of the subscriber's queue as last told; Waiting says
	// that nothing is published because of it.
	Backlog int
	Waiting bool
}

// Rejected is a change that can never be published.
type Rejected struct {
	Subject string // empty where the record does not tell
	Reason  string
	Err     error
}

// maxRejected is how many of the rejected are told one by one.
const maxRejected = 100

// Result is what a replay did, or would do with Count.
type Result struct {
	Since, Until time.Time
	// Records are those of the range. The changes of those Replayed were
	// published, the relay had Ignored others, and Stamped others.
	Records, Replayed, Ignored, Stamped int
	// Rejected counts what can never be published: records that the relay has
	// dead-lettered, and messages that the topic does not take.
	Rejected int
	// Published are the messages: records of the same item that were read at
	// about the same time are merged into one. Deletes are those of them that
	// delete.
	Published, Deletes int
	// LastStamped is when the latest of the records was made that the relay
	// answered by a stamp. A stamp follows within moments, with a record of its
	// own; where that lies past Until, it was not replayed.
	LastStamped time.Time
	// RejectedFirst are the first 100 of the rejected.
	RejectedFirst []Rejected
	// Examined tells what was read of the stream. Where it says Trimmed, or
	// where StreamSince lies after Since, records of the range are missing: a
	// backfill makes up for them.
	Examined dynamostream.Examined
}

// Missing says in a sentence which part of the range the stream did not hold
// any more; empty for none.
func (r Result) Missing() string {
	switch {
	case r.Examined.Trimmed:
		return fmt.Sprintf("records of the range had grown older than 24 hours and left the stream before they were read: what changed soon after %s may be missing, a backfill makes up for it", r.Since.UTC().Format(time.RFC3339))
	case r.Examined.StreamSince.After(r.Since):
		return fmt.Sprintf("the stream was turned on at %s and holds nothing from before: a backfill makes up for it", r.Examined.StreamSince.UTC().Format(time.RFC3339))
	default:
		return ""
	}
}

// ErrTooOld says that the stream does not hold the beginning of the range any
// more.
var ErrTooOld = errors.New("a stream keeps its records for 24 hours: backfill instead, which tells the subscriber the present state of every item")

// lateness is how much older than 24 hours Since may be: a call takes its time
// from the command line to here. What the stream has lost of it is told.
const lateness = time.Minute

// Replay is one replay. Make it with New and call Run once.
type Replay struct {
	cfg    Config
	pace   *pace.Pace
	out    outflow.Outflow
	result Result

	pending []*contracts.Change
	reached time.Time
}

// New returns a replay, or reports everything that is wrong with cfg. The error
// is an ErrTooOld where Since is more than 24 hours ago.
func New(cfg Config) (*Replay, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	now := cfg.Now()
	if cfg.Until.IsZero() || cfg.Until.After(now) {
		cfg.Until = now
	}
	cfg.MaxBacklog = cmp.Or(cfg.MaxBacklog, 10_000)
	if err := cfg.validate(now); err != nil {
		return nil, fmt.Errorf("replay config: %w", err)
	}
	if cfg.Since.Before(now.Add(-dynamostream.Retention - lateness)) {
		return nil, fmt.Errorf("replay since %s: %w", cfg.Since.UTC().Format(time.RFC3339), ErrTooOld)
	}
	r := &Replay{cfg: cfg, pace: pace.New(cfg.Rate, cfg.Backlog, cfg.MaxBacklog)}
	r.out = outflow.Outflow{Publisher: cfg.Publisher, Topic: cfg.Source.Topic(), Audience: cfg.Subscriber, Pace: r.pace}
	r.result.Since, r.result.Until = cfg.Since, cfg.Until
	return r, nil
}

func (c *Config) validate(now time.Time) error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	require := func(field string, ok bool) {
		if !ok {
			report("%s: missing", field)
		}
	}
	require("Source", c.Source != nil)
	require("Table", c.Table != "")
	require("Streams", c.Streams != nil)
	require("Publisher", c.Publisher != nil || c.Count)
	require("Subscriber", c.Subscriber != "")
	require("Since", !c.Since.IsZero())
	if c.Subscriber == replica.AudienceAll {
		report("Subscriber: %q is everybody", c.Subscriber)
	}
	if c.Since.After(now) {
		report("Since: %s is still to come", c.Since)
	} else if c.Until.Before(c.Since) {
		report("Until: %s is before Since, %s", c.Until, c.Since)
	}
	if c.Rate < 0 || c.MaxBacklog < 0 || c.CountMost < 0 {
		report("Rate, MaxBacklog, CountMost: want none below 0")
	}
	return errors.Join(problems...)
}

// maxPending is how many changes are merged by item and published together, at
// the most: less where that would take many seconds.
const maxPending = 500

func (c *Config) pending() int {
	if c.Rate == 0 {
		return maxPending
	}
	return int(min(maxPending, max(10, 5*c.Rate)))
}

// Run reads the range and publishes. The result tells what was done also where
// there is an error, or ctx ended; to replay the same range again is harmless.
func (r *Replay) Run(ctx context.Context) (Result, error) {
	if r.cfg.Prove != nil && !r.cfg.Count {
		if err := r.cfg.Prove(ctx); err != nil {
			return r.result, r.failed(err)
		}
	}
	from := r.cfg.Range
	from.Table, from.Client, from.Since, from.Until = r.cfg.Table, r.cfg.Streams, r.cfg.Since, r.cfg.Until
	from.Keys, from.MaxRecords, from.MaxRead, from.Now = nil, 0, 0, r.cfg.Now
	if r.cfg.Count {
		from.MaxRead = r.cfg.CountMost
	}
	var err error
	r.result.Examined, err = dynamostream.ReadRange(ctx, from, func(rec replica.Record) error {
		r.take(&rec)
		if len(r.pending) < r.cfg.pending() {
			return nil
		}
		return r.flush(ctx)
	})
	if err == nil {
		err = r.flush(ctx)
	}
	if err != nil {
		return r.result, r.failed(err)
	}
	return r.result, nil
}

func (r *Replay) failed(err error) error {
	return fmt.Errorf("replay %s to %s: %w", r.cfg.Source.Contract().ID(), r.cfg.Subscriber, err)
}

// take decides about a record as the relay does.
func (r *Replay) take(rec *replica.Record) {
	r.result.Records++
	r.reached = rec.Created
	if rec.Damaged == nil {
		switch r.cfg.Source.Decide(rec).Action {
		case replica.Stamp:
			r.result.Stamped++
			if rec.Created.After(r.result.LastStamped) {
				r.result.LastStamped = rec.Created
			}
			return
		case replica.Ignore:
			r.result.Ignored++
			return
		}
	}
	change, err := r.cfg.Source.Replayed(rec)
	if err != nil {
		subject, _, _ := r.cfg.Source.Subject(rec.Keys) // an empty one is as good
		r.result.Rejected++
		r.reject(subject, err)
		return
	}
	r.result.Replayed++
	r.pending = append(r.pending, change)
}

func (r *Replay) reject(subject string, err error) {
	if len(r.result.RejectedFirst) == maxRejected {
		return
	}
	rejected := Rejected{Subject: subject, Reason: "record cannot be published", Err: err}
	if e, is := errors.AsType[*replica.RejectedError](err); is {
		rejected.Reason = e.Reason
	}
	r.result.RejectedFirst = append(r.result.RejectedFirst, rejected)
}

// flush publishes what is pending, merged by item.
func (r *Replay) flush(ctx context.Context) error {
	changes := r.cfg.Source.Coalesce(r.pending)
	r.pending = r.pending[:0]
	var rejected map[int]error
	if !r.cfg.Count {
		var err error
		if rejected, err = r.out.Send(ctx, changes); err != nil {
			return err
		}
	}
	for i, change := range changes {
		if err := rejected[i]; err != nil {
			r.result.Rejected++
			r.reject(change.Subject, err)
			continue
		}
		r.result.Published++
		if change.Operation == contracts.Delete {
			r.result.Deletes++
		}
	}
	if r.cfg.Progress != nil {
		depth, waiting := r.pace.Backlog()
		r.cfg.Progress(Progress{
			Records: r.result.Records, Published: r.result.Published, Reached: r.reached, Backlog: depth, Waiting: waiting,
		})
	}
	return nil
}
