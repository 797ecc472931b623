package cli

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/cost"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/backfill"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

type backfillFlags struct {
	sendingFlags
	runFlags
	segments int
}

func newBackfill(g *globals) *cobra.Command {
	var f backfillFlags
	cmd := &cobra.Command{
		Use:     "backfill",
		GroupID: groupMend,
		Short:   "Load the owner's present state into one subscriber",
		Long: `backfill publishes every item of the owner's table, tombstones included, to one
subscriber: to one that is new, that was away for longer than messages live, or
whose manifest gained an attribute. Nobody else receives a message of it.

It may run at any time, beside live changes, twice, and several at once: where
the subscriber has the same version or a newer one, nothing changes. Items that
have no version are given one first, which every subscriber hears of.

A canary goes first: until the subscriber's consumer has noted that it came
through the subscription's filter, nothing is published. How far the run is, is
kept in the owner's checkpoint table: Ctrl-C, or a crash, costs nothing, and the
same command goes on where it was, also on another machine. Where nothing was
heard of the run for an hour, it begins anew instead, since the subscriber may
have lost meanwhile what the run had published; --resume-old goes on.

It does not remove copies of items that are gone from the owner's table without
a tombstone: reconcile finds those. It ends when everything was published; the
subscriber's queue (status) says when everything was applied.

Without --apply it prints the plan, from what DynamoDB counted some hours ago, and
publishes nothing. The exit code is 1 where an item can never be published,
since the copies are not complete then; all others are published all the same.`,
		Example: `  replicactl backfill --contract company.profile/v1 --to stats
  replicactl backfill --contract company.profile/v1 --to stats --rate 1000 --segments 8 --apply
  replicactl backfill --contract company.profile/v1 --to stats --restart --apply`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBackfill(cmd, g, &f) },
	}
	g.sendingFlags(cmd, &f.sendingFlags)
	cmd.Flags().IntVar(&f.segments, "segments", 4, fmt.Sprintf("parts of the table that are read at the same time, 1 to %d; a run that is resumed keeps its own", dynamostore.MaxProgressSegments))
	f.add(cmd)
	return cmd
}

func runBackfill(cmd *cobra.Command, g *globals, f *backfillFlags) error {
	if err := errors.Join(f.check(), f.checkRun()); err != nil {
		return err
	}
	if f.segments < 1 || f.segments > dynamostore.MaxProgressSegments {
		return &usageError{fmt.Errorf("--segments %d: want 1 to %d", f.segments, dynamostore.MaxProgressSegments)}
	}
	ctx := cmd.Context()
	r, err := g.recipient(ctx, f.contract, f.to, backfillNeeds)
	if err != nil {
		return fmt.Errorf("backfill %s to %s: %w", f.contract, f.to, err)
	}
	replicas, err := replica.Views(r.sub.Contract, r.sub.Subscription, r.sub.Manifest.Tables)
	if err != nil {
		return fmt.Errorf("backfill %s to %s: %w", f.contract, f.to, err)
	}
	kept, err := r.lastRun(ctx, backfill.Task(r.source, f.to, replicas))
	if err != nil {
		return fmt.Errorf("backfill %s to %s: %w", f.contract, f.to, err)
	}
	before := f.last(kept, time.Now())
	p := backfillPlan(r, f, before)
	g.showPlan(p)
	if !f.apply {
		return g.finish(p, false, nil, nil)
	}
	publisher, err := snspub.New(r.clients.SNS, snspub.Config{})
	if err != nil {
		return err
	}
	shown := stages{g: g}
	run, err := backfill.New(backfill.Config{
		Source: r.source, Table: dynamostore.NewSource(r.clients.DynamoDB, r.source.Table()), Scanner: dynamostore.NewScan(r.clients.DynamoDB),
		Publisher: publisher, Subscriber: f.to, Attributes: r.sub.Subscription.Attributes, Replicas: replicas, Canaries: r.canaries(),
		Runs: dynamostore.NewProgress(r.clients.DynamoDB, r.owner.Publication.CheckpointTable), Restart: f.restart, ResumeWithin: f.resumeWithin(),
		Rate: f.rate, Backlog: f.slowed(r), MaxBacklog: f.maxBacklog, Segments: f.segments, CanaryTimeout: f.canary,
		Total: r.items, Report: func(p backfill.Progress) { showBackfill(&shown, f, p) },
	})
	if err != nil {
		return err
	}
	done, err := run.Run(ctx)
	shown.end()
	err = errors.Join(err, publisher.Close())
	view := viewBackfill(&done, before, err == nil)
	if err != nil {
		err = stoppedBackfill(f, &done, err)
		if !g.json {
			// Pages whose end was noted are not read again: what was rejected there
			// would not be told any more.
			printRejected(g.err, view.Rejections, int64(len(view.Rejections)))
		}
		return stopped(err, p, view)
	}
	if err := g.finish(p, true, view, func(out io.Writer) { printBackfill(out, r, &view) }); err != nil {
		return err
	}
	if done.Rejected > 0 {
		return errSaid
	}
	return nil
}

