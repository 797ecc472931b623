package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/cost"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/progress"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/pkg/replica/backfill"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/replay"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

type replayFlags struct {
	contract, to string
	since, until string
	rate         float64
	maxBacklog   int
	unproven     bool
	canary       time.Duration
	apply        bool
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

Without --apply the range is read and counted, and nothing published. With it, a
canary goes first, through the subscription's filter, and its consumer has to
note it: a filter policy that is not yet in force would swallow the replay.`,
		Example: `  replicactl replay --contract company.profile/v1 --to stats --since 3h
  replicactl replay --contract company.profile/v1 --to stats --since 3h --until 1h --rate 100 --apply
  replicactl replay --contract company.profile/v1 --to stats --since 2026-03-01T02:00:00Z --apply`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runReplay(cmd.Context(), g, &f) },
	}
	g.contractFlag(cmd, &f.contract)
	g.subscriberFlag(cmd, &f.to, "to", "the service that is to receive the changes")
	cmd.Flags().StringVar(&f.since, "since", "", "where the range begins: how long ago (3h), or a moment (2026-03-01T02:00:00Z)")
	cmd.Flags().StringVar(&f.until, "until", "", "where it ends, in the same way; now if nothing is said")
	cmd.Flags().Float64Var(&f.rate, "rate", 0, "changes published a second, at the most; 0 for no limit")
	cmd.Flags().IntVar(&f.maxBacklog, "max-backlog", 10_000, "messages in the subscriber's queue above which nothing is published")
	cmd.Flags().DurationVar(&f.canary, "canary-timeout", 20*time.Minute, "how long to wait for the canary; a new filter policy takes up to 15m")
	cmd.Flags().BoolVar(&f.unproven, "no-canary", false, "send no canary: for a filter policy that is known to be in force")
	applyFlag(cmd, &f.apply)
	needs(cmd, "contract", "to", "since")
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

func runReplay(ctx context.Context, g *globals, f *replayFlags) error {
	now := time.Now()
	since, err := moment("since", f.since, now)
	if err != nil {
		return err
	}
	until, err := moment("until", f.until, now)
	if err != nil {
		return err
	}
	if f.rate < 0 || f.maxBacklog < 1 || f.canary < time.Second {
		return &usageError{fmt.Errorf("--rate %g --max-backlog %d --canary-timeout %v: want 0 or more, 1 or more, 1s or more", f.rate, f.maxBacklog, f.canary)}
	}
	set, err := g.set()
	if err != nil {
		return err
	}
	published, err := set.Publication(f.contract)
	if err != nil {
		return err
	}
	sub, err := set.Subscription(f.contract, f.to)
	if err != nil {
		return err
	}
	source, err := published.Source()
	if err != nil {
		return err
	}
	clients, err := connect.Open(ctx)
	if err != nil {
		return err
	}
	// One range for the plan and for what is done.
	cfg := replay.Config{
		Source: source, Table: published.Publication.Table, Streams: clients.Streams, Subscriber: f.to,
		Since: since, Until: cmp.Or(until, now), Rate: f.rate, MaxBacklog: f.maxBacklog, Count: true,
	}
	counted, err := replayOnce(ctx, g, cfg, "records counted", 0)
	if err != nil {
		return err
	}
	p := replayPlan(published, sub, f, &counted)
	g.showPlan(p)
	if !f.apply {
		return g.finish(p, false, nil, nil)
	}
	if cfg.Publisher, err = snspub.New(clients.SNS, snspub.Config{}); err != nil {
		return err
	}
	cfg.Count = false
	cfg.Backlog = backlogOf(clients, sub.Subscription.Queue.Name)
	if !f.unproven {
		cfg.Prove = func(ctx context.Context) error {
			meter := g.meter("waiting for the canary")
			defer meter.End()
			return backfill.Canary{
				Source: source, Publisher: cfg.Publisher, Subscriber: f.to, Attributes: sub.Subscription.Attributes,
				Canaries: dynamostore.NewCanaries(clients.DynamoDB, sub.Subscription.ControlTable), Timeout: f.canary,
				Waiting: func(waited time.Duration) {
					meter.Report(int64(waited/time.Second), int64(f.canary/time.Second), "seconds")
				},
			}.Prove(ctx)
		}
	}
	done, err := replayOnce(ctx, g, cfg, "changes replayed", int64(counted.Published))
	if err != nil {
		return resume(err, fmt.Sprintf("%d changes were published, which is harmless; run the same command again, it begins anew", done.Published))
	}
	return g.finish(p, true, viewReplay(&done), func(out io.Writer) {
		fmt.Fprintf(out, "%d changes published to %s, of %d records\n", done.Published, f.to, done.Records)
		for _, note := range replayNotes(&done) {
			fmt.Fprintf(out, "note: %s\n", note)
		}
	})
}

// replayOnce runs a replay with its progress on the standard error.
func replayOnce(ctx context.Context, g *globals, cfg replay.Config, name string, total int64) (replay.Result, error) {
	var meter *progress.Meter
	prove := cfg.Prove
	if prove == nil || cfg.Count {
		meter = g.meter(name)
	} else {
		cfg.Prove = func(ctx context.Context) error {
			if err := prove(ctx); err != nil {
				return err
			}
			meter = g.meter(name) // after the canary's
			return nil
		}
	}
	defer func() {
		if meter != nil {
			meter.End()
		}
	}()
	cfg.Progress = func(p replay.Progress) {
		note := "at " + p.Reached.UTC().Format(time.TimeOnly)
		if p.Waiting {
			note = fmt.Sprintf("waiting: %d messages in the queue", p.Backlog)
		}
		meter.Report(int64(p.Published), total, note)
	}
	r, err := replay.New(cfg)
	if err != nil {
		return replay.Result{}, err
	}
	return r.Run(ctx)
}

func replayPlan(published target.Published, sub target.Subscribed, f *replayFlags, counted *replay.Result) *plan {
	const messageBytes = 1 << 10
	n := int64(counted.Published)
	p := plan{
		Verb: "replay",
		Targets: []planTarget{
			{"table", published.Publication.Table, "its stream is read"},
			{"topic", published.Publication.Topic, "published to, for " + f.to + " alone"},
			{"queue", sub.Subscription.Queue.Name, "receives"},
		},
		Counts: []planCount{
			{What: "records in the range", N: int64(counted.Records)},
			{What: "changes to publish", N: n},
			{What: "of them deletes", N: int64(counted.Deletes)},
		},
		Notes: append([]string{fmt.Sprintf("the range is from %s to %s", counted.Since.UTC().Format(time.RFC3339), counted.Until.UTC().Format(time.RFC3339))}, replayNotes(counted)...),
	}
	if !f.unproven {
		p.Targets = append(p.Targets, planTarget{"table", sub.Subscription.ControlTable, "read, for the canary"})
	}
	reads := int64(counted.Examined.Read/1000 + 21*len(counted.Examined.Shards))
	requests := append([]cost.Line{cost.Streams(reads), cost.Publish(n, messageBytes, snspub.DefaultLimitBytes)}, cost.Consume(n, messageBytes)...)
	return planned(p, requests...)
}

// replayNotes are what else to know of a range.
func replayNotes(r *replay.Result) []string {
	var notes []string
	if missing := r.Missing(); missing != "" {
		notes = append(notes, missing)
	}
	if r.Stamped > 0 {
		notes = append(notes, fmt.Sprintf("%d writes were made without a version, the last at %s; their stamps are replayed where they lie in the range",
			r.Stamped, r.LastStamped.UTC().Format(time.RFC3339)))
	}
	if r.Rejected > 0 {
		notes = append(notes, fmt.Sprintf("%d can never be published, the first of %s: %v", r.Rejected, r.RejectedFirst[0].Subject, r.RejectedFirst[0].Err))
	}
	return notes
}

// replayView is a replay's result as --json has it.
type replayView struct {
	Since     time.Time      `json:"since"`
	Until     time.Time      `json:"until"`
	Records   int            `json:"records"`
	Published int            `json:"published"`
	Deletes   int            `json:"deletes"`
	Ignored   int            `json:"ignored"`
	Stamped   int            `json:"stamped"`
	Rejected  int            `json:"rejected"`
	First     []rejectedView `json:"rejected_first,omitempty"`
	Missing   string         `json:"missing,omitempty"`
}

type rejectedView struct {
	Subject string `json:"subject"`
	Reason  string `json:"reason"`
	Detail  string `json:"detail"`
}

func viewReplay(r *replay.Result) replayView {
	view := replayView{Since: r.Since.UTC(), Until: r.Until.UTC(), Records: r.Records, Published: r.Published, Deletes: r.Deletes,
		Ignored: r.Ignored, Stamped: r.Stamped, Rejected: r.Rejected, Missing: r.Missing()}
	for _, rejected := range r.RejectedFirst {
		view.First = append(view.First, rejectedView{rejected.Subject, rejected.Reason, rejected.Err.Error()})
	}
	return view
}

// backlogOf returns how many messages wait in a queue or are in flight. It
// receives none.
func backlogOf(clients connect.Clients, queue string) func(context.Context) (int, error) {
	var url *string
	return func(ctx context.Context) (int, error) {
		if url == nil {
			found, err := clients.SQS.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(queue)})
			if err != nil {
				return 0, fmt.Errorf("find queue %s: %w", queue, clients.Explain(connect.SQS, err))
			}
			url = found.QueueUrl
		}
		waiting, inFlight := types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible
		out, err := clients.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{waiting, inFlight}})
		if err != nil {
			return 0, fmt.Errorf("count the messages of %s: %w", queue, clients.Explain(connect.SQS, err))
		}
		total := 0
		for _, name := range []types.QueueAttributeName{waiting, inFlight} {
			n, err := strconv.Atoi(out.Attributes[string(name)])
			if err != nil {
				return 0, fmt.Errorf("count the messages of %s: %w", queue, err)
			}
			total += n
		}
		return total, nil
	}
}
