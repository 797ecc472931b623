package httpapi_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
	"github.com/tributary-dev/tributary/services/stats/internal/dynamo"
)

func TestMalformedRequestsAreRefusedWithEveryProblem(t *testing.T) {
	s := newService(t)
	cursor := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, tc := range []struct {
		name, method, target, body string
		fields                     []string
	}{
		{"a path of nonsense", "PUT", "/companies/007/statistics/2023-02-29/mmm", `{}`, []string{"cik", "date", "ticker"}},
		{"path and body", "PUT", "/companies/x/statistics/2024-10-10/MMM", `{"price":1,"volume":"2","ebitda":"much"}`, []string{"cik", "price", "volume", "ebitda"}},
		{"a path that the body contradicts", "PUT", "/companies/1/statistics/2024-10-10/MMM", `{"cik":"2","date":"2024-10-11","ticker":"AOS"}`, []string{"cik", "date", "ticker"}},
		{"path, parameter and no JSON", "PUT", "/companies/1/statistics/today/MMM?dry=1", `{`, []string{"date", "dry", "body"}},
		{"no body", "PUT", "/companies/1/statistics/2024-10-10/MMM", ``, []string{"body"}},
		{"a company that cannot be", "GET", "/companies/apple/statistics?verbose=1", ``, []string{"cik", "verbose"}},
		{"a limit of zero", "GET", "/sectors/Energy/leaderboard?limit=0", ``, []string{"limit"}},
		{"a limit too large", "GET", "/sectors/Energy/leaderboard?limit=101", ``, []string{"limit"}},
		{"a limit that is no number", "GET", "/sectors/Energy/leaderboard?limit=", ``, []string{"limit"}},
		{"limit, cursor and more", "GET", "/sectors/Energy/leaderboard?limit=x&cursor=x&page=2", ``, []string{"page", "limit", "cursor"}},
		{"parameters twice", "GET", "/sectors/Energy/leaderboard?limit=1&limit=2", ``, []string{"limit"}},
		{"parameters that are not encoded", "GET", "/sectors/Energy/leaderboard?limit=%zz", ``, []string{"query"}},
		{"a sector that is no text", "GET", "/sectors/%ff/leaderboard", ``, []string{"sector"}},
		{"a sector longer than a key", "GET", "/sectors/" + strings.Repeat("x", 2049) + "/leaderboard", ``, []string{"sector"}},
		{"a cursor of nothing", "GET", "/sectors/Energy/leaderboard?cursor=" + cursor(`{}`), ``, []string{"cursor"}},
		{"a cursor without a number", "GET", "/sectors/Energy/leaderboard?cursor=" + cursor(`{"sector":"Energy","rank":1,"cik":"1","marketCap":"NaN"}`), ``, []string{"cursor"}},
		{"a cursor of the greatest rank", "GET", "/sectors/Energy/leaderboard?cursor=" + cursor(`{"sector":"Energy","rank":9223372036854775807,"cik":"1","marketCap":"1"}`), ``, []string{"cursor"}},
		{"a cursor of a rank below zero", "GET", "/sectors/Energy/leaderboard?cursor=" + cursor(`{"sector":"Energy","rank":-1,"cik":"1","marketCap":"1"}`), ``, []string{"cursor"}},
		{"a cursor with a field too many", "GET", "/sectors/Energy/leaderboard?cursor=" + cursor(`{"sector":"Energy","rank":1,"cik":"1","marketCap":"1","x":1}`), ``, []string{"cursor"}},
		{"a cursor whose fields are written otherwise", "GET", "/watchlists/ann?cursor=" + cursor(`{"USER":"ann","cik":"1"}`), ``, []string{"cursor"}},
		{"a cursor that is no base64", "GET", "/watchlists/ann?cursor=a%20b", ``, []string{"cursor"}},
		{"a cursor that is no JSON", "GET", "/watchlists/ann?cursor=" + cursor(`ann`), ``, []string{"cursor"}},
		{"another user's cursor", "GET", "/watchlists/ann?cursor=" + cursor(`{"user":"bob","cik":"1"}`), ``, []string{"cursor"}},
		{"a user of control characters", "GET", "/watchlists/a%00b", ``, []string{"user"}},
		{"a user too long", "PUT", "/watchlists/" + strings.Repeat("x", 257) + "/companies/0", ``, []string{"user", "cik"}},
		{"an entry that cannot be", "DELETE", "/watchlists/ann/companies/apple?force=1", ``, []string{"cik", "force"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			response, body := s.call(t, tc.method, tc.target, tc.body)
			if response.StatusCode != http.StatusBadRequest {
				t.Fatalf("%d %s", response.StatusCode, body)
			}
			if diff := cmp.Diff(tc.fields, problemOf(t, response, body)); diff != "" {
				t.Errorf("fields (-want +got):\n%s\n%s", diff, body)
			}
		})
	}
	for _, table := range dynamo.TableNames() {
		out, err := s.Database.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(table)})
		if err != nil || out.Count != 0 {
			t.Errorf("after nothing but malformed requests %s has %v, %v", table, out, err)
		}
	}
}

