package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/cost"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/redrive"
)

// defaultRedriveRate is what a consumer takes without its lag growing much.
const defaultRedriveRate = 100

func newDLQRedrive(g *globals) *cobra.Command {
	var f dlqFlags
	cmd := &cobra.Command{
		Use:   "redrive",
		Short: "Put dead letters back that the consumer can apply now",
		Long: `redrive puts selected letters back into the subscription's queue, as they were at
first, and deletes from the dead-letter queue what SQS has stored there.

Each message is tried before, by the consumer's own code on the tables as they
are, without writing. Left where they are, with the reason: what would be
rejected again; what was first published over 45 days ago (backfill instead); and
what is superseded, which means that every replica of the subscription holds a
higher version. What the service's own functions would say is not known.

A message is put back once a run. What the consumer gives up again meanwhile is
counted and stays. Nothing is put back while more than --max-backlog messages are
in the subscriber's queue.

The exit code of --apply is 1 where letters were refused, came back, or were not
taken by the queue; what is superseded is no error. It is 1 too where --reason
names one that no letter has, which then says which reasons there are.

Ctrl-C loses nothing: a message is in one of the queues or in both, and being
there twice is harmless. Run it again to go on.`,
		Example: `  replicactl dlq redrive --subscriber stats --all
  replicactl dlq redrive --subscriber stats --reason "retries exhausted" --apply --rate 50
  replicactl dlq redrive --subscriber stats --subject 320193 --apply`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDLQRedrive(cmd, g, &f) },
	}
	g.dlqFlags(cmd, &f)
	selectionFlags(cmd, &f)
	cmd.Flags().Float64Var(&f.rate, "rate", defaultRedriveRate, "messages put back a second, at the most; 0 for no limit")
	cmd.Flags().IntVar(&f.most, "max-backlog", 10_000, "messages in the subscriber's queue above which nothing is put back; 0 for any number")
	cmd.Flags().BoolVar(&f.drop, "drop-superseded", false, "delete what is superseded, instead of leaving it")
	cmd.Flags().BoolVar(&f.untried, "untried", false, "try nothing before: for operators who may not read the service's tables")
	return cmd
}

func runDLQRedrive(cmd *cobra.Command, g *globals, f *dlqFlags) error {
	selection, err := f.selection()
	if err != nil {
		return err
	}
	if f.rate < 0 || f.most < 0 {
		return &usageError{fmt.Errorf("--rate %g --max-backlog %d: want 0 or more of both", f.rate, f.most)}
	}
	set, err := g.set()
	if err != nil {
		return err
	}
	var report reporter
	var tryErr error
	var store countedStore
	r, sub, err := openDLQ(cmd, g, f, func(cfg *redrive.Config, clients connect.Clients, sub target.Subscribed) {
		cfg.Rate, cfg.DropSuperseded = f.rate, f.drop
		cfg.MaxBacklog = f.most
		cfg.Report = func(p redrive.Progress) { report(int64(p.Read), 0, fmt.Sprintf("%d put back", p.Sent)) }
		if !f.untried {
			store.Store = dynamostore.New(clients.DynamoDB, dynamostore.Config{})
			cfg.DryRun, tryErr = dryRun(set, sub, &store)
		}
	})
	if err = errors.Join(err, tryErr); err != nil {
		return err
	}
	var judged, done redrive.Result
	err = g.metered("letters judged", &report, func() (err error) {
		judged, err = r.Plan(cmd.Context(), selection)
		return err
	})
	if err != nil {
		return fmt.Errorf("dlq redrive: %w", err)
	}
	if err := unknownReason("dlq redrive", f.reason, judged.OtherReasons); err != nil {
		return err
	}
	p := redrivePlan(sub, f, &judged, &store)
	g.showPlan(p)
	if !f.apply {
		return g.finish(p, false, viewRedrive(&judged, true), nil)
	}
	err = g.metered("letters", &report, func() (err error) {
		done, err = r.Run(cmd.Context(), selection)
		return err
	})
	view := viewRedrive(&done, err == nil)
	if err != nil {
		err = resume(fmt.Errorf("dlq redrive: %d put back: %w", done.Sent, err), fmt.Sprintf("%d messages were put back, none is lost; run the same command again to go on", done.Sent))
		return stopped(err, p, view)
	}
	if err := g.finish(p, true, view, func(out io.Writer) { printRedrive(out, &done) }); err != nil {
		return err
	}
	if done.Failed > 0 || done.Returned > 0 || done.Refused > 0 {
		return errSaid
	}
	return nil
}

