package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/reconcile"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

type reconcileFlags struct {
	sendingFlags // without the canary: what was repaired is read again
	repair       bool
	settle       time.Duration
	verify       time.Duration
	segments     int
	runFlags
	limit int
}

const (
	defaultSettle = 30 * time.Second
	defaultVerify = 2 * time.Minute
	maxSegments   = 64
)

func newReconcile(g *globals) *cobra.Command {
	var f reconcileFlags
	cmd := &cobra.Command{
		Use:     "reconcile",
		GroupID: groupMend,
		Short:   "Compare a subscriber's copies with their source, and mend them",
		Long: `reconcile compares every item of the owner's table with the subscriber's copies,
each copy of a fan-out too, by consistent reads of whole tables. What it finds is

  missing        the source has the item and the replica no copy
  behind         the copy shows an older state
  extra          the copy shows an item that the source does not have
  different      same version, other content, or made under another mapping
  ahead          the copy is above its source, whose next changes would be lost
  unversioned    the source item was given no version: is the relay running?
  unpublishable  the source item violates the contract, so nobody can hear of it

What is merely on its way is none of these: a difference is read again after
--settle, and is drift if the copy still does not hold the state that the source
had then. What a function replica keeps is not compared; it is named.

Comparing changes nothing and runs at once; its cost is estimated first. With
--repair it then shows what mending would take; --repair --apply compares and
mends at once, beside live changes: it publishes the source's present state to
this subscriber alone, or, where the copy would not take that, gives the source
item a version above the copy's, which every subscriber hears of. It never writes
to the subscriber's tables. What was mended is read again until that shows.

How far a run is, is kept in the owner's checkpoint table: Ctrl-C, or a crash,
costs little, and the same command goes on where it was, also on another machine.
What it found until then is not found again, but is in the counts; what happened
since then to what it had read it does not see, and says so. Where nothing was
heard of it for an hour, the run begins anew instead; --resume-old goes on.

The exit code is 0 where nothing differs or everything was mended, 3 where drift
is left, 1 for errors.`,
		Example: `  replicactl reconcile --contract company.profile/v1 --subscriber stats
  replicactl reconcile --contract company.profile/v1 --subscriber stats --json | jq -r '.findings[].subject'
  replicactl reconcile --contract company.profile/v1 --subscriber stats --repair
  replicactl reconcile --contract company.profile/v1 --subscriber stats --repair --apply --rate 50`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runReconcile(cmd.Context(), g, &f) },
	}
	g.contractFlag(cmd, &f.contract)
	g.subscriberFlag(cmd, &f.to, "subscriber", "the service whose copies are compared")
	flags := cmd.Flags()
	flags.BoolVar(&f.repair, "repair", false, "show how the drift would be mended; with --apply, mend it")
	applyFlag(cmd, &f.apply)
	flags.DurationVar(&f.settle, "settle", defaultSettle, "how long a difference may be on its way: more than the subscriber's usual lag, at least 1s")
	flags.IntVar(&f.segments, "segments", 4, fmt.Sprintf("parts of a table that are read at the same time, 1 to %d; a run that is resumed keeps its own", maxSegments))
	flags.Float64Var(&f.rate, "rate", defaultRate, "repairs published a second, at the most; 0 for no limit")
	flags.IntVar(&f.maxBacklog, "max-backlog", defaultMaxBacklog, "messages in the subscriber's queue above which no repair is published; 0 for any number")
	flags.DurationVar(&f.verify, "verify-timeout", defaultVerify, "how long a repair may take to show")
	f.add(cmd)
	flags.IntVar(&f.limit, "limit", 100, "findings that are listed, at the most; --json has them all")
	needs(cmd, "contract", "subscriber")
	return cmd
}

func (f *reconcileFlags) check() error {
	switch {
	case f.apply && !f.repair:
		return &usageError{errors.New("--apply goes with --repair: comparing changes nothing and needs no --apply")}
	case f.settle < time.Second:
		return &usageError{fmt.Errorf("--settle %v: want 1s or more", f.settle)}
	case f.segments < 1 || f.segments > maxSegments:
		return &usageError{fmt.Errorf("--segments %d: want 1 to %d", f.segments, maxSegments)}
	case f.verify <= 0:
		return &usageError{fmt.Errorf("--verify-timeout %v: want more than 0s", f.verify)}
	case f.limit < 0:
		return &usageError{fmt.Errorf("--limit %d: want 0 or more", f.limit)}
	}
	return errors.Join(f.checkRun(), f.checkPace())
}

// verb is what the command line asks for, as one repeats it.
func (f *reconcileFlags) verb() string {
	if f.repair {
		return "reconcile --repair"
	}
	return "reconcile"
}

