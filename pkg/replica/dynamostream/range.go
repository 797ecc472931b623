package dynamostream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// Retention is how long a stream keeps a record (DynamoDB Streams, developer
// guide).
const Retention = retention

// RangeConfig says which records of a table's streams to read. The zero value
// of every number and duration means its default.
type RangeConfig struct {
	// Table is the table whose streams are read. Required.
	Table string
	// Client is the SDK's client. Required.
	Client *dynamodbstreams.Client
	// Since and Until are creation times. A record tells its own to the second,
	// rounded down (StreamRecord, DynamoDB Streams API reference), so that a
	// record of the second that Since or Until lies in is read too. The zero
	// Since is for everything; the zero Until, or one to come, for the moment
	// the call begins.
	Since, Until time.Time
	// Keys are the only items whose records are visited; nil for every item.
	Keys []contracts.Item
	// MaxRecords ends the reading after so many visits, MaxRead after so many
	// records were read, visited or not; 0 for never. A stream has to be read
	// from its oldest record on, whatever is looked for.
	MaxRecords, MaxRead int
	// Parallel is how many shards are read at once; 4 by default. A shard has
	// the relay and perhaps one more reader already, and two are advised at the
	// most (DynamoDB Streams, developer guide): reads are throttled then, and
	// tried again.
	Parallel int
	// PageRecords is how many records are read at once, 1 to 1000; 1000 by
	// default.
	PageRecords int
	// EmptyReads is how many reads in a row that bring nothing show that an
	// open shard is read to its end; 20 by default. No answer of AWS says so:
	// an empty one may only mean that the records come later (GetRecords,
	// DynamoDB Streams API reference). What others saw is that some five to
	// seven pages span a whole shard.
	EmptyReads int
	// EmptyWait is the pause after each of those; 50 ms by default.
	EmptyWait time.Duration
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// ShardEnd says why a shard was read no further.
type ShardEnd string

// The ends.
const (
	EndClosed   ShardEnd = "closed"      // all of it was read
	EndPast     ShardEnd = "past until"  // its records are past Until
	EndCaughtUp ShardEnd = "caught up"   // it is open, and all there was is read
	EndGone     ShardEnd = "gone"        // the stream no longer has it
	EndStopped  ShardEnd = "interrupted" // MaxRecords, MaxRead, an error or the context came first
)

// ShardExamined is how one shard was read.
type ShardExamined struct {
	Stream, Shard string
	// Read is how many records were read, visited or not.
	Read int
	// Reached is the creation time of the last of them.
	Reached time.Time
	// Trimmed says that records since Since may be missing: they had grown
	// older than 24 hours before they were read.
	Trimmed bool
	End     ShardEnd
}

// Examined is what ReadRange read.
type Examined struct {
	// Read is how many records were read, Visited how many were inside and
	// asked for, Damaged how many of those could not be read in full.
	Read, Visited, Damaged int
	// StreamSince is when the oldest stream was turned on: nothing before that
	// was ever recorded.
	StreamSince time.Time
	// Until is the end of the range.
	Until time.Time
	// Trimmed says that records since Since may be missing, in the shards that
	// say so too or in shards that are gone altogether.
	Trimmed bool
	// Stopped says that MaxRecords or MaxRead came first.
	Stopped bool
	Shards  []ShardExamined
}

// ReadRange visits every record that the table's streams still hold and that
// was created between Since and Until: the records of all shards of every
// generation, a shard's after its parent's, an item's in their order. Records
// of a table whose stream was turned off and on again are in two streams, with
// no order between them. Damaged records are visited with Damaged set,
// those whose time or key is not known too.
//
// visit is called from the caller's goroutine, one record at a time; its error
// ends the reading and is returned as it is. Failures of AWS are tried again
// for about half a minute; an error names the shard. What was read before an
// error, or before ctx ended, is returned with it.
func ReadRange(ctx context.Context, cfg RangeConfig, visit func(replica.Record) error) (Examined, error) {
	if err := cfg.validate(); err != nil {
		return Examined{}, err
	}
	cfg = cfg.withDefaults()
	r := &ranging{cfg: cfg, visit: visit, shards: make(map[shardKey]*rangeShard)}
	r.examined.Until = cfg.Until
	err := r.run(ctx)
	for _, s := range r.order {
		if s.End == "" {
			s.End = EndStopped
		}
		r.examined.Trimmed = r.examined.Trimmed || s.Trimmed
		r.examined.Shards = append(r.examined.Shards, s.ShardExamined)
	}
	return r.examined, err
}

func (c RangeConfig) validate() error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Table == "" {
		report("Table: missing")
	}
	if c.Client == nil {
		report("Client: missing")
	}
	if !c.Until.IsZero() && c.Until.Before(c.Since) {
		report("Until: %s is before Since, %s", c.Until, c.Since)
	}
	if c.PageRecords < 0 || c.PageRecords > 1000 {
		report("PageRecords: %d, want 1 to 1000", c.PageRecords)
	}
	if c.MaxRecords < 0 || c.MaxRead < 0 || c.Parallel < 0 || c.EmptyReads < 0 || c.EmptyWait < 0 {
		report("MaxRecords, MaxRead, Parallel, EmptyReads, EmptyWait: want none below 0")
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("range config: %w", err)
	}
	return nil
}

