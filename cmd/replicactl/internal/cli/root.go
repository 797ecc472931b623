// Package cli is replicactl's verbs, one file each.
//
// It promises that a verb which changes something prints its plan and acts only
// with --apply, that --json prints one JSON document of a stable form on the
// standard output and nothing else there, and that the exit code says how it
// went: 0 done or nothing to do, 1 an error, 2 wrong usage, 3 drift found.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
	exitDrift = 3
)

// usageError is a command line that means nothing.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// errDrift is returned by verbs that compare and found differences, which they
// have printed.
var errDrift = errors.New("drift")

// errSaid is returned by verbs that have printed what is wrong as part of their
// output.
var errSaid = errors.New("said")

// globals are the flags every verb has, and where it prints.
type globals struct {
	manifests []string
	json      bool
	out       io.Writer // results
	err       io.Writer // progress and errors
}

// Run executes one command line and returns the exit code. It prints results
// to stdout, progress and errors to stderr.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	g := &globals{out: stdout, err: stderr}
	root := newRoot(g)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errDrift):
		return exitDrift
	case errors.Is(err, errSaid):
		return exitError
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "replicactl: %v\nrun replicactl help for the verbs and flags\n", err)
		return exitUsage
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(stderr, "replicactl: interrupted; run it again to go on")
		return exitError
	default:
		fmt.Fprintf(stderr, "replicactl: %v\n", err)
		return exitError
	}
}

func newRoot(g *globals) *cobra.Command {
	root := &cobra.Command{
		Use:   "replicactl",
		Short: "Operate the replication that manifests declare",
		Long: `replicactl operates the replication that manifests declare.

It reaches AWS, or another endpoint, as the AWS SDK's own variables say:
AWS_REGION, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_DYNAMODB, credentials and so on.

Exit codes: 0 done or nothing to do, 1 an error, 2 wrong usage, 3 drift found.`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		// Running without a verb shows the help; anything else is a verb that
		// does not exist.
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("there is no verb %q", args[0])}
			}
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	flags := root.PersistentFlags()
	flags.StringArrayVarP(&g.manifests, "manifest", "m", nil, "a manifest, or a directory with manifests; repeatable (default: services/*/replication.yaml, searched upwards from here)")
	flags.BoolVar(&g.json, "json", false, "print one JSON document instead of text")
	root.AddCommand(newBootstrap(g))
	return root
}

// noArguments refuses arguments as wrong usage.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{fmt.Errorf("%s takes no argument, and %q is one", cmd.Name(), args[0])}
	}
	return nil
}
