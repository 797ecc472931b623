package httpapi_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
)

// What DynamoDB does not take at the moment is answered with 503 and when to
// come again, after the SDK's own retries and within a request's deadline.
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
				for _, r := range []request{
					{method: "PUT", cik: "/7", body: `{"name":"x"}`},
					{method: "PATCH", cik: "/7", body: `{"name":"x"}`},
					{method: "DELETE", cik: "/7"},
					{method: "GET", cik: "/7"},
					{method: "GET"},
				} {
					began := time.Now()
					a := s.send(t, r.method, "/companies"+r.cik, r.body)
					if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
						t.Errorf("%s %s: %d %s", r.method, r.cik, a.status, a.body)
						continue
					}
					problemOf(t, a)
					if took := time.Since(began); took > 11*time.Second {
						t.Errorf("%s %s took %s", r.method, r.cik, took)
					}
				}
				s.Engine.SetFaults(nil)
				s.want(t, "PUT", "/companies/7", `{"name":"x"}`, 201, `{"cik":"7","name":"x"}`)
			})
		})
	}
}

func TestHealth(t *testing.T) {
	s := newService(t)
	s.want(t, "GET", "/healthz", "", 200, `{"status":"alive"}`)
	s.want(t, "GET", "/readyz", "", 200, `{"status":"ready"}`)
	s.ready = errors.New("table companies: gone")
	s.want(t, "GET", "/healthz", "", 200, `{"status":"alive"}`)
	a := s.send(t, "GET", "/readyz", "")
	if problemOf(t, a); a.status != 503 || !strings.Contains(a.body, "table companies: gone") {
		t.Errorf("%d %s", a.status, a.body)
	}
	a = s.send(t, "GET", "/metrics", "")
	if !strings.Contains(a.body, `profile_http_request_duration_seconds_count{code="503",route="GET /readyz"} 1`) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestDamagedCompanyIsNamed(t *testing.T) {
	s := newService(t)
	s.Put(t, contracts.Item{"cik": contracts.String("7"), "name": contracts.Bool(true)})
	s.Put(t, contracts.Item{"cik": contracts.String("8"), "name": contracts.String("Eight")})
	a := s.send(t, "GET", "/companies/7", "")
	if problemOf(t, a); a.status != 500 || !strings.Contains(a.body, "PUT the whole profile") {
		t.Errorf("%d %s", a.status, a.body)
	}
	s.want(t, "GET", "/companies", "", 200, `{"companies":[{"cik":"8","name":"Eight"}],"unreadable":["7"]}`)
}
