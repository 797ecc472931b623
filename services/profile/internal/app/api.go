package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/services/profile/internal/dynamo"
	"github.com/tributary-dev/tributary/services/profile/internal/httpapi"
)

// API is the service's API, ready to run once.
type API struct {
	cfg       Config
	logger    *slog.Logger
	companies *dynamo.Repository
	handler   http.Handler
	stopping  atomic.Bool
}

// NewAPI wires the API. It calls nothing of AWS.
func NewAPI(cfg Config, awsCfg aws.Config, logger *slog.Logger) (*API, error) {
	m, publication, err := declared()
	if err != nil {
		return nil, err
	}
	registry := newRegistry()
	a := &API{
		cfg: cfg, logger: logger.With("service", m.Service),
		companies: dynamo.New(dynamo.Config{Client: dynamodb.NewFromConfig(awsCfg), Publication: publication}),
	}
	a.handler = httpapi.New(httpapi.Config{
		Repository: a.companies, Ready: a.ready, Metrics: registry, Gatherer: registry,
		Logger: a.logger, RequestTimeout: cfg.RequestTimeout,
	})
	return a, nil
}

var errStopping = errors.New("the program is stopping")

// ready says what is missing for the API to do its work.
func (a *API) ready(ctx context.Context) error {
	if a.stopping.Load() {
		return errStopping
	}
	return a.companies.Ready(ctx)
}

// Handler returns the API without a server.
func (a *API) Handler() http.Handler { return a.handler }

// Run listens at the configured address and serves until ctx ends.
func (a *API) Run(ctx context.Context) error {
	listener, err := listen(ctx, "PROFILE_ADDR", a.cfg.Addr)
	if err != nil {
		return err
	}
	return a.Serve(ctx, listener)
}

// Serve serves at the listener, which it closes, until ctx ends.
func (a *API) Serve(ctx context.Context, listener net.Listener) error {
	a.logger.Info("serving", "address", listener.Addr().String())
	err := server{
		handler: a.handler, logger: a.logger,
		requestTimeout: a.cfg.RequestTimeout, drainTimeout: a.cfg.DrainTimeout,
		stopping: func() {
			a.stopping.Store(true)
			a.logger.Info("stopping", "drain", a.cfg.DrainTimeout.String())
		},
	}.run(ctx, listener)
	a.logger.Info("stopped")
	return err
}
