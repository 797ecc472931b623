// Command replicactl is the operator's command line: it makes and inspects what
// manifests declare. "replicactl help" lists its verbs.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
