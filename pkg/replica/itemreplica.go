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

// target is what a replica says about each of its local items.
type target struct {
	store    Store
	table    string
	keyTypes map[string]string // key attribute -> S or N
	mapping  mapping
	// mustExist says that a change never creates the local item.
	mustExist bool
}

// arrival is a state on its way to a local item. For a delete shared is nil.
type arrival struct {
	subject string
	version contracts.Version
	shared  contracts.Item
	now     time.Time
}

// writeAttempts bounds how often a write starts over because the item changed
// between its attempts.
const writeAttempts = 5

// ErrContended says that others wrote an item at every attempt. It is worth
// trying again later.
var ErrContended = errors.New("the local item changed at every attempt")

// write returns the conditional write that brings the state to the local item.
func (t *target) write(key contracts.Item, a arrival, where contracts.Item) Write {
	im := t.mapping.image(a.shared, a.version, a.now)
	im.set[t.mapping.names.Version] = a.version.Value()
	im.set[t.mapping.names.Mapping] = contracts.String(t.mapping.text)
	return Write{
		Table: t.table, Key: key, Set: im.set, Remove: im.remove,
		Version: a.version, VersionAttribute: t.mapping.names.Version,
		Mapping: t.mapping.text, MappingAttribute: t.mapping.names.Mapping,
		MustExist: t.mustExist, Where: where,
	}
}

// apply brings a state to one local item. It returns the outcome, and for all
// but Applied the item as it was found.
func (t *target) apply(ctx context.Context, key contracts.Item, a arrival, where contracts.Item) (Outcome, contracts.Item, error) {
	w := t.write(key, a, where)
	for range writeAttempts {
		result, err := t.store.Write(ctx, w)
		if err != nil {
			return Skipped, nil, fmt.Errorf("write %s %s: %w", t.table, keyText(key), err)
		}
		if result.Written {
			return Applied, nil, nil
		}
		outcome, again := t.judge(&w, result.Found, a)
		if !again {
			return outcome, result.Found, nil
		}
	}
	return Skipped, nil, fmt.Errorf("write %s %s: %w", t.table, keyText(key), ErrContended)
}

// judge says what a failed condition means. Where the write is still due, it
// turns it into one that replaces exactly what was found, and what the mapping
// that wrote it left behind.
func (t *target) judge(w *Write, found contracts.Item, a arrival) (outcome Outcome, again bool) {
	w.Replaces = nil
	if found == nil {
		return Skipped, !t.mustExist
	}
	for name, v := range w.Where {
		if !found[name].Equal(v) {
			return Skipped, false
		}
	}
	if outcome, settled := t.settled(found, a); settled {
		return outcome, false
	}
	names := t.mapping.names
	w.Replaces = &Stored{Version: found[names.Version], Mapping: found[names.Mapping]}
	for _, name := range t.mapping.written(found[names.Mapping].Text()) {
		_, kept := w.Set[name]
		if _, isKey := t.keyTypes[name]; !kept && !isKey && !slices.Contains(w.Remove, name) {
			w.Remove = append(w.Remove, name)
		}
	}
	return Skipped, true
}

// settled says that an item needs no write, because it holds this version under
// this mapping, or a later one.
func (t *target) settled(found contracts.Item, a arrival) (outcome Outcome, settled bool) {
	names := t.mapping.names
	stored := contracts.VersionOf(found[names.Version], latestVersion(a.now))
	switch {
	case stored > a.version:
		return Stale, true
	case stored == a.version && found[names.Mapping].Text() == t.mapping.text:
		return Duplicate, true
	default:
		return Skipped, false
	}
}

// itemReplica is a replica of one local item per subject.
type itemReplica struct {
	target
	replica manifest.Replica
	// wholeKey is the key attribute that is the subject itself, if that is the
	// whole key.
	wholeKey string
}

// apply brings a state to the subject's local item. On the second pass that has
// happened already as a rule, and a read, which costs less than a write that
// fails, says so.
func (r *itemReplica) apply(ctx context.Context, a arrival, pass Pass) (Outcome, contracts.Item, error) {
	key, err := r.key(a.subject)
	if err != nil {
		return Skipped, nil, &RejectedError{Reason: "subject does not fit the replica's key", Err: err}
	}
	if pass == SecondPass {
		found, err := r.store.Read(ctx, r.table, key)
		if err != nil {
			return Skipped, nil, fmt.Errorf("read %s %s: %w", r.table, keyText(key), err)
		}
		if outcome, settled := r.settled(found, a); settled {
			return outcome, found, nil
		}
	}
	return r.target.apply(ctx, key, a, nil)
}

// key returns the key of the local item of a subject.
func (r *itemReplica) key(subject string) (contracts.Item, error) {
	if r.wholeKey != "" && subject != "" {
		return contracts.Item{r.wholeKey: contracts.String(subject)}, nil
	}
	texts, err := r.replica.KeyFor(subject)
	if err != nil {
		return nil, err
	}
	return typedKey(texts, r.keyTypes)
}

// typedKey makes a key from its texts.
func typedKey(texts, types map[string]string) (contracts.Item, error) {
	key := make(contracts.Item, len(texts))
	for name, text := range texts {
		switch types[name] {
		case "N":
			if err := contracts.CheckNumber(text); err != nil {
				return nil, fmt.Errorf("key attribute %s: %w", name, err)
			}
			key[name] = contracts.Number(text)
		case "", "S":
			key[name] = contracts.String(text)
		default:
			return nil, fmt.Errorf("key attribute %s: a template makes strings and numbers, not type %s", name, types[name])
		}
	}
	return key, nil
}

// keyText names an item in an error.
func keyText(key contracts.Item) string {
	text := ""
	for _, v := range sortedValues(key) {
		if text != "" {
			text += "/"
		}
		text += v.Text()
	}
	return text
}
