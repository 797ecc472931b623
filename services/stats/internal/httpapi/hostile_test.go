package httpapi_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/services/stats/internal/httpapi"
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
		mostBytes   = 160 * httpapi.MaxBodyBytes // a field of six bytes becomes one of about a hundred, and grows to it
		mostAnswer  = 64 << 10
		beyondLimit = 10 << 20
	)
	full := func(head, part, tail string) string {
		return head + strings.Repeat(part, (httpapi.MaxBodyBytes-len(head)-len(tail))/len(part)) + tail
	}
	query := func(parameters int) string {
		var b strings.Builder
		for i := range parameters {
			fmt.Fprintf(&b, "p%x&", i)
		}
		return b.String()
	}
	const path = "/companies/7/statistics/2024-10-10/MMM"
	for name, tc := range map[string]struct {
		method, target string
		body           io.Reader
		status         int
	}{
		"ten MiB of text":                {"PUT", path, strings.NewReader(`{"price":"` + strings.Repeat("9", beyondLimit) + `"}`), 413},
		"ten MiB of brackets":            {"PUT", path, strings.NewReader(strings.Repeat("[", beyondLimit)), 413},
		"an endless body":                {"PUT", path, &endless{part: `{"price":`}, 413},
		"lists in lists":                 {"PUT", path, strings.NewReader(full(`{"price":`, "[", "}")), 400},
		"lists in lists that close":      {"PUT", path, strings.NewReader(`{"price":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`), 400},
		"objects in objects":             {"PUT", path, strings.NewReader(full(`{"price":`, `{"a":`, "}")), 400},
		"a huge number":                  {"PUT", path, strings.NewReader(full(`{"price":`, "9", "}")), 400},
		"a huge decimal":                 {"PUT", path, strings.NewReader(full(`{"price":"`, "9", `"}`)), 400},
		"a huge exponent":                {"PUT", path, strings.NewReader(`{"price":"1e999999999","ebitda":"1e-999999999","marketCap":"0e99999999999"}`), 400},
		"the same field":                 {"PUT", path, strings.NewReader(full(`{`, `"price":"1",`, `"price":"1"}`)), 400},
		"unknown fields":                 {"PUT", path, strings.NewReader(full(`{`, `"a":1,`, `"b":1}`)), 400},
		"one unknown field":              {"PUT", path, strings.NewReader(full(`{"`, `a`, `":1}`)), 400},
		"tiny elements":                  {"PUT", path, strings.NewReader(full(`{"price":[`, `1,`, `1]}`)), 400},
		"escapes":                        {"PUT", path, strings.NewReader(full(`{"price":"`, `\u0000`, `"}`)), 400},
		"ever new parameters":            {"GET", "/companies/7/statistics?" + query(9000), nil, 400},
		"more parameters than there may": {"GET", "/watchlists/u?" + query(100_000), nil, 400},
		"a long limit":                   {"GET", "/watchlists/u?limit=" + strings.Repeat("9", 1<<20), nil, 400},
		"a long cursor":                  {"GET", "/watchlists/u?cursor=" + strings.Repeat("W1tb", 1<<18), nil, 400},
		"a cursor of a huge rank":        {"GET", "/sectors/s/leaderboard?cursor=eyJzZWN0b3IiOiJzIiwicmFuayI6MWUzMDAsImNpayI6IjcifQ", nil, 400},
		"a long sector":                  {"GET", "/sectors/" + strings.Repeat("a", 1<<20) + "/leaderboard", nil, 400},
		"a long user":                    {"PUT", "/watchlists/" + strings.Repeat("a", 1<<20) + "/companies/7", nil, 400},
		"a long company":                 {"GET", "/companies/" + strings.Repeat("7", 1<<20) + "/statistics", nil, 400},
		"a long path":                    {"GET", strings.Repeat("/%2F", 1<<18), nil, 404},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			r := httptest.NewRequestWithContext(t.Context(), tc.method, tc.target, tc.body)
			w := httptest.NewRecorder()
			w.Body = bytes.NewBuffer(make([]byte, 0, 2*mostAnswer))
			used := allocated(func() { s.handler.ServeHTTP(w, r) })
			if atMost := uint64(mostBytes + 16*len(tc.target)); used > atMost {
				t.Errorf("%d bytes are allocated, more than %d", used, atMost)
			}
			if w.Code != tc.status || w.Body.Len() > mostAnswer {
				t.Errorf("status %d, want %d, with %d bytes: %.300s", w.Code, tc.status, w.Body.Len(), w.Body)
			}
			problemOf(t, w.Result(), w.Body.String())
			if e, ok := tc.body.(*endless); ok && e.read > 2*httpapi.MaxBodyBytes {
				t.Errorf("%d bytes are read of a body that may have %d", e.read, httpapi.MaxBodyBytes)
			}
		})
	}
}