// unknownReason refuses a reason that none of the letters has: it is a typing
// error more often than a queue that was emptied of it.
func unknownReason(verb, reason string, others []string) error {
	if len(others) == 0 {
		return nil
	}
	for i := range others {
		others[i] = strconv.Quote(clipLine(others[i]))
	}
	return fmt.Errorf("%s --reason %q: no letter has that reason; there are %s", verb, reason, strings.Join(others, ", "))
}

// twice is what every plan for a dead-letter queue says: letters can only be
// seen by receiving them.
const twice = "--apply goes through the letters twice, for this plan and to act, and the requests count both; letters that arrive meanwhile are judged too"

func redrivePlan(sub target.Subscribed, f *dlqFlags, judged *redrive.Result, store *countedStore) *plan {
	queue := sub.Subscription.Queue
	p := plan{Verb: "dlq redrive", Targets: []planTarget{
		{Kind: "queue", Name: queue.DeadLetterQueue, Use: "deleted from"},
		{Kind: "queue", Name: queue.Name, Use: "sent to"},
	}, Counts: []planCount{
		{What: "letters read", N: int64(judged.Read)}, {What: "selected", N: int64(judged.Selected)}, {What: "to put back", N: int64(judged.Sent)},
		{What: "superseded", N: int64(judged.Superseded)}, {What: "refused", N: int64(judged.Refused)},
	}}
	if f.drop {
		p.Counts = append(p.Counts, planCount{What: "superseded ones to delete", N: int64(judged.Dropped)})
	}
	if !f.untried {
		for _, replica := range sub.Subscription.Replicas {
			if replica.Table != "" {
				p.Targets = append(p.Targets, planTarget{Kind: "table", Name: replica.Table, Use: "read"})
			}
		}
	}
	p.Notes = append(p.Notes, tallyNotes(judged.Tallies)...)
	p.Notes = append(p.Notes, judged.Unproven...)
	p.Notes = append(p.Notes, leftNotes(judged.Left, judged.Missing)...)
	p.Notes = append(p.Notes, twice)
	sent, batches := int64(judged.Sent), tens(judged.Sent)
	letterBytes := judged.SentBytes / max(1, sent)
	requests := lookedThrough(2, judged.Read, letterBytes)
	if reads := store.reads.Load(); reads > 0 {
		requests = append(requests, cost.Read("GetItem", 2*reads, 2*reads, 1<<10, true))
	}
	if finds := store.finds.Load(); finds > 0 {
		requests = append(requests, cost.Read("Query", 2*finds, 2*finds, 1<<10, false))
	}
	if dropped := tens(judged.Dropped); dropped > 0 {
		requests = append(requests, cost.Queue("DeleteMessageBatch of superseded ones", dropped, 0))
	}
	if sent > 0 {
		requests = append(requests, cost.Queue("SendMessageBatch", batches, 10*letterBytes), cost.Queue("DeleteMessageBatch", batches, 0))
	}
	return planned(p, requests...)
}

// tens is how many requests of ten letters each there are.
func tens(letters int) int64 { return int64(letters+9) / 10 }

// lookedThrough is what it costs to receive all letters and to give them back.
func lookedThrough(times int64, letters int, letterBytes int64) []cost.Line {
	return []cost.Line{cost.Queue("ReceiveMessage", times*(tens(letters)+1), 10*letterBytes),
		cost.Queue("ChangeMessageVisibilityBatch", times*tens(letters), 0)}
}

// tallyNotes says what is not put back, and what to do about it.
func tallyNotes(tallies []redrive.Tally) []string {
	var notes []string
	for _, t := range tallies {
		if t.Action == redrive.Send {
			continue
		}
		note := fmt.Sprintf("%d %s: %s", t.Letters, t.Action, clipLine(t.Reason))
		if t.Advice != "" {
			note += "; " + t.Advice
		}
		notes = append(notes, note+" (the first is "+t.ID+")")
	}
	return notes
}

func leftNotes(left int, missing []string) []string {
	var notes []string
	if left > 0 {
		notes = append(notes, fmt.Sprintf("SQS still counts about %d letters that were not read", left))
	}
	for _, id := range missing {
		notes = append(notes, "there is no letter "+id+", or another tool holds it")
	}
	return notes
}

