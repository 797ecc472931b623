package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/redrive"
)

// dlqFlags say whose dead letters, and which of them.
type dlqFlags struct {
	contract, subscriber string
	limit                int

	all       bool
	ids       []string
	reason    string
	letterOf  string // contract of the letter
	subject   string
	apply     bool
	rate      float64
	backlog   int
	drop      bool
	untried   bool
	archive   string
	everyLine bool
}

func newDLQ(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "dlq",
		GroupID: groupMend,
		Short:   "List, show, put back or purge a subscriber's dead letters",
		Long: `dlq looks through the dead-letter queue of a subscription: what its consumer
rejected, what SQS moved there after too many receives, and what SNS could not
deliver. Letters are invisible to other tools while they are read, and visible
again when the verb ends.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("dlq has no verb %q; it has list, show, redrive and purge", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDLQList(g), newDLQShow(g), newDLQRedrive(g), newDLQPurge(g))
	return cmd
}

func (g *globals) dlqFlags(cmd *cobra.Command, f *dlqFlags) {
	g.contractFlag(cmd, &f.contract)
	g.subscriberFlag(cmd, &f.subscriber, "subscriber", "the service whose dead letters they are")
}

// selectionFlags are those of verbs that change something.
func selectionFlags(cmd *cobra.Command, f *dlqFlags) {
	cmd.Flags().BoolVar(&f.all, "all", false, "every letter that the other flags do not exclude")
	cmd.Flags().StringSliceVar(&f.ids, "id", nil, "letters by their ids; repeatable")
	cmd.Flags().StringVar(&f.reason, "reason", "", "letters with this reason, as dlq list has it")
	cmd.Flags().StringVar(&f.subject, "subject", "", "letters about this item")
	cmd.Flags().StringVar(&f.letterOf, "of", "", "letters of this contract, where the queue has several")
	applyFlag(cmd, &f.apply)
}

func (f *dlqFlags) selection() (redrive.Selection, error) {
	s := redrive.Selection{All: f.all, IDs: f.ids, Reason: f.reason, Contract: f.letterOf, Subject: f.subject}
	if err := s.Validate(); err != nil {
		return s, &usageError{errors.New("which letters: name them with --id, --reason, --subject or --of, or say --all")}
	}
	return s, nil
}

// openDLQ finds the subscription and makes the redrive of its dead letters.
func openDLQ(cmd *cobra.Command, g *globals, f *dlqFlags, edit func(*redrive.Config, connect.Clients, target.Subscribed)) (*redrive.Redrive, target.Subscribed, connect.Clients, error) {
	set, err := g.set()
	if err != nil {
		return nil, target.Subscribed{}, connect.Clients{}, err
	}
	sub, err := subscribed(set, f.contract, f.subscriber)
	if err != nil {
		return nil, sub, connect.Clients{}, err
	}
	clients, err := connect.Open(cmd.Context())
	if err != nil {
		return nil, sub, clients, err
	}
	cfg := redrive.Config{Client: clients.SQS, DeadLetters: sub.Subscription.Queue.DeadLetterQueue, Queue: sub.Subscription.Queue.Name,
		Catalog: set.Catalog(), Limit: f.limit}
	if edit != nil {
		edit(&cfg, clients, sub)
	}
	r, err := redrive.New(cfg)
	return r, sub, clients, err
}

// subscribed finds the one subscription that is meant. What there is only one of
// need not be named.
func subscribed(set *target.Set, contract, subscriber string) (target.Subscribed, error) {
	if contract != "" && subscriber != "" {
		return set.Subscription(contract, subscriber)
	}
	var found [][2]string
	for _, m := range set.Manifests() {
		for _, s := range m.Subscribes {
			if (contract == "" || s.Contract == contract) && (subscriber == "" || m.Service == subscriber) {
				found = append(found, [2]string{s.Contract, m.Service})
			}
		}
	}
	if len(found) == 1 {
		return set.Subscription(found[0][0], found[0][1])
	}
	var names []string
	for _, f := range found {
		names = append(names, "--contract "+f[0]+" --subscriber "+f[1])
	}
	if len(names) == 0 {
		return target.Subscribed{}, errors.New("no manifest that was read has such a subscription; name more with --manifest")
	}
	return target.Subscribed{}, &usageError{fmt.Errorf("which subscription: %s", strings.Join(names, ", or "))}
}

// dryRun is the consumer of a subscription's queue, as the manifest has it.
func dryRun(set *target.Set, sub target.Subscribed, clients connect.Clients) (*replica.DryRun, error) {
	sharing := slices.DeleteFunc(slices.Clone(sub.Manifest.Subscribes), func(s manifest.Subscription) bool {
		return s.Queue.Name != sub.Subscription.Queue.Name
	})
	return replica.NewDryRun(replica.DryRunConfig{Service: sub.Service(), Catalog: set.Catalog(), Subscriptions: sharing,
		Tables: sub.Manifest.Tables, Store: dynamostore.New(clients.DynamoDB, dynamostore.Config{})})
}

func newDLQList(g *globals) *cobra.Command {
	var f dlqFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, grouped by reason and contract",
		Long: `list counts the dead letters by reason and contract. With --letters it prints a
line for each, with the id that show, redrive and purge take.`,
		Example: `  replicactl dlq list --subscriber stats
  replicactl dlq list --subscriber stats --letters --limit 100 --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDLQList(cmd, g, &f) },
	}
	g.dlqFlags(cmd, &f)
	cmd.Flags().BoolVar(&f.everyLine, "letters", false, "print every letter")
	cmd.Flags().IntVar(&f.limit, "limit", 0, "letters to read at the most; 0 for all that SQS hands out, up to 120,000")
	return cmd
}

