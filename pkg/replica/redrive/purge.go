package redrive

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// Purged is what a purge did, or would do.
type Purged struct {
	// Read counts the letters read, Selected those selected.
	Read, Selected int
	// Deleted counts those deleted, all of them archived before.
	Deleted int
	// Undeleted counts those that were archived and are still there; Problem is
	// the first reason.
	Undeleted int
	Problem   error
	// Groups has the selected letters by reason and contract.
	Groups []Group
	// Left is how many letters SQS still counts that were not read.
	Left int
	// Missing are the selected ids that were not met.
	Missing []string
	// OtherReasons are the reasons that letters have, twenty at the most, where
	// one was selected and no letter has it.
	OtherReasons []string
}

// PlanPurge says what Purge would delete, and changes nothing.
func (r *Redrive) PlanPurge(ctx context.Context, sel Selection) (Purged, error) {
	return r.purge(ctx, sel, nil)
}

// Purge deletes the selected letters after archive has taken them, some at a
// time and whole; an error of archive's ends it, and nothing of what it was
// called with is deleted. A letter may be archived and not deleted, never the
// other way round.
func (r *Redrive) Purge(ctx context.Context, sel Selection, archive func([]Letter) error) (Purged, error) {
	if archive == nil {
		return Purged{}, errors.New("purge: there is no archive to put the letters into")
	}
	return r.purge(ctx, sel, archive)
}

// archiveBytes is how much is handed to an archive at a time, unless ten letters
// are less.
const archiveBytes = 1 << 20

func (r *Redrive) purge(ctx context.Context, sel Selection, archive func([]Letter) error) (Purged, error) {
	if err := sel.Validate(); err != nil {
		return Purged{}, err
	}
	var out Purged
	var gathered []Letter
	bytes := 0
	var progress Progress
	pick, found := sel.picker(), make(groups)
	flush := func(ctx context.Context, box *sqssub.DeadLetterBox) error {
		if len(gathered) == 0 {
			return nil
		}
		if err := context.Cause(ctx); err != nil {
			return fmt.Errorf("purge %s: %w", box.Name(), err)
		}
		letters := gathered
		gathered, bytes = nil, 0
		if err := archive(letters); err != nil {
			return fmt.Errorf("archive letters of %s: %w", box.Name(), err)
		}
		ids := make([]string, len(letters))
		for i := range letters {
			ids[i] = letters[i].ID
		}
		failed, err := deleteLetters(ctx, box, ids)
		out.Deleted += len(ids) - failed
		out.Undeleted += failed
		if out.Problem == nil {
			out.Problem = err
		}
		progress.Deleted = out.Deleted
		return nil
	}
	w, err := r.walk(ctx, pick, &progress, func(ctx context.Context, box *sqssub.DeadLetterBox, l *Letter) error {
		if !pick.picks(l) {
			return nil
		}
		out.Selected++
		found.add(l)
		if archive == nil {
			return nil
		}
		gathered = append(gathered, *l)
		if bytes += len(l.Body); len(gathered) < sqssub.MaxBatchMessages && bytes < archiveBytes {
			return nil
		}
		return flush(ctx, box)
	}, flush)
	out.Read, out.Left, out.Groups = w.read, w.left, found.sorted()
	for id := range pick.wanted {
		out.Missing = append(out.Missing, id)
	}
	slices.Sort(out.Missing)
	out.OtherReasons = pick.otherReasons()
	return out, err
}
