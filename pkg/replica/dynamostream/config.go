package dynamostream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

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

// Checkpoints keeps the poller's place. It is safe for concurrent use. Beside
// the shards' it is asked to keep one under FollowedShard for each stream.
type Checkpoints interface {
	// Load returns a shard's checkpoint, the zero one if there is none.
	Load(ctx context.Context, stream, shard string) (Checkpoint, error)
	// Save keeps a checkpoint. One that lies behind what is kept changes
	// nothing: another poller is ahead. A finished one is ahead of all others.
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
	// default, four reads a second a shard, as Lambda does ("Polling and
	// batching streams", Lambda developer guide).
	IdleWait time.Duration
	// DiscoverEvery is how often new streams and shards are looked for, besides
	// whenever a shard ends whose children are not known yet; 10 s by default.
	DiscoverEvery time.Duration
	// CheckpointEvery is how often a moving place is kept; 1 s by default.
	CheckpointEvery time.Duration
	// MaxBatchRecords is how many records are read at once, 1 to 1000; 1000 by
	// default.
	MaxBatchRecords int
	// MaxHeldRecords is how many failed records of a shard wait for another
	// attempt before the shard is read no further; 1000 by default. The read
	// that reaches it can add the rest of its batch.
	MaxHeldRecords int
	// RetryWait is the first pause before a failed record is tried again; it
	// doubles up to MaxRetryWait. 200 ms and 30 s by default.
	RetryWait, MaxRetryWait time.Duration
	// GiveUpAge is the age at which a record that still fails, after ten
	// attempts at the least, is dead-lettered; 12 h by default, half of what
	// the stream keeps.
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
	if c.MaxHeldRecords < 0 {
		problems = append(problems, fmt.Errorf("MaxHeldRecords: %d, want at least 1", c.MaxHeldRecords))
	}
	positive := func(field string, d time.Duration) {
		if d < 0 {
			problems = append(problems, fmt.Errorf("%s: %s, want a positive duration", field, d))
		}
	}
	positive("IdleWait", c.IdleWait)
	positive("DiscoverEvery", c.DiscoverEvery)
	positive("CheckpointEvery", c.CheckpointEvery)
	positive("RetryWait", c.RetryWait)
	positive("MaxRetryWait", c.MaxRetryWait)
	positive("GiveUpAge", c.GiveUpAge)
	positive("DrainTimeout", c.DrainTimeout)
	if c.GiveUpAge >= retention {
		problems = append(problems, fmt.Errorf("GiveUpAge: %s, but the stream keeps records for %s", c.GiveUpAge, retention))
	}
	return errors.Join(problems...)
}

// retention is how long a stream keeps a record (DynamoDB Streams, developer
// guide).
const retention = 24 * time.Hour

func (c PollerConfig) withDefaults() PollerConfig {
	c.IdleWait = cmp.Or(c.IdleWait, 250*time.Millisecond)
	c.DiscoverEvery = cmp.Or(c.DiscoverEvery, 10*time.Second)
	c.CheckpointEvery = cmp.Or(c.CheckpointEvery, time.Second)
	c.RetryWait = cmp.Or(c.RetryWait, 200*time.Millisecond)
	c.MaxRetryWait = cmp.Or(c.MaxRetryWait, 30*time.Second)
	c.GiveUpAge = cmp.Or(c.GiveUpAge, retention/2)
	c.DrainTimeout = cmp.Or(c.DrainTimeout, 10*time.Second)
	c.MaxBatchRecords = cmp.Or(c.MaxBatchRecords, 1000)
	c.MaxHeldRecords = cmp.Or(c.MaxHeldRecords, 1000)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}
