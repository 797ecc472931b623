package httpapi_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// request is one drawn request and, later, its answer.
type request struct {
	method, cik, body string
	headers           []header
	answer            answer
}

func (r request) String() string {
	return fmt.Sprintf("%s %s %s %v: %d %s", r.method, r.cik, r.body, r.headers, r.answer.status, r.answer.body)
}

var fields = []string{"sector", "subIndustry", "headquarters", "founded", "dateAdded"}

func drawBody(t *rapid.T, patch bool) string {
	body := map[string]any{}
	if !patch || rapid.Bool().Draw(t, "with name") {
		body["name"] = rapid.SampledFrom([]string{"", "A", "B&B", "Ünï\u0000"}).Draw(t, "name")
	}
	for _, field := range fields {
		switch rapid.IntRange(0, 3).Draw(t, field) {
		case 0:
			body[field] = rapid.StringN(0, 8, 64).Draw(t, "text")
		case 1:
			if patch {
				body[field] = nil
			}
		}
	}
	switch rapid.IntRange(0, 3).Draw(t, "tickers") {
	case 0:
		body["tickers"] = rapid.SliceOfN(rapid.StringMatching(`[A-Z]{1,4}`), 0, 3).Draw(t, "symbols")
	case 1:
		if patch {
			body["tickers"] = nil
		}
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// drawRequest draws a write. Tags are taken from versions seen before.
func drawRequest(t *rapid.T, ciks []string, tags []string) request {
	r := request{
		method: rapid.SampledFrom([]string{"PUT", "PUT", "PATCH", "DELETE"}).Draw(t, "method"),
		cik:    rapid.SampledFrom(ciks).Draw(t, "cik"),
	}
	if r.method != "DELETE" {
		r.body = drawBody(t, r.method == "PATCH")
	}
	tag := func() string { return rapid.SampledFrom(append([]string{"*", `"1"`}, tags...)).Draw(t, "tag") }
	switch rapid.IntRange(0, 5).Draw(t, "condition") {
	case 0:
		r.headers = []header{ifMatch(tag())}
	case 1:
		r.headers = []header{ifNoneMatch(tag())}
	case 2:
		if len(tags) > 0 {
			r.headers = []header{ifMatch(tags[len(tags)-1])}
		}
	}
	return r
}

// model is what the API promises, for one company, without a database.
type model struct {
	state   map[string]any // nil: absent or deleted
	version string         // the last there was, "" for none
}

// tag is the model's ETag.
func (m *model) tag() string { return `"` + m.version + `"` }

// admits says what the conditions of RFC 9110 come to.
func (m *model) admits(headers []header) bool {
	for _, h := range headers {
		var matches bool
		switch {
		case m.state == nil:
		case h.value == "*":
			matches = true
		default:
			matches = h.value == m.tag()
		}
		if matches != (h.name == "If-Match") {
			return false
		}
	}
	return true
}

// apply says which status the request has to have, and changes the model to
// the state it leaves, but for the version.
func (m *model) apply(r request) (status int) {
	if r.method != "PUT" && m.state == nil {
		return 404
	}
	if !m.admits(r.headers) {
		return 412
	}
	switch r.method {
	case "DELETE":
		m.state = nil
		return 204
	case "PUT":
		status = 200
		if m.state == nil {
			status = 201
		}
		m.state = decoded([]byte(r.body))
		return status
	}
	before, err := json.Marshal(m.state)
	if err != nil {
		panic(err)
	}
	after, err := jsonpatch.MergePatch(before, []byte(r.body))
	if err != nil {
		panic(err)
	}
	m.state = decoded(after)
	return 200
}

func decoded(text []byte) map[string]any {
	var state map[string]any
	if err := json.Unmarshal(text, &state); err != nil {
		panic(err) // it was made here
	}
	return state
}

// follow compares a successful answer with the model after its request, and
// takes the version over.
func (m *model) follow(q request) error {
	if q.answer.status != 200 && q.answer.status != 201 {
		return nil
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(q.answer.body), &got); err != nil {
		return fmt.Errorf("%s: %w", q, err)
	}
	version, _ := got["version"].(string)
	if q.answer.header.Get("ETag") != `"`+version+`"` {
		return fmt.Errorf("%s has ETag %s", q, q.answer.header.Get("ETag"))
	}
	delete(got, "version")
	delete(got, "cik")
	if !reflect.DeepEqual(got, m.state) {
		return fmt.Errorf("%s\nwant %v", q, m.state)
	}
	if q.method != "GET" {
		return m.advance(version)
	}
	if m.version != version {
		return fmt.Errorf("%s\nwant version %s", q, m.version)
	}
	return nil
}

// advance takes a version, which has to be above the last.
func (m *model) advance(version string) error {
	now, err := contracts.ParseVersion(version)
	if err != nil {
		return err
	}
	if m.version != "" {
		if last, err := contracts.ParseVersion(m.version); err != nil || now <= last {
			return fmt.Errorf("version %s follows %s", now, m.version)
		}
	}
	m.version = version
	return nil
}

// One client after the other: every answer is what the model says, whatever
// the clock does in between.
func TestWritesAgainstTheModel(t *testing.T) {
	s := newService(t)
	next := 0
	rapid.Check(t, func(r *rapid.T) {
		next += 2
		ciks := []string{fmt.Sprint(next - 1), fmt.Sprint(next)}
		models := map[string]*model{ciks[0]: {}, ciks[1]: {}}
		now := time.Now()
		s.now = func() time.Time { return now }
		var tags []string
		for range rapid.IntRange(1, 25).Draw(r, "requests") {
			now = now.Add(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(time.Hour)).Draw(r, "time passes")))
			q := drawRequest(r, ciks, tags)
			m := models[q.cik]
			want := m.apply(q)
			q.answer = s.send(t, q.method, "/companies/"+q.cik, q.body, q.headers...)
			if q.answer.status != want {
				r.Fatalf("%s\nwant %d; the company was %+v", q, want, m)
			}
			if err := m.follow(q); err != nil {
				r.Fatal(err)
			}
			if want == 204 {
				if err := m.advance(s.Item(t, q.cik)["version"].Text()); err != nil {
					r.Fatalf("%s: %v", q, err)
				}
			}
			if m.version != "" {
				tags = append(tags, m.tag())
			}
			read := request{method: "GET", cik: q.cik}
			read.answer = s.send(t, "GET", "/companies/"+q.cik, "")
			if (m.state != nil) != (read.answer.status == 200) {
				r.Fatalf("%s\nafter %s", read, q)
			}
			if err := m.follow(read); err != nil {
				r.Fatal(err)
			}
		}
	})
}
