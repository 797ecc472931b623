package explain

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/status"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
)

// Config says what to explain and where.
type Config struct {
	Clients  connect.Clients
	Set      *target.Set
	Contract string
	Subject  string
	// MaxRecords is how many stream records are read at the most, since a stream
	// can only be read from its beginning; 200,000 by default, negative for
	// none. It is about one request for a thousand of them.
	MaxRecords int
	// MaxLetters is how many letters of a dead-letter queue are looked at;
	// 2,000 by default.
	MaxLetters int
	// MaxCopies is how many copies of a fan-out are looked at, of which an item
	// may have a million; 1,000 by default. It is about one request for a hundred
	// of them.
	MaxCopies int
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// maxRecordsOfItem bounds what is kept of one item: the latest.
const maxRecordsOfItem = 1000

// Explain gathers the facts and judges them. The error is the context's, or says
// that the manifests declare no such contract, or that DynamoDB does not answer;
// what else could not be read is among the facts.
func Explain(ctx context.Context, cfg Config) (*Facts, error) {
	cfg.MaxRecords = cmp.Or(cfg.MaxRecords, 200_000)
	cfg.MaxLetters = cmp.Or(cfg.MaxLetters, 2_000)
	cfg.MaxCopies = cmp.Or(cfg.MaxCopies, 1_000)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	published, err := cfg.Set.Publication(cfg.Contract)
	if err != nil {
		return nil, err
	}
	source, err := published.Source()
	if err != nil {
		return nil, err
	}
	subscribed, err := cfg.Set.Subscriptions(cfg.Contract)
	if err != nil {
		return nil, err
	}
	given := cfg.Clients
	cfg.Clients = trouble.Watched(cfg.Clients)
	g := &gathering{Config: cfg, given: given, published: published, source: source, store: dynamostore.New(cfg.Clients.DynamoDB, dynamostore.Config{})}
	g.facts = &Facts{
		Contract: cfg.Contract, Subject: cfg.Subject, region: cfg.Clients.Region,
		Records: []Record{}, RelayLetters: []Letter{}, Unread: []string{}, Subscribers: make([]Subscriber, len(subscribed)),
	}
	g.gather(ctx, subscribed)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := g.unanswered(); err != nil {
		return nil, err
	}
	for i := range g.facts.Subscribers {
		s := &g.facts.Subscribers[i]
		s.Verdict = Judge(g.facts, s)
	}
	return g.facts, nil
}

type gathering struct {
	Config
	given     connect.Clients // which status adds its own words to
	published target.Published
	source    *replica.Source
	store     *dynamostore.Store
	facts     *Facts
	streamed  bool // whether the stream was read

	mu sync.Mutex // for facts.Unread
}

// gather reads what a change passes last first: a change that arrives meanwhile
// then shows as a copy that is behind and a queue that is empty no more than for
// moments, and never as a copy ahead of the source.
func (g *gathering) gather(ctx context.Context, subscribed []target.Subscribed) {
	var copies sync.WaitGroup
	for i, sub := range subscribed {
		s := &g.facts.Subscribers[i]
		copies.Go(func() { g.subscriber(ctx, s, sub) })
	}
	copies.Wait()
	if g.unanswered() != nil {
		return
	}
	g.standing(ctx)
	if !g.streamed {
		_ = g.stream(ctx, nil) // its error is among the facts
	}
	g.readSource(ctx)
	for i, sub := range subscribed {
		g.accept(&g.facts.Subscribers[i])
		g.compare(&g.facts.Subscribers[i], sub)
	}
	var letters sync.WaitGroup
	for i, sub := range subscribed {
		s := &g.facts.Subscribers[i]
		if s.Subscription != nil && s.Subscription.Letters.Value != nil && s.Subscription.Letters.Value.Total() > 0 {
			letters.Go(func() { s.Letters, s.lettersUnread = g.letters(ctx, sub.Subscription.Queue.DeadLetterQueue) })
		}
	}
	if r := g.facts.Relay; r != nil && r.Letters.Value != nil && r.Letters.Value.Total() > 0 {
		letters.Go(func() { g.facts.RelayLetters, g.facts.relayLettersUnread = g.letters(ctx, r.DeadLetterQueue) })
	}
	letters.Wait()
	g.facts.At = g.Now().UTC()
	slices.Sort(g.facts.Unread)
}

// unanswered returns the error of a replica where nobody answers: nothing is
// known then, and asking for everything else takes a minute to fail.
func (g *gathering) unanswered() error {
	for i := range g.facts.Subscribers {
		for _, u := range g.facts.Subscribers[i].unread {
			if _, network := errors.AsType[*net.OpError](u.err); network {
				return u.err
			}
		}
	}
	return nil
}

func (g *gathering) unread(what string, err error) string {
	text := fmt.Sprintf("%s: %v", what, err)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.facts.Unread = append(g.facts.Unread, text)
	return text
}

// readSource reads the item as it is now.
func (g *gathering) readSource(ctx context.Context) {
	out := &g.facts.Source
	out.Service, out.Table = g.published.Service(), g.published.Publication.Table
	key, err := g.source.Key(g.Subject)
	if err != nil {
		out.State, out.Problem = NotOurs, err.Error()
		return
	}
	out.Key = texts(key)
	item, err := dynamostore.NewSource(g.Clients.DynamoDB, out.Table).Read(ctx, key)
	if _, gone := errors.AsType[*types.ResourceNotFoundException](err); gone {
		out.State, out.Problem = Unreadable, g.unread("read the item of "+out.Table, errors.New(trouble.Absent(g.Clients, connect.DynamoDB, "table "+out.Table)))
		return
	}
	if err != nil {
		err = trouble.Tell(g.Clients, connect.DynamoDB, "table "+out.Table, err)
		out.State, out.Problem = Unreadable, g.unread("read the item of "+out.Table, err)
		return
	}
	if item == nil {
		out.State = Absent
		return
	}
	snap, ours, err := g.source.Snapshot(item, g.Now())
	switch {
	case err != nil:
		out.State, out.Problem = NotOurs, err.Error()
		return
	case !ours:
		out.State, out.Problem = NotOurs, fmt.Sprintf("the item in %s does not match what the manifest publishes", out.Table)
		return
	}
	out.snapshot = snap
	out.Shared = texts(snap.Shared)
	if snap.Version != 0 {
		written := snap.Version.Time()
		out.Version, out.Written = snap.Version.String(), &written
	}
	switch {
	case snap.Version == 0:
		out.State = Unversioned
	case snap.Live:
		out.State = Live
		if _, err := g.source.Announce(snap, contracts.Live, g.Now()); err != nil {
			out.Problem = err.Error()
		}
	default:
		out.State = Tombstone
	}
}

// stream reads what the streams still hold of the item, and of every item into
// the history, unless that is nil.
func (g *gathering) stream(ctx context.Context, all *lag.History) error {
	g.streamed = true
	now := g.Now()
	g.facts.Stream.Since = now.Add(-dynamostream.Retention).UTC()
	key, err := g.source.Key(g.Subject)
	if g.MaxRecords < 0 || err != nil && all == nil {
		return nil
	}
	type placed struct {
		Record
		order string
	}
	var found []placed
	reading := dynamostream.RangeConfig{Table: g.published.Publication.Table, Client: g.Clients.Streams, MaxRead: g.MaxRecords, Now: g.Now}
	if all == nil {
		reading.Keys = []contracts.Item{key}
	}
	examined, err := dynamostream.ReadRange(ctx, reading, func(rec replica.Record) error {
		if all != nil {
			all.Add(&rec)
		}
		// Without its keys it cannot be told whose a record is.
		if key == nil || rec.Keys == nil || !key.Equal(rec.Keys) {
			return nil
		}
		found = append(found, placed{g.record(&rec), strings.Repeat("0", max(0, 40-len(rec.SequenceNumber))) + rec.SequenceNumber})
		if len(found) > maxRecordsOfItem {
			found = found[1:]
		}
		return nil
	})
	slices.SortStableFunc(found, func(a, b placed) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.order, b.order))
	})
	for _, p := range found {
		g.facts.Records = append(g.facts.Records, p.Record)
	}
	g.facts.Stream.Read = examined.Read
	g.facts.Stream.Complete = err == nil && !examined.Stopped
	if examined.StreamSince.After(g.facts.Stream.Since) {
		g.facts.Stream.Since = examined.StreamSince.UTC()
	}
	if err != nil {
		if all == nil { // else status tells it
			g.unread("read the stream", trouble.Tell(g.Clients, connect.Streams, "the stream of table "+reading.Table, err))
		}
		return err
	}
	if all != nil {
		all.End(examined)
	}
	return nil
}

