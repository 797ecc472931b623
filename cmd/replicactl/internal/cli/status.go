package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/status"
)

type statusFlags struct {
	contract string
	watch    time.Duration
	graph    bool
	records  int
}

func newStatus(g *globals) *cobra.Command {
	var f statusFlags
	cmd := &cobra.Command{
		Use:     "status",
		GroupID: groupLook,
		Short:   "Show topics, subscribers, queues, dead letters and lag",
		Long: `status shows what the manifests declare as it is at the endpoint: every topic,
its relay, and each subscriber with its filter, queue, dead letters and lag.
Subscriptions that differ from their manifest, and those that no manifest knows,
are shown below the tables. What does not exist is "missing"; what could not be
read is "?", with the reason, and hides nothing else.

The lag is the age of the oldest change that passed the subscriber's filter and
is not in its item replicas. It is "none" at once where relay, queue and
dead-letter queue are empty. Else it is read from the source's stream and the
copies, so far as --records goes; where that ends too early it says "less than". A
stream keeps 24 hours: where more waits than its changes account for, it says "at
least". Where the item replicas have all of those and more waits all the same, it
says "-": that may be older, or not yet in fan-out copies. Reading costs requests
to DynamoDB and DynamoDB Streams; no message is ever received.

A relay's place is only kept when it moves: "place kept 3h ago" of a stream in
which nothing happens is no fault. "polled 12s ago" says that the poller lives.
Under Lambda there is neither.

The exit code is 0 if everything was read, also where something is missing, and
1 if not. --watch ends with 0 when interrupted.`,
		Example: `  replicactl status
  replicactl status --contract company.profile/v1 --watch
  replicactl status --watch=30s --json
  replicactl status --graph > status.mmd`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("watch") && f.watch < time.Second {
				return &usageError{fmt.Errorf("--watch=%v: want 1s or more", f.watch)}
			}
			return runStatus(cmd.Context(), g, f)
		},
	}
	g.contractFlag(cmd, &f.contract)
	cmd.Flags().DurationVar(&f.watch, "watch", 0, "look again every so often, 5s if nothing is said (--watch=30s), until Ctrl-C")
	cmd.Flags().Lookup("watch").NoOptDefVal = "5s"
	cmd.Flags().BoolVar(&f.graph, "graph", false, "print a Mermaid flowchart instead of tables")
	cmd.Flags().IntVar(&f.records, "records", 20_000, "stream records to read for a contract's lag at the most, 0 for none")
	return cmd
}

func runStatus(ctx context.Context, g *globals, f statusFlags) error {
	if err := f.validate(g.json); err != nil {
		return err
	}
	set, err := g.set()
	if err != nil {
		return err
	}
	if f.contract != "" {
		if err := set.Declares(f.contract); err != nil {
			return err
		}
	}
	clients, err := open(ctx)
	if err != nil {
		return err
	}
	cfg := status.Config{Clients: clients, Set: set, Contract: f.contract, MaxRecords: f.records}
	if f.records == 0 {
		cfg.MaxRecords = -1
	}
	if f.watch > 0 {
		return watch(ctx, g, f, cfg)
	}
	report, err := status.Look(ctx, cfg)
	if err != nil {
		return err
	}
	if err := showStatus(g, f, report); err != nil {
		return err
	}
	if !report.Complete {
		return errSaid
	}
	return nil
}

func (f statusFlags) validate(asJSON bool) error {
	switch {
	case f.records < 0:
		return &usageError{fmt.Errorf("--records %d: want 0 or more", f.records)}
	case f.graph && asJSON:
		return &usageError{errors.New("--graph prints Mermaid, and --json JSON: choose one")}
	}
	return nil
}

// watch looks again and again until the context ends, which is no error.
func watch(ctx context.Context, g *globals, f statusFlags, cfg status.Config) error {
	ticker := time.NewTicker(f.watch)
	defer ticker.Stop()
	redraw := g.screen && !g.json
	for {
		report, err := status.Look(ctx, cfg)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		// In one write, so that a redrawn screen does not flicker.
		var page bytes.Buffer
		if redraw {
			page.WriteString("\x1b[H\x1b[2J")
		}
		into := *g
		into.out = &page
		if g.json {
			err = json.NewEncoder(&page).Encode(report) // a document a line
		} else {
			err = showStatus(&into, f, report)
		}
		if err != nil {
			return err
		}
		if !redraw && !g.json {
			fmt.Fprintln(&page)
		}
		if _, err := io.Copy(g.out, &page); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func showStatus(g *globals, f statusFlags, report *status.Report) error {
	switch {
	case g.json:
		return printJSON(g.out, report)
	case f.graph:
		report.Graph(g.out)
	default:
		report.Write(g.out)
	}
	return nil
}
