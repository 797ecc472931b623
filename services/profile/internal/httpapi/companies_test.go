package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

const whole = `{"name":"3M","tickers":["MMM"],"sector":"Industrials","subIndustry":"Industrial Conglomerates",
	"headquarters":"Saint Paul, Minnesota","dateAdded":"1957-03-04","founded":"1902"}`

// with is a profile with some fields more.
func with(profile, fields string) string {
	return strings.TrimSuffix(strings.TrimSpace(profile), "}") + "," + fields + "}"
}

func TestCompanyFromCreationToReturn(t *testing.T) {
	s := newService(t)
	const at = "/companies/66740"
	s.want(t, "GET", at, "", 404, `{"title":"Not Found","status":404,"detail":"There is no such company."}`)
	s.want(t, "DELETE", at, "", 404, `{"title":"Not Found","status":404,"detail":"There is no such company."}`)
	s.want(t, "PATCH", at, `{"name":"3M"}`, 404, `{"title":"Not Found","status":404,"detail":"There is no such company."}`)

	var versions []string
	note := func(a answer) {
		t.Helper()
		version := a.version(t)
		if tag := a.header.Get("ETag"); tag != `"`+version+`"` {
			t.Errorf("ETag %s came with version %q", tag, version)
		}
		if len(versions) > 0 {
			before, err := contracts.ParseVersion(versions[len(versions)-1])
			if err != nil {
				t.Fatal(err)
			}
			if now, err := contracts.ParseVersion(version); err != nil || now <= before {
				t.Errorf("version %q follows %s: %v", version, before, err)
			}
		}
		versions = append(versions, version)
	}
	note(s.want(t, "PUT", at, whole, 201, with(whole, `"cik":"66740"`)))
	note(s.want(t, "PUT", at, whole, 200, with(whole, `"cik":"66740"`)))
	note(s.want(t, "PUT", at, `{"name":"","tickers":[],"founded":""}`, 200, `{"cik":"66740","name":"","tickers":[],"founded":""}`))
	note(s.want(t, "PATCH", at, `{"name":"3M Company","sector":"Industrials","founded":null,"dateAdded":null}`, 200,
		`{"cik":"66740","name":"3M Company","tickers":[],"sector":"Industrials"}`))
	note(s.want(t, "PATCH", at, `{}`, 200, `{"cik":"66740","name":"3M Company","tickers":[],"sector":"Industrials"}`))
	got := s.want(t, "GET", at, "", 200, `{"cik":"66740","name":"3M Company","tickers":[],"sector":"Industrials"}`)
	if last := versions[len(versions)-1]; got.version(t) != last || got.header.Get("ETag") != `"`+last+`"` {
		t.Errorf("read version %q with ETag %s, written was %s", got.version(t), got.header.Get("ETag"), last)
	}

	if a := s.send(t, "DELETE", at, ""); a.status != 204 || a.body != "" {
		t.Errorf("delete: %d %s", a.status, a.body)
	}
	const deleted = `{"title":"Not Found","status":404,"detail":"The company was deleted."}`
	s.want(t, "GET", at, "", 404, deleted)
	s.want(t, "DELETE", at, "", 404, deleted)
	s.want(t, "PATCH", at, `{"name":"3M"}`, 404, deleted)
	note(s.want(t, "PUT", at, `{"name":"3M"}`, 201, `{"cik":"66740","name":"3M"}`))
}

func TestHeadHasNoSurprises(t *testing.T) {
	s := newService(t)
	created := s.want(t, "PUT", "/companies/1", `{"name":"One"}`, 201, `{"cik":"1","name":"One"}`)
	if a := s.send(t, "HEAD", "/companies/1", ""); a.status != 200 || a.header.Get("ETag") != created.header.Get("ETag") {
		t.Errorf("HEAD: %d, ETag %s", a.status, a.header.Get("ETag"))
	}
}

// A line of the data files may be sent as it is.
func TestLineOfTheData(t *testing.T) {
	s := newService(t)
	s.want(t, "PUT", "/companies/66740", with(whole, `"cik":"66740","date":"2023-04-13","op":"put"`), 201, with(whole, `"cik":"66740"`))
	a := s.send(t, "PUT", "/companies/66740", with(whole, `"cik":"66740","date":"yesterday","op":"delete"`))
	if got := problemOf(t, a); a.status != 400 || !slices.Equal(got, []string{"date", "op"}) {
		t.Errorf("%d, problems with %v", a.status, got)
	}
}

