package replica

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// fanOut is a replica with any number of local items per subject: every item
// that an index lists under it.
type fanOut struct {
	target
	replica manifest.Replica
	// subjectTypes has the index's partition key. A copy is written only where
	// the item still has the subject's value there, so that one that was
	// deleted or moved meanwhile is neither resurrected nor mixed up.
	subjectTypes map[string]string
	keyNames     []string
	listed       []manifest.KeyAttribute // of the index: an item without one is not in it
	// shown are the bookkeeping attributes that the index holds as well, so
	// that a copy which needs no write is known without one.
	shown      []string
	secondPass time.Duration
}

// shown returns the attributes if the index holds all of them, else none.
func shown(index manifest.Index, attributes ...string) []string {
	for _, name := range attributes {
		if index.Projection != manifest.ProjectAll && !slices.Contains(index.Include, name) {
			return nil
		}
	}
	return attributes
}

// maxCopiesAtOnce bounds the writes in flight of one fan-out.
const maxCopiesAtOnce = 16

// maxAtomicCopies is how many writes one transaction takes, less one so that a
// condition check on the item replica still fits.
const maxAtomicCopies = 99

// apply brings a state to every copy the index shows, and counts the outcomes.
func (f *fanOut) apply(ctx context.Context, a arrival) (map[Outcome]int, error) {
	partition, err := f.partition(a.subject)
	if err != nil {
		return nil, &RejectedError{Reason: "subject does not fit the replica's key", Err: err}
	}
	if f.replica.Atomic {
		return f.applyAtomically(ctx, a, partition)
	}
	outcomes := make(map[Outcome]int)
	err = f.pages(ctx, partition, func(found []contracts.Item) error {
		return f.applyEach(ctx, a, partition, f.due(found, a, outcomes), outcomes)
	})
	return outcomes, err
}

// due returns the keys of the copies that need a write. An index may be behind
// its table but never ahead of it, and versions only rise: a copy that the
// index shows at this version or a later one needs none.
func (f *fanOut) due(found []contracts.Item, a arrival, outcomes map[Outcome]int) []contracts.Item {
	keys := make([]contracts.Item, 0, len(found))
	for _, item := range found {
		if outcome, settled := f.settled(item, a); settled {
			outcomes[outcome]++
			continue
		}
		key := make(contracts.Item, len(f.keyNames))
		for _, name := range f.keyNames {
			key[name] = item[name]
		}
		keys = append(keys, key)
	}
	return keys
}

func (f *fanOut) partition(subject string) (contracts.Item, error) {
	texts, err := f.replica.KeyFor(subject)
	if err != nil {
		return nil, err
	}
	return typedKey(texts, f.subjectTypes)
}

// pages calls visit with what each page of the index shows. An error of visit's
// does not keep it from the other pages.
func (f *fanOut) pages(ctx context.Context, partition contracts.Item, visit func([]contracts.Item) error) error {
	find := Find{Table: f.table, Index: f.replica.Index, Partition: partition, Attributes: slices.Concat(f.keyNames, f.shown)}
	var failed []error
	for {
		found, next, err := f.store.Find(ctx, find)
		if err != nil {
			failed = append(failed, fmt.Errorf("find copies in %s %s: %w", f.table, f.replica.Index, err))
			return together(failed)
		}
		if err := visit(found); err != nil {
			failed = append(failed, err)
		}
		if next == nil {
			return together(failed)
		}
		find.Start = next
	}
}

// applyEach writes one page's copies, several at a time. A copy that fails
// costs none of its neighbours their write.
func (f *fanOut) applyEach(ctx context.Context, a arrival, partition contracts.Item, keys []contracts.Item, outcomes map[Outcome]int) error {
	results := make([]Outcome, len(keys))
	errs := make([]error, len(keys))
	var group errgroup.Group
	group.SetLimit(maxCopiesAtOnce)
	for i, key := range keys {
		group.Go(func() error {
			results[i], _, errs[i] = f.target.apply(ctx, key, a, partition)
			return nil
		})
	}
	_ = group.Wait() // errors are kept with their copies
	for i, err := range errs {
		if err == nil {
			outcomes[results[i]]++
		}
	}
	return together(errs)
}

// applyAtomically writes all copies of the subject in one transaction where
// their number allows; copies that are already newer are dropped and the rest
// tried again. Where there are too many, each is written by itself.
func (f *fanOut) applyAtomically(ctx context.Context, a arrival, partition contracts.Item) (map[Outcome]int, error) {
	var keys []contracts.Item
	outcomes := make(map[Outcome]int)
	err := f.pages(ctx, partition, func(found []contracts.Item) error {
		keys = append(keys, f.due(found, a, outcomes)...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(keys) > maxAtomicCopies {
		return outcomes, f.applyEach(ctx, a, partition, keys, outcomes)
	}
	writes := make([]Write, len(keys))
	for i, key := range keys {
		writes[i] = f.write(key, a, partition)
	}
	for range writeAttempts + len(keys) {
		if len(writes) == 0 {
			return outcomes, nil
		}
		results, err := f.store.WriteAll(ctx, writes)
		if err != nil {
			return outcomes, fmt.Errorf("write copies in %s: %w", f.table, err)
		}
		if !slices.ContainsFunc(results, func(r WriteResult) bool { return !r.Written }) {
			outcomes[Applied] += len(writes)
			return outcomes, nil
		}
		var rest []Write
		for i, r := range results {
			if r.Written { // its own condition held; another's did not
				rest = append(rest, writes[i])
				continue
			}
			outcome, again := f.judge(&writes[i], r.Found, a)
			if again {
				rest = append(rest, writes[i])
				continue
			}
			outcomes[outcome]++
		}
		writes = rest
	}
	return outcomes, fmt.Errorf("write copies in %s: %w", f.table, ErrContended)
}

// sortedValues returns an item's values in the order of their names.
func sortedValues(item contracts.Item) []contracts.Value {
	values := make([]contracts.Value, 0, len(item))
	for _, name := range slices.Sorted(maps.Keys(item)) {
		values = append(values, item[name])
	}
	return values
}
