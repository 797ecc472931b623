package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/services/profile/internal/company"
)

// MaxBodyBytes is the largest request body; a profile has a few hundred bytes.
const MaxBodyBytes = 64 << 10

// Repository is where the API reads and writes; *dynamo.Repository is one.
// Errors are those of package company.
type Repository interface {
	Company(ctx context.Context, cik string) (company.Company, error)
	Companies(ctx context.Context, limit int, after string) (company.Page, error)
	Put(ctx context.Context, cik string, profile contracts.Item, pre company.Precondition) (c company.Company, created bool, err error)
	Patch(ctx context.Context, cik string, change company.Change, pre company.Precondition) (company.Company, error)
	Delete(ctx context.Context, cik string, pre company.Precondition) error
}

// Config is what a handler is made of.
type Config struct {
	Repository Repository
	// Ready says what is missing for the service to do its work.
	Ready func(context.Context) error
	// Metrics takes the API's metrics and Gatherer is what /metrics shows.
	Metrics  prometheus.Registerer
	Gatherer prometheus.Gatherer
	// Logger takes the requests that end in 5xx, and all of them at debug;
	// never what is in them.
	Logger *slog.Logger
	// RequestTimeout bounds the work on one request; 10 s if zero.
	RequestTimeout time.Duration
}

type api struct {
	companies Repository
	ready     func(context.Context) error
	logger    *slog.Logger
	timeout   time.Duration
	seconds   *prometheus.HistogramVec
	mux       *http.ServeMux
}

// New returns the API's handler. It is safe for concurrent use.
func New(cfg Config) http.Handler {
	a := &api{
		companies: cfg.Repository, ready: cfg.Ready, logger: cfg.Logger, timeout: cfg.RequestTimeout,
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "profile_http_request_duration_seconds",
			Help:    "Time from a request's arrival to the end of its answer, by route and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route", "code"}),
		mux: http.NewServeMux(),
	}
	if a.timeout == 0 {
		a.timeout = 10 * time.Second
	}
	cfg.Metrics.MustRegister(a.seconds)

	a.mux.HandleFunc("PUT /companies/{cik}", a.putCompany)
	a.mux.HandleFunc("PATCH /companies/{cik}", a.patchCompany)
	a.mux.HandleFunc("GET /companies/{cik}", a.getCompany)
	a.mux.HandleFunc("DELETE /companies/{cik}", a.deleteCompany)
	a.mux.HandleFunc("GET /companies", a.getCompanies)
	a.mux.HandleFunc("GET /healthz", a.alive)
	a.mux.HandleFunc("GET /readyz", a.isReady)
	a.mux.Handle("GET /metrics", promhttp.HandlerFor(cfg.Gatherer, promhttp.HandlerOpts{}))
	return a
}

// refuse answers a request that the repository did not serve.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, company.ErrDeleted):
		writeProblem(w, http.StatusNotFound, "The company was deleted.")
	case errors.Is(err, company.ErrNotFound):
		writeProblem(w, http.StatusNotFound, "There is no such company.")
	case errors.Is(err, company.ErrPrecondition):
		writeProblem(w, http.StatusPreconditionFailed, "The company is not, or no longer, what the request's If-Match or If-None-Match says; get it again and decide anew.")
	case errors.Is(err, company.ErrDamaged):
		a.logger.ErrorContext(r.Context(), "stored profile not readable", "route", r.Pattern, "subject", r.PathValue("cik"), "error", err)
		writeProblem(w, http.StatusInternalServerError, "What is stored of this company is no profile: something else than this service wrote it. PUT the whole profile to mend it.")
	case errors.Is(err, context.Canceled):
		// The client has gone, or the service stops: nobody reads the answer.
		writeProblem(w, http.StatusServiceUnavailable, "The request was given up.")
	case errors.Is(err, company.ErrUnavailable):
		a.logger.WarnContext(r.Context(), "request refused for now", "route", r.Pattern, "error", err)
		w.Header().Set("Retry-After", "1")
		writeProblem(w, http.StatusServiceUnavailable, "The database does not take the request at the moment; the same request may succeed later.")
	default:
		a.logger.ErrorContext(r.Context(), "request not served", "route", r.Pattern, "error", err)
		writeProblem(w, http.StatusInternalServerError, "The service has a fault; its log says more.")
	}
}
