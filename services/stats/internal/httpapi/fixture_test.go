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

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tributary-dev/tributary/services/stats/internal/dynamo"
	"github.com/tributary-dev/tributary/services/stats/internal/httpapi"
	"github.com/tributary-dev/tributary/services/stats/internal/statstest"
)

// service is the API on tables of its own.
type service struct {
	*statstest.World
	handler http.Handler
	ready   error
}

func newService(t testing.TB) *service {
	t.Helper()
	s := &service{World: statstest.New(t)}
	registry := prometheus.NewRegistry()
	s.handler = httpapi.New(httpapi.Config{
		Store:   dynamo.New(dynamo.Config{Client: s.Database, Copier: s.Applier}),
		Ready:   func(context.Context) error { return s.ready },
		Metrics: registry, Gatherer: registry,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	return s
}

// call sends one request and returns the status and the body as it came.
func (s *service) call(t testing.TB, method, target, body string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Result(), w.Body.String()
}

// want sends one request and compares the answer, as JSON.
func (s *service) want(t testing.TB, method, target, body string, status int, answer string) {
	t.Helper()
	response, got := s.call(t, method, target, body)
	if response.StatusCode != status || canonical(t, got) != canonical(t, answer) {
		t.Errorf("%s %s: %d %s\nwant %d %s", method, target, response.StatusCode, got, status, answer)
	}
}

func canonical(t testing.TB, text string) string {
	t.Helper()
	if text == "" {
		return ""
	}
	var value any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("no JSON: %v: %s", err, text)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// problemOf reads a problem document and checks what all have in common.
func problemOf(t testing.TB, response *http.Response, body string) (fields []string) {
	t.Helper()
	if got := response.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q: %s", got, body)
	}
	var p struct {
		Title, Detail string
		Status        int
		Errors        []struct{ Field, Detail string }
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("no problem document: %v: %s", err, body)
	}
	if p.Status != response.StatusCode || p.Title != http.StatusText(p.Status) || p.Detail == "" {
		t.Errorf("status %d came with the document %s", response.StatusCode, body)
	}
	for _, e := range p.Errors {
		if e.Detail == "" {
			t.Errorf("%s has no detail: %s", e.Field, body)
		}
		fields = append(fields, e.Field)
	}
	return fields
}
