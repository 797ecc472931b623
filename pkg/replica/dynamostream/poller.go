package dynamostream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// Checkpoint is how far a shard has been dealt with.
type Checkpoint struct {
	// Sequence is the last sequence number up to which every record is done
	// with; empty for none.
	Sequence string
	// Finished says that the shard is closed and all of it is done with.
	Finished bool
}

// Checkpoints keeps the poller's place. It is safe for concurrent use.
type Checkpoints interface {
	// Load returns a shard's checkpoint, the zero one if there is none.
	Load(ctx context.Context, stream, shard string) (Checkpoint, error)
	// Save keeps a checkpoint. One that lies behind what is kept changes
	// nothing: another poller is ahead.
	Save(ctx context.Context, stream, shard string, c Checkpoint) error
}

// PollerRelay is a Relay that a poller can ask to give a record up.
type PollerRelay interface {
	Relay
	// GiveUp dead-letters a record that keeps failing.
	GiveUp(ctx context.Context, rec replica.Record, cause error) error
}

// PollerConfig tunes a Poller. The zero value of every duration and number means
// its default.
type PollerConfig struct {
	// Table is the table whose streams are followed. Required.
	Table string
	// Streams is the SDK's client. Required.
	Streams *dynamodbstreams.Client
	// Relay handles the records. Required.
	Relay PollerRelay
	// Checkpoints keeps the place. Required.
	Checkpoints Checkpoints
	// IdleWait is the pause after a read that brought nothing; 250 ms by
	// default, four reads a second a shard, as Lambda does. A shard allows five
	// (GetRecords, API reference).
	IdleWait time.Duration
	// DiscoverEvery is how often new streams and shards are looked for, besides
	// whenever a shard ends; 10 s by default.
	DiscoverEvery time.Duration
	// CheckpointEvery is how often a moving place is kept; 1 s by default.
	CheckpointEvery time.Duration
	// MaxBatchRecords is how many records are read at once, 1 to 1000; 1000 by
	// default.
	MaxBatchRecords int
	// MaxHeldRecords is how many failed records of a shard wait for another
	// attempt before the shard is read no further; 1000 by default.
	MaxHeldRecords int
	// RetryWait is the first pause before a failed record is tried again; it
	// doubles up to MaxRetryWait. 200 ms and 30 s by default.
	RetryWait, MaxRetryWait time.Duration
	// GiveUpAge is the age at which a record that still fails is dead-lettered;
	// 12 h by default, half of what the stream keeps.
	GiveUpAge time.Duration
	// DrainTimeout is how long Run lets the batches at work finish after its
	// context has ended; 10 s by default.
	DrainTimeout time.Duration
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// Logger; slog.Default() by default.
	Logger *slog.Logger
}

// Validate reports every problem at once.
func (c PollerConfig) Validate() error {
	var problems []error
	missing := func(field string, is bool) {
		if is {
			problems = append(problems, fmt.Errorf("%s: missing", field))
		}
	}
	missing("Table", c.Table == "")
	missing("Streams", c.Streams == nil)
	missing("Relay", c.Relay == nil)
	missing("Checkpoints", c.Checkpoints == nil)
	if c.MaxBatchRecords < 0 || c.MaxBatchRecords > 1000 {
		problems = append(problems, fmt.Errorf("MaxBatchRecords: %d, want 1 to 1000", c.MaxBatchRecords))
	}
	for field, d := range map[string]time.Duration{
		"IdleWait": c.IdleWait, "DiscoverEvery": c.DiscoverEvery, "CheckpointEvery": c.CheckpointEvery,
		"RetryWait": c.RetryWait, "MaxRetryWait": c.MaxRetryWait, "GiveUpAge": c.GiveUpAge, "DrainTimeout": c.DrainTimeout,
	} {
		if d < 0 {
			problems = append(problems, fmt.Errorf("%s: %s, want a positive duration", field, d))
		}
	}
	if c.GiveUpAge >= 24*time.Hour {
		problems = append(problems, fmt.Errorf("GiveUpAge: %s, but the stream keeps records for 24h", c.GiveUpAge))
	}
	return errors.Join(problems...)
}

func (c PollerConfig) withDefaults() PollerConfig {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&c.IdleWait, 250*time.Millisecond)
	set(&c.DiscoverEvery, 10*time.Second)
	set(&c.CheckpointEvery, time.Second)
	set(&c.RetryWait, 200*time.Millisecond)
	set(&c.MaxRetryWait, 30*time.Second)
	set(&c.GiveUpAge, 12*time.Hour)
	set(&c.DrainTimeout, 10*time.Second)
	if c.MaxBatchRecords == 0 {
		c.MaxBatchRecords = 1000
	}
	if c.MaxHeldRecords <= 0 {
		c.MaxHeldRecords = 1000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// Poller follows all streams of a table. Make one with NewPoller and call Run
// once.
type Poller struct {
	cfg   PollerConfig
	ended chan struct{} // a shard was read to its end; never blocks a reader

	mu        sync.Mutex
	shards    map[shardKey]*shardState
	following bool
}

type shardKey struct{ stream, shard string }

// shardState is what the poller knows of a shard.
type shardState struct {
	parent  string
	started bool
	read    bool // to its end: its children may be read
}

// NewPoller returns a poller.
func NewPoller(cfg PollerConfig) (*Poller, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("poller config: %w", err)
	}
	return &Poller{cfg: cfg.withDefaults(), ended: make(chan struct{}, 1), shards: make(map[shardKey]*shardState)}, nil
}

