package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/internal/outflow"
	"github.com/tributary-dev/tributary/pkg/replica/internal/pace"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Reconcile compares one contract's source with one subscriber's replicas. It
// can be run again; each run starts where the last one was interrupted, unless
// nothing was heard of that for longer than Config.ResumeWithin.
type Reconcile struct {
	cfg       Config
	views     []*replica.View
	functions []string
	// asked are the attributes of a source item that comparing needs.
	asked []string
}

// New returns a Reconcile, or everything that is wrong with cfg.
func New(cfg Config) (*Reconcile, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("reconcile configuration: %w", err)
	}
	views, err := replica.Views(cfg.Source.Contract(), cfg.Subscription, cfg.Tables)
	if err != nil {
		return nil, fmt.Errorf("reconcile configuration: %w", err)
	}
	r := &Reconcile{cfg: cfg, views: views, asked: replica.SourceAttributes(cfg.Source, views)}
	for _, replica := range cfg.Subscription.Replicas {
		if replica.Kind() == manifest.Function {
			r.functions = append(r.functions, replica.Function)
		}
	}
	return r, nil
}

// Task names the run in Runs: two runs of one task do the same, so that the
// one can go on where the other was interrupted. What is compared, and whether
// it is repaired, is part of it.
func (r *Reconcile) Task() string {
	sum := sha256.New()
	fmt.Fprintln(sum, r.cfg.Source.Table())
	for _, v := range r.views {
		fmt.Fprintln(sum, v.Declaration())
	}
	verb := "reconcile"
	if r.cfg.Repair {
		verb = "repair"
	}
	return fmt.Sprintf("%s/%s/%s/%s", verb, r.cfg.Source.Contract().ID(), r.cfg.Subscriber, hex.EncodeToString(sum.Sum(nil))[:8])
}

// sourcePass is what pass 1 has for the position of a view.
const sourcePass = -1

// run is one Run.
type run struct {
	*Reconcile
	kept     *dynamostore.Run // nil without Runs
	passes   []int            // view's position, or sourcePass
	segments int              // of each pass
	earlier  int64            // items read before it was resumed
	all      []*segment
	ledger   *ledger
	outflow  *outflow.Outflow

	talk    sync.Mutex // callbacks, one at a time
	current atomic.Int32
	scanned atomic.Int64 // in the current pass
}

var errOver = errors.New("nothing is held any more")

// Run compares, and repairs if it is to. It returns when everything is compared
// and nothing is held, or with the cause when ctx ends or a table cannot be
// read; then places are saved, and the result has what was found so far. Drift
// is no error.
func (r *Reconcile) Run(ctx context.Context) (Result, error) {
	run := &run{Reconcile: r, ledger: newLedger(r.cfg.MaxHeld)}
	run.outflow = &outflow.Outflow{
		Publisher: r.cfg.Publisher, Topic: r.cfg.Source.Topic(), Audience: r.cfg.Subscriber,
		Pace: pace.New(r.cfg.Rate, r.cfg.Backlog, r.cfg.MaxBacklog),
	}
	if err := run.start(ctx); err != nil {
		return Result{}, fmt.Errorf("reconcile %s with %s: %w", r.cfg.Source.Contract().ID(), r.cfg.Subscriber, err)
	}
	working, stop := context.WithCancelCause(ctx)
	settled := make(chan error, 1)
	go func() {
		err := run.settle(working)
		stop(err) // a scan that waits for room must hear of it
		settled <- err
	}()
	err := run.scanAll(working)
	stop(errOver)
	if last := <-settled; err == nil && !errors.Is(last, errOver) {
		err = last
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // whatever it looked like where it was noticed
	}
	saving, done := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer done()
	err = errors.Join(err, run.finish(saving, err == nil))
	if err != nil {
		err = fmt.Errorf("reconcile %s with %s: %w", r.cfg.Source.Contract().ID(), r.cfg.Subscriber, err)
	}
	return run.result(), err
}

// start finds the places to go on from, or begins anew.
func (r *run) start(ctx context.Context) error {
	r.passes = []int{sourcePass}
	for i := range r.views { // items come first, so that fan-outs find them repaired
		r.passes = append(r.passes, i)
	}
	r.segments = max(1, min(r.cfg.Segments, dynamostore.MaxProgressSegments/len(r.passes)))
	places := make([]dynamostore.Place, len(r.passes)*r.segments)
	if r.cfg.Runs != nil {
		resume := dynamostore.Resume{Anew: r.cfg.Restart, Since: r.cfg.Now().Add(-r.cfg.ResumeWithin)}
		var err error
		if r.kept, err = r.cfg.Runs.Begin(ctx, r.Task(), len(places), resume); err != nil {
			return err
		}
		// The task names what the passes are, so that their number is the same.
		places = r.kept.Segments
		r.segments = len(places) / len(r.passes)
	}
	for at, place := range places {
		counts := make(tally)
		counts.add(place.Counts)
		place.Counts = counts
		r.earlier += counts[scanned]
		r.all = append(r.all, &segment{at: at, number: at % r.segments, place: place, saved: r.cfg.Now()})
	}
	return nil
}