func runReconcile(ctx context.Context, g *globals, f *reconcileFlags) (failed error) {
	if err := f.check(); err != nil {
		return err
	}
	told := func(err error) error {
		return fmt.Errorf("%s %s with %s: %w", f.verb(), f.contract, f.to, err)
	}
	c, err := g.comparison(ctx, f)
	if err != nil {
		return told(err)
	}
	said := &findings{g: g, f: f, c: c}
	shown := stages{g: g}
	side := reconcile.Side{Scanner: dynamostore.NewScan(c.clients.DynamoDB), Reader: dynamostore.New(c.clients.DynamoDB, dynamostore.Config{})}
	cfg := reconcile.Config{
		Source: c.source, Subscriber: f.to, Subscription: c.sub.Subscription, Tables: c.sub.Manifest.Tables, Owner: side, Local: side,
		Runs: dynamostore.NewProgress(c.clients.DynamoDB, c.owner.Publication.CheckpointTable), Restart: f.restart, ResumeWithin: f.resumeWithin(), Segments: f.segments, Settle: f.settle, VerifyTimeout: f.verify,
		Found: said.found, Repaired: said.repaired, Report: func(p reconcile.Progress) { c.show(&shown, p) },
	}
	if f.repair && f.apply {
		publisher, err := snspub.New(c.clients.SNS, snspub.Config{})
		if err != nil {
			return err
		}
		defer func() { failed = errors.Join(failed, publisher.Close()) }()
		cfg.Repair, cfg.Publisher, cfg.Stamps = true, publisher, dynamostore.NewSource(c.clients.DynamoDB, c.source.Table())
		cfg.Rate, cfg.Backlog, cfg.MaxBacklog = f.rate, f.slowed(c.recipient), f.maxBacklog
	}
	run, err := reconcile.New(cfg)
	if err != nil {
		return err
	}
	kept, err := c.lastRun(ctx, run.Task())
	if err != nil {
		return told(err)
	}
	c.before = f.last(kept, time.Now())
	p := c.plan(f)
	g.showPlan(p)
	said.begin(p)
	result, err := run.Run(ctx)
	shown.end()
	if err != nil {
		err = c.stopped(f, err)
	}
	if err := errors.Join(err, said.end(&result, wordsOf(ctx, err))); err != nil {
		return err
	}
	if result.Drifted() > result.Repaired {
		return errDrift
	}
	return nil
}

// comparison is a recipient whose copies are compared with their source.
type comparison struct {
	*recipient
	locals []size   // the subscriber's tables that hold copies
	before *lastRun // of the same comparison
}

// size is what DescribeTable says of a table, some six hours old.
type size struct {
	table        string
	items, bytes int64
}

// comparison looks at what a comparison reads and, where it repairs, at the way
// to the subscriber, so that what cannot work is refused at once.
func (g *globals) comparison(ctx context.Context, f *reconcileFlags) (*comparison, error) {
	r, err := g.parties(f.contract, f.to)
	if err != nil {
		return nil, err
	}
	c := &comparison{recipient: r}
	wanted := c.needs()
	looks := []func(context.Context) error{r.lookAtTable, c.lookAtLocals}
	if f.repair {
		wanted = append(r.needs(), wanted...)
		looks = append(looks, r.lookAtQueue, r.lookAtTopic)
	}
	if r.clients, err = open(ctx, wanted...); err != nil {
		return nil, err
	}
	return c, r.look(ctx, looks...)
}

func (c *comparison) needs() []trouble.Need {
	return []trouble.Need{
		{Right: "dynamodb:GetItem", On: c.owner.Publication.CheckpointTable, For: "to see how far a run is"},
		{Right: "dynamodb:PutItem", On: c.owner.Publication.CheckpointTable, For: "to begin a run"},
		{Right: "dynamodb:UpdateItem", On: c.owner.Publication.CheckpointTable, For: "to keep how far the run is"},
		{Right: "dynamodb:Scan", For: "to read every item, at the owner's and at the subscriber's"},
		{Right: "dynamodb:BatchGetItem", For: "to read the other side of each item"},
		{Right: "dynamodb:DescribeTable", For: "to estimate how much there is"},
		{Right: "dynamodb:GetItem", On: c.source.Table(), For: "to give an item a version above its copies"},
		{Right: "dynamodb:UpdateItem", On: c.source.Table(), For: "to give an item a version above its copies"},
		{Right: "dynamodb:PutItem", On: c.source.Table(), For: "to put a tombstone where an item is gone whose copies are not"},
	}
}

func (c *comparison) lookAtLocals(ctx context.Context) error {
	seen := make(map[string]bool)
	var problems []error
	for _, replica := range c.sub.Subscription.Replicas {
		if replica.Table == "" || seen[replica.Table] {
			continue
		}
		seen[replica.Table] = true
		items, bytes, err := c.describe(ctx, c.sub.Service(), replica.Table)
		if err != nil && !isFinding(err) {
			return err
		}
		problems = append(problems, err)
		c.locals = append(c.locals, size{replica.Table, items, bytes})
	}
	if err := errors.Join(problems...); err != nil {
		return found("%v", err) // one finding among those of the other looks
	}
	return nil
}

// stopped is why a run ended before its time, with the way out.
func (c *comparison) stopped(f *reconcileFlags, err error) error {
	if errors.Is(err, dynamostore.ErrSuperseded) {
		return fmt.Errorf("%w: somebody began it with --restart, and that one goes on", err)
	}
	return resume(err, f.again())
}

// show shows how far the run is. Tables are counted by estimates.
func (c *comparison) show(shown *stages, p reconcile.Progress) {
	total := int64(0)
	for _, t := range append([]size{{c.source.Table(), c.items, c.tableBytes}}, c.locals...) {
		if t.table == p.Table && !p.Result.Resumed && p.ScannedInPass < t.items {
			total = t.items
		}
	}
	note := fmt.Sprintf("%d drifted", p.Result.Drifted())
	if p.Held > 0 {
		note += fmt.Sprintf(", %d wait to be read again", p.Held)
	}
	if p.Result.Repaired+p.Result.NotRepaired > 0 {
		note += fmt.Sprintf(", %d repaired, %d not", p.Result.Repaired, p.Result.NotRepaired)
	}
	shown.at(fmt.Sprintf("%s, pass %d of %d", p.Table, p.Pass, p.Passes)).Report(p.ScannedInPass, total, note)
}
