package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/test/system/internal/api"
	"github.com/tributary-dev/tributary/test/system/internal/input"
)

// comparers is how many companies are compared at a time.
const comparers = 16

// expectation is what the two services are to answer.
type expectation struct {
	profiles   map[string]*input.Profile             // nil: deleted
	statistics map[string]map[string]input.Statistic // by company and ticker
	watches    watches
}

func expect(changes []input.ProfileChange, statistics []input.Statistic, w watches) expectation {
	return expectation{input.Final(changes), input.LatestByTicker(statistics), w}
}

// companies are the companies of both files, in a fixed order.
func (e expectation) companies() []string {
	all := map[string]bool{}
	for cik := range e.profiles {
		all[cik] = true
	}
	for cik := range e.statistics {
		all[cik] = true
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
}

// live counts the companies that have a profile in the end.
func (e expectation) live() int {
	n := 0
	for _, p := range e.profiles {
		if p != nil {
			n++
		}
	}
	return n
}

// copied compares the name and sector that stats answers for a company with
// what the file ends with. Whether every copy is its source's is replicactl's
// business; this is what the service's users see.
func (s services) copied(ctx context.Context, e expectation, cik string) ([]string, error) {
	want, ok := e.profiles[cik]
	if !ok {
		return nil, nil
	}
	got, err := s.stats.Company(ctx, cik)
	if err != nil {
		return nil, err
	}
	return copyDifferences(cik, want, got), nil
}

func copyDifferences(cik string, want *input.Profile, copied *api.Company) []string {
	if want != nil && copied == nil {
		return []string{fmt.Sprintf("company %s (%s): the file has it, stats answers 404", cik, want.Name)}
	}
	var name, sector *string
	if want != nil {
		name, sector = &want.Name, want.Sector
	}
	if copied == nil {
		copied = &api.Company{}
	}
	var differences []string
	for _, a := range []struct {
		attribute    string
		want, copied *string
	}{{"name", name, copied.Name}, {"sector", sector, copied.Sector}} {
		if !cmp.Equal(a.want, a.copied) {
			differences = append(differences, fmt.Sprintf("company %s: %s is %s in the file and %s at stats", cik, a.attribute, shown(a.want), shown(a.copied)))
		}
	}
	return differences
}

func shown(s *string) string {
	if s == nil {
		return "absent"
	}
	return fmt.Sprintf("%q", *s)
}

// answers compares what both services answer for a company with the files.
func (s services) answers(ctx context.Context, e expectation, cik string) ([]string, error) {
	var differences []string
	want, named := e.profiles[cik]
	if named {
		got, err := s.profile.Company(ctx, cik)
		if err != nil {
			return nil, err
		}
		if diff := profileDifference(want, got); diff != "" {
			differences = append(differences, fmt.Sprintf("company %s: profile differs from the file: %s", cik, diff))
		}
	}
	got, err := s.stats.Company(ctx, cik)
	if err != nil {
		return nil, err
	}
	if named {
		differences = append(differences, copyDifferences(cik, want, got)...)
	}
	switch rows := e.statistics[cik]; {
	case len(rows) == 0:
	case got == nil:
		differences = append(differences, fmt.Sprintf("company %s: the file has statistics, stats answers 404", cik))
	default:
		differences = append(differences, rowDifferences(cik, rows, got.Statistics)...)
	}
	return differences, nil
}

func profileDifference(want, got *input.Profile) string {
	switch {
	case want == nil && got == nil:
		return ""
	case want == nil:
		return fmt.Sprintf("the file deletes it, profile has %q", got.Name)
	case got == nil:
		return fmt.Sprintf("the file has %q, profile answers 404", want.Name)
	}
	for _, a := range []struct {
		attribute string
		want, got any
	}{
		{"name", want.Name, got.Name}, {"sector", want.Sector, got.Sector}, {"subIndustry", want.SubIndustry, got.SubIndustry},
		{"headquarters", want.Headquarters, got.Headquarters}, {"founded", want.Founded, got.Founded},
		{"dateAdded", want.DateAdded, got.DateAdded}, {"tickers", want.Tickers, got.Tickers},
	} {
		if !cmp.Equal(a.want, a.got) {
			return fmt.Sprintf("%s is %s in the file and %s at profile", a.attribute, value(a.want), value(a.got))
		}
	}
	return ""
}

func value(v any) string {
	if s, ok := v.(*string); ok {
		return shown(s)
	}
	return fmt.Sprintf("%q", v)
}

// rowDifferences compares the latest rows by ticker. What stats has of other
// tickers and of later dates than the file's is none of the file's business.
func rowDifferences(cik string, want map[string]input.Statistic, got []api.Row) []string {
	held := map[string]api.Row{}
	for _, row := range got {
		held[row.Ticker] = row
	}
	var differences []string
	for _, ticker := range slices.Sorted(maps.Keys(want)) {
		w, of := want[ticker], fmt.Sprintf("company %s: statistics of %s", cik, ticker)
		row, ok := held[ticker]
		switch {
		case !ok:
			differences = append(differences, of+": stats has none")
		case row.Date < w.Date:
			differences = append(differences, fmt.Sprintf("%s: the latest is of %s in the file and of %s at stats", of, w.Date, row.Date))
		case row.Date == w.Date:
			for _, figure := range input.FigureNames {
				if diff := figureDifference(w.Figures[figure], row.Figures[figure]); diff != "" {
					differences = append(differences, fmt.Sprintf("%s of %s: %s %s", of, w.Date, figure, diff))
				}
			}
		}
	}
	return differences
}

// figureDifference compares a figure's text in the file with the one answered,
// which has to be a plain decimal of the very same worth.
func figureDifference(file, answered string) string {
	want := ""
	if file != "" {
		var err error
		if want, err = input.Figure(file); err != nil {
			return err.Error()
		}
	}
	got := ""
	if answered != "" {
		var err error
		if got, err = input.Figure(answered); err != nil || got == "" || strings.ContainsAny(answered, "eE") {
			return fmt.Sprintf("is answered as %q, which is no plain decimal", answered)
		}
	}
	if want != got {
		return fmt.Sprintf("is %q in the file and %q at stats", file, answered)
	}
	return ""
}

// lists compares the names on the watchlists with those the file ends with.
func (s services) lists(ctx context.Context, e expectation) ([]string, error) {
	var differences []string
	for _, user := range watchers {
		entries, err := s.stats.Watchlist(ctx, user)
		if err != nil {
			return nil, err
		}
		held := map[string]*string{}
		for _, entry := range entries {
			held[entry.CIK] = entry.Name
		}
		for _, w := range e.watches {
			if w.user != user {
				continue
			}
			var name *string
			if owner := e.profiles[w.cik]; owner != nil {
				name = &owner.Name
			}
			copied, ok := held[w.cik]
			switch {
			case !ok:
				differences = append(differences, fmt.Sprintf("watchlist of %s: company %s is missing", user, w.cik))
			case !cmp.Equal(name, copied):
				differences = append(differences, fmt.Sprintf("watchlist of %s: the name of company %s is %s in the file and %s on the list", user, w.cik, shown(name), shown(copied)))
			}
		}
	}
	return differences, nil
}

// forAll compares companies side by side and returns all differences, in the
// companies' order. An answer that a service should not give is one of them.
func forAll(ctx context.Context, companies []string, one func(context.Context, string) ([]string, error)) (map[string][]string, error) {
	found := map[string][]string{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(comparers)
	for _, cik := range companies {
		group.Go(func() error {
			differences, err := one(ctx, cik)
			var refused *api.Refused
			if errors.As(err, &refused) {
				differences, err = []string{fmt.Sprintf("company %s: %v", cik, refused)}, nil
			}
			if err != nil || len(differences) == 0 {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			found[cik] = differences
			return nil
		})
	}
	return found, group.Wait()
}

func inOrder(companies []string, found map[string][]string) []string {
	var all []string
	for _, cik := range companies {
		all = append(all, found[cik]...)
	}
	return all
}