// backfillNeeds are the rights that a backfill needs besides its recipient's.
func backfillNeeds(r *recipient) []trouble.Need {
	table, checkpoints := r.source.Table(), r.owner.Publication.CheckpointTable
	return []trouble.Need{
		{Right: "dynamodb:Scan", On: table, For: "to read every item"},
		{Right: "dynamodb:GetItem", On: checkpoints, For: "to see how far a run is"},
		{Right: "dynamodb:PutItem", On: checkpoints, For: "to begin a run"},
		{Right: "dynamodb:UpdateItem", On: checkpoints, For: "to keep how far the run is"},
		{Right: "dynamodb:GetItem", On: table, For: "to read an item that has no version"},
		{Right: "dynamodb:UpdateItem", On: table, For: "to give an item a version that has none"},
		{Right: "dynamodb:PutItem", On: table, For: "to put a tombstone where an item without a version is gone"},
	}
}

// stoppedBackfill is why a run ended before its time, with the way out.
func stoppedBackfill(f *backfillFlags, done *backfill.Result, err error) error {
	if _, unheard := errors.AsType[*backfill.CanaryError](err); unheard {
		return err // it says what to do
	}
	switch {
	case errors.Is(err, dynamostore.ErrSuperseded):
		return fmt.Errorf("%w: somebody began it with --restart, and that one goes on", err)
	case done.Run == "":
		return resume(err, "nothing was published; run the same command again")
	}
	return resume(err, fmt.Sprintf("%d changes were published and noted; %s", done.Published, f.again()))
}

func backfillPlan(r *recipient, f *backfillFlags, before *lastRun) *plan {
	checkpoints := r.owner.Publication.CheckpointTable
	p := plan{
		Verb: "backfill",
		Targets: []planTarget{
			{"table", r.source.Table(), "scanned; items without a version are given one"},
			{"table", checkpoints, "written: how far the run is"},
			{"table", r.sub.Subscription.ControlTable, "read: the canary"},
			{"topic", r.source.Topic(), "published to, for " + f.to + " alone"},
			{"queue", r.sub.Subscription.Queue.Name, fmt.Sprintf("receives; %d messages wait there or are in flight", r.backlog)},
		},
		Counts: []planCount{{What: "items in the table", N: r.items, Estimate: true}},
	}
	left, segments := r.items, f.segments
	switch {
	case before.goesOn():
		done, ended := before.read()
		segments, left = len(before.Segments), max(0, left-done)
		p.Counts = append(p.Counts, planCount{What: "read by an interrupted run", N: done}, planCount{What: "to read", N: left, Estimate: true})
		p.Notes = append(p.Notes, fmt.Sprintf("the run begun at %s and last heard of at %s goes on, with its %d segments, %d of them done; if it still runs elsewhere, both do the rest, which is harmless; what went wrong since with the items it had read needs --restart, which begins anew",
			when(before.Started), when(before.Saved), segments, ended))
	case before.interrupted():
		p.Notes = append(p.Notes, before.givenUp(&f.runFlags))
	case before != nil:
		p.Notes = append(p.Notes, fmt.Sprintf("the last run, of %s, ended at %s; this is another one", when(before.Started), when(before.Finished)))
	}
	p.Notes = append(p.Notes, "counts are DynamoDB's own, some six hours old: a table that was filled since may say 0", f.pace(left))
	bytes := r.tableBytes
	if r.items > 0 {
		bytes = left * r.itemBytes()
	}
	requests, notes := r.delivered(left)
	requests = append([]cost.Line{cost.Scan(bytes, true), cost.Write("writes of "+checkpoints, int64(segments)+left/250, 2<<10)}, requests...)
	p.Notes = append(p.Notes, notes...)
	return planned(p, requests...)
}

