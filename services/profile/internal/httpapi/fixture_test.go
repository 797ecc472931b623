package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tributary-dev/tributary/services/profile/internal/dynamo"
	"github.com/tributary-dev/tributary/services/profile/internal/httpapi"
	"github.com/tributary-dev/tributary/services/profile/internal/profiletest"
)

// service is the API on a table of its own.
type service struct {
	*profiletest.World
	handler  http.Handler
	registry *prometheus.Registry
	ready    error
	now      func() time.Time
}

func newService(t testing.TB) *service {
	t.Helper()
	s := &service{World: profiletest.New(t), registry: prometheus.NewRegistry(), now: time.Now}
	s.handler = httpapi.New(httpapi.Config{
		Repository: dynamo.New(dynamo.Config{
			Client: s.Database, Publication: s.Publication, Now: func() time.Time { return s.now() },
		}),
		Ready:   func(context.Context) error { return s.ready },
		Metrics: s.registry, Gatherer: s.registry,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	return s
}

// header is one header of a request.
type header struct{ name, value string }

func ifMatch(tags string) header      { return header{"If-Match", tags} }
func ifNoneMatch(tags string) header  { return header{"If-None-Match", tags} }
func contentType(value string) header { return header{"Content-Type", value} }

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// version is the answer's version, "" if it has none.
func (a answer) version(t testing.TB) string {
	t.Helper()
	var body struct{ Version string }
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		t.Fatalf("no JSON: %v: %s", err, a.body)
	}
	return body.Version
}

// send sends one request. PATCH says what its body is, unless a header does.
func (s *service) send(t testing.TB, method, target, body string, headers ...header) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if method == http.MethodPatch {
		r.Header.Set("Content-Type", "application/merge-patch+json")
	}
	set := map[string]bool{}
	for _, h := range headers {
		if !set[h.name] {
			r.Header.Del(h.name)
		}
		set[h.name] = true
		r.Header.Add(h.name, h.value)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return answer{status: w.Code, header: w.Result().Header, body: w.Body.String()}
}

// want sends one request and compares status and body, the version left aside.
func (s *service) want(t testing.TB, method, target, body string, status int, wanted string, headers ...header) answer {
	t.Helper()
	a := s.send(t, method, target, body, headers...)
	if a.status != status || canonical(t, a.body) != canonical(t, wanted) {
		t.Errorf("%s %s %s: %d %s\nwant %d %s", method, target, body, a.status, a.body, status, wanted)
	}
	return a
}

// canonical is a JSON text without version, its fields in order.
func canonical(t testing.TB, text string) string {
	t.Helper()
	if text == "" {
		return ""
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("no JSON: %v: %s", err, text)
	}
	if object, ok := value.(map[string]any); ok {
		delete(object, "version")
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// problemOf reads a problem document, checks what all have in common, and
// returns the fields it names.
func problemOf(t testing.TB, a answer) (fields []string) {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q: %s", got, a.body)
	}
	var p struct {
		Title, Detail string
		Status        int
		Errors        []struct{ Field, Detail string }
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("no problem document: %v: %s", err, a.body)
	}
	if p.Status != a.status || p.Title != http.StatusText(p.Status) || p.Detail == "" {
		t.Errorf("status %d came with the document %s", a.status, a.body)
	}
	for _, e := range p.Errors {
		if e.Detail == "" {
			t.Errorf("%s has no detail: %s", e.Field, a.body)
		}
		fields = append(fields, e.Field)
	}
	return fields
}
