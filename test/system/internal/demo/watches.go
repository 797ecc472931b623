package demo

import (
	"context"
	"fmt"

	"github.com/tributary-dev/tributary/test/system/internal/input"
)

const maxWatched = 30 // companies that are put on watchlists

// watchers are the users whose watchlists the demo keeps.
var watchers = []string{"demo-ada", "demo-grace", "demo-linus"}

// watched is one company on one user's watchlist.
type watched struct{ user, cik string }

type watches []watched

// chooseWatches puts the companies whose names change most on watchlists: those
// that the change log renames, deletes or adds. Every third of them is on every
// user's list, so that one change has several copies to reach.
func chooseWatches(d data) watches {
	var all watches
	seen := map[string]bool{}
	add := func(cik string) {
		if n := len(seen); !seen[cik] && n < maxWatched {
			seen[cik] = true
			for i, user := range watchers {
				if n%len(watchers) == 0 || n%len(watchers) == i {
					all = append(all, watched{user, cik})
				}
			}
		}
	}
	changes := d.changes()
	for _, r := range chooseRenames(d) {
		add(changes[r.Change].CIK)
	}
	for _, c := range d.later {
		if c.Op == input.Delete {
			add(c.CIK)
		}
	}
	for _, c := range changes {
		add(c.CIK)
	}
	return all
}

// halves are the entries to put up before the change log and beside it.
func (w watches) halves() (early, late watches) { return w[:len(w)/2], w[len(w)/2:] }

func (s services) watch(ctx context.Context, entries watches, t *task) error {
	for _, e := range entries {
		if err := s.stats.Watch(ctx, e.user, e.cik); err != nil {
			return fmt.Errorf("watchlist of %s: %w", e.user, err)
		}
		t.step(1)
	}
	return nil
}
