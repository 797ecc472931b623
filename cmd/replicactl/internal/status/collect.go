package status

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
)

// Config has what a look needs.
type Config struct {
	Clients connect.Clients
	Set     *target.Set
	// Contract keeps to one contract; empty for all.
	Contract string
	// MaxRecords is how many stream records are read for the lag of one
	// contract's copies at the most; 20000 by default, negative for none.
	MaxRecords int
	// ReadStream, if it is set, reads the stream of the contract's source table
	// into the history in MaxRecords' place. It is called once for a topic at the
	// most, and only where something may be on its way.
	ReadStream func(context.Context, *lag.History) error
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// maxParallel is how many topics and subscriptions are looked at at once.
const maxParallel = 8

// look is one look at everything.
type look struct {
	Config
	slots  chan struct{}
	topics Cell[map[string]string] // ARN by name

	mu     sync.Mutex
	unread []string // why cells have no answer
}

// Look asks for everything. The error is the context's: all else is in the
// report.
func Look(ctx context.Context, cfg Config) (*Report, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxRecords == 0 {
		cfg.MaxRecords = 20_000
	}
	cfg.Clients = trouble.Watched(cfg.Clients)
	l := &look{Config: cfg, slots: make(chan struct{}, maxParallel)}
	report := &Report{At: cfg.Now().UTC(), Region: cfg.Clients.Region, Endpoints: map[string]string{}, Topics: l.declared()}
	for _, s := range []connect.Service{connect.DynamoDB, connect.Streams, connect.SNS, connect.SQS} {
		report.Endpoints[string(s)] = cfg.Clients.Endpoint(s)
	}
	l.topics = l.listTopics(ctx)
	var all sync.WaitGroup
	for _, t := range report.Topics {
		all.Go(func() { l.topic(ctx, t) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	slices.Sort(l.unread)
	report.Failures = slices.Compact(l.unread)
	report.Complete = len(report.Failures) == 0
	return report, nil
}

// declared returns the topics that manifests publish or subscribe to.
func (l *look) declared() []*Topic {
	topics := []*Topic{}
	find := func(contract, name string) *Topic {
		for _, t := range topics {
			if t.Contract == contract && t.Name == name {
				return t
			}
		}
		t := &Topic{Contract: contract, Name: name, Subscriptions: []*Subscription{}}
		topics = append(topics, t)
		return t
	}
	for _, m := range l.Set.Manifests() {
		for _, p := range m.Publishes {
			if l.Contract == "" || l.Contract == p.Contract {
				t := find(p.Contract, p.Topic)
				t.Owner, t.Relay = m.Service, &Relay{Table: p.Table, DeadLetterQueue: p.DeadLetterQueue}
			}
		}
		for _, s := range m.Subscribes {
			if l.Contract == "" || l.Contract == s.Contract {
				t := find(s.Contract, s.Topic)
				t.Subscriptions = append(t.Subscriptions, &Subscription{Subscriber: m.Service, Queue: s.Queue.Name, DeadLetterQueue: s.Queue.DeadLetterQueue, Stores: declaredStores(s)})
			}
		}
	}
	slices.SortFunc(topics, func(a, b *Topic) int { return strings.Compare(a.Name, b.Name) })
	return topics
}

// topic fills in a topic: what can be asked at the same time is, and the lag,
// which needs the depths, comes last.
func (l *look) topic(ctx context.Context, t *Topic) {
	var first sync.WaitGroup
	at := func(do func()) {
		first.Go(func() {
			select {
			case l.slots <- struct{}{}:
				defer func() { <-l.slots }()
				do()
			case <-ctx.Done():
			}
		})
	}
	at(func() { l.subscriptions(ctx, t) })
	if t.Relay != nil {
		at(func() { l.relay(ctx, t) })
		at(func() { t.Relay.Letters = l.depth(ctx, t.Relay.DeadLetterQueue) })
	}
	for _, s := range t.Subscriptions {
		at(func() { s.Depth = l.depth(ctx, s.Queue) })
		at(func() { l.stores(ctx, s) })
		at(func() { s.Letters = l.depth(ctx, s.DeadLetterQueue) })
	}
	first.Wait()
	at(func() { l.lags(ctx, t) })
	first.Wait()
}

// failed is a cell whose call failed, on what it was about.
func failed[T any](l *look, service connect.Service, on string, err error) Cell[T] {
	return unread[T](l, trouble.Tell(l.Clients, service, on, err).Error())
}

// unread is a cell that has no answer, and counts as such.
func unread[T any](l *look, why string) Cell[T] {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unread = append(l.unread, why)
	return Cell[T]{Unread: why}
}

// without is a cell that is not known because of another one, which says why
// and was counted.
func without[T any](why string) Cell[T] { return Cell[T]{Unread: why} }

// unknown is a cell that no call could answer.
func unknown[T any](why string) Cell[T] { return Cell[T]{Unknown: why} }

func (l *look) ago(at time.Time) Instant {
	return Instant{At: &at, AgeSeconds: max(0, l.Now().Sub(at).Seconds())}
}