// redriveView is a redrive's result as --json has it.
type redriveView struct {
	// Complete is false where it was stopped before its end.
	Complete   bool        `json:"complete"`
	Read       int         `json:"read"`
	Selected   int         `json:"selected"`
	Sent       int         `json:"sent"`
	Superseded int         `json:"superseded"`
	Dropped    int         `json:"dropped"` // of those superseded
	Refused    int         `json:"refused"`
	Returned   int         `json:"returned"`
	Failed     int         `json:"failed"`
	Undeleted  int         `json:"undeleted"`
	Unread     int         `json:"unread"`
	Tallies    []tallyView `json:"tallies"`
	Missing    []string    `json:"missing,omitempty"`
	Unproven   []string    `json:"unproven,omitempty"`
	Problem    string      `json:"problem,omitempty"`
}

type tallyView struct {
	Action  string `json:"action"`
	Reason  string `json:"reason,omitempty"`
	Advice  string `json:"advice,omitempty"`
	Letters int    `json:"letters"`
	ID      string `json:"example"`
	Detail  string `json:"detail,omitempty"`
}

func viewRedrive(r *redrive.Result, complete bool) redriveView {
	view := redriveView{Complete: complete, Read: r.Read, Selected: r.Selected, Sent: r.Sent, Superseded: r.Superseded, Dropped: r.Dropped, Refused: r.Refused, Returned: r.Returned, Failed: r.Failed,
		Undeleted: r.Undeleted, Unread: r.Left, Missing: r.Missing, Unproven: r.Unproven, Problem: problemText(r.Problem), Tallies: []tallyView{}}
	for _, t := range r.Tallies {
		view.Tallies = append(view.Tallies, tallyView{string(t.Action), t.Reason, t.Advice, t.Letters, t.ID, t.Detail})
	}
	return view
}

func problemText(err error) string {
	if err == nil {
		return ""
	}
	return trouble.Told(err).Error()
}

func printRedrive(out io.Writer, r *redrive.Result) {
	superseded := "superseded"
	if r.Dropped > 0 {
		superseded = fmt.Sprintf("superseded (%d of them deleted)", r.Dropped)
	}
	fmt.Fprintf(out, "%d put back, %d %s, %d refused\n", r.Sent, r.Superseded, superseded, r.Refused)
	if r.Refused > 0 {
		fmt.Fprintln(out, "those refused stay, for the reasons in the plan above")
	}
	for _, t := range r.Tallies {
		if t.Action == redrive.Returned {
			fmt.Fprintf(out, "%d came back already: %s; %s (the first is %s)\n", t.Letters, clipLine(t.Reason), t.Advice, t.ID)
		}
	}
	if r.Failed > 0 {
		fmt.Fprintf(out, "%d were not taken by the queue and stay: %s\n", r.Failed, problemText(r.Problem))
	}
	if r.Undeleted > 0 {
		fmt.Fprintf(out, "%d are in both queues, which is harmless: %s\n", r.Undeleted, problemText(r.Problem))
	}
}

func newDLQPurge(g *globals, relay bool) *cobra.Command {
	f := dlqFlags{relay: relay}
	cmd := &cobra.Command{
		Use:   "purge",
		Short: "Delete dead letters, after writing them to a file",
		Long: `purge deletes selected letters. Each is first written to the archive, a file with
one JSON document a line that is flushed to the disk before the letter is
deleted. An archive that is there already is added to.

The exit code is 1 where --reason names one that no letter has, which then says
which reasons there are.`,
		Example: `  replicactl dlq purge --subscriber stats --reason "malformed event"
  replicactl dlq purge --subscriber stats --id 6f1c… --archive letters.jsonl --apply`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDLQPurge(cmd, g, &f) },
	}
	if relay {
		cmd.Example = "  replicactl stream-dlq purge --contract company.profile/v1 --id 6f1c… --archive letters.jsonl --apply"
	}
	g.dlqFlags(cmd, &f)
	selectionFlags(cmd, &f)
	cmd.Flags().StringVar(&f.archive, "archive", "", "the file that letters are written to before they are deleted; needed with --apply")
	return cmd
}

