// Command profile-relay publishes the companies' changes: as a Lambda function
// where Lambda started it, else by following the table's stream itself. The
// environment configures it; see internal/app.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/caarlos0/env/v11"

	"github.com/tributary-dev/tributary/services/profile/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "profile-relay:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	cfg, wrong := app.RelayConfigFrom(env.ToMap(os.Environ()))
	logger := app.NewLogger(os.Stderr, cfg.LogConfig)
	aws, err := app.AWS(ctx, logger)
	if err := errors.Join(wrong, err); err != nil {
		return err
	}
	relay, err := app.NewRelay(cfg, aws, logger)
	if err != nil {
		return err
	}
	if !cfg.UnderLambda() {
		return relay.Run(ctx)
	}
	function, err := relay.Lambda(ctx)
	if err != nil {
		return err
	}
	lambda.StartWithOptions(function, lambda.WithContext(ctx)) // does not return
	return nil
}
