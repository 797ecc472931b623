package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Server timeouts: a client that is slower than these is cut off.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
)

// listen listens at the address that a variable gives.
func listen(ctx context.Context, variable, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s %s is in use by another program; stop that one, or set %s to another host:port", variable, addr, variable)
	}
	if err != nil {
		return nil, fmt.Errorf("listen at %s %s: %w", variable, addr, err)
	}
	return listener, nil
}

// server serves a handler until its context ends.
type server struct {
	handler        http.Handler
	logger         *slog.Logger
	requestTimeout time.Duration
	drainTimeout   time.Duration
	// stopping is called when the server begins to stop.
	stopping func()
}

// run serves at the listener, which it closes, until ctx ends or the server
// fails. It then takes in no more requests and waits for those under way, for
// drainTimeout; what is not done by then is cut off.
func (s server) run(ctx context.Context, listener net.Listener) error {
	var unused silent
	httpServer := &http.Server{
		Handler:           s.handler,
		ConnState:         unused.note,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      readTimeout + s.requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	served := make(chan error, 1)
	go func() { served <- httpServer.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve at %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	s.stopping()
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.drainTimeout)
	defer cancel()
	defer time.AfterFunc(silentGrace, unused.close).Stop()
	err := httpServer.Shutdown(draining)
	if err != nil {
		_ = httpServer.Close() // reports what Shutdown reported
		err = fmt.Errorf("stop serving at %s: requests were cut off after %s: %w", listener.Addr(), s.drainTimeout, err)
	}
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve at %s: %w", listener.Addr(), ended))
	}
	return err
}
