package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// unmatched is the route of requests that no route takes.
const unmatched = "none"

// ServeHTTP finds the request's route and serves it with a deadline and a
// limited body. What the mux itself would refuse in plain text is refused with
// a problem document.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	r.Body = http.MaxBytesReader(w, r.Body, MaxBodyBytes) // on the server's own writer, which then closes the connection
	answer := &recorder{ResponseWriter: w, status: http.StatusOK}
	route := a.serve(answer, r)
	a.seconds.WithLabelValues(route, strconv.Itoa(answer.status)).Observe(time.Since(began).Seconds())
	a.logger.DebugContext(r.Context(), "request served",
		"method", r.Method, "route", route, "status", answer.status, "duration", time.Since(began))
}

func (a *api) serve(w http.ResponseWriter, r *http.Request) (route string) {
	if !canonical(r.URL.EscapedPath()) {
		writeProblem(w, http.StatusNotFound, "There is nothing at this path: it has an empty, '.' or '..' segment.")
		return unmatched
	}
	r = shieldSlashes(r)
	if refuser, pattern := a.mux.Handler(r); pattern == "" {
		a.refuseRoute(w, r, refuser)
		return unmatched
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.timeout)
	defer cancel()
	r = r.WithContext(ctx)
	a.mux.ServeHTTP(w, r)
	return r.Pattern
}

// soleSlash stands for a segment that is nothing but an escaped slash, which the
// mux takes for the end of the path: but "/" is a sector and a user like any
// other. It is no UTF-8, so that no other segment that is accepted reads so.
const soleSlash = "\xff/"

// shieldSlashes puts soleSlash in the place of such segments; pathValue gives
// them back.
func shieldSlashes(r *http.Request) *http.Request {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	found := false
	for i, s := range segments {
		if strings.EqualFold(s, "%2F") {
			segments[i], found = "%FF%2F", true
		}
	}
	if !found {
		return r
	}
	raw := strings.Join(segments, "/")
	path, err := url.PathUnescape(raw)
	if err != nil { // the server has unescaped the rest already
		return r
	}
	shielded, target := *r, *r.URL
	target.Path, target.RawPath = path, raw
	shielded.URL = &target
	return &shielded
}

// pathValue returns what a segment of the path says.
func pathValue(r *http.Request, name string) string {
	if value := r.PathValue(name); value != soleSlash {
		return value
	}
	return "/"
}

// canonical reports whether the mux takes the path as it is, where otherwise it
// would redirect to a cleaned one.
func canonical(path string) bool {
	segments := strings.Split(path, "/")
	if segments[0] != "" { // "*", as in OPTIONS *
		return false
	}
	for i, s := range segments[1:] {
		last := i == len(segments)-2
		if s == "." || s == ".." || s == "" && !last {
			return false
		}
	}
	return true
}

// refuseRoute answers a request that has no route as the mux's own refusal
// would: 405 with the methods that there are, or 404.
func (a *api) refuseRoute(w http.ResponseWriter, r *http.Request, refuser http.Handler) {
	refusal := &headersOnly{header: make(http.Header)}
	refuser.ServeHTTP(refusal, r)
	if refusal.status != http.StatusMethodNotAllowed {
		writeProblem(w, http.StatusNotFound, "There is nothing at this path.")
		return
	}
	allowed := refusal.header.Get("Allow")
	w.Header().Set("Allow", allowed)
	writeProblem(w, http.StatusMethodNotAllowed, fmt.Sprintf("This path takes %s.", allowed))
}

func writeTooLarge(w http.ResponseWriter, limit int64) {
	writeProblem(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("The body has more than %d bytes; nothing was written.", limit))
}

// recorder notes the status of an answer on its way.
type recorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (r *recorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the server's own writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// headersOnly takes an answer's status and headers and drops its body.
type headersOnly struct {
	header http.Header
	status int
}

func (h *headersOnly) Header() http.Header { return h.header }

func (h *headersOnly) WriteHeader(status int) { h.status = status }

func (h *headersOnly) Write(b []byte) (int, error) { return len(b), nil }