// Following reports whether the poller has found a stream to follow.
func (p *Poller) Following() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.following
}

// Run follows the streams until ctx ends, then lets what is at work finish for
// at most DrainTimeout, keeps its place, and returns nil once every goroutine
// it started has ended. It never gives up by itself: AWS being down is logged
// and tried again.
func (p *Poller) Run(ctx context.Context) error {
	work, stop := drained(ctx, p.cfg.DrainTimeout)
	defer stop()
	var readers sync.WaitGroup
	defer readers.Wait()
	tick := time.NewTicker(p.cfg.DiscoverEvery)
	defer tick.Stop()
	for {
		ready, err := p.discover(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			p.cfg.Logger.LogAttrs(ctx, slog.LevelError, "shards not found, trying again", slog.String("table", p.cfg.Table), slog.Any("cause", err))
		}
		for _, key := range ready {
			r := &reader{poller: p, key: key}
			readers.Go(func() { r.run(ctx, work) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.ended:
		case <-tick.C:
		}
	}
}

// errDrained is why work is cancelled that outlasts a shutdown.
var errDrained = errors.New("shutting down: the drain timeout has passed")

// drained returns a context that outlives ctx by the drain timeout.
func drained(ctx context.Context, timeout time.Duration) (context.Context, func()) {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stopped := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		select {
		case <-stopped:
			return
		case <-ctx.Done():
		}
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		select {
		case <-stopped:
		case <-timer.C:
			cancel(errDrained)
		}
	})
	return work, func() {
		close(stopped)
		watcher.Wait()
		cancel(nil)
	}
}

// discover looks for the table's streams and their shards and returns those
// that can be read now: not yet started, and their parent read to its end, or
// gone.
func (p *Poller) discover(ctx context.Context) ([]shardKey, error) {
	streams, err := p.listStreams(ctx)
	if err != nil {
		return nil, fmt.Errorf("list streams of %s: %w", p.cfg.Table, err)
	}
	if len(streams) == 0 {
		return nil, errors.New("the table has no stream, or does not exist: turn a stream with new and old images on (replicactl bootstrap, or Terraform)")
	}
	seen := make(map[shardKey]bool)
	for _, stream := range streams {
		shards, err := p.describe(ctx, stream)
		if err != nil {
			return nil, fmt.Errorf("describe stream %s: %w", stream, err)
		}
		p.mu.Lock()
		for _, s := range shards {
			key := shardKey{stream, aws.ToString(s.ShardId)}
			seen[key] = true
			if p.shards[key] == nil {
				p.shards[key] = &shardState{parent: aws.ToString(s.ParentShardId)}
			}
		}
		p.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.following = true
	var ready []shardKey
	for key, s := range p.shards {
		if !seen[key] {
			if s.read || !s.started {
				delete(p.shards, key) // trimmed away
			}
			continue
		}
		if s.started {
			continue
		}
		parent := p.shards[shardKey{key.stream, s.parent}]
		if parent == nil || parent.read {
			s.started = true
			ready = append(ready, key)
		}
	}
	return ready, nil
}

func (p *Poller) listStreams(ctx context.Context) ([]string, error) {
	in := &dynamodbstreams.ListStreamsInput{TableName: aws.String(p.cfg.Table)}
	var arns []string
	for {
		out, err := p.cfg.Streams.ListStreams(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, s := range out.Streams {
			arns = append(arns, aws.ToString(s.StreamArn))
		}
		if out.LastEvaluatedStreamArn == nil {
			return arns, nil
		}
		in.ExclusiveStartStreamArn = out.LastEvaluatedStreamArn
	}
}

func (p *Poller) describe(ctx context.Context, stream string) ([]types.Shard, error) {
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(stream)}
	var shards []types.Shard
	for {
		out, err := p.cfg.Streams.DescribeStream(ctx, in)
		if _, gone := errors.AsType[*types.ResourceNotFoundException](err); gone {
			return shards, nil // a stream vanishes a day after it was turned off
		}
		if err != nil {
			return nil, err
		}
		shards = append(shards, out.StreamDescription.Shards...)
		if out.StreamDescription.LastEvaluatedShardId == nil {
			return shards, nil
		}
		in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId
	}
}

// shardRead notes that a shard was read to its end, so that its children can be
// read at once.
func (p *Poller) shardRead(key shardKey) {
	p.mu.Lock()
	p.shards[key].read = true
	p.mu.Unlock()
	select {
	case p.ended <- struct{}{}:
	default:
	}
}
