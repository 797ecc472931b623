package httpapi_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/services/profile/internal/httpapi"
)

// allocated is how many bytes one call takes from the heap, those it gives back
// included. Nothing else may run beside it.
func allocated(call func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// endless is a body that never ends, and whose length nobody announced.
type endless struct {
	part string
	read int
}

func (e *endless) Read(into []byte) (int, error) {
	n := copy(into, strings.Repeat(e.part, len(into)/len(e.part)+1))
	e.read += n
	return n, nil
}

// Whatever is sent, the service says what is wrong with it in a short answer,
// and neither the request nor the answer takes more memory than a multiple of
// the largest body.
func TestAHostileRequestCostsBoundedMemory(t *testing.T) {
	const (
		mostBytes   = 160 * httpapi.MaxBodyBytes // a JSON element of two bytes becomes a value of about a hundred, and grows to it
		mostAnswer  = 64 << 10
		beyondLimit = 10 << 20
	)
	full := func(head, part, tail string) string {
		return head + strings.Repeat(part, (httpapi.MaxBodyBytes-len(head)-len(tail))/len(part)) + tail
	}
	const path = "/companies/7"
	for name, tc := range map[string]struct {
		method, target string
		body           io.Reader
		header         header
		status         int
	}{
		"ten MiB of text":                 {"PUT", path, strings.NewReader(`{"name":"` + strings.Repeat("a", beyondLimit) + `"}`), header{}, 413},
		"ten MiB of brackets":             {"PATCH", path, strings.NewReader(strings.Repeat("[", beyondLimit)), header{}, 413},
		"an endless body":                 {"PUT", path, &endless{part: `{"name":`}, header{}, 413},
		"an endless patch":                {"PATCH", path, &endless{part: " "}, header{}, 413},
		"lists in lists":                  {"PUT", path, strings.NewReader(full(`{"name":`, "[", "}")), header{}, 400},
		"lists in lists that close":       {"PUT", path, strings.NewReader(`{"name":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`), header{}, 400},
		"objects in objects":              {"PATCH", path, strings.NewReader(full(`{"name":`, `{"a":`, "}")), header{}, 400},
		"a huge number":                   {"PUT", path, strings.NewReader(full(`{"name":`, "9", "}")), header{}, 400},
		"a huge exponent":                 {"PUT", path, strings.NewReader(full(`{"name":1e`, "9", "}")), header{}, 400},
		"the same field":                  {"PUT", path, strings.NewReader(full(`{`, `"name":"",`, `"name":""}`)), header{}, 400},
		"unknown fields":                  {"PATCH", path, strings.NewReader(full(`{`, `"a":1,`, `"b":1}`)), header{}, 400},
		"one unknown field":               {"PATCH", path, strings.NewReader(full(`{"`, `a`, `":1}`)), header{}, 400},
		"tiny elements":                   {"PUT", path, strings.NewReader(full(`{"name":"x","tickers":[`, `"",`, `""]}`)), header{}, 400},
		"elements of another type":        {"PUT", path, strings.NewReader(full(`{"name":"x","tickers":[`, `1,`, `1]}`)), header{}, 400},
		"one long name":                   {"PUT", path, strings.NewReader(full(`{"name":"`, "a", `"}`)), header{}, 400},
		"escapes":                         {"PUT", path, strings.NewReader(full(`{"name":"`, `\u0000`, `"}`)), header{}, 400},
		"halves of characters":            {"PUT", path, strings.NewReader(full(`{"name":"`, `\ud800`, `"}`)), header{}, 400},
		"entity tags":                     {"GET", path, nil, ifNoneMatch(strings.Repeat(`"1",`, 1<<18)), 400},
		"entity tags that are none":       {"PUT", path, strings.NewReader(`{"name":"x"}`), ifMatch(strings.Repeat(`"1" `, 1<<18)), 400},
		"a media type of many parameters": {"PUT", path, strings.NewReader(`{}`), contentType("application/json" + strings.Repeat(";a=b", 1<<18)), 400},
		"parameters":                      {"GET", path + "?" + strings.Repeat("a&", 5000), nil, header{}, 400},
		"ever new parameters":             {"GET", "/companies?" + numbered(9000), nil, header{}, 400},
		"more parameters than there may":  {"GET", "/companies?" + numbered(100_000), nil, header{}, 400},
		"a long limit":                    {"GET", "/companies?limit=" + strings.Repeat("9", 1<<20), nil, header{}, 400},
		"a long cursor":                   {"GET", "/companies?cursor=" + strings.Repeat("W1tb", 1<<18), nil, header{}, 400},
		"a long subject":                  {"GET", "/companies/" + strings.Repeat("7", 1<<20), nil, header{}, 400},
		"a long path":                     {"GET", strings.Repeat("/a", 1<<19), nil, header{}, 404},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			r := httptest.NewRequestWithContext(t.Context(), tc.method, tc.target, tc.body)
			if tc.method == http.MethodPatch {
				r.Header.Set("Content-Type", "application/merge-patch+json")
			}
			if tc.header.name != "" {
				r.Header.Set(tc.header.name, tc.header.value)
			}
			w := httptest.NewRecorder()
			w.Body = bytes.NewBuffer(make([]byte, 0, 2*mostAnswer))
			used := allocated(func() { s.handler.ServeHTTP(w, r) })
			if atMost := uint64(mostBytes + 8*len(tc.target) + 8*len(tc.header.value)); used > atMost {
				t.Errorf("%d bytes are allocated, more than %d", used, atMost)
			}
			if w.Code != tc.status || w.Body.Len() > mostAnswer {
				t.Errorf("status %d, want %d, with %d bytes: %.300s", w.Code, tc.status, w.Body.Len(), w.Body)
			}
			problemOf(t, answer{status: w.Code, header: w.Result().Header, body: w.Body.String()})
			if e, ok := tc.body.(*endless); ok && e.read > 2*httpapi.MaxBodyBytes {
				t.Errorf("%d bytes are read of a body that may have %d", e.read, httpapi.MaxBodyBytes)
			}
		})
	}
}

// numbered is a query of as many parameters, each another one.
func numbered(count int) string {
	var b strings.Builder
	for i := range count {
		b.WriteString(strings.Repeat("a", i%7))
		b.WriteString(string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + string(rune('a'+i/17576%26)))
		b.WriteByte('&')
	}
	return b.String()
}