func runDLQList(cmd *cobra.Command, g *globals, f *dlqFlags) error {
	if f.limit < 0 {
		return &usageError{fmt.Errorf("--limit %d: want 0 or more", f.limit)}
	}
	r, sub, clients, err := openDLQ(cmd, g, f, nil)
	if err != nil {
		return err
	}
	var letters []letterLine
	listing, err := r.List(cmd.Context(), func(l redrive.Letter) error {
		if f.everyLine {
			letters = append(letters, lineOf(&l))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("dlq list %s: %w", sub.Subscription.Queue.DeadLetterQueue, clients.Explain(connect.SQS, err))
	}
	groups := make([]groupLine, len(listing.Groups))
	for i, group := range listing.Groups {
		groups[i] = groupLine(group)
	}
	if g.json {
		return printJSON(g.out, struct {
			Queue   string       `json:"queue"`
			Letters int          `json:"letters"`
			Unread  int          `json:"unread"`
			Groups  []groupLine  `json:"groups"`
			Each    []letterLine `json:"each,omitempty"`
		}{sub.Subscription.Queue.DeadLetterQueue, listing.Letters, listing.Left, groups, letters})
	}
	fmt.Fprintf(g.out, "%s: %d letters\n", sub.Subscription.Queue.DeadLetterQueue, listing.Letters)
	table := tabwriter.NewWriter(g.out, 0, 0, 2, ' ', 0)
	for _, group := range listing.Groups {
		fmt.Fprintf(table, "  %d\t%s\t%s\t%s to %s\t%s\n", group.Letters, group.Reason, dash(group.Contract), when(group.Oldest), when(group.Newest), clipLine(group.Detail))
	}
	for _, l := range letters {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", l.ID, l.Reason, dash(l.Contract), dash(l.Subject), when(l.FirstSent))
	}
	table.Flush()
	if listing.Left > 0 {
		fmt.Fprintf(g.out, "SQS still counts about %d letters that were not read: held by another tool, or beyond the limit\n", listing.Left)
	}
	return nil
}

func newDLQShow(g *globals) *cobra.Command {
	var f dlqFlags
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one dead letter whole",
		Long: `show prints one letter with its reason, where it comes from, its attributes and
its whole body. The id is of dlq list --letters.`,
		Example: `  replicactl dlq show --subscriber stats 6f1c…`,
		Args:    arguments("the letter's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, sub, clients, err := openDLQ(cmd, g, &f, nil)
			if err != nil {
				return err
			}
			l, err := r.Show(cmd.Context(), args[0])
			if err != nil {
				return fmt.Errorf("dlq show %s: %w", sub.Subscription.Queue.DeadLetterQueue, clients.Explain(connect.SQS, err))
			}
			whole := wholeOf(&l)
			if g.json {
				return printJSON(g.out, whole)
			}
			printLetter(g.out, &whole)
			return nil
		},
	}
	g.dlqFlags(cmd, &f)
	return cmd
}

func printLetter(out io.Writer, l *wholeLetter) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, field := range [][2]string{
		{"id", l.ID}, {"reason", l.Reason}, {"detail", l.Detail}, {"moved by", l.MovedBy}, {"from", dash(l.Source)},
		{"contract", dash(l.Contract)}, {"subject", dash(l.Subject)}, {"version", dash(l.Version)}, {"operation", dash(l.Operation)},
		{"origin", dash(l.Origin)}, {"published", when(l.Published)}, {"first sent", when(l.FirstSent)}, {"received", fmt.Sprint(l.Received, " times")},
	} {
		fmt.Fprintf(table, "%s\t%s\n", field[0], field[1])
	}
	for _, name := range sortedNames(l.Attributes) {
		fmt.Fprintf(table, "attribute %s\t%s %s\n", name, l.Attributes[name].Type, l.Attributes[name].Value)
	}
	table.Flush()
	fmt.Fprintf(out, "\n%s\n", l.Body)
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// clipLine is the beginning of a text, on one line.
func clipLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 100 {
		return string(runes[:100]) + "…"
	}
	return text
}
