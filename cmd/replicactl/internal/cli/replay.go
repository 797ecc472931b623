package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/cost"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
	"github.com/tributary-dev/tributary/pkg/replica/backfill"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/replay"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

type replayFlags struct {
	sendingFlags
	since, until string
	records      int
	unproven     bool
}

func newReplay(g *globals) *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:     "replay",
		GroupID: groupMend,
		Short:   "Publish the stream's last hours again, to one subscriber",
		Long: `replay publishes again, to one subscriber, what the relay published for the
records that the source table's stream still holds: at most 24 hours. Records of
the same item are merged. For what is older, or to be sure of the present state,
backfill instead.

Nobody else receives a message. It is harmless at any moment, twice, and cut off
in the middle: where the subscriber has a newer version, an older one changes
nothing. It says what the stream had lost, and counts the writes that the relay
answered by a stamp: those are replayed as their stamps.

Without --apply the range is read and counted, and nothing published; --records
bounds the reading, which begins with the oldest record of the range. With it, a
canary goes first, through the subscription's filter, and its consumer has to
note it: a filter policy that is not yet in force would swallow the replay.

The exit code is 1 where a change can never be published, or where the stream
lost a part of the range while it was read.`,
		Example: `  replicactl replay --contract company.profile/v1 --to stats --since 3h
  replicactl replay --contract company.profile/v1 --to stats --since 3h --until 1h --rate 100 --apply
  replicactl replay --contract company.profile/v1 --to stats --since 2026-03-01T02:00:00Z --apply`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runReplay(cmd.Context(), g, &f) },
	}
	g.sendingFlags(cmd, &f.sendingFlags, "since")
	cmd.Flags().StringVar(&f.since, "since", "", "where the range begins: how long ago (3h), or a moment (2026-03-01T02:00:00Z)")
	cmd.Flags().StringVar(&f.until, "until", "", "where it ends, in the same way; now if nothing is said")
	cmd.Flags().IntVar(&f.records, "records", 200_000, "stream records to read for the plan, at the most; 0 for all")
	cmd.Flags().BoolVar(&f.unproven, "no-canary", false, "send no canary: for a filter policy that is known to be in force")
	return cmd
}

// moment reads a moment, or how long ago one was.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, &usageError{fmt.Errorf("--%s %q: want how long ago, as 3h, or a moment, as 2026-03-01T02:00:00Z", flag, text)}
	}
	return at, nil
}

// span is the range that the flags say. It is one for the plan and for what is
// done.
func (f *replayFlags) span(now time.Time) (since, until time.Time, err error) {
	if since, err = moment("since", f.since, now); err != nil {
		return since, until, err
	}
	if until, err = moment("until", f.until, now); err != nil {
		return since, until, err
	}
	until = cmp.Or(until, now)
	switch {
	case since.After(now):
		err = &usageError{fmt.Errorf("--since %s: that is still to come", f.since)}
	case until.Before(since):
		err = &usageError{fmt.Errorf("--until %s is before --since %s", f.until, f.since)}
	case since.Before(now.Add(-dynamostream.Retention)):
		err = fmt.Errorf("replay since %s: %w: replicactl backfill --contract %s --to %s", when(since), replay.ErrTooOld, f.contract, f.to)
	}
	return since, until, err
}

func runReplay(ctx context.Context, g *globals, f *replayFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	if f.records < 0 {
		return &usageError{fmt.Errorf("--records %d: want 0 or more", f.records)}
	}
	since, until, err := f.span(time.Now())
	if err != nil {
		return err
	}
	r, err := g.recipient(ctx, f.contract, f.to, replayNeeds)
	if err != nil {
		return fmt.Errorf("replay %s to %s: %w", f.contract, f.to, err)
	}
	cfg := replay.Config{
		Source: r.source, Table: r.source.Table(), Streams: r.clients.Streams, Subscriber: f.to,
		Since: since, Until: until, Rate: f.rate, Backlog: f.slowed(r), MaxBacklog: f.maxBacklog, Count: true, CountMost: f.records,
	}
	shown := stages{g: g}
	counted, err := replayOnce(ctx, &shown, cfg, "records counted", 0)
	shown.end()
	if err != nil {
		return err
	}
	p := replayPlan(r, f, &counted)
	g.showPlan(p)
	if !f.apply {
		return g.finish(p, false, viewReplay(&counted, true), nil)
	}
	publisher, err := snspub.New(r.clients.SNS, snspub.Config{})
	if err != nil {
		return err
	}
	cfg.Publisher, cfg.Count = publisher, false
	if !f.unproven {
		cfg.Prove = backfill.Canary{
			Source: r.source, Publisher: publisher, Subscriber: f.to, Attributes: r.sub.Subscription.Attributes,
			Canaries: r.canaries(), Timeout: f.canary, Waiting: func(waited time.Duration) { shown.canary(waited, f.canary) },
		}.Prove
	}
	total := int64(counted.Records)
	if counted.Examined.Stopped {
		total = 0 // there are more, and nobody knows how many
	}
	done, err := replayOnce(ctx, &shown, cfg, "records replayed", total)
	shown.end()
	err = errors.Join(err, publisher.Close())
	view := viewReplay(&done, err == nil)
	if err != nil {
		if !g.json {
			printRejected(g.err, view.Rejections, int64(done.Rejected))
		}
		if _, unheard := errors.AsType[*backfill.CanaryError](err); !unheard { // which says what to do
			err = resume(err, fmt.Sprintf("%d changes were published, which is harmless; with --since %s the same command begins anew with this range", done.Published, when(since)))
		}
		return stopped(err, p, view)
	}
	if err := g.finish(p, true, view, func(out io.Writer) { printReplay(out, f, &done, view.Rejections) }); err != nil {
		return err
	}
	if done.Rejected > 0 || done.Examined.Trimmed {
		return errSaid
	}
	return nil
}

