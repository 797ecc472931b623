package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestStatisticsOfACompany(t *testing.T) {
	s := newService(t)
	const path = "/companies/1652044/statistics"
	googl := `{"date":"2024-10-10","cik":"1652044","ticker":"GOOGL","price":"162.08","marketCap":"1997985538048"}`
	s.want(t, "PUT", path+"/2024-10-10/GOOGL", googl, http.StatusCreated, googl)
	s.want(t, "PUT", path+"/2024-10-10/GOOGL", googl, http.StatusOK, googl)
	s.want(t, "PUT", path+"/2024-10-10/GOOG", `{"price":"1.6350E+2","priceEarnings":"Infinity"}`, http.StatusCreated,
		`{"date":"2024-10-10","cik":"1652044","ticker":"GOOG","price":"163.50"}`)
	s.want(t, "PUT", path+"/2024-10-09/GOOG", `{"price":"1"}`, http.StatusCreated,
		`{"date":"2024-10-09","cik":"1652044","ticker":"GOOG","price":"1"}`)
	goog := `{"date":"2024-10-10","cik":"1652044","ticker":"GOOG","price":"163.50"}`
	s.want(t, "GET", path, "", http.StatusOK, `{"cik":"1652044","statistics":[`+goog+`,`+googl+`]}`)

	if err := s.Upsert(t.Context(), "1652044", 1728561600000001, "Alphabet Inc.", ""); err != nil {
		t.Fatal(err)
	}
	s.want(t, "GET", path, "", http.StatusOK,
		`{"cik":"1652044","name":"Alphabet Inc.","sector":"","profileVersion":"1728561600000001","statistics":[`+goog+`,`+googl+`]}`)
	if err := s.Delete(t.Context(), "1652044", 1728561600000002); err != nil {
		t.Fatal(err)
	}
	s.want(t, "GET", path, "", http.StatusOK,
		`{"cik":"1652044","profileVersion":"1728561600000002","statistics":[`+goog+`,`+googl+`]}`)
}

func TestCompanyWithoutStatistics(t *testing.T) {
	s := newService(t)
	const path = "/companies/320193/statistics"
	if err := s.Upsert(t.Context(), "320193", 7, "Apple Inc.", "Information Technology"); err != nil {
		t.Fatal(err)
	}
	s.want(t, "GET", path, "", http.StatusOK,
		`{"cik":"320193","name":"Apple Inc.","sector":"Information Technology","profileVersion":"7","statistics":[]}`)
	if err := s.Delete(t.Context(), "320193", 8); err != nil {
		t.Fatal(err)
	}
	if response, body := s.call(t, "GET", path, ""); response.StatusCode != http.StatusNotFound || problemOf(t, response, body) != nil {
		t.Errorf("a deleted company without statistics: %d %s", response.StatusCode, body)
	}
}