func TestMalformedRequestsNameEveryProblem(t *testing.T) {
	s := newService(t)
	s.want(t, "PUT", "/companies/7", whole, 201, with(whole, `"cik":"7"`))
	long := strings.Repeat("x", 1025)
	tickers := `["A"` + strings.Repeat(`,"A"`, 50) + `]`
	for _, tc := range []struct {
		name, method, target, body string
		fields                     []string
		headers                    []header
	}{
		{"everything at once", "PUT", "/companies/07?x=1", `{"tickers":["A",1,""],"sector":3,"website":"w","cik":"8","founded":"1","founded":"2"}`,
			[]string{"cik", "x", "If-Match", "tickers[1]", "sector", "website", "cik", "founded", "name"}, []header{ifMatch("7")}},
		{"a name is required", "PUT", "/companies/7", `{}`, []string{"name"}, nil},
		{"null is no value", "PUT", "/companies/7", `{"name":null,"sector":null}`, []string{"name", "sector"}, nil},
		{"every wrong ticker", "PUT", "/companies/7", `{"name":"x","tickers":["","A","` + long + `"]}`, []string{"tickers[0]", "tickers[2]"}, nil},
		{"too many tickers", "PUT", "/companies/7", `{"name":"x","tickers":` + tickers + `}`, []string{"tickers"}, nil},
		{"too many tickers of every kind", "PUT", "/companies/7", `{"name":"x","tickers":[` + strings.Repeat(`"A",`, 49) + strings.Repeat(`"",`, 9999) + `""]}`, []string{"tickers", "tickers[49]"}, nil},
		{"tickers that are no list", "PUT", "/companies/7", `{"name":"x","tickers":"A"}`, []string{"tickers"}, nil},
		{"tickers that are null", "PUT", "/companies/7", `{"name":"x","tickers":[null]}`, []string{"tickers[0]"}, nil},
		{"strings that are too long", "PUT", "/companies/7", `{"name":"` + long + `","sector":"` + long + `"}`, []string{"name", "sector"}, nil},
		{"half a character", "PUT", "/companies/7", `{"name":"\ud83d!","sector":"\\ud83d","founded":"\ud83d\ude00"}`, []string{"name"}, nil},
		{"half a character in a list", "PUT", "/companies/7", `{"name":"x","tickers":["\udc00"]}`, []string{"tickers[0]"}, nil},
		{"a byte that is no UTF-8", "PUT", "/companies/7", "{\"name\":\"\xff\"}", []string{"body"}, nil},
		{"no JSON", "PUT", "/companies/7", `{"name":"x"`, []string{"body"}, nil},
		{"nothing", "PUT", "/companies/7", ``, []string{"body"}, nil},
		{"an array", "PUT", "/companies/7", `[]`, []string{"body"}, nil},
		{"two objects", "PUT", "/companies/7", `{"name":"x"}{}`, []string{"body"}, nil},
		{"another company's key", "PUT", "/companies/7", `{"name":"x","cik":"8"}`, []string{"cik"}, nil},
		{"a key that is a number", "PUT", "/companies/7", `{"name":"x","cik":7}`, []string{"cik"}, nil},
		{"names are case-sensitive", "PUT", "/companies/7", `{"Name":"x"}`, []string{"Name", "name"}, nil},
		{"both conditions", "PUT", "/companies/7", `{"name":"x"}`, []string{"If-Match", "If-None-Match"}, []header{ifMatch(`"1`), ifNoneMatch(`W/1`)}},
		{"removing the name", "PATCH", "/companies/7", `{"name":null,"website":null,"sector":null}`, []string{"name", "website"}, nil},
		{"a patch of the wrong types", "PATCH", "/companies/7", `{"name":{},"tickers":{"0":"A"},"sector":true}`, []string{"name", "tickers", "sector"}, nil},
		{"a patch that is no object", "PATCH", "/companies/7", `"3M"`, []string{"body"}, nil},
		{"a patch of the key", "PATCH", "/companies/7", `{"cik":null}`, []string{"cik"}, nil},
		{"a patch with op and date", "PATCH", "/companies/7", `{"op":"put","date":"2023-04-13"}`, []string{"op", "date"}, nil},
		{"a delete of no key", "DELETE", "/companies/seven?a=b", ``, []string{"cik", "a"}, nil},
		{"a read of no key", "GET", "/companies/123456789012345678901", ``, []string{"cik"}, nil},
		{"a list", "GET", "/companies?limit=0&cursor=%21&sort=name", ``, []string{"sort", "limit", "cursor"}, nil},
		{"a list with doubles", "GET", "/companies?limit=1&limit=2", ``, []string{"limit"}, nil},
		{"a cursor of something else", "GET", "/companies?cursor=eyJhIjoxfQ", ``, []string{"cursor"}, nil},
		{"a query that is none", "GET", "/companies?%zz", ``, []string{"query"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := s.Item(t, "7")
			a := s.send(t, tc.method, tc.target, tc.body, tc.headers...)
			if a.status != http.StatusBadRequest {
				t.Fatalf("%d %s", a.status, a.body)
			}
			if got := problemOf(t, a); !slices.Equal(got, tc.fields) {
				t.Errorf("problems with %q, want %q: %s", got, tc.fields, a.body)
			}
			if !before.Equal(s.Item(t, "7")) {
				t.Errorf("the refused request has written %v", s.Item(t, "7"))
			}
		})
	}
}

