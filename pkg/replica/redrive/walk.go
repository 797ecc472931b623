package redrive

import (
	"context"
	"errors"
	"fmt"

	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// walked is what a walk through the letters came to.
type walked struct {
	read, left int
}

// walk reads every letter once and has each visited, until the picker needs no
// more, the limit is reached or the queue is read through; then finish runs.
// What the visits did not delete stays invisible until the walk ends: given back
// earlier, it would be received again and again. Then it is visible at once,
// also where ctx has ended.
func (r *Redrive) walk(ctx context.Context, pick *picker, progress *Progress,
	visit func(context.Context, *sqssub.DeadLetterBox, *Letter) error,
	finish func(context.Context, *sqssub.DeadLetterBox) error) (w walked, err error) {
	box, err := sqssub.OpenDeadLetterBox(ctx, r.cfg.Client, r.cfg.DeadLetters, r.cfg.Box)
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	for pick == nil || !pick.done() {
		messages, err := box.Take(ctx)
		if err != nil {
			return w, err
		}
		if len(messages) == 0 {
			break
		}
		for i, msg := range messages {
			if r.cfg.Limit > 0 && w.read >= r.cfg.Limit {
				w.left = len(messages) - i
				return w, finish(ctx, box)
			}
			letter := Read(msg, r.cfg.Catalog)
			w.read++
			progress.Read = w.read
			if err := visit(ctx, box, &letter); err != nil {
				if ctx.Err() == nil { // what the visits before have gathered is due all the same
					err = errors.Join(err, finish(ctx, box))
				}
				return w, err
			}
		}
		r.cfg.Report(*progress)
	}
	w.left = box.Left()
	return w, finish(ctx, box)
}

func nothingMore(context.Context, *sqssub.DeadLetterBox) error { return nil }

// Listing is what a dead-letter queue holds.
type Listing struct {
	// Letters counts those read, Left those that SQS still counts.
	Letters, Left int
	// Groups has the letters by reason and contract, the largest first.
	Groups []Group
}

// List reads the whole dead-letter queue, or Limit letters of it, and calls
// visit with each letter, but for its body and attributes; nil for the groups
// alone. Every letter is visible again afterwards.
func (r *Redrive) List(ctx context.Context, visit func(Letter) error) (Listing, error) {
	found := make(groups)
	w, err := r.walk(ctx, nil, &Progress{}, func(_ context.Context, _ *sqssub.DeadLetterBox, l *Letter) error {
		found.add(l)
		if visit == nil {
			return nil
		}
		return visit(l.withoutBody())
	}, nothingMore)
	return Listing{Letters: w.read, Left: w.left, Groups: found.sorted()}, err
}

// ErrNoLetter says that no letter of the id is in the queue, or that another
// tool holds it.
var ErrNoLetter = errors.New("the dead-letter queue has no such letter, or another tool holds it; list it again in some minutes")

// Show returns one letter whole.
func (r *Redrive) Show(ctx context.Context, id string) (Letter, error) {
	pick := Selection{IDs: []string{id}}.picker()
	var found *Letter
	_, err := r.walk(ctx, pick, &Progress{}, func(_ context.Context, _ *sqssub.DeadLetterBox, l *Letter) error {
		if pick.picks(l) {
			found = l
		}
		return nil
	}, nothingMore)
	if found == nil && err == nil {
		err = fmt.Errorf("show letter %s: %w", id, ErrNoLetter)
	}
	if found == nil {
		return Letter{}, err
	}
	return *found, err
}
