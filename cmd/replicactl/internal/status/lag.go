package status

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// announced is a change that the stream shows to have been published.
type announced struct {
	subject string
	version contracts.Version
	// made is when the change was made: what its version stands for, and no later
	// than its record. A version lies ahead of the clock where the item was
	// stamped above a copy that was ahead.
	made    time.Time
	changed []string
}

// history is what was read of a source's stream.
type history struct {
	changes []announced
	// complete says that all the stream holds was read. Otherwise everything
	// written before reached was.
	complete bool
	reached  time.Time
}

// lags fills in how far behind each subscription's copies are. The stream is
// read once for all, and only if something may be on its way.
func (l *look) lags(ctx context.Context, t *Topic) {
	var busy []*Subscription
	for _, s := range t.Subscriptions {
		switch {
		case t.idle() && s.idle():
			s.Lag = known(Lag{Kind: None})
		case t.Relay == nil:
			s.Lag = unknown[Lag]("no manifest that was read publishes the contract")
		case t.Relay.Stream.Unread != "":
			s.Lag = without[Lag]("the source table could not be described")
		case t.Relay.Stream.Missing:
			s.Lag = unknown[Lag]("the source table has no stream")
		case l.MaxRecords < 0:
			s.Lag = unknown[Lag]("something is on its way, and no stream records are to be read")
		default:
			busy = append(busy, s)
		}
	}
	if len(busy) == 0 {
		return
	}
	all := func(cell Cell[Lag]) {
		for _, s := range busy {
			s.Lag = cell
		}
	}
	published, err := l.Set.Publication(t.Contract)
	if err != nil {
		all(failed[Lag](l, connect.Streams, err))
		return
	}
	seen, err := l.history(ctx, published)
	if err != nil {
		all(failed[Lag](l, connect.Streams, err))
		return
	}
	for _, s := range busy {
		s.Lag = l.lag(ctx, t.Contract, s, seen)
	}
}

// idle reports whether the relay is known to have nothing left to do.
func (t *Topic) idle() bool {
	return t.Relay != nil && t.Relay.Behind.Value != nil && t.Relay.Behind.Value.Kind == None &&
		t.Relay.Letters.Value != nil && t.Relay.Letters.Value.Total() == 0
}

// idle reports whether no message is known to be on its way or put aside.
func (s *Subscription) idle() bool {
	return s.Depth.Value != nil && s.Depth.Value.Total() == 0 && s.Letters.Value != nil && s.Letters.Value.Total() == 0
}

// history reads the source's stream, as far as the budget goes, for what the
// relay publishes of it.
func (l *look) history(ctx context.Context, published target.Published) (history, error) {
	source, err := published.Source()
	if err != nil {
		return history{}, err
	}
	var seen history
	examined, err := dynamostream.ReadRange(ctx, dynamostream.RangeConfig{
		Table: published.Publication.Table, Client: l.Clients.Streams, MaxRecords: l.MaxRecords, Now: l.Now,
	}, func(rec replica.Record) error {
		change, err := source.Replayed(&rec)
		if change != nil && err == nil { // what the relay dead-letters is counted there
			made := change.Version.Time()
			if latest := rec.Created.Add(time.Second); made.After(latest) {
				made = latest // a record's time is rounded down
			}
			seen.changes = append(seen.changes, announced{change.Subject, change.Version, made, change.Changed})
		}
		return nil
	})
	if err != nil {
		return history{}, err
	}
	slices.SortStableFunc(seen.changes, func(a, b announced) int { return cmp.Compare(a.version, b.version) })
	seen.complete = !examined.Stopped
	seen.reached = reached(examined, l.Now())
	return seen, nil
}

// reached returns the moment before which every record was read: that of the
// shard that was read the least far.
func reached(examined dynamostream.Examined, now time.Time) time.Time {
	at := examined.Until
	for _, s := range examined.Shards {
		switch {
		case s.End != dynamostream.EndStopped:
		case s.Reached.IsZero():
			return now.Add(-dynamostream.Retention)
		case s.Reached.Before(at):
			at = s.Reached
		}
	}
	return at
}

