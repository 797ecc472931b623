package dynamostream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// callTimeout bounds each call of AWS or of the checkpoints, the client's own
// retries included: the SDK's HTTP client has no limit of its own, and a peer
// that accepts a request and never answers would stop a shard for good.
const callTimeout = 30 * time.Second

// Poller follows all streams of a table. Make one with NewPoller and call Run
// once.
type Poller struct {
	cfg   PollerConfig
	ended chan struct{} // a shard was read to its end; never blocks a reader

	mu        sync.Mutex
	shards    map[shardKey]*shardState
	following bool

	streams map[string]*streamState // of the goroutine that runs Run alone
}

type shardKey struct{ stream, shard string }

// shardState is what the poller knows of a shard.
type shardState struct {
	parent  string
	listed  bool // the last description of its stream named it
	started bool
	read    bool // to its end and handled: its children may be read
	readAt  time.Time
}

// NewPoller returns a poller.
func NewPoller(cfg PollerConfig) (*Poller, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("poller config: %w", err)
	}
	return &Poller{
		cfg:     cfg.withDefaults(),
		ended:   make(chan struct{}, 1),
		shards:  make(map[shardKey]*shardState),
		streams: make(map[string]*streamState),
	}, nil
}

// Following reports whether the poller has found a stream to follow.
func (p *Poller) Following() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.following
}

// Run follows the streams until ctx ends, then lets what is at work finish for
// at most DrainTimeout, keeps its place, and returns nil once every goroutine
// it started has ended. A relay that ignores its context can hold it up longer.
// It never gives up by itself: AWS being down is logged and tried again.
func (p *Poller) Run(ctx context.Context) error {
	work, stop := drained(ctx, p.cfg.DrainTimeout)
	defer stop()
	var readers sync.WaitGroup
	defer readers.Wait()
	look := time.NewTimer(0)
	defer look.Stop()
	var looked time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.ended:
			// What AWS has told already needs no call: after a restart, the
			// finished shards of a day end one after the other.
			if p.childless() {
				look.Reset(max(0, hurriedLook-p.cfg.Now().Sub(looked)))
			}
		case <-look.C:
			looked = p.cfg.Now()
			p.discover(ctx)
			if ctx.Err() != nil {
				return nil
			}
			next := p.cfg.DiscoverEvery
			if p.childless() {
				next = min(next, hurriedLook)
			}
			look.Reset(next)
		}
		for _, key := range p.ready() {
			r := &reader{poller: p, cursor: cursor{key: key}}
			readers.Go(func() { r.run(ctx, work) })
		}
	}
}

// hurriedLook is how often children are looked for that a shard which has just
// ended must have: they may be listed only a little later.
const hurriedLook = time.Second

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

// ready takes the shards that can be read now: not yet started, and their
// parent read to its end, or gone.
func (p *Poller) ready() []shardKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	var keys []shardKey
	for key, s := range p.shards {
		if s.started || !s.listed {
			continue
		}
		parent := p.shards[shardKey{key.stream, s.parent}]
		if parent == nil || parent.read {
			s.started = true
			keys = append(keys, key)
		}
	}
	return keys
}

// childless reports whether a shard that ended within the last DiscoverEvery
// has no child that the poller knows of.
func (p *Poller) childless() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now()
	ended := make(map[shardKey]bool)
	for key, s := range p.shards {
		if s.read && s.listed && now.Sub(s.readAt) < p.cfg.DiscoverEvery {
			ended[key] = true
		}
	}
	if len(ended) == 0 {
		return false
	}
	for key, s := range p.shards {
		delete(ended, shardKey{key.stream, s.parent})
	}
	return len(ended) > 0
}

// shardRead notes that a shard was read to its end, so that its children can be
// read at once.
func (p *Poller) shardRead(key shardKey) {
	p.mu.Lock()
	if s := p.shards[key]; s != nil {
		s.read, s.readAt = true, p.cfg.Now()
	}
	p.mu.Unlock()
	select {
	case p.ended <- struct{}{}:
	default:
	}
}

// isListed reports whether the stream still names a shard.
func (p *Poller) isListed(key shardKey) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shards[key]
	return s != nil && s.listed
}
