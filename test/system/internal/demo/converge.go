package demo

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tributary-dev/tributary/test/system/internal/api"
)

const (
	// convergeFor is how long the copies get to arrive unless the options say
	// otherwise. A consumer that was killed leaves messages invisible for the
	// queue's visibility timeout, 30 s.
	convergeFor = 2 * time.Minute
	// convergeEvery is the time between two looks at what has not arrived yet.
	convergeEvery = 50 * time.Millisecond
)

// converge waits until stats answers with every name and sector that the file
// ends with, or the wait is over; the check that follows says which of the two
// it was.
func (s services) converge(ctx context.Context, e expectation, wait time.Duration, sc *screen) error {
	st := sc.stage()
	defer st.end()
	pending := e.companies()
	total := len(pending) + len(e.watches)
	arrived := st.task("copies that arrived", total)
	listsPending := len(e.watches)
	deadline := time.Now().Add(wait)
	tick := time.NewTicker(convergeEvery)
	defer tick.Stop()
	for {
		found, err := forAll(ctx, pending, func(ctx context.Context, cik string) ([]string, error) { return s.copied(ctx, e, cik) })
		if err != nil {
			return err
		}
		pending = slices.DeleteFunc(pending, func(cik string) bool { return len(found[cik]) == 0 })
		if listsPending > 0 {
			differences, err := s.lists(ctx, e)
			var refused *api.Refused
			if err != nil && !errors.As(err, &refused) {
				return err
			}
			if listsPending = len(differences); err != nil {
				listsPending = len(e.watches)
			}
		}
		left := len(pending) + listsPending
		arrived.reach(total - left)
		if left == 0 || time.Now().After(deadline) {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// verdict is what the check found.
type verdict struct {
	companies     int
	live, deleted int
	tickers       int
	watched       int
	differences   []string
}

// check compares everything that the services answer with the files, once.
func (s services) check(ctx context.Context, e expectation) (verdict, error) {
	companies := e.companies()
	v := verdict{companies: len(companies), live: e.live(), watched: len(e.watches)}
	v.deleted = len(e.profiles) - v.live
	for _, tickers := range e.statistics {
		v.tickers += len(tickers)
	}
	answers, err := forAll(ctx, companies, func(ctx context.Context, cik string) ([]string, error) { return s.answers(ctx, e, cik) })
	if err != nil {
		return v, err
	}
	lists, err := s.lists(ctx, e)
	var refused *api.Refused
	if errors.As(err, &refused) {
		lists, err = append(lists, refused.Error()), nil
	}
	v.differences = slices.Concat(inOrder(companies, answers), lists)
	return v, err
}
