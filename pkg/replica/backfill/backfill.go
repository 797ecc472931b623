package backfill

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"golang.org/x/sync/errgroup"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/internal/outflow"
	"github.com/tributary-dev/tributary/pkg/replica/internal/pace"
)

// Scanner reads the owner's table. dynamostore.Scan is one.
type Scanner interface {
	// Segment returns one page of a segment of a table, read consistently, at
	// most limit items of it, and where the next page starts; nil at the end.
	Segment(ctx context.Context, table string, segment, of int, start contracts.Item, limit int) (items []contracts.Item, next contracts.Item, err error)
}

// Canaries tells which canaries came through the subscription's filter.
// dynamostore.Canaries is one.
type Canaries interface {
	Noted(ctx context.Context, id string) (at time.Time, ok bool, err error)
}

// Runs keeps how far runs have come. dynamostore.Progress is one.
type Runs interface {
	// Begin resumes the task's interrupted run if resume takes it, or begins
	// another.
	Begin(ctx context.Context, task string, segments int, resume dynamostore.Resume) (*dynamostore.Run, error)
	// Save keeps the run's place in a segment; dynamostore.ErrSuperseded says
	// that the task was begun anew.
	Save(ctx context.Context, run *dynamostore.Run, segment int, place dynamostore.Place) error
	// Finish notes the run's end.
	Finish(ctx context.Context, run *dynamostore.Run) error
}

// Config is what a Backfill is made of.
type Config struct {
	// Source is the contract's source. Required.
	Source *replica.Source
	// Table is the owner's table, for stamping items without a version; Scanner
	// reads all of it. Required.
	Table   replica.SourceTable
	Scanner Scanner
	// Publisher publishes to the owner's topic; see replica.RelayConfig.
	// Required.
	Publisher message.Publisher
	// Subscriber is the subscribing service's name: its audience. Required.
	Subscriber string
	// Attributes are the contract's attributes in the subscription's filter: what
	// the canary lists in changed. Required.
	Attributes []string
	// Replicas are the subscriber's, which are loaded. A run that was interrupted
	// goes on only where they are the same: where its manifest has gained an
	// attribute or a table since, what was read before lacks them. Those of
	// functions are not known.
	Replicas []*replica.View
	// Canaries tells when the canary was received. Required.
	Canaries Canaries
	// Runs keeps how far the run has come, in the owner's checkpoint table.
	// Required.
	Runs Runs
	// Restart discards an interrupted run and begins anew.
	Restart bool
	// ResumeWithin is how long before Run nothing may have been heard of an
	// interrupted run, for it to be resumed: what the subscriber has lost since of
	// what the run had published by then is not published again. Default
	// dynamostore.ResumeWithin, 1 h; dynamostore.AnyAge for however long.
	ResumeWithin time.Duration

	// Rate is the most changes a second; 0 for no bound.
	Rate float64
	// Backlog tells how many messages wait in the subscriber's queue and are in
	// flight from it; while they are more than MaxBacklog, nothing is published.
	// Nil for no such bound.
	Backlog func(ctx context.Context) (int, error)
	// MaxBacklog is 10,000 by default: SQS has no more than 120,000 messages in
	// flight ("Amazon SQS message quotas"), and live changes wait behind these.
	MaxBacklog int
	// Segments is how many segments of the table are read at the same time.
	// Default 4, from 1 to dynamostore.MaxProgressSegments. A run that is resumed
	// keeps its own.
	Segments int
	// PageItems is the most items of a page, which is what an interruption may
	// publish twice of each segment. By default 500, and less at a low Rate; from
	// 1 to 1000. Pages of whole tens leave no request to SNS half empty.
	PageItems int

	// CanaryTimeout ends the wait for the canary. Default 20 min: a filter policy
	// takes up to 15 to be in force ("Amazon SNS subscription filter policies").
	CanaryTimeout time.Duration

	// Total is about how many items the table has, for Report; 0 if that is not
	// known.
	Total int64
	// Report is called whenever something was achieved, by one goroutine at a
	// time; it must be quick. Optional.
	Report func(Progress)
	// Rejected is called with each item that can never be published, by one
	// goroutine at a time. Optional: Result has the first hundred.
	Rejected func(Rejection)
	// Now is the clock for versions and for when changes were published;
	// time.Now by default.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.Segments == 0 {
		c.Segments = 4
	}
	if c.MaxBacklog == 0 {
		c.MaxBacklog = 10_000
	}
	if c.PageItems == 0 {
		c.PageItems = 500
		if c.Rate > 0 { // some seconds' worth
			c.PageItems = 10 * max(1, min(50, int(c.Rate*5/10)/max(1, c.Segments)))
		}
	}
	if c.CanaryTimeout == 0 {
		c.CanaryTimeout = canaryTimeout
	}
	if c.ResumeWithin == 0 {
		c.ResumeWithin = dynamostore.ResumeWithin
	}
	if c.Report == nil {
		c.Report = func(Progress) {}
	}
	if c.Rejected == nil {
		c.Rejected = func(Rejection) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) validate() error {
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	for field, is := range map[string]bool{
		"Source": c.Source != nil, "Table": c.Table != nil, "Scanner": c.Scanner != nil, "Publisher": c.Publisher != nil,
		"Subscriber": c.Subscriber != "", "Attributes": len(c.Attributes) > 0, "Canaries": c.Canaries != nil, "Runs": c.Runs != nil,
	} {
		check(is, "%s is missing", field)
	}
	check(c.Subscriber != replica.AudienceAll, "Subscriber is %q, which would reach every subscriber", replica.AudienceAll)
	if c.Source != nil {
		for _, name := range c.Attributes {
			check(slices.Contains(c.Source.Contract().Names(), name), "Attributes has %q, which %s lacks", name, c.Source.Contract().ID())
		}
	}
	check(c.Segments >= 1 && c.Segments <= dynamostore.MaxProgressSegments, "Segments is %d, it must be from 1 to %d", c.Segments, dynamostore.MaxProgressSegments)
	check(c.PageItems >= 1 && c.PageItems <= 1000, "PageItems is %d, it must be from 1 to 1000", c.PageItems)
	check(c.Rate >= 0, "Rate is %v, it must not be negative", c.Rate)
	check(c.MaxBacklog >= 0, "MaxBacklog is %d, it must not be negative", c.MaxBacklog)
	check(c.ResumeWithin >= 0, "ResumeWithin is %v, it must not be negative", c.ResumeWithin)
	check(c.CanaryTimeout >= 0, "CanaryTimeout is %v, it must not be negative", c.CanaryTimeout)
	slices.SortFunc(problems, func(a, b error) int {
		if a.Error() < b.Error() {
			return -1
		}
		return 1
	})
	return errors.Join(problems...)
}

