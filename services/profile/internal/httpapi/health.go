package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// readyTimeout bounds the look at what the service needs.
const readyTimeout = 2 * time.Second

type healthBody struct {
	Status string `json:"status"`
}

// alive answers as long as the process serves requests at all.
func (a *api) alive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, healthBody{Status: "alive"})
}

// isReady answers whether requests can be served, or says what is missing.
func (a *api) isReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := a.ready(ctx); err != nil {
		w.Header().Set("Retry-After", "1")
		writeProblem(w, http.StatusServiceUnavailable, "Not ready: "+strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	writeJSON(w, http.StatusOK, healthBody{Status: "ready"})
}
