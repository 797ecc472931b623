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
// the service, what is refused with a problem document that says why, and what
// is taken so that it is there afterwards, and is taken again as it is.
func FuzzHandler(f *testing.F) {
	const whole = `{"name":"3M","tickers":["MMM"],"sector":"Industrials","founded":"2001?"}`
	f.Add("PUT", "/companies/7", "application/json", "", "*", whole)
	f.Add("PUT", "/companies/7", "application/json; charset=utf-8", `"1"`, `W/"2"`, `{"name":"x","cik":"7","op":"put","date":"2023-04-13"}`)
	f.Add("PATCH", "/companies/7", "application/merge-patch+json", "*", "", `{"name":"y","sector":null}`)
	f.Add("GET", "/companies?limit=1&cursor=eyJjaWsiOiI3In0", "", "", "", "")
	f.Add("DELETE", "/companies/7", "", `"1", "2"`, "", "")
	f.Add("POST", "/companies/%2F/../x", "text/plain", "", "", "")
	s := newService(f)
	f.Fuzz(func(t *testing.T, method, target, mediaType, match, noneMatch, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://profile.test", strings.NewReader(body))
		if err != nil {
			t.Skip("no method")
		}
		if r.URL, err = url.ParseRequestURI(target); err != nil {
			t.Skip("the server takes no such request")
		}
		r.RequestURI = target
		for name, value := range map[string]string{"Content-Type": mediaType, "If-Match": match, "If-None-Match": noneMatch} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		a := answer{status: w.Code, header: w.Result().Header, body: w.Body.String()}
		switch {
		case a.status >= 500 || a.status >= 300 && a.status < 400 && a.status != http.StatusNotModified:
			t.Fatalf("%s %q: %d %s", method, target, a.status, a.body)
		case a.status >= 400:
			problemOf(t, a)
			return
		case a.status == http.StatusNoContent:
			s.gone(t, r.URL.EscapedPath())
		case method == http.MethodPut || method == http.MethodPatch:
			s.kept(t, r.URL.EscapedPath(), a)
		}
	})
}

// gone checks a company that was deleted.
func (s *service) gone(t *testing.T, path string) {
	if a := s.send(t, http.MethodGet, path, ""); a.status != http.StatusNotFound {
		t.Errorf("deleted, and then %d %s", a.status, a.body)
	}
}

// kept checks that a company that was written reads as the answer said, and
// that what it reads as can be written.
func (s *service) kept(t *testing.T, path string, written answer) {
	read := s.send(t, http.MethodGet, path, "")
	if read.status != http.StatusOK || read.body != written.body || read.header.Get("ETag") != written.header.Get("ETag") {
		t.Fatalf("written as %s, read as %d %s", written.body, read.status, read.body)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(read.body), &fields); err != nil {
		t.Fatalf("no JSON: %v: %s", err, read.body)
	}
	delete(fields, "version")
	again, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	s.want(t, http.MethodPut, path, string(again), http.StatusOK, string(again), ifMatch(read.header.Get("ETag")))
}
