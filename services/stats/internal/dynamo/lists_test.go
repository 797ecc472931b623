package dynamo_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
	"github.com/tributary-dev/tributary/services/stats/internal/dynamo"
	"github.com/tributary-dev/tributary/services/stats/internal/statstest"
)

func TestCompanyComesAndGoesWithProfileAndRows(t *testing.T) {
	w := statstest.New(t)
	store := newStore(w, w.Database)
	ctx, cik := t.Context(), newCIK()
	missing := func(when string) {
		t.Helper()
		if _, err := store.Company(ctx, cik); !errors.Is(err, company.ErrNotFound) {
			t.Fatalf("%s: %v, want not found", when, err)
		}
	}
	shows := func(when, name, sector, version string, rows int) {
		t.Helper()
		c, err := store.Company(ctx, cik)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		got := fmt.Sprintf("%s|%s|%s|%d", text(c.Profile.Name), text(c.Profile.Sector), c.Profile.Version, len(c.Summary.Latest))
		if want := fmt.Sprintf("%s|%s|%s|%d", name, sector, version, rows); got != want {
			t.Fatalf("%s: it shows %s, want %s", when, got, want)
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	missing("before anything")
	do(w.Upsert(ctx, cik, 1, "Raytheon", ""))
	shows("a profile without rows and with an empty sector", "Raytheon", "", "1", 0)
	do(w.Delete(ctx, cik, 2))
	missing("a deleted profile without rows")
	_, err := store.PutRow(ctx, company.Row{CIK: cik, Date: "2024-10-10", Ticker: "RTX", Figures: company.Figures{MarketCap: "5"}})
	do(err)
	shows("rows that outlive their profile", "none", "none", "2", 1)
	do(w.Upsert(ctx, cik, 3, "RTX Corporation", "Industrials"))
	shows("a profile that came back", "RTX Corporation", "Industrials", "3", 1)
}

func text(s *string) string {
	if s == nil {
		return "none"
	}
	return *s
}

// Pages of any size together are the sector's companies by market cap, and
// nobody else's.
func TestLeaderboard(t *testing.T) {
	w := statstest.New(t)
	store := newStore(w, w.Database)
	ctx := t.Context()
	var want []string
	caps := make(map[string]company.Decimal)
	for i := range 23 {
		cik := newCIK()
		sector, marketCap := "Energy & Oil/Gas", company.Decimal(fmt.Sprint(1000-i*90, ".50"))
		switch i % 6 {
		case 3:
			sector = "Utilities"
		case 4:
			marketCap = ""
		case 5:
			sector = ""
		}
		if err := w.Upsert(ctx, cik, 1, "Company "+cik, sector); err != nil {
			t.Fatal(err)
		}
		if _, err := store.PutRow(ctx, company.Row{CIK: cik, Date: "2024-10-10", Ticker: "T", Figures: company.Figures{MarketCap: marketCap}}); err != nil {
			t.Fatal(err)
		}
		if i == 0 { // the highest leaves the index, and the leaderboard with it
			if err := w.Delete(ctx, cik, 2); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if i%6 < 3 {
			want, caps[cik] = append(want, cik), marketCap
		}
	}
	slices.SortFunc(want, func(a, b string) int { return caps[b].Compare(caps[a]) })
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.IntRange(1, len(want)+2).Draw(r, "limit")
		var got []string
		var after *dynamo.Place
		for more := true; more; {
			var page []company.Company
			var err error
			page, more, err = store.Leaderboard(ctx, "Energy & Oil/Gas", limit, after)
			if err != nil {
				r.Fatal(err)
			}
			if len(page) > limit || more && len(page) < limit || len(page) == 0 {
				r.Fatalf("a page of %d has %d companies, more is %v", limit, len(page), more)
			}
			for _, c := range page {
				got = append(got, c.CIK)
				if aws.ToString(c.Profile.Name) != "Company "+c.CIK || c.Summary.MarketCap() != caps[c.CIK] {
					r.Fatalf("company %s is shown as %v", c.CIK, c)
				}
			}
			end := page[len(page)-1]
			after = &dynamo.Place{CIK: end.CIK, MarketCap: end.Summary.MarketCap()}
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			r.Fatalf("pages of %d (-want +got):\n%s", limit, diff)
		}
	})
	if ranked, more, err := store.Leaderboard(ctx, "no such sector", 10, nil); len(ranked) > 0 || more || err != nil {
		t.Errorf("a sector nobody is in: %v, %v, %v", ranked, more, err)
	}
}

func TestWatchlist(t *testing.T) {
	w := statstest.New(t)
	store := newStore(w, w.Database)
	ctx, user, known, unknown := t.Context(), "Žofie/1", newCIK(), newCIK()
	show := func() (shown []string) {
		t.Helper()
		entries, more, err := store.Watchlist(ctx, user, 10, "")
		if err != nil || more {
			t.Fatalf("more is %v, %v", more, err)
		}
		for _, e := range entries {
			shown = append(shown, e.CIK+" "+text(e.Profile.Name)+" "+e.Profile.Version)
		}
		slices.SortFunc(shown, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
		return shown
	}
	expect := func(when string, want ...string) {
		t.Helper()
		slices.SortFunc(want, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
		if got := show(); !slices.Equal(got, want) {
			t.Fatalf("%s: the list is %q, want %q", when, got, want)
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	watch := func(cik string, want bool) {
		t.Helper()
		_, created, err := store.Watch(ctx, user, cik)
		do(err)
		if created != want {
			t.Fatalf("watch %s: new is %v", cik, created)
		}
	}
	do(w.Upsert(ctx, known, 1, "Facebook", "Communication Services"))
	watch(known, true)
	watch(unknown, true)
	expect("a known and an unknown company", known+" Facebook 1", unknown+" none ")
	do(w.Upsert(ctx, known, 2, "Meta Platforms", "Communication Services"))
	do(w.Upsert(ctx, unknown, 1, "Revvity", "Health Care"))
	expect("a rename and a profile that came later", known+" Meta Platforms 2", unknown+" Revvity 1")
	watch(known, false)
	expect("watched again", known+" Meta Platforms 2", unknown+" Revvity 1")
	do(w.Delete(ctx, known, 3))
	expect("a company its owner deleted", known+" none 3", unknown+" Revvity 1")
	do(store.Unwatch(ctx, user, unknown))
	do(store.Unwatch(ctx, user, unknown))
	do(w.Upsert(ctx, unknown, 2, "PerkinElmer", "Health Care"))
	expect("taken off, and not brought back by a change", known+" none 3")
}

func TestWatchlistPages(t *testing.T) {
	w := statstest.New(t)
	store := newStore(w, w.Database)
	var want []string
	for range 9 {
		cik := newCIK()
		want = append(want, cik)
		if _, _, err := store.Watch(t.Context(), "ann", cik); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(want)
	for limit := 1; limit <= 10; limit++ {
		var got []string
		after := ""
		for more := true; more; {
			var page []company.Watched
			var err error
			page, more, err = store.Watchlist(t.Context(), "ann", limit, after)
			if err != nil || len(page) == 0 || len(page) > limit {
				t.Fatalf("a page of %d has %d entries: %v", limit, len(page), err)
			}
			for _, e := range page {
				got = append(got, e.CIK)
			}
			after = got[len(got)-1]
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
		}
	}
}

func TestReadyNamesTheTablesThatAreNotThere(t *testing.T) {
	w := statstest.New(t)
	store := newStore(w, w.Database)
	if err := store.Ready(t.Context()); err != nil {
		t.Errorf("with all tables: %v", err)
	}
	if _, err := w.Database.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String(dynamo.RowTable)}); err != nil {
		t.Fatal(err)
	}
	err := store.Ready(t.Context())
	if err == nil || !strings.Contains(err.Error(), "table "+dynamo.RowTable) || strings.Contains(err.Error(), dynamo.CompanyTable) {
		t.Errorf("without the table %s: %v", dynamo.RowTable, err)
	}
}