func TestLimitsAreReachable(t *testing.T) {
	s := newService(t)
	text := `"` + strings.Repeat(`\u0001`, 1024) + `"`
	ticker := `"` + strings.Repeat("é", 32) + `"`
	body := fmt.Sprintf(`{"name":%[1]s,"sector":%[1]s,"subIndustry":%[1]s,"headquarters":%[1]s,"founded":%[1]s,"dateAdded":%[1]s,"tickers":[%[2]s]}`,
		text, strings.TrimSuffix(strings.Repeat(ticker+",", 50), ","))
	s.want(t, "PUT", "/companies/99999999999999999999", body, 201, with(body, `"cik":"99999999999999999999"`))
}

func TestRefusalsAreProblemDocuments(t *testing.T) {
	s := newService(t)
	s.want(t, "PUT", "/companies/7", whole, 201, with(whole, `"cik":"7"`))
	large := `{"name":"` + strings.Repeat("x", 64<<10) + `"}`
	for _, tc := range []struct {
		name, method, target, body string
		status                     int
		header                     header // that the answer has
		headers                    []header
	}{
		{"an unknown path", "GET", "/company/7", "", 404, header{}, nil},
		{"below a company", "GET", "/companies/7/name", "", 404, header{}, nil},
		{"a path that is not clean", "GET", "/companies//7", "", 404, header{}, nil},
		{"a path with dots", "PUT", "/companies/../companies/7", whole, 404, header{}, nil},
		{"a method that a company lacks", "POST", "/companies/7", "", 405, header{"Allow", "DELETE, GET, HEAD, PATCH, PUT"}, nil},
		{"a method that the list lacks", "DELETE", "/companies", "", 405, header{"Allow", "GET, HEAD"}, nil},
		{"a large put", "PUT", "/companies/7", large, 413, header{}, nil},
		{"a large patch", "PATCH", "/companies/7", large, 413, header{}, nil},
		{"a put of another type", "PUT", "/companies/7", whole, 415, header{"Accept", "application/json"}, []header{contentType("application/x-www-form-urlencoded")}},
		{"a put in another charset", "PUT", "/companies/7", whole, 415, header{"Accept", "application/json"}, []header{contentType("application/json; charset=latin1")}},
		{"a compressed put", "PUT", "/companies/7", whole, 415, header{"Accept-Encoding", "identity"}, []header{{"Content-Encoding", "gzip"}}},
		{"a patch that is plain JSON", "PATCH", "/companies/7", `{}`, 415, header{"Accept-Patch", "application/merge-patch+json"}, []header{contentType("application/json")}},
		{"a patch that is another kind", "PATCH", "/companies/7", `[]`, 415, header{"Accept-Patch", "application/merge-patch+json"}, []header{contentType("application/json-patch+json")}},
		{"a patch that does not say", "PATCH", "/companies/7", `{}`, 415, header{"Accept-Patch", "application/merge-patch+json"}, []header{contentType("")}},
		{"an old version", "PUT", "/companies/7", whole, 412, header{}, []header{ifMatch(`"1"`)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := s.Item(t, "7")
			a := s.send(t, tc.method, tc.target, tc.body, tc.headers...)
			if a.status != tc.status {
				t.Fatalf("%d %s, want %d", a.status, a.body, tc.status)
			}
			problemOf(t, a)
			if got := a.header.Get(tc.header.name); tc.header.name != "" && got != tc.header.value {
				t.Errorf("%s: %q, want %q", tc.header.name, got, tc.header.value)
			}
			if !before.Equal(s.Item(t, "7")) {
				t.Error("the refused request has written")
			}
		})
	}
}

func TestMediaTypesThatAreTaken(t *testing.T) {
	s := newService(t)
	for _, given := range []string{"", "application/json", "application/json; charset=UTF-8", "Application/JSON"} {
		if a := s.send(t, "PUT", "/companies/7", whole, contentType(given)); a.status/100 != 2 {
			t.Errorf("put of %q: %d %s", given, a.status, a.body)
		}
	}
	if a := s.send(t, "PATCH", "/companies/7", `{}`, contentType("application/merge-patch+json;charset=utf-8")); a.status != 200 {
		t.Errorf("patch: %d %s", a.status, a.body)
	}
}
