package status

import (
	"context"
	"errors"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
)

// lags fills in how far behind each subscription's copies are. The stream is
// read once for all, and only if something may be on its way.
func (l *look) lags(ctx context.Context, t *Topic) {
	var busy []*Subscription
	for _, s := range t.Subscriptions {
		switch {
		case t.idle() && s.idle():
			s.Lag = known(lag.Age{Kind: lag.None})
		case t.Relay == nil:
			s.Lag = unknown[lag.Age]("no manifest that was read publishes the contract")
		case t.Relay.Stream.Unread != "":
			s.Lag = without[lag.Age]("the source table could not be described")
		case t.Relay.Stream.Missing:
			s.Lag = unknown[lag.Age]("the source table has no stream")
		case l.MaxRecords < 0:
			s.Lag = unknown[lag.Age]("something is on its way, and no stream records are to be read")
		default:
			busy = append(busy, s)
		}
	}
	if len(busy) == 0 {
		return
	}
	seen, err := l.history(ctx, t)
	for _, s := range busy {
		if err != nil {
			s.Lag = failed[lag.Age](l, connect.Streams, "the stream of table "+t.Relay.Table, err)
			continue
		}
		s.Lag = l.lag(ctx, t, s, seen)
	}
}

// idle reports whether the relay is known to have nothing left to do.
func (t *Topic) idle() bool {
	return t.published() && t.Relay.Letters.Value != nil && t.Relay.Letters.Value.Total() == 0
}

// published reports whether the relay is known to be done with the stream.
func (t *Topic) published() bool {
	return t.Relay != nil && t.Relay.Behind.Value != nil && t.Relay.Behind.Value.Kind == lag.None
}

// idle reports whether no message is known to be on its way or put aside.
func (s *Subscription) idle() bool {
	return s.Depth.Value != nil && s.Depth.Value.Total() == 0 && s.Letters.Value != nil && s.Letters.Value.Total() == 0
}

// waiting is what is on its way to a subscriber or put aside.
func (t *Topic) waiting(s *Subscription) lag.Waiting {
	w := lag.Waiting{Queued: -1, Letters: -1, Published: t.published()}
	if d := s.Depth.Value; d != nil {
		w.Queued = d.Waiting + d.InFlight
	}
	if d := s.Letters.Value; d != nil {
		w.Letters = d.Total()
	}
	return w
}

// history reads the source's stream for what the relay publishes of it.
func (l *look) history(ctx context.Context, t *Topic) (*lag.History, error) {
	published, err := l.Set.Publication(t.Contract)
	if err != nil {
		return nil, err
	}
	source, err := published.Source()
	if err != nil {
		return nil, err
	}
	seen := lag.NewHistory(source, l.Now)
	if l.ReadStream != nil {
		return seen, l.ReadStream(ctx, seen)
	}
	examined, err := dynamostream.ReadRange(ctx, dynamostream.RangeConfig{
		Table: published.Publication.Table, Client: l.Clients.Streams, MaxRecords: l.MaxRecords, Now: l.Now,
	}, func(rec replica.Record) error {
		seen.Add(&rec)
		return nil
	})
	if err != nil {
		return nil, err
	}
	seen.End(examined)
	return seen, nil
}

// lag compares what was published with the versions that the copies have.
func (l *look) lag(ctx context.Context, t *Topic, s *Subscription, seen *lag.History) Cell[lag.Age] {
	declared, err := l.Set.Subscription(t.Contract, s.Subscriber)
	if err != nil {
		return unread[lag.Age](l, err.Error())
	}
	age, err := seen.Behind(ctx, dynamostore.New(l.Clients.DynamoDB, dynamostore.Config{}), declared.Subscription, t.waiting(s))
	if why, ok := errors.AsType[*lag.Unknown](err); ok {
		return unknown[lag.Age](why.Why)
	}
	if err != nil {
		on := "a replica's table"
		if at, ok := errors.AsType[*lag.TableError](err); ok {
			on = "table " + at.Table
		}
		return failed[lag.Age](l, connect.DynamoDB, on, err)
	}
	return known(age)
}