func (c RangeConfig) withDefaults() RangeConfig {
	c.Parallel = cmp.Or(c.Parallel, 4)
	c.PageRecords = cmp.Or(c.PageRecords, 1000)
	c.EmptyReads = cmp.Or(c.EmptyReads, 20)
	c.EmptyWait = cmp.Or(c.EmptyWait, 50*time.Millisecond)
	if c.Now == nil {
		c.Now = time.Now
	}
	if now := c.Now(); c.Until.IsZero() || c.Until.After(now) {
		c.Until = now
	}
	return c
}

// ranging is one call of ReadRange. Its fields belong to the caller's
// goroutine; readers hand it pages.
type ranging struct {
	cfg      RangeConfig
	visit    func(replica.Record) error
	shards   map[shardKey]*rangeShard
	order    []*rangeShard // parents first within a stream
	examined Examined
}

// rangeShard is a shard to be read. The embedded report belongs to the
// caller's goroutine.
type rangeShard struct {
	ShardExamined
	key, parent shardKey
	started     bool
}

// errEnough is why readers are stopped when MaxRecords or MaxRead is reached.
var errEnough = errors.New("as many records were read as asked for")

// run reads the shards there are, then those that came meanwhile: a shard that
// splits goes on in its children.
func (r *ranging) run(ctx context.Context) error {
	for {
		fresh, err := r.discover(ctx)
		if err != nil {
			return err
		}
		if !fresh {
			return nil
		}
		if err := r.readAll(ctx); err != nil {
			if errors.Is(err, errEnough) {
				r.examined.Stopped = true
				return nil
			}
			return err
		}
	}
}

// discover looks for shards and reports whether there are new ones.
func (r *ranging) discover(ctx context.Context) (fresh bool, err error) {
	if !r.cfg.Since.IsZero() && r.cfg.Now().Add(-Retention).After(r.cfg.Since) {
		r.examined.Trimmed = true // with shards that are not listed any more
	}
	var arns []string
	err = patiently(ctx, func() (err error) {
		arns, err = listStreams(ctx, r.cfg.Client, r.cfg.Table)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("list the streams of %s: %w", r.cfg.Table, err)
	}
	if len(arns) == 0 && len(r.shards) == 0 {
		return false, fmt.Errorf("read the stream of %s: the table has none, or does not exist", r.cfg.Table)
	}
	for _, arn := range arns {
		var found description
		err := patiently(ctx, func() (err error) {
			found, err = describe(ctx, r.cfg.Client, arn)
			return err
		})
		if err != nil {
			return false, fmt.Errorf("describe stream %s: %w", arn, err)
		}
		if at := found.created; !at.IsZero() && (r.examined.StreamSince.IsZero() || at.Before(r.examined.StreamSince)) {
			r.examined.StreamSince = at
		}
		for _, s := range found.shards {
			key := shardKey{arn, aws.ToString(s.ShardId)}
			if r.shards[key] != nil {
				continue
			}
			fresh = true
			shard := &rangeShard{
				ShardExamined: ShardExamined{Stream: arn, Shard: key.shard},
				key:           key, parent: shardKey{arn, aws.ToString(s.ParentShardId)},
			}
			r.shards[key] = shard
			r.order = append(r.order, shard)
		}
	}
	return fresh, nil
}

// rangePage is what a reader hands over: a page of records, or its end.
type rangePage struct {
	shard   *rangeShard
	records []replica.Record // those that are to be visited
	read    int
	reached time.Time
	trimmed bool
}

type rangeEnd struct {
	shard *rangeShard
	end   ShardEnd
	err   error
}

// readAll reads the shards that are not read yet, parents first.
func (r *ranging) readAll(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel(nil)
	pages := make(chan rangePage)
	ends := make(chan rangeEnd, r.cfg.Parallel) // never blocks a reader
	for active := 0; ; {
		for active < r.cfg.Parallel {
			shard := r.ready()
			if shard == nil {
				break
			}
			shard.started = true
			active++
			reader := &rangeReader{cfg: &r.cfg, shard: shard, cursor: cursor{key: shard.key}, pages: pages}
			readers.Go(func() { ends <- reader.run(ctx) })
		}
		if active == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case page := <-pages:
			if err := r.take(page); err != nil {
				cancel(err)
				return err
			}
		case end := <-ends:
			if end.err != nil {
				return end.err
			}
			active--
			end.shard.End = end.end
		}
	}
}

// ready returns a shard whose parent is read, or not there; nil for none.
func (r *ranging) ready() *rangeShard {
	for _, s := range r.order {
		if parent := r.shards[s.parent]; !s.started && (parent == nil || parent.End != "") {
			return s
		}
	}
	return nil
}

// take visits a page.
func (r *ranging) take(page rangePage) error {
	s := page.shard
	s.Read += page.read
	s.Trimmed = s.Trimmed || page.trimmed
	r.examined.Read += page.read
	for _, rec := range page.records {
		if err := r.visit(rec); err != nil {
			return err
		}
		r.examined.Visited++
		if rec.Damaged != nil {
			r.examined.Damaged++
		}
		if !rec.Created.IsZero() {
			s.Reached = rec.Created
		}
		if r.examined.Visited == r.cfg.MaxRecords {
			return errEnough
		}
	}
	if !page.reached.IsZero() {
		s.Reached = page.reached
	}
	if r.cfg.MaxRead > 0 && r.examined.Read >= r.cfg.MaxRead {
		return errEnough
	}
	return nil
}