func TestLeaderboardPages(t *testing.T) {
	s := newService(t)
	const sector = `Energy & Oil/Gas 100% "free"`
	for i := 1; i <= 5; i++ {
		cik := fmt.Sprint(i)
		if err := s.Upsert(t.Context(), cik, 1, "Company "+cik, sector); err != nil {
			t.Fatal(err)
		}
		for _, ticker := range []string{"A", "B"} {
			body := fmt.Sprintf(`{"marketCap":"%d0.50"}`, i)
			if response, answer := s.call(t, "PUT", "/companies/"+cik+"/statistics/2024-10-10/"+ticker, body); response.StatusCode != http.StatusCreated {
				t.Fatal(answer)
			}
		}
	}
	path := "/sectors/" + url.PathEscape(sector) + "/leaderboard"
	entry := func(rank, cik int) string {
		return fmt.Sprintf(`{"rank":%d,"cik":"%d","name":"Company %d","marketCap":"%d0.50","latestDate":"2024-10-10","tickers":["A","B"]}`, rank, cik, cik, cik)
	}
	quoted, _ := json.Marshal(sector)
	page := func(query, entries string) (next string) {
		t.Helper()
		response, body := s.call(t, "GET", path+query, "")
		var got struct{ Next string }
		if err := json.Unmarshal([]byte(body), &got); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%d %s: %v", response.StatusCode, body, err)
		}
		rest := ""
		if got.Next != "" {
			rest = `,"next":"` + got.Next + `"`
		}
		if want := fmt.Sprintf(`{"sector":%s,"entries":[%s]%s}`, quoted, entries, rest); canonical(t, body) != canonical(t, want) {
			t.Errorf("page %q: %s\nwant %s", query, body, want)
		}
		return got.Next
	}
	next := page("?limit=2", entry(1, 5)+","+entry(2, 4))
	next = page("?limit=2&cursor="+next, entry(3, 3)+","+entry(4, 2))
	if last := page("?limit=2&cursor="+next, entry(5, 1)); last != "" {
		t.Errorf("the last page has a next: %s", last)
	}
	s.want(t, "GET", "/sectors/Utilities/leaderboard", "", http.StatusOK, `{"sector":"Utilities","entries":[]}`)
	response, body := s.call(t, "GET", "/sectors/Utilities/leaderboard?cursor="+next, "")
	if response.StatusCode != http.StatusBadRequest || fmt.Sprint(problemOf(t, response, body)) != "[cursor]" {
		t.Errorf("another sector's cursor: %d %s", response.StatusCode, body)
	}
}

func TestWatchlistOfAUser(t *testing.T) {
	s := newService(t)
	if err := s.Upsert(t.Context(), "40545", 1, "General Electric", "Industrials"); err != nil {
		t.Fatal(err)
	}
	path := "/watchlists/" + url.PathEscape("Žofie/1")
	s.want(t, "GET", path, "", http.StatusOK, `{"user":"Žofie/1","companies":[]}`)
	for i, status := range []int{http.StatusCreated, http.StatusOK} {
		response, body := s.call(t, "PUT", path+"/companies/40545", "")
		var entry struct {
			CIK, Name, ProfileVersion string
			AddedAt                   time.Time
		}
		if err := json.Unmarshal([]byte(body), &entry); err != nil || response.StatusCode != status {
			t.Fatalf("watch %d: %d %s", i, response.StatusCode, body)
		}
		if entry.Name != "General Electric" || entry.ProfileVersion != "1" || time.Since(entry.AddedAt) > time.Minute {
			t.Errorf("watch %d: %s", i, body)
		}
	}
	if err := s.Upsert(t.Context(), "40545", 2, "GE Aerospace", "Industrials"); err != nil {
		t.Fatal(err)
	}
	if _, body := s.call(t, "GET", path, ""); !strings.Contains(body, `"name":"GE Aerospace"`) {
		t.Errorf("after the rename: %s", body)
	}
	for _, cik := range []string{"1", "2"} {
		if response, body := s.call(t, "PUT", path+"/companies/"+cik, ""); response.StatusCode != http.StatusCreated || strings.Contains(body, "name") {
			t.Errorf("watch a company without a profile: %d %s", response.StatusCode, body)
		}
	}
	var ciks []string
	cursor := ""
	for range 3 {
		_, body := s.call(t, "GET", path+"?limit=1"+cursor, "")
		var page struct {
			Companies []struct{ CIK string }
			Next      string
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || len(page.Companies) != 1 {
			t.Fatal(body)
		}
		ciks, cursor = append(ciks, page.Companies[0].CIK), "&cursor="+page.Next
	}
	if got := strings.Join(ciks, " "); got != "1 2 40545" || cursor != "&cursor=" {
		t.Errorf("pages of one: %s, then %q", got, cursor)
	}
	for range 2 {
		s.want(t, "DELETE", path+"/companies/40545", "", http.StatusNoContent, "")
	}
	if _, body := s.call(t, "GET", path, ""); strings.Contains(body, "40545") {
		t.Errorf("after the delete: %s", body)
	}
}
