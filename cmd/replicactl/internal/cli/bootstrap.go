package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/bootstrap"
)

func newBootstrap(g *globals) *cobra.Command {
	var apply bool
	cmd := &cobra.Command{
		Use:     "bootstrap",
		GroupID: groupBuild,
		Short:   "Create at the endpoint what the manifests declare",
		Long: `bootstrap brings an endpoint to what the manifests declare: tables with their
indexes, streams and TTL, topics, queues with dead-letter queues and policies,
and subscriptions with their filters. It is for local use and for trying things
out; on AWS Terraform does this from the same manifests.

Without --apply it prints the plan and changes nothing. With it, what is missing
is created and what differs is changed where AWS can do that in place; if
anything has to be refused, nothing is changed. Nothing is ever deleted. Running
it again finds nothing to do.

It does not bring what was published while something was missing: where it makes
a queue, a subscription, a table of copies or an index of theirs in a system that
was there before, a note has the command that does.`,
		Example: `  replicactl bootstrap
  AWS_ENDPOINT_URL=http://127.0.0.1:4566 replicactl bootstrap --apply
  replicactl bootstrap --manifest services/profile --manifest services/stats --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBootstrap(cmd, g, apply) },
	}
	applyFlag(cmd, &apply)
	return cmd
}

func runBootstrap(cmd *cobra.Command, g *globals, apply bool) error {
	ctx := cmd.Context()
	manifests, err := g.load()
	if err != nil {
		return err
	}
	clients, err := open(ctx)
	if err != nil {
		return err
	}
	plan, err := bootstrap.New(bootstrap.Config{
		Clients:  clients,
		Progress: func(line string) { fmt.Fprintln(g.err, line) },
	}).Plan(ctx, manifests)
	if err != nil {
		return fmt.Errorf("bootstrap: %w", err)
	}
	if !g.json {
		printBootstrap(g.out, plan)
	}
	if apply {
		if err := plan.Apply(ctx); err != nil && !errors.Is(err, bootstrap.ErrRefused) {
			err = resume(fmt.Errorf("bootstrap: %w", err), "run it again to go on from here")
			return &partial{err, func(said string) any { return stoppedBootstrap{plan, said} }}
		}
	}
	if g.json {
		if err := printJSON(g.out, plan); err != nil {
			return err
		}
	} else {
		printOutcome(g.out, plan, apply)
	}
	if plan.Count(bootstrap.Refused) > 0 {
		return errSaid
	}
	return nil
}

// stoppedBootstrap is the document of a bootstrap that ended before its time.
type stoppedBootstrap struct {
	*bootstrap.Plan
	Error string `json:"error"`
}

func printBootstrap(out io.Writer, plan *bootstrap.Plan) {
	fmt.Fprintf(out, "%s, DynamoDB at %s, SNS at %s, SQS at %s\n\n", plan.Region, plan.Endpoints["dynamodb"], plan.Endpoints["sns"], plan.Endpoints["sqs"])
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range plan.Steps {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", s.Action, s.Kind, s.Name, s.Summary)
		for _, d := range s.Differences {
			fmt.Fprintf(table, "  \t\t  %s\thas %s, is to have %s\n", d.Field, d.Have, d.Want)
		}
		if s.Reason != "" {
			fmt.Fprintf(table, "  \t\t  why not\t%s\n", s.Reason)
		}
		for _, note := range s.Notes {
			fmt.Fprintf(table, "  \t\t  note\t%s\n", note)
		}
	}
	table.Flush()
	fmt.Fprintln(out)
}

func printOutcome(out io.Writer, plan *bootstrap.Plan, apply bool) {
	create, update, unchanged := plan.Count(bootstrap.Create), plan.Count(bootstrap.Update), plan.Count(bootstrap.Unchanged)
	switch refused := plan.Count(bootstrap.Refused); {
	case refused > 0:
		fmt.Fprintf(out, "%d to create, %d to update, %d unchanged, %d refused: nothing was changed\n", create, update, unchanged, refused)
	case plan.Pending() == 0:
		fmt.Fprintf(out, "nothing to do: all %d are as the manifests say\n", unchanged)
	case apply:
		for _, s := range plan.Steps {
			if s.Action != bootstrap.Unchanged && len(s.Notes) > 0 {
				fmt.Fprintf(out, "%s %s: %s\n", s.Kind, s.Name, strings.Join(s.Notes, "; "))
			}
		}
		fmt.Fprintf(out, "%d created, %d updated, %d unchanged\n", create, update, unchanged)
	default:
		fmt.Fprintf(out, "%d to create, %d to update, %d unchanged: nothing was changed yet; run again with --apply\n", create, update, unchanged)
	}
}

func printJSON(out io.Writer, document any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(document)
}
