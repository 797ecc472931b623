package app

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// healthTimeout bounds an answer about health.
const healthTimeout = 5 * time.Second

// health serves /healthz, /readyz and /metrics. The relay is ready once what
// it needs is there and it has found a stream to follow.
func (r *Relay) health() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeStatus(w, http.StatusOK, map[string]any{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		switch why := r.waiting.Load(); {
		case r.stopping.Load():
			writeUnready(w, "Not ready: "+errStopping.Error())
		case why != nil:
			writeUnready(w, "Not ready: waiting for AWS: "+strings.ReplaceAll((*why).Error(), "\n", "; "))
		case !r.poller.Following():
			writeUnready(w, "Not ready: the table's stream is not found yet")
		default:
			writeStatus(w, http.StatusOK, map[string]any{"status": "ready"})
		}
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{}))
	return mux
}

func writeUnready(w http.ResponseWriter, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "1")
	writeStatus(w, http.StatusServiceUnavailable, map[string]any{
		"title": http.StatusText(http.StatusServiceUnavailable), "status": http.StatusServiceUnavailable, "detail": detail,
	})
}

func writeStatus(w http.ResponseWriter, status int, body map[string]any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone is no concern of ours
}
