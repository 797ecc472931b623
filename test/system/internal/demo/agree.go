package demo

import (
	"context"
	"errors"
	"slices"

	"github.com/tributary-dev/tributary/test/system/internal/api"
	"github.com/tributary-dev/tributary/test/system/internal/input"
)

// Played is what others than the demo have played through the two services, in
// its order as far as one company goes.
type Played struct {
	Changes    []input.ProfileChange
	Statistics []input.Statistic
	// Watched are the entries of watchlists, by user; the users have to be among
	// Watchers.
	Watched map[string][]string
}

// Watchers are the users whose watchlists are compared.
func Watchers() []string { return slices.Clone(watchers) }

// Differences compares once what both services answer, watchlists included, with
// what was played, as the demo does. Each difference is a line for people.
func (p Played) Differences(ctx context.Context, profile *api.Profile, stats *api.Stats) ([]string, error) {
	var entries watches
	for _, user := range watchers {
		for _, cik := range p.Watched[user] {
			entries = append(entries, watched{user, cik})
		}
	}
	for user := range p.Watched {
		if !slices.Contains(watchers, user) {
			return nil, errors.New("compare watchlists: " + user + " is not among the watchers")
		}
	}
	v, err := services{profile, stats}.check(ctx, expect(p.Changes, p.Statistics, entries))
	return v.differences, err
}
