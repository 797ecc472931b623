// Command profile is the company profile service's REST API. The environment
// configures it; see internal/app.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/caarlos0/env/v11"

	"github.com/tributary-dev/tributary/services/profile/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	cfg, wrong := app.ConfigFrom(env.ToMap(os.Environ()))
	logger := app.NewLogger(os.Stderr, cfg.LogConfig)
	aws, err := app.AWS(ctx, logger)
	if err := errors.Join(wrong, err); err != nil {
		return err
	}
	api, err := app.NewAPI(cfg, aws, logger)
	if err != nil {
		return err
	}
	return api.Run(ctx)
}