func (g *gathering) record(rec *replica.Record) Record {
	r := Record{Created: rec.Created.UTC(), Event: rec.EventName, ByTTL: rec.ByTTL, Action: replica.Refuse.String()}
	if rec.New != nil {
		if snap, ours, err := g.source.Snapshot(rec.New, rec.Created); err == nil && ours {
			r.version = snap.Version
		}
	}
	if r.version != 0 {
		r.Version = r.version.String()
	}
	change, err := g.source.Replayed(rec)
	if err != nil {
		r.Problem = err.Error()
		return r
	}
	d := g.source.Decide(rec)
	r.Action = d.Action.String()
	if change != nil {
		r.Changed = change.Changed
	}
	return r
}

// standing reads how relay, subscriptions and queues stand, receiving nothing,
// and how far behind the copies of all items are: for which the stream is read,
// where something may be on its way.
func (g *gathering) standing(ctx context.Context) {
	report, err := status.Look(ctx, status.Config{
		Clients: g.given, Set: g.Set, Contract: g.Contract, MaxRecords: g.MaxRecords, ReadStream: g.stream, Now: g.Now,
	})
	if err != nil {
		return // the context's
	}
	for _, t := range report.Topics {
		if t.Relay != nil {
			g.facts.Relay, g.facts.Topic = t.Relay, t.ARN
		}
		for _, s := range t.Subscriptions {
			for i := range g.facts.Subscribers {
				if g.facts.Subscribers[i].Service == s.Subscriber {
					g.facts.Subscribers[i].Subscription = s
				}
			}
		}
	}
	for _, why := range report.Failures {
		g.unread("look at relay, queues and lag", errors.New(why))
	}
}

// texts writes values for people.
func texts(item contracts.Item) map[string]string {
	if item == nil {
		return nil
	}
	out := make(map[string]string, len(item))
	for name, v := range item {
		out[name] = valueText(v)
	}
	return out
}

func valueText(v contracts.Value) string {
	var parts []string
	switch v.Kind() {
	case contracts.KindBool:
		return fmt.Sprint(v.Bool())
	case contracts.KindBinary:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	case contracts.KindNull:
		return "null"
	case contracts.KindMap:
		for name, field := range v.Fields() {
			parts = append(parts, name+": "+valueText(field))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case contracts.KindList, contracts.KindStringSet, contracts.KindNumberSet, contracts.KindBinarySet:
		for _, e := range v.Elements() {
			parts = append(parts, valueText(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return v.Text()
	}
}
