package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
	"github.com/tributary-dev/tributary/services/stats/internal/dynamo"
)

// MaxBodyBytes is the largest request body; a row has a few hundred bytes.
const MaxBodyBytes = 64 << 10

// Store is where the API reads and writes; *dynamo.Store is one. Errors are
// those of package company.
type Store interface {
	PutRow(ctx context.Context, row company.Row) (created bool, err error)
	Company(ctx context.Context, cik string) (company.Company, error)
	Leaderboard(ctx context.Context, sector string, limit int, after *dynamo.Place) ([]company.Company, bool, error)
	Watch(ctx context.Context, user, cik string) (entry company.Watched, created bool, err error)
	Unwatch(ctx context.Context, user, cik string) error
	Watchlist(ctx context.Context, user string, limit int, after string) ([]company.Watched, bool, error)
}

// Config is what a handler is made of.
type Config struct {
	Store Store
	// Ready says what is missing for the service to do its work.
	Ready func(context.Context) error
	// Metrics takes the API's metrics and Gatherer is what /metrics shows.
	Metrics  prometheus.Registerer
	Gatherer prometheus.Gatherer
	// Logger takes the requests that end in 5xx, and all of them at debug.
	Logger *slog.Logger
	// RequestTimeout bounds the work on one request; 10 s if zero.
	RequestTimeout time.Duration
}

type api struct {
	store   Store
	ready   func(context.Context) error
	logger  *slog.Logger
	timeout time.Duration
	seconds *prometheus.HistogramVec
	mux     *http.ServeMux
}

// New returns the API's handler. It is safe for concurrent use.
func New(cfg Config) http.Handler {
	a := &api{
		store: cfg.Store, ready: cfg.Ready, logger: cfg.Logger, timeout: cfg.RequestTimeout,
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "stats_http_request_duration_seconds",
			Help:    "Time from a request's arrival to the end of its answer, by route and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route", "code"}),
		mux: http.NewServeMux(),
	}
	if a.timeout == 0 {
		a.timeout = 10 * time.Second
	}
	cfg.Metrics.MustRegister(a.seconds)

	a.mux.HandleFunc("PUT /companies/{cik}/statistics/{date}/{ticker}", a.putRow)
	a.mux.HandleFunc("GET /companies/{cik}/statistics", a.getCompany)
	a.mux.HandleFunc("GET /sectors/{sector}/leaderboard", a.getLeaderboard)
	a.mux.HandleFunc("PUT /watchlists/{user}/companies/{cik}", a.putWatched)
	a.mux.HandleFunc("DELETE /watchlists/{user}/companies/{cik}", a.deleteWatched)
	a.mux.HandleFunc("GET /watchlists/{user}", a.getWatchlist)
	a.mux.HandleFunc("GET /healthz", a.alive)
	a.mux.HandleFunc("GET /readyz", a.isReady)
	a.mux.Handle("GET /metrics", promhttp.HandlerFor(cfg.Gatherer, promhttp.HandlerOpts{}))
	return a
}

// refuse answers a request that the store could not serve.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, company.ErrNotFound):
		writeProblem(w, http.StatusNotFound, "There is neither a profile nor a statistic of this company.")
	case errors.Is(err, context.Canceled):
		// The client has gone, or the service stops: nobody reads the answer.
		writeProblem(w, http.StatusServiceUnavailable, "The request was given up.")
	case errors.Is(err, company.ErrUnavailable):
		a.logger.WarnContext(r.Context(), "request refused for now", "route", r.Pattern, "error", err)
		w.Header().Set("Retry-After", "1")
		writeProblem(w, http.StatusServiceUnavailable, "The database does not take the request at the moment; the same request may succeed later, and completes what this one may have begun.")
	default:
		a.logger.ErrorContext(r.Context(), "request not served", "route", r.Pattern, "error", err)
		writeProblem(w, http.StatusInternalServerError, "The service has a fault; its log says more.")
	}
}
