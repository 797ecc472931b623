package httpapi_test

import (
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// Every condition on every method, for a company at a known version. In the
// tags, V stands for the company's version.
func TestConditions(t *testing.T) {
	const none = 0 // the status of a request without a condition
	for _, tc := range []struct {
		name           string
		headers        []header
		get, put, gone int // status of GET and of PUT, DELETE and PATCH; of PUT where it is absent
	}{
		{"none", nil, none, none, none},
		{"the version", []header{ifMatch(`"V"`)}, none, none, 412},
		{"a list with it", []header{ifMatch(`"1" , ,W/"9",	"V"`)}, none, none, 412},
		{"a list over two lines", []header{ifMatch(`"1"`), ifMatch(`"V"`)}, none, none, 412},
		{"another version", []header{ifMatch(`"1"`)}, 412, 412, 412},
		{"a weak tag, which is never the same", []header{ifMatch(`W/"V"`)}, 412, 412, 412},
		{"a tag that begins like it", []header{ifMatch(`"V0"`)}, 412, 412, 412},
		{"a tag that is no version", []header{ifMatch(`"0"`)}, 412, 412, 412},
		{"any version", []header{ifMatch(`*`)}, none, none, 412},
		{"none at all", []header{ifNoneMatch(`*`)}, 304, 412, none},
		{"not this version", []header{ifNoneMatch(`"V"`)}, 304, 412, none},
		{"not this version, weakly", []header{ifNoneMatch(`"1", W/"V"`)}, 304, 412, none},
		{"not another version", []header{ifNoneMatch(`"1","2"`)}, none, none, none},
		{"this and not another", []header{ifMatch(`"V"`), ifNoneMatch(`"1"`)}, none, none, 412},
		{"this and not this", []header{ifMatch(`"V"`), ifNoneMatch(`"V"`)}, 304, 412, 412},
		{"another and not this", []header{ifMatch(`"1"`), ifNoneMatch(`"V"`)}, 412, 412, 412},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE"} {
				s := newService(t)
				version := s.want(t, "PUT", "/companies/7", `{"name":"x"}`, 201, `{"cik":"7","name":"x"}`).version(t)
				var headers []header
				for _, h := range tc.headers {
					headers = append(headers, header{h.name, strings.ReplaceAll(h.value, "V", version)})
				}
				before := s.Item(t, "7")
				a := s.send(t, method, "/companies/7", `{"name":"y"}`, headers...)
				want, fine := tc.put, 200
				switch method {
				case "GET", "HEAD":
					want = tc.get
				case "DELETE":
					fine = 204
				}
				if want == none {
					want = fine
				}
				if a.status != want {
					t.Errorf("%s: %d %s, want %d", method, a.status, a.body, want)
				}
				if want == 304 && (a.body != "" || a.header.Get("ETag") != `"`+version+`"`) {
					t.Errorf("%s: 304 with body %q and ETag %s", method, a.body, a.header.Get("ETag"))
				}
				if want > 299 && !before.Equal(s.Item(t, "7")) {
					t.Errorf("%s: the refused request has written", method)
				}

				want = tc.gone
				switch {
				case method != "PUT":
					want = 404 // with or without a condition
				case want == none:
					want = 201
				}
				if a := s.send(t, method, "/companies/8", `{"name":"y"}`, headers...); a.status != want {
					t.Errorf("%s of an absent company: %d %s, want %d", method, a.status, a.body, want)
				}
			}
		})
	}
}

// What something else wrote without a version has no validator: "*" alone
// means it.
func TestConditionsWithoutAVersion(t *testing.T) {
	s := newService(t)
	s.Put(t, contracts.Item{"cik": contracts.String("7"), "name": contracts.String("x")})
	if a := s.want(t, "GET", "/companies/7", "", 200, `{"cik":"7","name":"x"}`, ifNoneMatch(`"0"`)); a.version(t) != "" || a.header.Get("ETag") != "" {
		t.Errorf("version %q, ETag %q", a.version(t), a.header.Get("ETag"))
	}
	s.want(t, "GET", "/companies/7", "", 200, `{"cik":"7","name":"x"}`, ifMatch(`*`))
	for _, tags := range []string{`"0"`, `""`} {
		if a := s.send(t, "PUT", "/companies/7", `{"name":"y"}`, ifMatch(tags)); a.status != 412 {
			t.Errorf("If-Match %s: %d", tags, a.status)
		}
	}
	if a := s.send(t, "PUT", "/companies/7", `{"name":"y"}`, ifNoneMatch(`*`)); a.status != 412 {
		t.Errorf("If-None-Match *: %d", a.status)
	}
	s.want(t, "PUT", "/companies/7", `{"name":"y"}`, 200, `{"cik":"7","name":"y"}`, ifMatch(`*`))
}
