// Command localaws serves DynamoDB, DynamoDB Streams, SNS and SQS on one
// loopback port, for development and demonstrations. Everything is in memory.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr *os.File) int {
	options, code := parse(args, stderr)
	if options == nil {
		return code
	}
	if err := serve(ctx, *options, stdout); err != nil {
		fmt.Fprintln(stderr, "localaws:", err)
		return 1
	}
	return 0
}
