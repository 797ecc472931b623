package httpapi_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

// What DynamoDB does not take at the moment is answered with 503 and when to
// come again, after the SDK's own retries; nothing else of the service suffers.
func TestUnavailableDatabase(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault localaws.Fault
	}{
		{"throttling", localaws.Fault{Error: localaws.Throttled(localaws.DynamoDB)}},
		{"an outage", localaws.Fault{Error: localaws.Unavailable(localaws.DynamoDB)}},
		{"an answer that never comes", localaws.Fault{DelayBefore: time.Hour}},
		{"a connection that breaks", localaws.Fault{Drop: localaws.DropRequest}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService(t)
				s.Engine.SetFaults(func(localaws.Call) localaws.Fault { return tc.fault })
				for _, request := range []struct{ method, target, body string }{
					{"PUT", "/companies/1/statistics/2024-10-10/MMM", `{"price":"1"}`},
					{"GET", "/companies/1/statistics", ""},
					{"GET", "/sectors/Energy/leaderboard", ""},
					{"PUT", "/watchlists/ann/companies/1", ""},
					{"DELETE", "/watchlists/ann/companies/1", ""},
					{"GET", "/watchlists/ann", ""},
				} {
					began := time.Now()
					response, body := s.call(t, request.method, request.target, request.body)
					if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
						t.Errorf("%s %s: %d %s", request.method, request.target, response.StatusCode, body)
						continue
					}
					problemOf(t, response, body)
					if took := time.Since(began); took > 11*time.Second {
						t.Errorf("%s %s took %s, longer than a request's deadline", request.method, request.target, took)
					}
				}
				s.Engine.SetFaults(nil)
				if response, body := s.call(t, "PUT", "/companies/1/statistics/2024-10-10/MMM", `{}`); response.StatusCode != http.StatusCreated {
					t.Errorf("afterwards: %d %s", response.StatusCode, body)
				}
			})
		})
	}
}