// finish saves all places, or forgets them once everything is done.
func (r *run) finish(ctx context.Context, done bool) error {
	if r.cfg.Runs == nil {
		return nil
	}
	if done {
		return r.cfg.Runs.Finish(ctx, r.kept)
	}
	for _, s := range r.all {
		if err := r.save(ctx, s, true); err != nil {
			return err
		}
	}
	return nil
}

// scanAll makes one pass after another.
func (r *run) scanAll(ctx context.Context) error {
	for n, pass := range r.passes {
		r.current.Store(int32(n))
		r.scanned.Store(0)
		group, scanning := errgroup.WithContext(ctx)
		for _, s := range r.all[n*r.segments : (n+1)*r.segments] {
			if !s.place.Done {
				group.Go(func() error { return r.scan(scanning, pass, s) })
			}
		}
		if err := group.Wait(); err != nil {
			return err
		}
		// Fan-outs copy from what the passes before repair.
		if r.cfg.Repair || n == len(r.passes)-1 {
			if err := r.ledger.drained(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// table returns what a pass scans, and whose it is.
func (r *run) table(pass int) (string, Side) {
	if pass == sourcePass {
		return r.cfg.Source.Table(), r.cfg.Owner
	}
	return r.views[pass].Table(), r.cfg.Local
}

// scan compares a segment page by page, from its place on.
func (r *run) scan(ctx context.Context, pass int, s *segment) error {
	table, side := r.table(pass)
	for start := s.place.Position; ; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var items []contracts.Item
		var next contracts.Item
		err := outflow.Persist(ctx, func() (err error) {
			items, next, err = side.Scanner.Segment(ctx, table, s.number, r.segments, start, r.cfg.PageItems)
			return err
		})
		if err != nil {
			return err
		}
		p := s.begin()
		p.next, p.last = next, next == nil
		p.count(scanned, len(items))
		if pass == sourcePass {
			err = r.compareSource(ctx, p, items)
		} else {
			err = r.compareCopies(ctx, p, pass, items)
		}
		if err != nil {
			return err // the page stays open
		}
		p.done()
		r.scanned.Add(int64(len(items)))
		if err := r.save(ctx, s, false); err != nil {
			return err
		}
		r.report()
		if start = next; next == nil {
			return nil
		}
	}
}

// compareSource compares a page of the source table with the item replicas.
// What is deleted is left to the passes over the copies, which see them whole.
func (r *run) compareSource(ctx context.Context, p *page, items []contracts.Item) error {
	now := r.cfg.Now()
	var live []replica.Snapshot
	for _, item := range items {
		snap, ours, err := r.cfg.Source.Snapshot(item, now)
		switch {
		case err != nil:
			r.found(p, sourceItself, Finding{Class: Unpublishable, Key: r.cfg.Source.KeyOf(item), Reason: err.Error()})
		case !ours:
		case snap.Version == 0:
			p.wait()
			err := r.ledger.hold(ctx, &held{page: p, view: sourceItself, subject: snap.Subject, due: now.Add(r.cfg.Settle), fromSource: true})
			if err != nil {
				return err
			}
		case !snap.Live:
		default:
			if err := r.cfg.Source.Contract().Check(snap.Shared); err != nil {
				r.found(p, sourceItself, Finding{Class: Unpublishable, Subject: snap.Subject, Key: r.cfg.Source.KeyOf(item), Version: snap.Version, Reason: err.Error()})
				continue
			}
			live = append(live, snap)
		}
	}
	for at, view := range r.views {
		if view.FanOut() {
			continue
		}
		for chunk := range slices.Chunk(live, lookUpItems) {
			if err := r.compareItems(ctx, p, at, chunk); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookUpItems is how many items are looked up, and in memory, at once: one
// request's.
const lookUpItems = 100

// compareItems compares live source items with one item replica.
func (r *run) compareItems(ctx context.Context, p *page, at int, sources []replica.Snapshot) error {
	view := r.views[at]
	keys := make([]contracts.Item, 0, len(sources))
	keyed := make([]replica.Snapshot, 0, len(sources))
	for _, snap := range sources {
		key, err := view.Key(snap.Subject)
		if err != nil {
			r.found(p, at, Finding{Class: Unpublishable, Replica: view.Name(), Subject: snap.Subject, Version: snap.Version, Reason: err.Error()})
			continue
		}
		keys, keyed = append(keys, key), append(keyed, snap)
	}
	locals, err := r.cfg.Local.Reader.BatchRead(ctx, view.Table(), keys, view.Attributes()...)
	if err != nil {
		return err
	}
	p.count(compared, len(keyed))
	for i, snap := range keyed {
		if err := r.compare(ctx, p, &held{view: at, key: keys[i], fromSource: true}, snap, locals[i]); err != nil {
			return err
		}
	}
	return nil
}

// compareCopies compares a page of a local table with the source. Of an item
// replica's copies only those whose source item is gone are new to it.
func (r *run) compareCopies(ctx context.Context, p *page, at int, items []contracts.Item) error {
	view := r.views[at]
	bySubject := make(map[string][]contracts.Item)
	var subjects []string
	for _, item := range items {
		subject, ok := view.Subject(item)
		if !ok || !view.FanOut() && !view.Copied(item) {
			continue
		}
		if bySubject[subject] == nil {
			subjects = append(subjects, subject)
		}
		bySubject[subject] = append(bySubject[subject], item)
	}
	for chunk := range slices.Chunk(subjects, lookUpItems) {
		sources, err := r.sources(ctx, chunk, r.asked...)
		if err != nil {
			return err
		}
		for i, subject := range chunk {
			source := sources[i]
			if source.present && source.Version == 0 || source.Live && !view.FanOut() {
				continue // pass 1 sees to it
			}
			source.Subject = subject
			p.count(compared, len(bySubject[subject]))
			for _, item := range bySubject[subject] {
				if err := r.compare(ctx, p, &held{view: at, key: view.LocalKey(item)}, source.Snapshot, item); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// compare compares one copy, and holds what differs as h.
func (r *run) compare(ctx context.Context, p *page, h *held, source replica.Snapshot, local contracts.Item) error {
	now := r.cfg.Now()
	view := r.views[h.view]
	if view.Compare(source, local, now) == replica.InStep {
		return nil
	}
	h.page, h.subject, h.due = p, source.Subject, now.Add(r.cfg.Settle)
	h.version, h.stored = source.Version, view.Stored(local, now)
	p.wait()
	return r.ledger.hold(ctx, h)
}

// source is a source item as it was read.
type source struct {
	replica.Snapshot
	// present says that the item exists and is the contract's; key that one
	// can exist.
	present bool
	key     contracts.Item
}

// sources reads the source items of subjects, whole or the attributes named.
func (r *run) sources(ctx context.Context, subjects []string, attributes ...string) ([]source, error) {
	all := make([]source, len(subjects))
	var keys []contracts.Item
	var at []int
	for i, subject := range subjects {
		key, err := r.cfg.Source.Key(subject)
		if err != nil {
			continue // there is no such item, and cannot be
		}
		all[i].key = key
		keys, at = append(keys, key), append(at, i)
	}
	items, err := r.cfg.Owner.Reader.BatchRead(ctx, r.cfg.Source.Table(), keys, attributes...)
	if err != nil {
		return nil, err
	}
	now := r.cfg.Now()
	for n, item := range items {
		i := at[n]
		if all[i].Snapshot, all[i].present, err = r.cfg.Source.Snapshot(item, now); err != nil {
			return nil, fmt.Errorf("read %s %s: %w", r.cfg.Source.Table(), subjects[i], err)
		}
	}
	return all, nil
}

// found counts and reports a finding about a replica, or the source itself.
func (r *run) found(p *page, view int, f Finding) {
	p.count(driftOf(view, f.Class), 1)
	r.talk.Lock()
	defer r.talk.Unlock()
	r.cfg.Found(f)
}

func (r *run) result() Result {
	total := make(tally)
	for _, s := range r.all {
		total.add(s.counted())
	}
	result := total.result(r.views)
	result.Functions, result.Earlier = r.functions, r.earlier
	if r.kept != nil {
		result.Resumed, result.Started = r.kept.Resumed, r.kept.Started
	}
	return result
}

func (r *run) report() {
	pass := int(r.current.Load())
	table, _ := r.table(r.passes[pass])
	progress := Progress{
		Pass: pass + 1, Passes: len(r.passes), Table: table,
		ScannedInPass: r.scanned.Load(), Held: r.ledger.len(), Result: r.result(),
	}
	r.talk.Lock()
	defer r.talk.Unlock()
	r.cfg.Report(progress)
}
