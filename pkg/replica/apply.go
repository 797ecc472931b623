package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Function is a replica of the service's own code: it is given each change that
// was not stale, with the outcome at the item replicas before it (Applied where
// there are none). It must be idempotent and may be called concurrently.
type Function func(ctx context.Context, change *contracts.Change, outcome Outcome) error

// ApplierConfig is what an Applier is made of.
type ApplierConfig struct {
	// Contract is what is subscribed to. Required.
	Contract *contracts.Contract
	// Subscription is the manifest's declaration. Required.
	Subscription manifest.Subscription
	// Tables are the service's tables, for the types and names of keys.
	Tables []manifest.Table
	// Store is the service's database. Required unless all replicas are
	// functions.
	Store Store
	// Functions are the service's own replicas by name.
	Functions map[string]Function
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// Metrics counts; nil for none.
	Metrics *Metrics
}

// Applier brings changes of one contract to a service's own tables. Changes may
// come in any order and any number of times; it is safe for concurrent use.
type Applier struct {
	cfg       ApplierConfig
	items     []*itemReplica
	fanOuts   []*fanOut
	functions []Function
	// anchor is the item replica that fan-outs copy from.
	anchor *itemReplica
}

// NewApplier returns an applier for a subscription. It reports every way in
// which the manifest asks for something unsafe.
func NewApplier(cfg ApplierConfig) (*Applier, error) {
	if cfg.Contract == nil {
		return nil, fmt.Errorf("applier config: %w", missing("Contract"))
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	a := &Applier{cfg: cfg}
	var problems []error
	if cfg.Subscription.Contract != cfg.Contract.ID() {
		problems = append(problems, fmt.Errorf("the Subscription is of contract %q", cfg.Subscription.Contract))
	}
	anchor, err := cfg.Subscription.Anchor()
	if err != nil {
		problems = append(problems, err)
	}
	for i, r := range cfg.Subscription.Replicas {
		if err := a.add(r, i == anchor); err != nil {
			problems = append(problems, fmt.Errorf("replica %d: %w", i+1, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("applier of %s: %w", cfg.Contract.ID(), err)
	}
	return a, nil
}

// Contract returns the contract the applier is for.
func (a *Applier) Contract() *contracts.Contract { return a.cfg.Contract }

func (a *Applier) add(r manifest.Replica, isAnchor bool) error {
	if r.Function != "" {
		f, ok := a.cfg.Functions[r.Function]
		if !ok {
			return fmt.Errorf("function %q: the service registers none of that name", r.Function)
		}
		a.functions = append(a.functions, f)
		return nil
	}
	if a.cfg.Store == nil {
		return missing("Store")
	}
	t := target{store: a.cfg.Store, table: r.Table, mapping: newMapping(r), keyTypes: make(map[string]string)}
	var table manifest.Table // stays zero where the manifest does not declare it
	if at := slices.IndexFunc(a.cfg.Tables, func(t manifest.Table) bool { return t.Name == r.Table }); at >= 0 {
		table = a.cfg.Tables[at]
		for _, k := range table.KeyAttributes() {
			t.keyTypes[k.Name] = k.Type
		}
	}
	if r.Index == "" {
		if len(t.keyTypes) == 0 {
			for name := range r.Key {
				t.keyTypes[name] = "S"
			}
		}
		t.mustExist = !r.Creates()
		item := &itemReplica{target: t, replica: r}
		if name, whole := r.WholeKey(); whole && t.keyTypes[name] == "S" {
			item.wholeKey = name
		}
		a.items = append(a.items, item)
		if isAnchor {
			a.anchor = item
		}
		return nil
	}
	if r.OnDelete != manifest.Clear {
		return fmt.Errorf("on_delete %q: copies of a fan-out are the service's own items, which a delete elsewhere may clear but not remove", r.OnDelete)
	}
	index, ok := table.Index(r.Index)
	if !ok {
		return fmt.Errorf("table %s: the manifest's tables do not declare it with an index %s, so its keys are not known", r.Table, r.Index)
	}
	t.mustExist = true
	f := &fanOut{
		target: t, replica: r,
		subjectTypes: map[string]string{index.PartitionKey.Name: index.PartitionKey.Type},
		shown:        shown(index, t.mapping.names.Version, t.mapping.names.Mapping),
		listed:       index.KeyAttributes(),
		secondPass:   time.Duration(r.SecondPass),
	}
	for _, k := range table.KeyAttributes() {
		f.keyNames = append(f.keyNames, k.Name)
	}
	a.fanOuts = append(a.fanOuts, f)
	return nil
}

// Pass says which delivery of a change this is.
type Pass uint8

const (
	// FirstPass is a change as it arrives.
	FirstPass Pass = iota
	// SecondPass repeats a fan-out for what the index did not show yet.
	SecondPass
)

// Result is what became of a change.
type Result struct {
	// Outcome is the outcome at the item replicas: the highest of them.
	Outcome Outcome
	// Copies counts the outcomes at the fan-outs' copies.
	Copies map[Outcome]int
	// Again is the delay after which the change must be applied once more as
	// its second pass; zero if it need not be.
	Again time.Duration
}

// latestVersion bounds the versions that a subscriber with this clock takes for
// valid. The owner's relay has bounded them by DynamoDB's clock; ours may be
// slower, and taking a stored version for missing would let an older change
// overwrite it for good.
func latestVersion(now time.Time) time.Time { return now.Add(contracts.MaxAhead + clockSkew) }

// Apply applies one change: to the item replicas first, then to the fan-outs,
// then to the functions. It returns when all of it is durable. A replica that
// fails keeps the change from no other, except that fan-outs wait for the item
// replica they copy from, and functions for all of these. An error leaves the
// change to be applied again; a *RejectedError says that this would never help,
// at any of the replicas that failed.
func (a *Applier) Apply(ctx context.Context, change *contracts.Change, pass Pass) (Result, error) {
	now := a.cfg.Now()
	if change.Version > contracts.VersionAt(latestVersion(now)) {
		return Result{}, &RejectedError{
			Reason: "version lies in the future",
			Err:    fmt.Errorf("%s is more than %s ahead of this clock; repair the item at its owner", change.Version, contracts.MaxAhead),
		}
	}
	in := arrival{subject: change.Subject, version: change.Version, shared: change.Attributes, now: now}
	if change.Operation == contracts.Delete {
		in.shared = nil
	}
	result := Result{Outcome: Applied}
	if len(a.items) > 0 {
		result.Outcome = Skipped
	}
	var failed []error
	spread := in // what fan-outs are given; with version 0 they are not run
	for _, r := range a.items {
		outcome, found, err := r.apply(ctx, in, pass)
		if err != nil {
			failed = append(failed, err)
		} else {
			result.Outcome = max(result.Outcome, outcome)
		}
		switch {
		case r != a.anchor:
		case err != nil:
			spread.version = 0 // there is nothing to copy from yet
		case outcome == Stale:
			spread.version = 0 // the later change that made it stale sees to the copies
		case outcome == Duplicate:
			spread.shared = r.mapping.shared(found)
		}
	}
	itemsHold := len(failed) == 0
	if spread.version != 0 && len(a.fanOuts) > 0 {
		failed = append(failed, a.spread(ctx, spread, pass, &result)...)
	}
	if itemsHold && result.Outcome != Stale && pass == FirstPass {
		for _, f := range a.functions {
			if err := f(ctx, change, result.Outcome); err != nil {
				failed = append(failed, err)
			}
		}
	}
	return result, together(failed)
}

// spread runs the fan-outs.
func (a *Applier) spread(ctx context.Context, in arrival, pass Pass, result *Result) []error {
	result.Copies = make(map[Outcome]int)
	var failed []error
	for _, f := range a.fanOuts {
		copies, err := f.apply(ctx, in)
		if err != nil {
			failed = append(failed, err)
		}
		for outcome, n := range copies {
			result.Copies[outcome] += n
			a.cfg.Metrics.copied(a.cfg.Contract.ID(), outcome, n)
		}
		if pass == FirstPass {
			result.Again = max(result.Again, f.secondPass)
		}
	}
	return failed
}
