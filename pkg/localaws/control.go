package localaws

import (
	"encoding/json"
	"net/http"
	"net/netip"
)

// controlPath is where the engine's own controls live, beside AWS's protocols.
const controlPath = "/_localaws/"

// newControl makes the handler of the controls:
//
//	GET    /_localaws/health    200 and the region and account
//	GET    /_localaws/requests  counts by operation, {"sqs.ReceiveMessage": 3}
//	DELETE /_localaws/requests  sets them to zero
//	POST   /_localaws/tables/{table}/split-shards
//	POST   /_localaws/tables/{table}/rotate-shards
//	POST   /_localaws/tables/{table}/trim-stream
//	POST   /_localaws/sweep-ttl deletes expired items: {"deleted": 2}
//
// They answer to loopback clients alone, and never to a page in a browser.
func (e *Engine) newControl() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+controlPath+"health", func(w http.ResponseWriter, _ *http.Request) {
		writeControl(w, map[string]string{"status": "ok", "region": e.cfg.Region, "account": e.cfg.AccountID})
	})
	mux.HandleFunc("GET "+controlPath+"requests", func(w http.ResponseWriter, _ *http.Request) {
		counts := map[string]int64{}
		for operation, count := range e.Requests() {
			counts[operation.String()] = count
		}
		writeControl(w, counts)
	})
	mux.HandleFunc("DELETE "+controlPath+"requests", func(w http.ResponseWriter, _ *http.Request) {
		e.ResetRequests()
		w.WriteHeader(http.StatusNoContent)
	})
	for name, act := range map[string]func(table string) error{
		"split-shards":  e.dynamodb.SplitShards,
		"rotate-shards": e.dynamodb.RotateShards,
		"trim-stream":   e.dynamodb.TrimStream,
	} {
		mux.HandleFunc("POST "+controlPath+"tables/{table}/"+name, func(w http.ResponseWriter, r *http.Request) {
			if err := act(r.PathValue("table")); err != nil {
				http.Error(w, err.Error(), http.StatusNotFound)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		})
	}
	mux.HandleFunc("POST "+controlPath+"sweep-ttl", func(w http.ResponseWriter, r *http.Request) {
		deleted, err := e.dynamodb.SweepTTL(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		writeControl(w, map[string]int{"deleted": deleted})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !client.Addr().Unmap().IsLoopback() || r.Header.Get("Origin") != "" {
			http.Error(w, "localaws's controls answer to programs on this machine only", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func writeControl(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	// A client that is gone does not read its answer; nothing is left to do.
	_ = json.NewEncoder(w).Encode(value)
}
