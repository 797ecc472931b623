package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// repair is a finding that is to be repaired, with the source item as it is now.
type repair struct {
	*held
	source source
}

// maxRaisesAtOnce bounds the stamps in flight.
const maxRaisesAtOnce = 8

// repair repairs findings, all of a subject's together, and holds them until
// that shows.
func (r *run) repair(ctx context.Context, repairs []*repair) error {
	bySubject := make(map[string][]*repair)
	for _, p := range repairs {
		bySubject[p.subject] = append(bySubject[p.subject], p)
	}
	var publish [][]*repair
	var raises errgroup.Group
	raises.SetLimit(maxRaisesAtOnce)
	var mu sync.Mutex
	var failed error
	for _, subject := range slices.Sorted(maps.Keys(bySubject)) {
		group := bySubject[subject]
		if !slices.ContainsFunc(group, func(p *repair) bool { return p.finding.Stamped() }) {
			publish = append(publish, group)
			continue
		}
		raises.Go(func() error {
			if err := r.raise(ctx, group); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = err
			}
			return nil
		})
	}
	_ = raises.Wait() // failed has what went wrong
	if failed != nil {
		return failed
	}
	return r.publish(ctx, publish)
}

// raise stamps a subject's source item above all of its copies.
func (r *run) raise(ctx context.Context, group []*repair) error {
	if group[0].source.key == nil {
		r.fail(group, fmt.Errorf("raise %s: no source item can have this subject, so no change leads to the copy; remove it at the subscriber", group[0].subject))
		return nil
	}
	var above contracts.Version
	for _, p := range group {
		above = max(above, p.finding.Stored)
	}
	if err := r.outflow.Pace.Wait(ctx, 1); err != nil { // its change comes through the queue as well
		return err
	}
	version, err := r.cfg.Source.Raise(ctx, r.cfg.Stamps, group[0].source.key, above, r.cfg.Now)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		r.fail(group, err)
		return nil
	}
	r.await(group, version)
	return nil
}

// publish publishes the source's states to the subscriber alone.
func (r *run) publish(ctx context.Context, groups [][]*repair) error {
	var changes []*contracts.Change
	var sent [][]*repair
	for _, group := range groups {
		change, err := r.cfg.Source.Announce(group[0].source.Snapshot, contracts.Repair, r.cfg.Now())
		if err != nil {
			r.fail(group, err)
			continue
		}
		changes, sent = append(changes, change), append(sent, group)
	}
	rejected, err := r.outflow.Send(ctx, changes)
	if err != nil {
		return err
	}
	for i, group := range sent {
		if err := rejected[i]; err != nil {
			r.fail(group, fmt.Errorf("publish %s: %w", group[0].subject, err))
			continue
		}
		r.await(group, group[0].source.Version)
	}
	return nil
}

// fail is the end of repairs that could not be made.
func (r *run) fail(group []*repair, err error) {
	for _, p := range group {
		r.settleRepair(p.held, err)
	}
}

// await holds repairs until they show, as a version.
func (r *run) await(group []*repair, version contracts.Version) {
	for _, p := range group {
		p.target = version
		p.deadline = r.cfg.Now().Add(r.cfg.VerifyTimeout)
		r.again(p.held, verifyEvery)
	}
}
