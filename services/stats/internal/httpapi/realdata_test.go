package httpapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

// lines reads a file of the real data.
func lines(t testing.TB, name string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "examples", "sp500", name))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for scanner := bufio.NewScanner(bytes.NewReader(data)); scanner.Scan(); {
		all = append(all, bytes.Clone(scanner.Bytes()))
	}
	if len(all) == 0 {
		t.Fatalf("%s has no lines", name)
	}
	return all
}

// row is a line of the real data as it came, without what counts as missing.
type row map[string]string

func readRow(t testing.TB, line []byte) row {
	t.Helper()
	var r row
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(r, func(_, figure string) bool { return figure == "Infinity" })
	return r
}

// The real statistics, in any order and by several clients at once, are all
// taken as they are in the file; each company then shows the latest row of each
// ticker, digit for digit, and each sector's leaderboard is the one that the
// files come to. Sent once more, they write nothing.
func TestRealData(t *testing.T) {
	s := newService(t)
	all := lines(t, "statistics.jsonl")
	latest := make(map[string]map[string]row) // company, ticker
	infinite := 0
	for _, line := range all {
		if bytes.Contains(line, []byte("Infinity")) {
			infinite++
		}
		r := readRow(t, line)
		if latest[r["cik"]] == nil {
			latest[r["cik"]] = make(map[string]row)
		}
		if held, ok := latest[r["cik"]][r["ticker"]]; !ok || r["date"] >= held["date"] {
			latest[r["cik"]][r["ticker"]] = r
		}
	}
	if infinite == 0 {
		t.Fatal("the file has no Infinity, which this test is about")
	}
	seed := rand.Uint64()
	t.Logf("order of seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })

	putAll := func(all [][]byte, status int) *sync.WaitGroup {
		const clients = 8
		var group sync.WaitGroup
		for client := range clients {
			group.Go(func() {
				for i := client; i < len(all); i += clients {
					r := readRow(t, all[i])
					target := "/companies/" + r["cik"] + "/statistics/" + r["date"] + "/" + r["ticker"]
					if response, body := s.call(t, "PUT", target, string(all[i])); response.StatusCode != status {
						t.Errorf("PUT %s: %d %s, want %d", target, response.StatusCode, body, status)
					}
				}
			})
		}
		return &group
	}
	putting := putAll(all, http.StatusCreated)
	profiles := loadProfiles(t, s)
	putting.Wait()
	before := s.Engine.Requests()
	again := all[:500]
	putAll(again, http.StatusOK).Wait()
	reads := localaws.Requests{{Service: localaws.DynamoDB, Name: "BatchGetItem"}: int64(len(again))}
	if diff := cmp.Diff(reads, s.Engine.Requests().Since(before)); diff != "" {
		t.Errorf("requests of the second load (-want +got):\n%s", diff)
	}

	for cik, tickers := range latest {
		_, body := s.call(t, "GET", "/companies/"+cik+"/statistics", "")
		var got struct {
			Name, Sector *string
			Statistics   []row
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		var want []row
		for _, ticker := range slices.Sorted(maps.Keys(tickers)) {
			want = append(want, tickers[ticker])
		}
		if diff := cmp.Diff(want, got.Statistics); diff != "" {
			t.Fatalf("company %s (-want +got):\n%s", cik, diff)
		}
		p := profiles[cik]
		if diff := cmp.Diff([]*string{p.Name, p.Sector}, []*string{got.Name, got.Sector}); diff != "" {
			t.Fatalf("company %s, name and sector (-want +got):\n%s", cik, diff)
		}
	}
	checkLeaderboards(t, s, latest, profiles)
}

type profile struct {
	Op, CIK      string
	Name, Sector *string
}

// loadProfiles applies the real change log and returns what it comes to; a
// deleted company has neither name nor sector.
func loadProfiles(t *testing.T, s *service) map[string]profile {
	t.Helper()
	profiles := make(map[string]profile)
	for i, line := range lines(t, "profile-changes.jsonl") {
		var p profile
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatal(err)
		}
		version := contracts.Version(i + 1)
		apply := func() error {
			if p.Op == "delete" {
				return s.Delete(t.Context(), p.CIK, version)
			}
			return s.Upsert(t.Context(), p.CIK, version, *p.Name, *p.Sector)
		}
		if err := apply(); err != nil {
			t.Fatal(err)
		}
		profiles[p.CIK] = p
	}
	return profiles
}

func checkLeaderboards(t *testing.T, s *service, latest map[string]map[string]row, profiles map[string]profile) {
	t.Helper()
	type ranked struct{ CIK, Name, MarketCap string }
	want := make(map[string][]ranked)
	for cik, tickers := range latest {
		p := profiles[cik]
		if p.Sector == nil || *p.Sector == "" {
			continue
		}
		date, marketCap := "", company.Decimal("")
		for _, r := range tickers {
			date = max(date, r["date"])
		}
		for _, r := range tickers {
			if c := company.Decimal(r["marketCap"]); r["date"] == date && c.Compare(marketCap) > 0 {
				marketCap = c
			}
		}
		if marketCap != "" {
			want[*p.Sector] = append(want[*p.Sector], ranked{cik, *p.Name, string(marketCap)})
		}
	}
	if len(want) != 11 {
		t.Errorf("the files have %d sectors, want the 11 of the standard", len(want))
	}
	order := func(a, b ranked) int {
		if c := company.Decimal(b.MarketCap).Compare(company.Decimal(a.MarketCap)); c != 0 {
			return c
		}
		return strings.Compare(a.CIK, b.CIK)
	}
	for sector, companies := range want {
		var got []ranked
		for cursor := ""; ; {
			_, body := s.call(t, "GET", "/sectors/"+url.PathEscape(sector)+"/leaderboard?limit=30"+cursor, "")
			var page struct {
				Entries []struct {
					ranked
					Rank int
				}
				Next string
			}
			if err := json.Unmarshal([]byte(body), &page); err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Entries {
				if got = append(got, e.ranked); e.Rank != len(got) {
					t.Fatalf("%s: entry %d has rank %d", sector, len(got), e.Rank)
				}
			}
			if page.Next == "" {
				break
			}
			cursor = "&cursor=" + page.Next
		}
		if !slices.IsSortedFunc(got, func(a, b ranked) int {
			return company.Decimal(b.MarketCap).Compare(company.Decimal(a.MarketCap))
		}) {
			t.Errorf("%s is out of order: %v", sector, got)
		}
		slices.SortFunc(companies, order)
		slices.SortFunc(got, order)
		if diff := cmp.Diff(companies, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sector, diff)
		}
	}
	t.Log(fmt.Sprint(len(want), " sectors compared"))
}
