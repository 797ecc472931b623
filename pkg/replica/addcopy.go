package replica

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// addCopyAttempts bounds how often AddCopy starts over because the replica
// changed in between.
const addCopyAttempts = 10

// AddCopy puts a new local item of a fan-out's table, or one that changes its
// subject, with its copy: the item takes copy and version from the item replica
// in one transaction that checks the replica's version, so that no change can
// fall between the two. The item holds its key and the service's own
// attributes; one with the same key is replaced. What it carries of another
// subject's copy is dropped.
func (a *Applier) AddCopy(ctx context.Context, table, subject string, item contracts.Item) error {
	for _, f := range a.fanOuts {
		if f.table == table {
			if err := a.addCopy(ctx, f, subject, item); err != nil {
				return fmt.Errorf("add copy of %s %s to %s: %w", a.cfg.Contract.ID(), subject, table, err)
			}
			return nil
		}
	}
	return fmt.Errorf("add copy of %s %s to %s: the manifest has no fan-out to that table", a.cfg.Contract.ID(), subject, table)
}

func (a *Applier) addCopy(ctx context.Context, f *fanOut, subject string, own contracts.Item) error {
	key, err := a.anchor.key(subject)
	if err != nil {
		return err
	}
	partition, err := f.partition(subject)
	if err != nil {
		return err
	}
	versionName := a.anchor.mapping.names.Version
	for attempt := range addCopyAttempts {
		replica, err := a.cfg.Store.Read(ctx, a.anchor.table, key)
		if err != nil {
			return fmt.Errorf("read %s: %w", a.anchor.table, err)
		}
		item := f.withCopy(own, partition, a.anchor.mapping, replica, a.cfg.Now())
		check := Check{Table: a.anchor.table, Key: key, Attribute: versionName, Is: replica[versionName]}
		done, err := a.cfg.Store.PutChecked(ctx, Put{Table: f.table, Item: item}, check)
		if err != nil || done {
			return err
		}
		pause := time.Duration(1<<attempt) * time.Millisecond
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
	return ErrContended
}

// withCopy returns a local item with the copy that the replica's item gives it.
func (f *fanOut) withCopy(own, partition contracts.Item, anchor mapping, replica contracts.Item, now time.Time) contracts.Item {
	item := maps.Clone(own)
	for _, name := range append(f.mapping.local(), f.mapping.names.Version, f.mapping.names.Mapping) {
		delete(item, name)
	}
	maps.Copy(item, partition)
	version := contracts.VersionOf(replica[anchor.names.Version], latestVersion(now))
	if version == 0 {
		return item
	}
	// The replica's item may be as another mapping wrote it. Where that kept
	// less than the copy needs, the copy must not pass for complete: without a
	// mapping of its own, the next change or the backfill fills it.
	from, known := anchor.madeBy(replica[anchor.names.Mapping].Text())
	if !known {
		from = anchor
	}
	maps.Copy(item, f.mapping.image(from.shared(replica), version, now).set)
	item[f.mapping.names.Version] = version.Value()
	if known && from.covers(f.mapping) == nil {
		item[f.mapping.names.Mapping] = contracts.String(f.mapping.text)
	}
	return item
}
