package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/printable"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/redrive"
)

// dlqFlags say whose dead letters, and which of them.
type dlqFlags struct {
	contract, subscriber string
	// relay says that they are not a subscriber's but those of the owner's relay,
	// or of another queue that Lambda in front of it uses.
	relay bool
	queue string
	limit int

	all       bool
	ids       []string
	reason    string
	letterOf  string // contract of the letter
	subject   string
	apply     bool
	rate      float64
	most      int // messages in the main queue
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
again when the verb ends.

What an owner's relay gave up is not for this verb: it holds stream records, not
events, and putting one back would publish an old state. stream-dlq puts those
right.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("dlq has no verb %q; it has list, show, redrive and purge", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDLQList(g, false), newDLQShow(g, false), newDLQRedrive(g), newDLQPurge(g, false))
	return cmd
}

func (g *globals) dlqFlags(cmd *cobra.Command, f *dlqFlags) {
	g.contractFlag(cmd, &f.contract)
	if f.relay {
		cmd.Flags().StringVar(&f.queue, "queue", "", "the queue with the letters; the relay's dead-letter queue if nothing is said")
		needs(cmd, "contract")
		return
	}
	g.subscriberFlag(cmd, &f.subscriber, "subscriber", "the service whose dead letters they are")
}

// selectionFlags are those of verbs that change something.
func selectionFlags(cmd *cobra.Command, f *dlqFlags) {
	cmd.Flags().BoolVar(&f.all, "all", false, "every letter that the other flags do not exclude")
	cmd.Flags().StringSliceVar(&f.ids, "id", nil, "letters by their ids; repeatable")
	cmd.Flags().StringVar(&f.reason, "reason", "", "letters with this reason, as list has it")
	applyFlag(cmd, &f.apply)
	if f.relay {
		return
	}
	cmd.Flags().StringVar(&f.subject, "subject", "", "letters about this item")
	cmd.Flags().StringVar(&f.letterOf, "of", "", "letters of this contract, where the queue has several")
}

// verb is the command that these flags are of.
func (f *dlqFlags) verb(name string) string {
	if f.relay {
		return "stream-dlq " + name
	}
	return "dlq " + name
}

func (f *dlqFlags) selection() (redrive.Selection, error) {
	s := redrive.Selection{All: f.all, IDs: f.ids, Reason: f.reason, Contract: f.letterOf, Subject: f.subject}
	if err := s.Validate(); err != nil {
		if f.relay {
			return s, &usageError{errors.New("which letters: name them with --id or --reason, or say --all")}
		}
		return s, &usageError{errors.New("which letters: name them with --id, --reason, --subject or --of, or say --all")}
	}
	return s, nil
}

// letters are a dead-letter queue and what reads it.
type letters struct {
	*redrive.Redrive
	queue string
}

// openLetters opens a subscriber's or a relay's dead-letter queue, to look at it
// or to purge it.
func openLetters(cmd *cobra.Command, g *globals, f *dlqFlags, report func(redrive.Progress)) (letters, error) {
	edit := func(cfg *redrive.Config, _ connect.Clients, _ target.Subscribed) { cfg.Report = report }
	if !f.relay {
		r, sub, err := openDLQ(cmd, g, f, edit)
		return letters{r, sub.Subscription.Queue.DeadLetterQueue}, err
	}
	set, err := g.set()
	if err != nil {
		return letters{}, err
	}
	owner, err := set.Publication(f.contract)
	if err != nil {
		return letters{}, err
	}
	if f.queue == "" {
		f.queue = owner.Publication.DeadLetterQueue
	}
	clients, err := open(cmd.Context())
	if err != nil {
		return letters{}, err
	}
	r, err := redrive.New(redrive.Config{Client: clients.SQS, DeadLetters: f.queue, Catalog: set.Catalog(), Limit: f.limit, Report: report})
	return letters{r, f.queue}, err
}

// openDLQ finds the subscription and makes the redrive of its dead letters.
func openDLQ(cmd *cobra.Command, g *globals, f *dlqFlags, edit func(*redrive.Config, connect.Clients, target.Subscribed)) (*redrive.Redrive, target.Subscribed, error) {
	set, err := g.set()
	if err != nil {
		return nil, target.Subscribed{}, err
	}
	sub, err := subscribed(set, f.contract, f.subscriber)
	if err != nil {
		return nil, sub, err
	}
	for _, m := range set.Manifests() {
		for _, p := range m.Publishes {
			if p.DeadLetterQueue == sub.Subscription.Queue.DeadLetterQueue {
				return nil, sub, fmt.Errorf("dead letters of %s: %s is where the relay of %s puts stream records, too; %s", sub.Service(), p.DeadLetterQueue, m.Service, forTheRelay(p.Contract))
			}
		}
	}
	clients, err := open(cmd.Context())
	if err != nil {
		return nil, sub, err
	}
	cfg := redrive.Config{Client: clients.SQS, DeadLetters: sub.Subscription.Queue.DeadLetterQueue, Queue: sub.Subscription.Queue.Name,
		Catalog: set.Catalog(), Limit: f.limit}
	if edit != nil {
		edit(&cfg, clients, sub)
	}
	r, err := redrive.New(cfg)
	return r, sub, err
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
	for _, m := range set.Manifests() {
		for _, p := range m.Publishes {
			if len(names) == 0 && m.Service == subscriber {
				return target.Subscribed{}, fmt.Errorf("%s subscribes to no such contract, it publishes %s; %s", subscriber, p.Contract, forTheRelay(p.Contract))
			}
		}
	}
	if len(names) == 0 {
		return target.Subscribed{}, set.NoSubscriber(contract, subscriber)
	}
	return target.Subscribed{}, &usageError{fmt.Errorf("which subscription: %s", strings.Join(names, ", or "))}
}

