package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/explain"
)

func newExplain(g *globals) *cobra.Command {
	var records, letters, copies int
	cmd := &cobra.Command{
		Use:     "explain CONTRACT SUBJECT",
		GroupID: groupLook,
		Short:   "Say why the copies of one item are as they are",
		Long: `explain says of one item, in a sentence for each subscriber, what is wrong with
its copies and which command mends it, and shows what it goes by: the item at the
source, the records that the stream still holds of it with what the relay decides
about each, how far the relay is, the depth of each queue and its lag, the letters
about the item in the dead-letter queues, and every copy in every replica.

The lag is what status shows: the age of the oldest change, of any item, that
passed the subscriber's filter and is not in its copies, read from the source's
stream and the copies' versions; SQS itself tells no age. "none" is only said
where nothing waits or where everything that may wait was compared. Where it is
not known, that is said with the reason.

It changes nothing. Main queues are never received from. Dead-letter queues that
are not empty are: their letters are invisible to others for moments, and visible
again before explain ends.

A stream can only be read from its beginning, 24 hours ago: about one request for
a thousand records of the whole table. --records bounds that; 0 reads none, and
leaves the lag unknown where something is on its way. Where something is, up to
20,000 copies of each item replica are read for the lag, a hundred in a request.

An item may be copied into a million others: of each fan-out --copies are looked
at, a hundred in a request, and of the rest nothing is said.

The exit code is 0 where every subscriber's copies are right, 3 where they are
not, and 1 where that is not known.`,
		Example: `  replicactl explain company.profile/v1 320193
  replicactl explain company.profile/v1 320193 --json
  replicactl explain company.profile/v1 320193 --records 0`,
		Args: arguments("CONTRACT", "SUBJECT"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return g.completeContracts(nil, nil, "")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[1] == "" {
				return &usageError{errors.New("SUBJECT is empty: want the item's key as the owner's manifest makes it, as 320193")}
			}
			if records < 0 || letters < 1 || copies < 1 {
				return &usageError{fmt.Errorf("--records %d --letters %d --copies %d: want 0 or more, and 1 or more of the others", records, letters, copies)}
			}
			return runExplain(cmd.Context(), g, explain.Config{Contract: args[0], Subject: args[1], MaxRecords: records, MaxLetters: letters, MaxCopies: copies})
		},
	}
	cmd.Flags().IntVar(&records, "records", 200_000, "stream records to read at the most, 0 for none")
	cmd.Flags().IntVar(&letters, "letters", 2_000, "letters of a dead-letter queue to look at, at the most")
	cmd.Flags().IntVar(&copies, "copies", 1_000, "copies of a fan-out to look at, at the most")
	return cmd
}

func runExplain(ctx context.Context, g *globals, cfg explain.Config) error {
	set, err := g.set()
	if err != nil {
		return err
	}
	clients, err := open(ctx)
	if err != nil {
		return err
	}
	cfg.Set, cfg.Clients = set, clients
	if cfg.MaxRecords == 0 {
		cfg.MaxRecords = -1
	}
	facts, err := explain.Explain(ctx, cfg)
	if err != nil {
		return err
	}
	if g.json {
		if err := printJSON(g.out, facts); err != nil {
			return err
		}
	} else {
		facts.Write(g.out)
	}
	return worst(facts)
}

// worst is the exit code's: what is wrong comes before what is not known.
func worst(facts *explain.Facts) error {
	unknown := false
	for _, s := range facts.Subscribers {
		switch {
		case s.Verdict.State == explain.StateUnknown, s.Verdict.State == explain.StateInPart:
			unknown = true
		case !s.Verdict.Fine():
			return errDrift
		}
	}
	if unknown {
		return errSaid
	}
	return nil
}