// Backfill loads one contract's items into one subscriber. It holds no state
// between runs and is safe for concurrent use.
type Backfill struct{ cfg Config }

// New returns a backfill. It reports everything that is wrong with cfg.
func New(cfg Config) (*Backfill, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("backfill config: %w", err)
	}
	return &Backfill{cfg: cfg}, nil
}

// Task names the runs of a contract's backfills to a subscriber, for
// dynamostore.Progress. Another table, or other replicas, make another task: what
// a run had loaded into the old ones is not in the new.
func Task(source *replica.Source, subscriber string, replicas []*replica.View) string {
	sum := sha256.New()
	fmt.Fprintln(sum, source.Table())
	for _, view := range replicas {
		fmt.Fprintln(sum, view.Declaration())
	}
	return fmt.Sprintf("backfill/%s/%s/%s", source.Contract().ID(), subscriber, hex.EncodeToString(sum.Sum(nil))[:8])
}

// Run resumes the run that was interrupted, if it was heard of within
// Config.ResumeWithin, or begins one, and returns when everything was published
// and noted. It returns as well when ctx ends, and with
// the first error that waiting does not mend; running again goes on from there.
// The Result says how far it came, either way. The error is a *CanaryError
// where nothing came through the subscription's filter, and
// dynamostore.ErrSuperseded where another run took this one's place.
func (b *Backfill) Run(ctx context.Context) (Result, error) {
	task := Task(b.cfg.Source, b.cfg.Subscriber, b.cfg.Replicas)
	r := &run{Config: b.cfg, tally: tally{report: b.cfg.Report, rejected: b.cfg.Rejected}}
	r.tally.progress = Progress{Total: b.cfg.Total, Segments: b.cfg.Segments}
	r.pace = pace.New(b.cfg.Rate, b.cfg.Backlog, b.cfg.MaxBacklog)
	r.outflow = &outflow.Outflow{Publisher: b.cfg.Publisher, Topic: b.cfg.Source.Topic(), Audience: b.cfg.Subscriber, Pace: r.pace}
	err := r.all(ctx, task)
	if err != nil {
		err = fmt.Errorf("backfill %s to %s: %w", b.cfg.Source.Contract().ID(), b.cfg.Subscriber, err)
	}
	return r.tally.result(), err
}

// run is one call of Run.
type run struct {
	Config
	outflow *outflow.Outflow
	pace    *pace.Pace
	tally   tally
	kept    *dynamostore.Run
}

func (r *run) all(ctx context.Context, task string) error {
	// As of now: the wait for the canary makes no run older.
	resume := dynamostore.Resume{Anew: r.Restart, Since: r.Now().Add(-r.ResumeWithin)}
	if err := r.canary(ctx); err != nil {
		return err
	}
	err := persist(ctx, func() (err error) {
		r.kept, err = r.Runs.Begin(ctx, task, r.Segments, resume)
		return err
	})
	if err != nil {
		return err
	}
	r.tally.begin(r.kept)
	defer r.watchBacklog()()
	group, within := errgroup.WithContext(ctx)
	for i := range r.kept.Segments {
		if !r.kept.Segments[i].Done {
			group.Go(func() error { return r.segment(within, i) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return persist(ctx, func() error { return r.Runs.Finish(ctx, r.kept) })
}

// watchBacklog reports the subscriber's backlog until the function it returns is
// called, so that a run that is held back says why.
func (r *run) watchBacklog() (stop func()) {
	stopped, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-stopped:
				return
			case <-ticker.C:
				r.tally.paced(r.pace.Backlog())
			}
		}
	}()
	return func() { close(stopped); <-done }
}

// persist makes a call until it succeeds or waiting does not mend it.
func persist(ctx context.Context, do func() error) error {
	return outflow.Persist(ctx, do, dynamostore.ErrSuperseded)
}
