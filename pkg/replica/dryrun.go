package replica

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// DryRunConfig is what a DryRun is made of.
type DryRunConfig struct {
	// Service is the subscribing service's name. Required.
	Service string
	// Catalog knows the contracts. Required.
	Catalog *contracts.Catalog
	// Subscriptions are those whose changes come through the queue; at least
	// one.
	Subscriptions []manifest.Subscription
	// Tables are the service's tables.
	Tables []manifest.Table
	// Store is the service's database, of which only Read and Find are called.
	// Required unless all replicas are functions.
	Store Store
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// DryRun tells what a subscription's consumer would do with a message, without
// writing anything. It is safe for concurrent use.
//
// It runs the consumer's own code on the tables as they are. It does not know
// what the service's own functions would do, nor whether DynamoDB would accept a
// write whose condition holds, beyond what DryStore checks.
type DryRun struct {
	consumer *Consumer
	appliers map[string]*Applier
	// functions are the names of those that are not run, by contract.
	functions map[string][]string
	now       func() time.Time
}

// NewDryRun returns a dry run. It reports every way in which the manifest asks
// for something unsafe.
func NewDryRun(cfg DryRunConfig) (*DryRun, error) {
	d := &DryRun{appliers: make(map[string]*Applier), functions: make(map[string][]string), now: cfg.Now}
	if d.now == nil {
		d.now = time.Now
	}
	if cfg.Catalog == nil {
		return nil, fmt.Errorf("dry run config: %w", missing("Catalog"))
	}
	var problems []error
	var appliers []*Applier
	for _, s := range cfg.Subscriptions {
		contract, known := cfg.Catalog.ByID(s.Contract)
		if !known {
			problems = append(problems, fmt.Errorf("contract %s is not known to this program", s.Contract))
			continue
		}
		functions := make(map[string]Function)
		for _, r := range s.Replicas {
			if r.Function != "" {
				functions[r.Function] = notRun
				d.functions[s.Contract] = append(d.functions[s.Contract], r.Function)
			}
		}
		var store Store
		if cfg.Store != nil {
			store = DryStore{Store: cfg.Store, Tables: cfg.Tables}
		}
		a, err := NewApplier(ApplierConfig{Contract: contract, Subscription: s, Tables: cfg.Tables,
			Store: store, Functions: functions, Now: d.now})
		if err != nil {
			problems = append(problems, err)
			continue
		}
		appliers = append(appliers, a)
		d.appliers[s.Contract] = a
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("dry run config: %w", err)
	}
	var err error
	d.consumer, err = NewConsumer(ConsumerConfig{Service: cfg.Service, Queue: "dry run", Catalog: cfg.Catalog, Appliers: appliers,
		Delayer: notDelayed{}, Logger: slog.New(slog.DiscardHandler), Now: d.now})
	if err != nil {
		return nil, fmt.Errorf("dry run: %w", err)
	}
	return d, nil
}

// notRun stands for the service's own code.
func notRun(context.Context, *contracts.Change, Outcome) error { return nil }

// notDelayed sends no second pass.
type notDelayed struct{}

func (notDelayed) SendDelayed(context.Context, string, *message.Message, time.Duration) error {
	return nil
}

// Trial is what a consumer would do with a message.
type Trial struct {
	// Change is what the message says; nil where it is not an event.
	Change *contracts.Change
	// Rejected is why the consumer would reject it, as things are now; nil if
	// it would not.
	Rejected *RejectedError
	// Superseded says that every replica holds a higher version, so that the
	// message would change nothing anywhere. With functions it never is.
	Superseded bool
	// Functions names the service's own code that was not run, and of which
	// nothing is known.
	Functions []string
}

// Try tells what the consumer would do with a message of this body and these
// metadata. The error is a read that failed: nothing is known then.
func (d *DryRun) Try(ctx context.Context, body []byte, metadata map[string]string) (Trial, error) {
	msg := message.NewMessage(watermill.NewUUID(), body)
	msg.SetContext(ctx)
	for name, value := range metadata {
		msg.Metadata.Set(name, value)
	}
	change, err := d.consumer.handle(msg)
	trial := Trial{Change: change}
	if change != nil && change.Contract != nil {
		trial.Functions = d.functions[change.Contract.ID()]
	}
	if err != nil {
		rejected, ok := errors.AsType[*RejectedError](err)
		if !ok {
			return trial, fmt.Errorf("dry run: %w", err)
		}
		trial.Rejected = rejected
		return trial, nil
	}
	if change.Contract == nil || len(trial.Functions) > 0 {
		return trial, nil
	}
	trial.Superseded, err = d.appliers[change.Contract.ID()].superseded(ctx, change)
	if err != nil {
		return trial, fmt.Errorf("dry run: %w", err)
	}
	return trial, nil
}

// superseded says whether every local item that the change is for holds a
// higher version: each item replica's, which must exist, and each copy that an
// index finds and that is still the subject's. What functions hold is not known
// here. It must not be called with a store that writes.
func (a *Applier) superseded(ctx context.Context, change *contracts.Change) (bool, error) {
	if len(a.items) == 0 {
		return false, nil
	}
	in := arrival{subject: change.Subject, version: change.Version, shared: change.Attributes, now: a.cfg.Now()}
	for _, r := range a.items {
		if outcome, _, err := r.apply(ctx, in, FirstPass); err != nil || outcome != Stale {
			return false, err
		}
	}
	for _, f := range a.fanOuts {
		outcomes, err := f.apply(ctx, in)
		if err != nil || outcomes[Applied]+outcomes[Duplicate] > 0 {
			return false, err
		}
	}
	return true, nil
}

// DryStore is a Store that reads the real tables and never writes. What Write
// would have done it finds out by a consistent read: the condition is evaluated
// as the database would, and what DynamoDB is known never to store is refused
// as it would be.
type DryStore struct {
	Store
	// Tables are the service's tables, for the keys of their indexes.
	Tables []manifest.Table
}

var _ Store = DryStore{}

// Write says what Store's Write would have answered.
func (s DryStore) Write(ctx context.Context, w Write) (WriteResult, error) {
	found, err := s.Read(ctx, w.Table, w.Key)
	if err != nil {
		return WriteResult{}, err
	}
	if !w.holds(found) {
		return WriteResult{Found: found}, nil
	}
	if err := s.storable(w); err != nil {
		return WriteResult{}, err
	}
	return WriteResult{Written: true}, nil
}

// WriteAll says what Store's WriteAll would have answered.
func (s DryStore) WriteAll(ctx context.Context, writes []Write) ([]WriteResult, error) {
	results := make([]WriteResult, len(writes))
	for i, w := range writes {
		var err error
		if results[i], err = s.Write(ctx, w); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// PutChecked puts nothing, and says that the condition would not have held:
// only a service's own code puts items.
func (s DryStore) PutChecked(context.Context, Put, Check) (bool, error) { return false, nil }

// holds evaluates the write's condition on an item; nil is an absent one.
func (w *Write) holds(found contracts.Item) bool {
	if w.MustExist && found == nil {
		return false
	}
	for name, v := range w.Where {
		if !found[name].Equal(v) {
			return false
		}
	}
	version, mapping := found[w.VersionAttribute], found[w.MappingAttribute]
	if w.Replaces != nil {
		return same(version, w.Replaces.Version) && same(mapping, w.Replaces.Mapping)
	}
	if !version.IsZero() {
		stored, err := contracts.ParseVersion(version.Text())
		if version.Kind() != contracts.KindNumber || err != nil || stored >= w.Version {
			return false
		}
	}
	return mapping.IsZero() || mapping.Equal(contracts.String(w.Mapping))
}

// same says whether two values are equal or both missing.
func same(a, b contracts.Value) bool { return a.IsZero() && b.IsZero() || a.Equal(b) }

// storable refuses what DynamoDB would: an index's key attribute that is empty
// or of another type ("Working with items and attributes", key values), which
// are the ways in which the contract allows a state that a table does not.
func (s DryStore) storable(w Write) error {
	at := slices.IndexFunc(s.Tables, func(t manifest.Table) bool { return t.Name == w.Table })
	if at < 0 {
		return nil
	}
	for _, ix := range s.Tables[at].Indexes {
		for _, key := range ix.KeyAttributes() {
			v, set := w.Set[key.Name]
			if !set {
				continue
			}
			switch {
			case v.Kind() != keyKinds[key.Type]:
				return &RejectedError{Reason: "refused by DynamoDB", Err: fmt.Errorf("%s is a key of the index %s of %s and must be of type %s", key.Name, ix.Name, w.Table, key.Type)}
			case isEmpty(v):
				return &RejectedError{Reason: "refused by DynamoDB", Err: fmt.Errorf("%s is a key of the index %s of %s and must not be empty; set omit_empty in the manifest", key.Name, ix.Name, w.Table)}
			}
		}
	}
	return nil
}