// Whoever makes a cursor up is told why it is not taken, and where one is taken
// the ranks that follow are those after it.
func TestForgedCursorsAreRefusedWithTheReason(t *testing.T) {
	s := newService(t)
	if err := s.Upsert(t.Context(), "1", 1, "One", "Energy"); err != nil {
		t.Fatal(err)
	}
	if response, body := s.call(t, "PUT", "/companies/1/statistics/2024-10-10/A", `{"marketCap":"1"}`); response.StatusCode != http.StatusCreated {
		t.Fatal(body)
	}
	for reason, cursor := range map[string]string{
		"":                          `{"sector":"Energy","rank":1000000000,"cik":"2","marketCap":"2"}`,
		"rank is not from 1":        `{"sector":"Energy","rank":1000000001,"cik":"2","marketCap":"2"}`,
		"another sector":            `{"sector":"Utilities","rank":1,"cik":"2","marketCap":"2"}`,
		"names no company":          `{"sector":"Energy","rank":1,"cik":"x","marketCap":"2"}`,
		"no market capitalisation":  `{"sector":"Energy","rank":1,"cik":"2","marketCap":""}`,
		"not what this service wri": ` {"sector":"Energy","rank":1,"cik":"2","marketCap":"2"}`,
	} {
		response, body := s.call(t, "GET", "/sectors/Energy/leaderboard?cursor="+base64.RawURLEncoding.EncodeToString([]byte(cursor)), "")
		switch {
		case reason == "" && (response.StatusCode != http.StatusOK || !strings.Contains(body, `"rank":1000000001,`)):
			t.Errorf("%s: %d %s", cursor, response.StatusCode, body)
		case reason != "" && (response.StatusCode != http.StatusBadRequest || !strings.Contains(body, reason)):
			t.Errorf("%s: %d %s, want %q", cursor, response.StatusCode, body, reason)
		}
	}
}

func TestOtherRefusals(t *testing.T) {
	s := newService(t)
	large := `{"price":"` + strings.Repeat("1", 64<<10) + `"}`
	for _, tc := range []struct {
		name, method, target, body string
		status                     int
		allow                      string
	}{
		{"a body too large", "PUT", "/companies/1/statistics/2024-10-10/MMM", large, http.StatusRequestEntityTooLarge, ""},
		{"a wrong method", "POST", "/companies/1/statistics", "", http.StatusMethodNotAllowed, "GET, HEAD"},
		{"a wrong method among several", "GET", "/watchlists/ann/companies/1", "", http.StatusMethodNotAllowed, "DELETE, PUT"},
		{"an unknown path", "GET", "/companies/1", "", http.StatusNotFound, ""},
		{"a path with a slash too many", "GET", "/companies/1/statistics/", "", http.StatusNotFound, ""},
		{"an empty sector", "GET", "/sectors//leaderboard", "", http.StatusNotFound, ""},
		{"a path that climbs", "GET", "/companies/../watchlists/ann", "", http.StatusNotFound, ""},
		{"a company nobody knows", "GET", "/companies/999/statistics", "", http.StatusNotFound, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			response, body := s.call(t, tc.method, tc.target, tc.body)
			if response.StatusCode != tc.status || response.Header.Get("Allow") != tc.allow {
				t.Fatalf("%d, Allow %q: %s", response.StatusCode, response.Header.Get("Allow"), body)
			}
			problemOf(t, response, body)
		})
	}
}

func TestATickerTooManyIsAConflict(t *testing.T) {
	s := newService(t)
	put := func(i int) *http.Response {
		response, _ := s.call(t, "PUT", "/companies/1/statistics/2024-10-10/"+ticker(i), `{}`)
		return response
	}
	for i := range company.MaxTickers {
		if response := put(i); response.StatusCode != http.StatusCreated {
			t.Fatalf("ticker %d: %d", i, response.StatusCode)
		}
	}
	if response := put(company.MaxTickers); response.StatusCode != http.StatusConflict {
		t.Errorf("one ticker too many: %d", response.StatusCode)
	}
}

func ticker(i int) string { return string(rune('A'+i%26)) + string(rune('A'+i/26)) }

func TestHealth(t *testing.T) {
	s := newService(t)
	s.want(t, "GET", "/healthz", "", http.StatusOK, `{"status":"alive"}`)
	s.want(t, "GET", "/readyz", "", http.StatusOK, `{"status":"ready"}`)
	s.ready = errors.Join(errors.New("table statistics: gone"), errors.New("queue not consumed"))
	response, body := s.call(t, "GET", "/readyz", "")
	problemOf(t, response, body)
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "table statistics: gone; queue not consumed") {
		t.Errorf("not ready: %d %s", response.StatusCode, body)
	}
	if response, body := s.call(t, "GET", "/metrics", ""); response.StatusCode != http.StatusOK ||
		!strings.Contains(body, `stats_http_request_duration_seconds_count{code="503",route="GET /readyz"} 1`) {
		t.Errorf("metrics: %d %s", response.StatusCode, body)
	}
}