// replayNeeds are the rights that a replay needs besides its recipient's.
func replayNeeds(*recipient) []trouble.Need {
	return []trouble.Need{
		{Right: "dynamodb:ListStreams", For: "to find the table's stream"},
		{Right: "dynamodb:DescribeStream", For: "to find the stream's shards"},
		{Right: "dynamodb:GetShardIterator", For: "to read the stream"},
		{Right: "dynamodb:GetRecords", For: "to read the stream"},
	}
}

// replayOnce runs a replay and shows its progress.
func replayOnce(ctx context.Context, shown *stages, cfg replay.Config, name string, total int64) (replay.Result, error) {
	cfg.Progress = func(p replay.Progress) {
		note := heldBack(p.Waiting, p.Backlog, cfg.Subscriber)
		if note == "" {
			note = fmt.Sprintf("%d changes, at %s", p.Published, p.Reached.UTC().Format(time.TimeOnly))
		}
		shown.at(name).Report(int64(p.Records), total, note)
	}
	r, err := replay.New(cfg)
	if err != nil {
		return replay.Result{}, err
	}
	return r.Run(ctx)
}

func replayPlan(r *recipient, f *replayFlags, counted *replay.Result) *plan {
	n := int64(counted.Published)
	p := plan{
		Verb: "replay",
		Targets: []planTarget{
			{"table", r.source.Table(), "its stream is read"},
			{"topic", r.source.Topic(), "published to, for " + f.to + " alone"},
			{"queue", r.sub.Subscription.Queue.Name, fmt.Sprintf("receives; %d messages wait there or are in flight", r.backlog)},
		},
		Counts: []planCount{
			{What: "records in the range", N: int64(counted.Records)},
			{What: "changes to publish", N: n},
			{What: "of them deletes", N: int64(counted.Deletes)},
		},
		Notes: []string{fmt.Sprintf("the range is from %s to %s", when(counted.Since), when(counted.Until))},
	}
	if !f.unproven {
		p.Targets = append(p.Targets, planTarget{"table", r.sub.Subscription.ControlTable, "read: the canary"})
	}
	if counted.Examined.Stopped {
		p.Notes = append(p.Notes, fmt.Sprintf("counting ended after %d records of the stream (--records): there are more, and --apply publishes them all", counted.Examined.Read))
	}
	p.Notes = append(p.Notes, replayNotes(counted)...)
	p.Notes = append(p.Notes, rejectedNotes(counted)...)
	p.Notes = append(p.Notes, f.pace(n))
	requests, notes := r.delivered(n)
	reads := int64(counted.Examined.Read/1000 + 21*len(counted.Examined.Shards)) // a shard's end is not told: so many empty reads show it
	p.Notes = append(p.Notes, notes...)
	return planned(p, append([]cost.Line{cost.Streams(reads)}, requests...)...)
}

// replayNotes are what else to know of a range.
func replayNotes(r *replay.Result) []string {
	var notes []string
	if missing := r.Missing(); missing != "" {
		notes = append(notes, missing)
	}
	if r.Stamped > 0 {
		notes = append(notes, fmt.Sprintf("%d writes were made without a version, the last at %s; their stamps are replayed where they lie in the range",
			r.Stamped, when(r.LastStamped)))
	}
	return notes
}

// rejectedNotes say what a plan would leave out.
func rejectedNotes(r *replay.Result) []string {
	if len(r.RejectedFirst) == 0 {
		return nil
	}
	first := r.RejectedFirst[0]
	return []string{fmt.Sprintf("%d can never be published, the first of %s: %s: %v", r.Rejected, dash(first.Subject), first.Reason, first.Err)}
}

// replayView is a replay's result as --json has it; without --apply, what one
// would be.
type replayView struct {
	// Complete is false where it was stopped before its end.
	Complete  bool      `json:"complete"`
	Since     time.Time `json:"since"`
	Until     time.Time `json:"until"`
	Records   int       `json:"records"`
	Published int       `json:"published"`
	Deletes   int       `json:"deletes"`
	Ignored   int       `json:"ignored"`
	Stamped   int       `json:"stamped"`
	Rejected  int       `json:"rejected"`
	// Stopped says that --records ended the counting.
	Stopped    bool           `json:"stopped,omitempty"`
	Rejections []rejectedView `json:"rejections,omitempty"`
	Missing    string         `json:"missing,omitempty"`
}

func viewReplay(r *replay.Result, complete bool) replayView {
	view := replayView{Complete: complete, Since: r.Since.UTC(), Until: r.Until.UTC(), Records: r.Records, Published: r.Published, Deletes: r.Deletes,
		Ignored: r.Ignored, Stamped: r.Stamped, Rejected: r.Rejected, Stopped: r.Examined.Stopped, Missing: r.Missing()}
	for _, rejected := range r.RejectedFirst {
		view.Rejections = append(view.Rejections, rejectedView{rejected.Subject, rejected.Reason, rejected.Err.Error()})
	}
	return view
}

func printReplay(out io.Writer, f *replayFlags, done *replay.Result, rejections []rejectedView) {
	fmt.Fprintf(out, "%d changes published to %s, of them %d deletes, from %d records\n", done.Published, f.to, done.Deletes, done.Records)
	for _, note := range replayNotes(done) {
		fmt.Fprintf(out, "note: %s\n", note)
	}
	printRejected(out, rejections, int64(done.Rejected))
	fmt.Fprintf(out, "%s is done with them when its queue is empty: see replicactl status\n", f.to)
}
