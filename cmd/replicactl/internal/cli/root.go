// Package cli is replicactl's verbs, one file each.
//
// It promises that a verb which changes something prints its plan and acts only
// with --apply, that --json prints one JSON document of a stable form on the
// standard output and nothing else there, also where the verb is interrupted or
// ends with an error, and that the exit code says how it went: 0 done or nothing
// to do, 1 an error, 2 wrong usage, which has no document, 3 drift found.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/progress"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
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

// resumable is an error after which a verb can go on where it was.
type resumable struct {
	err error
	how string
}

func (e *resumable) Error() string { return e.err.Error() + "; " + e.how }
func (e *resumable) Unwrap() error { return e.err }

// resume adds to an error how to go on; nil stays nil. It is what Ctrl-C prints
// too, so it is worth a whole sentence: "run the same command again, it goes on
// where it stopped".
func resume(err error, how string) error {
	if err == nil {
		return nil
	}
	return &resumable{err: err, how: how}
}

// globals are the flags every verb has, and where it prints.
type globals struct {
	manifests []string
	json      bool
	out       io.Writer // results
	screen    bool      // whether out is a terminal
	err       io.Writer // progress and errors
}

// meter starts showing progress on the standard error; its End has to be called.
func (g *globals) meter(name string) *progress.Meter {
	return progress.Start(progress.Config{Out: g.err, Quiet: g.json}, name)
}

// set reads the manifests, in which verbs find their targets.
func (g *globals) set() (*target.Set, error) {
	manifests, err := g.load()
	if err != nil {
		return nil, err
	}
	return target.New(manifests), nil
}

// Run executes one command line and returns the exit code. It prints results
// to stdout, progress and errors to stderr. Where ctx ends, the verb stops in
// order and says how to go on.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	g := &globals{out: stdout, err: stderr}
	return perform(ctx, g, args, verbs(g)...)
}

// perform executes a command line that has these verbs.
func perform(ctx context.Context, g *globals, args []string, verbs ...*cobra.Command) int {
	out := &written{Writer: g.out}
	g.out, g.screen = out, progress.IsTerminal(g.out)
	root := newRoot(g)
	root.AddCommand(verbs...)
	root.SetArgs(args)
	root.SetOut(g.out)
	root.SetErr(g.err)
	strictCompletion(root)
	err := root.ExecuteContext(ctx)
	var usage *usageError
	var unknown *target.Unknown
	if out.failed != nil && (err == nil || errors.Is(err, errDrift) || errors.Is(err, errSaid)) {
		err = fmt.Errorf("write the output: %w; what was done is done, and is not all told", out.failed)
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errDrift):
		return exitDrift
	case errors.Is(err, errSaid):
		return exitError
	case errors.As(err, &usage):
		fmt.Fprintf(g.err, "replicactl: %v\nrun replicactl help for the verbs and flags\n", err)
		return exitUsage
	case errors.As(err, &unknown):
		fmt.Fprintf(g.err, "replicactl: %v\n", err)
		return exitUsage
	default:
		g.complain(ctx, err, out)
		return exitError
	}
}

// strictCompletion has cobra's own verb take a wrong argument for wrong usage.
func strictCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		var shells []string
		for _, shell := range cmd.Commands() {
			shells = append(shells, shell.Name())
			shell.Args = noArguments
		}
		cmd.Args = func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("completion knows no shell %q; it knows %s", args[0], strings.Join(shells, ", "))}
			}
			return nil
		}
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}

// The groups in which help lists the verbs.
const (
	groupBuild = "build"
	groupLook  = "look"
	groupMend  = "mend"
)

func newRoot(g *globals) *cobra.Command {
	root := &cobra.Command{
		Use:   "replicactl",
		Short: "Operate the replication that manifests declare",
		Long: `replicactl operates the replication that manifests declare.

It reaches AWS, or another endpoint, as the AWS SDK's own variables say:
AWS_REGION, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_DYNAMODB, credentials and so on.

A verb that changes something prints its plan and acts only with --apply. Ctrl-C
stops it in order, and it says how to go on; a second one ends it at once.

Exit codes: 0 done or nothing to do, 1 an error, 2 wrong usage, 3 drift found.`,
		SilenceUsage:  true,
		SilenceErrors: true,
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
	root.AddGroup(
		&cobra.Group{ID: groupBuild, Title: "Declare and create:"},
		&cobra.Group{ID: groupLook, Title: "Look:"},
		&cobra.Group{ID: groupMend, Title: "Load and mend:"},
	)
	root.SetCompletionCommandGroupID(groupBuild)
	root.SetHelpCommandGroupID(groupLook)
	return root
}

// verbs are the command line's verbs. Each says in which group help lists it.
func verbs(g *globals) []*cobra.Command {
	return []*cobra.Command{
		newBootstrap(g),
		newLint(g),
		newSubscribe(g),
		newStatus(g),
		newExplain(g),
		newBackfill(g),
		newReplay(g),
		newReconcile(g),
		newDLQ(g),
		newStreamDLQ(g),
	}
}