func showBackfill(shown *stages, f *backfillFlags, p backfill.Progress) {
	if p.Canary {
		shown.canary(p.CanaryWaited, f.canary)
		return
	}
	note := heldBack(p.Waiting, p.Backlog, f.to)
	if note == "" {
		note = fmt.Sprintf("%d of %d segments done", p.SegmentsDone, p.Segments)
	}
	if p.Rejected > 0 {
		note += fmt.Sprintf(", %d rejected", p.Rejected)
	}
	total := p.Total
	if p.Scanned >= total {
		total = 0 // the estimate was too low: better none
	}
	shown.at("backfill").Report(p.Scanned, total, note)
}

// backfillView is a backfill's result as --json has it.
type backfillView struct {
	// Complete is false where the run ended before its time.
	Complete bool      `json:"complete"`
	Run      string    `json:"run"` // empty where none was begun
	Started  time.Time `json:"started"`
	Resumed  bool      `json:"resumed"`
	// Earlier is what of a resumed run is from before.
	Earlier    *earlierView   `json:"earlier,omitempty"`
	Scanned    int64          `json:"scanned"`
	Published  int64          `json:"published"`
	Tombstones int64          `json:"tombstones"`
	Stamped    int64          `json:"stamped"`
	Foreign    int64          `json:"foreign"`
	Rejected   int64          `json:"rejected"`
	Rejections []rejectedView `json:"rejections,omitempty"`
}

func viewBackfill(r *backfill.Result, before *lastRun, complete bool) backfillView {
	view := backfillView{Complete: complete, Earlier: before.earlier(r.Started, r.Earlier.Scanned), Run: r.Run, Started: r.Started, Resumed: r.Resumed, Scanned: r.Scanned, Published: r.Published,
		Tombstones: r.Tombstones, Stamped: r.Stamped, Foreign: r.Foreign, Rejected: r.Rejected}
	for _, rejected := range r.Rejections {
		view.Rejections = append(view.Rejections, rejectedView(rejected))
	}
	return view
}

func printBackfill(out io.Writer, r *recipient, view *backfillView) {
	fmt.Fprintf(out, "%d items read, %d changes published to %s, of them %d tombstones\n", view.Scanned, view.Published, r.sub.Service(), view.Tombstones)
	if view.Earlier != nil {
		fmt.Fprintf(out, "  %v: what the subscriber lost of them since was not published again; --restart publishes everything\n", view.Earlier)
	}
	if view.Stamped > 0 {
		fmt.Fprintf(out, "  %d had no version and were given one\n", view.Stamped)
	}
	if view.Foreign > 0 {
		fmt.Fprintf(out, "  %d are none of %s, or were gone by the time\n", view.Foreign, r.sub.Contract.ID())
	}
	printRejected(out, view.Rejections, view.Rejected)
	if view.Rejected > 0 {
		fmt.Fprintf(out, "the copies of these are not right: mend the items at %s, whose change then comes by itself\n", r.owner.Service())
	}
	fmt.Fprintf(out, "%s is up to date when its queue is empty: see replicactl status\n", r.sub.Service())
}
