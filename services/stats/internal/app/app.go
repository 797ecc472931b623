package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/services/stats"
	"github.com/tributary-dev/tributary/services/stats/internal/dynamo"
	"github.com/tributary-dev/tributary/services/stats/internal/httpapi"
	"github.com/tributary-dev/tributary/services/stats/internal/profileview"
)

// Server timeouts: a client that is slower than these is cut off.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
)

// App is the service, ready to run once.
type App struct {
	cfg      Config
	logger   *slog.Logger
	store    *dynamo.Store
	view     *profileview.View
	handler  http.Handler
	stopping atomic.Bool
}

// NewLogger returns the service's logger.
func NewLogger(w io.Writer, cfg Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// New wires the service. It calls nothing of AWS.
func New(cfg Config, awsCfg aws.Config, logger *slog.Logger) (*App, error) {
	m, err := manifest.Parse(manifest.FileName, stats.Manifest)
	if err != nil {
		return nil, err
	}
	logger = logger.With("service", m.Service)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	database := dynamodb.NewFromConfig(awsCfg)
	view, err := profileview.New(profileview.Config{
		Manifest: m, Database: database, Queues: sqs.NewFromConfig(awsCfg),
		MaxInFlight: cfg.MaxInFlight, Receivers: cfg.Receivers, DrainTimeout: cfg.DrainTimeout,
		Metrics: registry, Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	a := &App{
		cfg: cfg, logger: logger, view: view,
		store: dynamo.New(dynamo.Config{Client: database, Copier: view}),
	}
	a.handler = httpapi.New(httpapi.Config{
		Store: a.store, Ready: a.ready, Metrics: registry, Gatherer: registry,
		Logger: logger, RequestTimeout: cfg.RequestTimeout,
	})
	return a, nil
}

// ready says what is missing for the service to do its work.
func (a *App) ready(ctx context.Context) error {
	if a.stopping.Load() {
		return errors.New("the service is stopping")
	}
	return errors.Join(a.store.Ready(ctx), a.view.Ready())
}

// Handler returns the API without a server.
func (a *App) Handler() http.Handler { return a.handler }

// Run listens at the configured address and serves until ctx ends.
func (a *App) Run(ctx context.Context) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", a.cfg.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("STATS_ADDR %s is in use: stop what listens there, or set STATS_ADDR to another host:port", a.cfg.Addr)
	}
	if err != nil {
		return fmt.Errorf("listen at STATS_ADDR %s: %w", a.cfg.Addr, err)
	}
	return a.Serve(ctx, listener)
}

// Serve serves the API at the listener, which it closes, and consumes changes
// until ctx ends or the server fails. It then stops the API, lets requests
// finish for DrainTimeout, and after that stops the consumer in the same way.
func (a *App) Serve(ctx context.Context, listener net.Listener) error {
	var unused silent
	server := &http.Server{
		Handler:           a.handler,
		ConnState:         unused.note,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      readTimeout + a.cfg.RequestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(a.logger.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	consuming, stopConsumer := context.WithCancel(context.WithoutCancel(ctx))
	defer stopConsumer()
	consumed := make(chan error, 1)
	go func() { consumed <- a.view.Run(consuming) }()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	a.logger.Info("serving", "address", listener.Addr().String(), "queue", a.view.Queue())

	var failures []error
	serving, running := true, true
	select {
	case <-ctx.Done():
	case err := <-served:
		serving = false
		failures = append(failures, fmt.Errorf("serve the API: %w", err))
	case err := <-consumed:
		running = false
		failures = append(failures, errors.Join(errors.New("consume changes: it ended by itself"), err))
	}
	a.stopping.Store(true)
	a.logger.Info("stopping", "drain", a.cfg.DrainTimeout.String())
	failures = append(failures, a.stopServer(ctx, server, &unused))
	if serving {
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			failures = append(failures, fmt.Errorf("serve the API: %w", err))
		}
	}
	stopConsumer()
	if running {
		if err := <-consumed; err != nil {
			failures = append(failures, fmt.Errorf("stop the consumer: %w", err))
		}
	}
	a.logger.Info("stopped")
	return errors.Join(failures...)
}

// stopServer takes in no more requests and waits for those under way; what is
// not done by then is cut off.
func (a *App) stopServer(ctx context.Context, server *http.Server, unused *silent) error {
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.DrainTimeout)
	defer cancel()
	defer time.AfterFunc(silentGrace, unused.close).Stop()
	if err := server.Shutdown(draining); err != nil {
		_ = server.Close() // reports what Shutdown reported
		return fmt.Errorf("stop the API: requests were cut off after %s: %w", a.cfg.DrainTimeout, err)
	}
	return nil
}
