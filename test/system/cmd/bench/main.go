// Command bench measures Tributary against the stock watermill-aws path and a
// bare SDK loop; "bench -h" lists its flags.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/tributary-dev/tributary/test/system/internal/bench"
)

func main() {
	executable, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(bench.Main(ctx, os.Args[1:], executable, os.Stdin, os.Stdout, os.Stderr))
}
