package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Whatever request comes, it is answered as HTTP wants: never as a fault of
// the service, what is refused with a problem document that says why, and a
// row that is taken is taken again as the answer has it.
func FuzzHandler(f *testing.F) {
	const row = "/companies/7/statistics/2024-10-10/MMM"
	f.Add("PUT", row, `{"date":"2024-10-10","cik":"7","ticker":"MMM","price":"135.01","ebitda":"7.35E+9"}`)
	f.Add("GET", "/companies/7/statistics", "")
	f.Add("GET", "/sectors/%2F/leaderboard?limit=2", "")
	f.Add("PUT", "/watchlists/u/companies/7", "")
	f.Add("GET", "/watchlists/u?limit=1&cursor=eyJ1c2VyIjoidSIsImNpayI6IjcifQ", "")
	f.Add("DELETE", "/watchlists/u/companies/7", "")
	s := newService(f)
	f.Fuzz(func(t *testing.T, method, target, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://stats.test", strings.NewReader(body))
		if err != nil {
			t.Skip("no method")
		}
		if r.URL, err = url.ParseRequestURI(target); err != nil {
			t.Skip("the server takes no such request")
		}
		r.RequestURI = target
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		answer := w.Body.String()
		switch {
		case w.Code >= 500 || w.Code >= 300 && w.Code < 400:
			t.Fatalf("%s %q: %d %s", method, target, w.Code, answer)
		case w.Code >= 400:
			problemOf(t, w.Result(), answer)
		case strings.Contains(r.URL.Path, "/statistics/"):
			s.want(t, method, r.URL.RequestURI(), answer, http.StatusOK, answer)
			s.holds(t, answer)
		case w.Code != http.StatusNoContent && r.URL.Path != "/metrics" && !json.Valid(w.Body.Bytes()):
			t.Fatalf("%s %q: no JSON: %s", method, target, answer)
		}
	})
}

// holds checks that a company reads with a row that was written, unless the
// ticker has one of a later date.
func (s *service) holds(t *testing.T, written string) {
	var row struct{ CIK, Ticker, Date string }
	if err := json.Unmarshal([]byte(written), &row); err != nil {
		t.Fatalf("no JSON: %v: %s", err, written)
	}
	response, read := s.call(t, http.MethodGet, "/companies/"+row.CIK+"/statistics", "")
	var company struct{ Statistics []json.RawMessage }
	if err := json.Unmarshal([]byte(read), &company); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%d %s: %v", response.StatusCode, read, err)
	}
	for _, held := range company.Statistics {
		var latest struct{ Ticker, Date string }
		if err := json.Unmarshal(held, &latest); err != nil {
			t.Fatal(err)
		}
		if latest.Ticker == row.Ticker && (latest.Date > row.Date || canonical(t, string(held)) == canonical(t, written)) {
			return
		}
	}
	t.Fatalf("%s is written, and not among %s", written, read)
}