func runDLQPurge(cmd *cobra.Command, g *globals, f *dlqFlags) (err error) {
	selection, err := f.selection()
	if err != nil {
		return err
	}
	if f.apply && f.archive == "" {
		return &usageError{errors.New("purge --apply needs --archive, the file that letters are written to before they are deleted")}
	}
	verb := f.verb("purge")
	var report reporter
	box, err := openLetters(cmd, g, f, func(p redrive.Progress) { report(int64(p.Read), 0, fmt.Sprintf("%d deleted", p.Deleted)) })
	if err != nil {
		return err
	}
	var found, done redrive.Purged
	err = g.metered("letters read", &report, func() (err error) {
		found, err = box.PlanPurge(cmd.Context(), selection)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	if err := unknownReason(verb, f.reason, found.OtherReasons); err != nil {
		return err
	}
	p := plan{Verb: verb, Targets: []planTarget{{Kind: "queue", Name: box.queue, Use: "deleted from"}},
		Counts: []planCount{{What: "letters read", N: int64(found.Read)}, {What: "to delete", N: int64(found.Selected)}}, Notes: leftNotes(found.Left, found.Missing)}
	for _, group := range found.Groups {
		p.Notes = append(p.Notes, fmt.Sprintf("%d %s %s", group.Letters, clipLine(group.Reason), group.Contract))
	}
	p.Notes = append(p.Notes, twice)
	shown := planned(p, append(lookedThrough(2, found.Read, 0), cost.Queue("DeleteMessageBatch", tens(found.Selected), 0))...)
	g.showPlan(shown)
	if !f.apply {
		return g.finish(shown, false, viewPurge(&found, true), nil)
	}
	file, err := openArchive(f.archive)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.close()) }()
	err = g.metered("letters", &report, func() (err error) {
		done, err = box.Purge(cmd.Context(), selection, file.keep)
		return err
	})
	view := viewPurge(&done, err == nil)
	if err != nil {
		err = resume(fmt.Errorf("%s: %d deleted: %w", verb, done.Deleted, err), fmt.Sprintf("%d letters were deleted, all of them are in %s; run the same command again to go on", done.Deleted, f.archive))
		return stopped(err, shown, view)
	}
	if err := g.finish(shown, true, view, func(out io.Writer) {
		fmt.Fprintf(out, "%d deleted, written to %s\n", done.Deleted, f.archive)
		if done.Undeleted > 0 {
			fmt.Fprintf(out, "%d were written and are still there: %s\n", done.Undeleted, problemText(done.Problem))
		}
	}); err != nil {
		return err
	}
	if done.Undeleted > 0 {
		return errSaid
	}
	return nil
}

type purgeView struct {
	// Complete is false where it was stopped before its end.
	Complete  bool        `json:"complete"`
	Read      int         `json:"read"`
	Selected  int         `json:"selected"`
	Deleted   int         `json:"deleted"`
	Undeleted int         `json:"undeleted"`
	Unread    int         `json:"unread"`
	Groups    []groupLine `json:"groups"`
	Missing   []string    `json:"missing,omitempty"`
	Problem   string      `json:"problem,omitempty"`
}

func viewPurge(p *redrive.Purged, complete bool) purgeView {
	view := purgeView{Complete: complete, Read: p.Read, Selected: p.Selected, Deleted: p.Deleted, Undeleted: p.Undeleted, Unread: p.Left, Missing: p.Missing,
		Problem: problemText(p.Problem), Groups: []groupLine{}}
	for _, group := range p.Groups {
		view.Groups = append(view.Groups, groupLine(group))
	}
	return view
}

// reporter shows progress: how much is done, of how much, and a note.
type reporter func(done, total int64, note string)

// metered shows the progress of what do does, and nothing besides: output comes
// before or after it.
func (g *globals) metered(name string, into *reporter, do func() error) error {
	meter := g.meter(name)
	defer meter.End()
	*into = meter.Report
	return do()
}

// tallyTable prints verdicts as a table.
func tallyTable(out io.Writer, tallies []tallyView) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, t := range tallies {
		fmt.Fprintf(table, "  %d\t%s\t%s\t%s\t%s\n", t.Letters, t.Action, clipLine(t.Reason), oneLine(t.ID), clipLine(t.Detail))
		if t.Advice != "" {
			fmt.Fprintf(table, "  \t\t  do\t%s\n", t.Advice)
		}
	}
	table.Flush()
}
