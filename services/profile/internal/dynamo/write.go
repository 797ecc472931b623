package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/services/profile/internal/company"
)

// A write that meets others starts over, at most so often, after pauses that
// double from the first to the longest, 1.3 s in all.
const (
	maxAttempts  = 12
	firstPause   = 2 * time.Millisecond
	longestPause = 200 * time.Millisecond
)

// Put gives a company exactly these shared attributes and returns it as it now
// is, and whether it was absent or deleted before. The error is
// company.ErrPrecondition where pre does not hold.
func (r *Repository) Put(ctx context.Context, cik string, profile contracts.Item, pre company.Precondition) (c company.Company, created bool, err error) {
	operation := "put company " + cik
	change := company.Replace(profile)
	item, err := r.write(ctx, cik, func(w write) (contracts.Item, error) {
		live := r.absent(w.was) == nil
		if !pre.Holds(r.stateOf(w.was)) {
			return nil, company.ErrPrecondition
		}
		created = !live
		return r.update(ctx, cik, w, change)
	})
	if err != nil {
		return c, false, wrap(operation, err)
	}
	c, err = r.decode(item)
	return c, created, wrap(operation, err)
}

// Patch changes a company and returns it as it now is. The error is
// company.ErrNotFound where there is none, company.ErrPrecondition where pre
// does not hold, and company.ErrDamaged where what is stored is no profile and
// the patch alone would not make it one.
func (r *Repository) Patch(ctx context.Context, cik string, change company.Change, pre company.Precondition) (company.Company, error) {
	operation := "patch company " + cik
	item, err := r.write(ctx, cik, func(w write) (contracts.Item, error) {
		if err := r.absent(w.was); err != nil {
			return nil, err
		}
		if !pre.Holds(r.stateOf(w.was)) {
			return nil, company.ErrPrecondition
		}
		if _, err := r.decode(r.after(w.was, change)); err != nil {
			return nil, err
		}
		return r.update(ctx, cik, w, change)
	})
	if err != nil {
		return company.Company{}, wrap(operation, err)
	}
	c, err := r.decode(item)
	return c, wrap(operation, err)
}

// Delete leaves a tombstone in a company's place. The error is
// company.ErrNotFound where there is none, and company.ErrPrecondition where
// pre does not hold.
func (r *Repository) Delete(ctx context.Context, cik string, pre company.Precondition) error {
	_, err := r.write(ctx, cik, func(w write) (contracts.Item, error) {
		if err := r.absent(w.was); err != nil {
			return nil, err
		}
		if !pre.Holds(r.stateOf(w.was)) {
			return nil, company.ErrPrecondition
		}
		return r.bury(ctx, cik, w)
	})
	return wrap("delete company "+cik, err)
}

// write is one attempt.
type write struct {
	id   string
	was  contracts.Item // the item it replaces; nil where there is none
	next contracts.Version
	now  time.Time
}

// write reads a company and makes one attempt, and does both again, after a
// pause, until one is decided. What a lost attempt met instead is not what the
// next one begins with: it is as old as the pause, and a writer that begins with
// it loses every time to one that writes more often than it pauses.
func (r *Repository) write(ctx context.Context, cik string, attempt func(write) (contracts.Item, error)) (contracts.Item, error) {
	for n := range maxAttempts {
		if n > 0 {
			if err := r.pause(ctx, min(firstPause<<n, longestPause)); err != nil {
				return nil, err
			}
		}
		was, err := r.read(ctx, cik)
		if err != nil {
			return nil, err
		}
		w := write{id: r.newWriteID(), was: was, now: r.now()}
		if w.next, err = contracts.Next(w.now, r.version(was)); err != nil {
			return nil, err
		}
		item, err := attempt(w)
		lost, conflict := errors.AsType[*conflictError](err)
		if !conflict {
			return item, err
		}
		if lost.found[writeIDAttribute].Text() == w.id {
			// The write took place and its answer was lost. The item may have
			// been stamped since, its content is the write's.
			return lost.found, nil
		}
	}
	return nil, fmt.Errorf("%w: other writers were faster %d times", company.ErrUnavailable, maxAttempts)
}

func (r *Repository) pause(ctx context.Context, most time.Duration) error {
	timer := time.NewTimer(r.jitter(most))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// stateOf is what a precondition is to see of an item.
func (r *Repository) stateOf(item contracts.Item) company.State {
	if r.absent(item) != nil {
		return company.State{}
	}
	return company.State{Exists: true, Version: r.version(item)}
}

// after is a live item as a change leaves it.
func (r *Repository) after(item contracts.Item, change company.Change) contracts.Item {
	out := make(contracts.Item, len(item)+len(change.Set))
	for name, v := range item {
		out[name] = v
	}
	for name, v := range change.Set {
		out[r.attributes[name]] = v
	}
	for _, name := range change.Remove {
		delete(out, r.attributes[name])
	}
	return out
}

// tombstone is what stays of a deleted company: no attribute of its own.
func (r *Repository) tombstone(cik string, w write) contracts.Item {
	return contracts.Item{
		keyAttribute:      contracts.String(cik),
		r.names.Version:   w.next.Value(),
		r.names.Deleted:   contracts.Bool(true),
		r.names.ExpiresAt: replica.SourceTombstoneExpiry(w.now, w.next),
		writeIDAttribute:  contracts.String(w.id),
	}
}

// conflictError: the item was not what the write was to replace.
type conflictError struct {
	found contracts.Item // what it was; nil where there was none
}

func (e *conflictError) Error() string { return "another writer changed the company meanwhile" }

// conflict turns a condition that did not hold into a *conflictError.
func conflict(err error) error {
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		return err
	}
	found, err := dynamostore.FromAttributes(failed.Item)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		found = nil
	}
	return &conflictError{found: found}
}
