// Command package builds what the services are deployed as, without a container
// engine: Lambda deployment packages and OCI images. The README.md beside it
// says what of, and how it is put into a registry.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/tributary-dev/tributary/deploy/package/internal/release"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("package", flag.ContinueOnError)
	root := flags.String("root", ".", "the project's root, which has services/")
	out := flags.String("out", "bin/package", "the directory that is made or replaced")
	architectures := flags.String("arch", "arm64", "the images' architectures, as in arm64,amd64")
	push := flags.String("push", "", "push images to REGISTRY/PREFIX/<program>, signed in as docker login left it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	programs, err := release.Programs(*root, flags.Args())
	if err != nil {
		return err
	}
	listing, err := release.Run(ctx, release.Config{
		Programs: programs, Architectures: strings.Split(*architectures, ","), Out: *out, Push: *push,
		Report: func(step string) { fmt.Fprintln(os.Stderr, step) },
	})
	if err != nil {
		return err
	}
	return listing.Print(os.Stdout)
}