// lag compares what was published with the versions that the copies have. Of an
// item's changes, the oldest that is above its copy's version counts.
func (l *look) lag(ctx context.Context, contract string, s *Subscription, seen history) Cell[Lag] {
	declared, err := l.Set.Subscription(contract, s.Subscriber)
	if err != nil {
		return failed[Lag](l, connect.DynamoDB, err)
	}
	var mine []announced
	for _, c := range seen.changes {
		if slices.ContainsFunc(c.changed, func(name string) bool { return slices.Contains(declared.Subscription.Attributes, name) }) {
			mine = append(mine, c)
		}
	}
	var oldest *announced
	items := 0
	for _, r := range declared.Subscription.Replicas {
		if r.Kind() != manifest.Item {
			continue
		}
		items++
		late, err := l.unapplied(ctx, r, mine)
		if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
			return unknown[Lag]("table " + r.Table + " does not exist")
		}
		if err != nil {
			return failed[Lag](l, connect.DynamoDB, err)
		}
		if late != nil && (oldest == nil || late.made.Before(oldest.made)) {
			oldest = late
		}
	}
	if items == 0 {
		return unknown[Lag]("the subscription has no item replica, whose versions could be compared")
	}
	now := l.Now()
	age := func(at time.Time) float64 { return max(0, now.Sub(at).Seconds()) }
	switch {
	case oldest == nil && seen.complete && s.idle():
		return known(Lag{Kind: None})
	case oldest == nil && seen.complete:
		return known(Lag{Kind: None, Note: "every change that the stream still holds is applied; what the queues hold was sent again or is older"})
	case oldest == nil:
		return known(Lag{Kind: LessThan, Seconds: age(seen.reached), Note: fmt.Sprintf("the first %d stream records were read", l.MaxRecords)})
	case seen.complete || oldest.made.Before(seen.reached):
		return known(Lag{Kind: Exact, Seconds: age(oldest.made), Subject: oldest.subject})
	default:
		return known(Lag{Kind: LessThan, Seconds: age(seen.reached), AtLeastSeconds: age(oldest.made), Subject: oldest.subject,
			Note: fmt.Sprintf("the first %d stream records were read", l.MaxRecords)})
	}
}

// unapplied returns the oldest of the changes, which come in their versions'
// order, that is above the version of its item's copy; nil for none.
func (l *look) unapplied(ctx context.Context, r manifest.Replica, changes []announced) (*announced, error) {
	var keys []contracts.Item
	at := map[string]int{} // by subject
	for _, c := range changes {
		if _, again := at[c.subject]; again {
			continue
		}
		key, err := localKey(r, c.subject)
		if err != nil {
			continue // no such copy can be: the consumer dead-letters the change
		}
		at[c.subject] = len(keys)
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	version := r.Bookkeeping().Version
	copies, err := dynamostore.New(l.Clients.DynamoDB, dynamostore.Config{}).BatchRead(ctx, r.Table, keys, version)
	if err != nil {
		return nil, err
	}
	for i, c := range changes {
		place, ok := at[c.subject]
		if !ok || copies[place] == nil && !r.Creates() {
			continue
		}
		if contracts.VersionOf(copies[place][version], time.Time{}) < c.version {
			return &changes[i], nil
		}
	}
	return nil, nil
}

// localKey makes the key of a subject's copy.
func localKey(r manifest.Replica, subject string) (contracts.Item, error) {
	texts, err := r.KeyFor(subject)
	if err != nil {
		return nil, err
	}
	if len(texts) == 0 {
		return nil, errors.New("the replica has no key")
	}
	key := make(contracts.Item, len(texts))
	for name, text := range texts {
		if r.KeyType(name) == "N" {
			key[name] = contracts.Number(text)
		} else {
			key[name] = contracts.String(text)
		}
	}
	return key, nil
}
