package backfill

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

const (
	// maxStamping bounds how many items of a page are stamped at once.
	maxStamping = 8
	// stampRounds is how often an item is stamped whose version somebody else
	// takes away each time.
	stampRounds = 5
)

// segment publishes a segment from where the run was in it. Its place is saved
// only when everything before it was accepted by the topic.
func (r *run) segment(ctx context.Context, number int) error {
	place := r.kept.Segments[number]
	sum := countsOf(place.Counts)
	for {
		p := page{run: r}
		var next contracts.Item
		err := persist(ctx, func() (err error) {
			p.items, next, err = r.Scanner.Segment(ctx, r.Source.Table(), number, len(r.kept.Segments), place.Position, r.PageItems)
			return err
		})
		if err != nil {
			return err
		}
		if err := p.publish(ctx); err != nil {
			return err
		}
		sum = sum.plus(p.counts)
		place = dynamostore.Place{Position: next, Done: next == nil, Counts: sum.named()}
		if err := persist(ctx, func() error { return r.Runs.Save(ctx, r.kept, number, place) }); err != nil {
			return err
		}
		r.tally.page(p.counts, place.Done)
		if place.Done {
			return nil
		}
	}
}

// page is one page of a segment on its way to the subscriber.
type page struct {
	*run
	items   []contracts.Item
	changes []*contracts.Change
	counts  Counts
}

func (p *page) publish(ctx context.Context) error {
	p.counts.Scanned = int64(len(p.items))
	var unversioned []contracts.Item
	for _, item := range p.items {
		snap, ours, err := p.Source.Snapshot(item, p.Now())
		switch {
		case err != nil:
			p.reject(snap.Subject, err)
		case !ours:
			p.counts.Foreign++
		case snap.Version == 0:
			unversioned = append(unversioned, item)
		default:
			p.announce(snap)
		}
	}
	p.items = nil // what is to be published is in changes
	if err := p.stamp(ctx, unversioned); err != nil {
		return err
	}
	rejected, err := p.outflow.Send(ctx, p.changes)
	if err != nil {
		return err
	}
	for at, change := range p.changes {
		switch cause := rejected[at]; {
		case cause != nil:
			p.reject(change.Subject, cause)
		default:
			p.counts.Published++
			if change.Operation == contracts.Delete {
				p.counts.Tombstones++
			}
		}
	}
	return nil
}

func (p *page) announce(snap replica.Snapshot) {
	change, err := p.Source.Announce(snap, contracts.Backfill, p.Now())
	if err != nil {
		p.reject(snap.Subject, err)
		return
	}
	p.changes = append(p.changes, change)
}

func (p *page) reject(subject string, cause error) {
	p.counts.Rejected++
	p.tally.reject(subject, cause)
}

// stamp gives versions to items that have none, several at a time, and announces
// what they are afterwards.
func (p *page) stamp(ctx context.Context, items []contracts.Item) error {
	type stamped struct {
		snap replica.Snapshot
		ours bool
		err  error // why it can never be
	}
	results := make([]stamped, len(items))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(maxStamping)
	for i, item := range items {
		group.Go(func() error {
			snap, ours, err := p.stampOne(within, item)
			if _, never := errors.AsType[*replica.RejectedError](err); err != nil && !never {
				return err
			}
			results[i] = stamped{snap, ours, err}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, s := range results {
		switch {
		case s.err != nil:
			before, _, _ := p.Source.Snapshot(items[i], p.Now())
			p.reject(before.Subject, s.err)
		case s.ours:
			p.counts.Stamped++
			p.announce(s.snap)
		default:
			// Gone by now, or none of the contract's any more: the stream has it.
			p.counts.Foreign++
		}
	}
	return nil
}

// stampOne stamps an item as the scan showed it, and reads what it is then: the
// stamp's condition is on the version alone, and a foreign write may have come
// in between.
func (p *page) stampOne(ctx context.Context, item contracts.Item) (snap replica.Snapshot, ours bool, err error) {
	key := p.Source.KeyOf(item)
	for range stampRounds {
		if err := persist(ctx, func() error { return p.Source.StampUnversioned(ctx, p.Table, item, p.Now) }); err != nil {
			return snap, false, err
		}
		err := persist(ctx, func() (err error) {
			item, err = p.Table.Read(ctx, key)
			return err
		})
		if err != nil {
			return snap, false, err
		}
		if snap, ours, err = p.Source.Snapshot(item, p.Now()); err != nil || !ours || snap.Version != 0 {
			return snap, ours, err
		}
	}
	return snap, false, &replica.RejectedError{Reason: "stays without a version", Err: fmt.Errorf("somebody takes its version away as often as it is stamped (%d times): see who writes it, and run again", stampRounds)}
}
