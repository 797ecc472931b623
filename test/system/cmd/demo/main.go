// Command demo plays real company data through Tributary's services, started
// as separate processes on this machine, checks what they answer, and has
// replicactl compare every copy with its source and mend a damaged one.
// "demo -h" lists its verbs.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/tributary-dev/tributary/test/system/internal/demo"
)

func main() {
	executable, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	ctx, hurry := interruptions()
	os.Exit(demo.Main(ctx, hurry, os.Args[1:], os.Environ(), executable, os.Stdout, os.Stderr))
}

// interruptions returns a context that ends with the first interruption and one
// that ends with the second. A closed terminal or pipe is one too: nobody is to
// find the processes running afterwards.
func interruptions() (ctx, hurry context.Context) {
	ctx, stop := context.WithCancel(context.Background())
	hurry, kill := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	go func() {
		for seen := 0; seen < 2; {
			if <-signals != syscall.SIGPIPE { // a broken pipe comes with every line
				seen++
			}
			stop()
		}
		kill()
	}()
	return ctx, hurry
}