// forTheRelay is the advice for what an owner's relay gave up.
func forTheRelay(contract string) string {
	return "what its relay gave up is put right by: replicactl stream-dlq --contract " + contract
}

// countedStore counts the reads that a dry run makes.
type countedStore struct {
	replica.Store
	reads, finds atomic.Int64
}

func (s *countedStore) Read(ctx context.Context, table string, key contracts.Item) (contracts.Item, error) {
	s.reads.Add(1)
	return s.Store.Read(ctx, table, key)
}

func (s *countedStore) Find(ctx context.Context, in replica.Find) ([]contracts.Item, contracts.Item, error) {
	s.finds.Add(1)
	return s.Store.Find(ctx, in)
}

// dryRun is the consumer of a subscription's queue, as the manifest has it.
func dryRun(set *target.Set, sub target.Subscribed, store replica.Store) (*replica.DryRun, error) {
	sharing := slices.DeleteFunc(slices.Clone(sub.Manifest.Subscribes), func(s manifest.Subscription) bool {
		return s.Queue.Name != sub.Subscription.Queue.Name
	})
	return replica.NewDryRun(replica.DryRunConfig{Service: sub.Service(), Catalog: set.Catalog(), Subscriptions: sharing,
		Tables: sub.Manifest.Tables, Store: store})
}

func newDLQList(g *globals, relay bool) *cobra.Command {
	f := dlqFlags{relay: relay}
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
	if relay {
		cmd.Example = "  replicactl stream-dlq list --contract company.profile/v1 --letters"
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
	box, err := openLetters(cmd, g, f, nil)
	if err != nil {
		return err
	}
	var each []letterLine
	listing, err := box.List(cmd.Context(), func(l redrive.Letter) error {
		if f.everyLine {
			each = append(each, lineOf(&l))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list %s: %w", box.queue, err)
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
		}{box.queue, listing.Letters, listing.Left, groups, each})
	}
	fmt.Fprintf(g.out, "%s: %d letters\n", box.queue, listing.Letters)
	printListing(g.out, listing.Groups, each)
	if listing.Left > 0 {
		fmt.Fprintf(g.out, "SQS still counts about %d letters that were not read: held by another tool or by one that was killed, or beyond the limit; list again in some minutes\n", listing.Left)
	}
	return nil
}

// printListing prints the groups, and then every letter that is asked for.
func printListing(out io.Writer, groups []redrive.Group, each []letterLine) {
	if len(groups) > 0 {
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "  LETTERS\tREASON\tCONTRACT\tFIRST SENT\tDETAIL OF THE FIRST")
		for _, group := range groups {
			fmt.Fprintf(table, "  %d\t%s\t%s\t%s to %s\t%s\n", group.Letters, clipLine(group.Reason), dash(group.Contract), when(group.Oldest), when(group.Newest), clipLine(group.Detail))
		}
		table.Flush()
	}
	if len(each) > 0 {
		fmt.Fprintln(out)
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "  ID\tREASON\tCONTRACT\tSUBJECT\tFIRST SENT")
		for _, l := range each {
			fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", l.ID, clipLine(l.Reason), dash(clipLine(l.Contract)), dash(clipLine(l.Subject)), when(l.FirstSent))
		}
		table.Flush()
	}
}

func newDLQShow(g *globals, relay bool) *cobra.Command {
	f := dlqFlags{relay: relay}
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one dead letter whole",
		Long: `show prints one letter with its reason, where it comes from, its attributes and
its whole body. The id is of list --letters.`,
		Example: `  replicactl dlq show --subscriber stats 6f1c…`,
		Args:    arguments("the letter's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			box, err := openLetters(cmd, g, &f, nil)
			if err != nil {
				return err
			}
			l, err := box.Show(cmd.Context(), args[0])
			if err != nil {
				return fmt.Errorf("show %s: %w", box.queue, err)
			}
			whole := wholeOf(&l)
			if g.json {
				return printJSON(g.out, whole)
			}
			printLetter(g.out, &whole)
			return nil
		},
	}
	if relay {
		cmd.Example = "  replicactl stream-dlq show --contract company.profile/v1 6f1c…"
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
		fmt.Fprintf(table, "%s\t%s\n", field[0], oneLine(field[1]))
	}
	for _, name := range sortedNames(l.Attributes) {
		fmt.Fprintf(table, "attribute %s\t%s %s\n", oneLine(name), oneLine(l.Attributes[name].Type), oneLine(l.Attributes[name].Value))
	}
	table.Flush()
	fmt.Fprintf(out, "\n%s\n", printable.Text(l.Body))
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

// oneLine is a text that others wrote, on one line and without gaps.
func oneLine(text string) string { return printable.Text(strings.Join(strings.Fields(text), " ")) }

// clipLine is the beginning of a text that others wrote, on one line.
func clipLine(text string) string {
	text = oneLine(text)
	if runes := []rune(text); len(runes) > 100 {
		return string(runes[:100]) + "…"
	}
	return text
}
