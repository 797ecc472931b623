package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tributary-dev/tributary/test/system/internal/api"
	"github.com/tributary-dev/tributary/test/system/internal/input"
)

// playersPerFile is how many companies of one file are played at a time.
const playersPerFile = 8

// data is what the files hold.
type data struct {
	initial    []input.ProfileChange // the initial load: each company once
	later      []input.ProfileChange // the change log
	statistics []input.Statistic
}

// read reads both files, and reports every problem of both.
func read(o Options) (data, error) {
	changes, first := input.ProfileChanges(o.Profiles)
	statistics, second := input.Statistics(o.Statistics)
	n := initialRows(changes)
	return data{changes[:n], changes[n:], statistics}, errors.Join(first, second)
}

// initialRows counts the rows that are the initial load: the puts at the
// beginning, up to the first row that deletes a company or is its second. In
// examples/sp500 these are the first 500.
func initialRows(changes []input.ProfileChange) int {
	seen := map[string]bool{}
	for i, c := range changes {
		if c.Op == input.Delete || seen[c.CIK] {
			return i
		}
		seen[c.CIK] = true
	}
	return len(changes)
}

// changes are the initial load and the change log.
func (d data) changes() []input.ProfileChange { return slices.Concat(d.initial, d.later) }

// services are the two REST APIs.
type services struct {
	profile *api.Profile
	stats   *api.Stats
}

// inLanes calls do for every row: rows of one lane one after the other in their
// order, different lanes side by side. It ends at the first failure.
func inLanes[T any](ctx context.Context, rows []T, lane func(T) string, do func(context.Context, int, T) error) error {
	var order []string
	lanes := map[string][]int{}
	for i, row := range rows {
		name := lane(row)
		if lanes[name] == nil {
			order = append(order, name)
		}
		lanes[name] = append(lanes[name], i)
	}
	group, playing := errgroup.WithContext(ctx)
	group.SetLimit(playersPerFile)
	for _, name := range order {
		group.Go(func() error {
			for _, i := range lanes[name] {
				if playing.Err() != nil {
					return context.Cause(playing)
				}
				if err := do(playing, i, rows[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// playProfiles plays changes through the profile service. After each put it
// calls wrote, which may be nil, with the row's index and the new version.
func (s services) playProfiles(ctx context.Context, rows []input.ProfileChange, t *task, wrote func(ctx context.Context, i int, version string) error) error {
	return inLanes(ctx, rows, func(c input.ProfileChange) string { return c.CIK }, func(ctx context.Context, i int, c input.ProfileChange) error {
		if c.Op == input.Delete {
			if err := s.profile.Delete(ctx, c.CIK); err != nil {
				return fmt.Errorf("%s: %w", c.At, err)
			}
			t.step(1)
			return nil
		}
		version, err := s.profile.Put(ctx, c.CIK, c.Profile)
		if err != nil {
			return fmt.Errorf("%s: %w", c.At, err)
		}
		t.step(1)
		if wrote == nil {
			return nil
		}
		return wrote(ctx, i, version)
	})
}

// playStatistics plays statistics through the stats service.
func (s services) playStatistics(ctx context.Context, rows []input.Statistic, t *task) error {
	return inLanes(ctx, rows, func(r input.Statistic) string { return r.CIK }, func(ctx context.Context, _ int, r input.Statistic) error {
		if err := s.stats.PutStatistic(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", r.At, err)
		}
		t.step(1)
		return nil
	})
}

// play plays both files: the initial load and then the change log, with the
// statistics beside them and watchlists put up before the change log and beside
// it. half, if not nil, is called once half of the change log is played, beside
// the rest.
func (s services) play(ctx context.Context, d data, w watches, sc *screen, half func(context.Context) error) ([]arrival, error) {
	st := sc.stage()
	defer st.end()
	group, ctx := errgroup.WithContext(ctx)
	early, late := w.halves()

	initial := st.task("profiles: initial load", len(d.initial))
	later := st.task("profiles: change log", len(d.later))
	figures := st.task("statistics", len(d.statistics))
	lists := st.task("watchlists", len(w))
	group.Go(func() error { return s.playStatistics(ctx, d.statistics, figures) })

	followed := newFollower(s, d)
	group.Go(func() error {
		if err := s.playProfiles(ctx, d.initial, initial, nil); err != nil {
			return err
		}
		if err := s.watch(ctx, early, lists); err != nil {
			return err
		}
		later.began = time.Now()
		group.Go(func() error { return s.watch(ctx, late, lists) })
		var once sync.Once
		disturb := func() {
			if half != nil {
				once.Do(func() { group.Go(func() error { return half(ctx) }) })
			}
		}
		var written atomic.Int64
		err := s.playProfiles(ctx, d.later, later, func(ctx context.Context, i int, version string) error {
			if written.Add(1) >= int64(len(d.later)/2) {
				disturb()
			}
			return followed.follow(ctx, i, version)
		})
		disturb()
		return err
	})
	err := group.Wait()
	return followed.arrivals(), err
}
