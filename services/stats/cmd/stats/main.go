// Command stats is the company statistics service: its REST API, and the
// consumer that keeps its copy of the profiles' attributes right. The
// environment configures it; see internal/app.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/caarlos0/env/v11"

	"github.com/tributary-dev/tributary/services/stats/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "stats:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	cfg, wrong := app.ConfigFrom(env.ToMap(os.Environ()))
	logger := app.NewLogger(os.Stderr, cfg)
	aws, err := app.AWS(ctx, cfg, logger)
	if err := errors.Join(wrong, err); err != nil {
		return err
	}
	service, err := app.New(cfg, aws, logger)
	if err != nil {
		return err
	}
	return service.Run(ctx)
}
