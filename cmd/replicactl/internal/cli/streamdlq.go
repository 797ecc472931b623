package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/bucket"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/cost"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/streamletters"
)

type streamDLQFlags struct {
	contract, queue string
	files, s3       string
	ids             []string
	rate            float64
	apply           bool

	place bucket.Place // what s3 says
}

// objects says that the letters are in no queue.
func (f *streamDLQFlags) objects() bool { return f.files != "" || f.s3 != "" }

func newStreamDLQ(g *globals) *cobra.Command {
	var f streamDLQFlags
	cmd := &cobra.Command{
		Use:     "stream-dlq",
		GroupID: groupMend,
		Short:   "Put right what the relay, or Lambda in front of it, gave up",
		Long: `stream-dlq puts right the letters of an owner's relay: it stamps the items that
they name, as they are now, so that their current state comes through the stream
once more. An old body is never published. A letter is deleted only after all of
its items were stamped.

Letters are in the relay's dead-letter queue, which the manifest names, or in the
queue that Lambda's on-failure destination is (--queue): that holds only a range
of the stream, which is read back while the stream still has it, for 24 hours.

Lambda's S3 destination has the whole records. --s3 reads its bucket, below
aws/lambda/ unless the place says otherwise, one object at a time, and deletes an
object as soon as all of its items were stamped; where the bucket keeps versions,
it stays there under a delete marker. It needs s3:ListBucket, s3:GetObject and
s3:DeleteObject; without the last, objects stay and are put right once more by the
next run, which is harmless. --files does the same with copies in a directory.

Left where they are, with the reason: items that still violate the contract,
which the relay would only give up again; ranges that the stream no longer
holds; and what names nothing of ours. Its verbs list, show and purge are for
those. What a subscriber gave up is for dlq.

The exit code of --apply is 1 where letters were refused. Those left, which are
another table's or name nothing of ours, are no error.`,
		Example: `  replicactl stream-dlq --contract company.profile/v1
  replicactl stream-dlq --contract company.profile/v1 --apply
  replicactl stream-dlq --contract company.profile/v1 --queue relay-lambda-failures --apply
  replicactl stream-dlq --contract company.profile/v1 --s3 s3://relay-failures --apply
  replicactl stream-dlq --contract company.profile/v1 --files ./failed --apply`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("stream-dlq has no verb %q; it has list, show and purge, and puts right without one", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return runStreamDLQ(cmd, g, &f) },
	}
	cmd.AddCommand(newDLQList(g, true), newDLQShow(g, true), newDLQPurge(g, true))
	g.contractFlag(cmd, &f.contract)
	cmd.Flags().StringVar(&f.queue, "queue", "", "the queue with the letters; the relay's dead-letter queue if nothing is said")
	cmd.Flags().StringVar(&f.s3, "s3", "", "the bucket of Lambda's S3 destination, as s3://BUCKET or s3://BUCKET/PREFIX, instead of a queue")
	cmd.Flags().StringVar(&f.files, "files", "", "a directory with objects of Lambda's S3 destination, instead of a queue")
	cmd.Flags().StringSliceVar(&f.ids, "id", nil, "letters of the queue by their ids; repeatable; all if nothing is said")
	cmd.Flags().Float64Var(&f.rate, "rate", defaultRedriveRate, "items stamped a second, at the most; 0 for no limit")
	applyFlag(cmd, &f.apply)
	needs(cmd, "contract")
	return cmd
}

func runStreamDLQ(cmd *cobra.Command, g *globals, f *streamDLQFlags) error {
	switch {
	case f.rate < 0:
		return &usageError{fmt.Errorf("--rate %g: want 0 or more", f.rate)}
	case f.files != "" && f.s3 != "":
		return &usageError{errors.New("--files and --s3: want one of them")}
	case f.objects() && (f.queue != "" || len(f.ids) > 0):
		return &usageError{errors.New("--files and --s3 are instead of a queue: leave out --queue and --id")}
	}
	if f.s3 != "" {
		place, err := bucket.Parse(f.s3)
		if err != nil {
			return &usageError{fmt.Errorf("--s3: %w", err)}
		}
		f.place = place
	}
	set, err := g.set()
	if err != nil {
		return err
	}
	owner, err := set.Publication(f.contract)
	if err != nil {
		return err
	}
	if f.queue == "" {
		f.queue = owner.Publication.DeadLetterQueue
	}
	clients, err := open(cmd.Context(), f.needs(owner)...)
	if err != nil {
		return err
	}
	planning, err := f.run(cmd.Context(), set, owner, clients, false, nil)
	if err != nil {
		return fmt.Errorf("stream-dlq: %w", err)
	}
	p := streamPlan(owner, f, &planning)
	g.showPlan(p)
	if !f.apply {
		if !g.json {
			tallyTable(g.out, viewStream(&planning, true).Tallies)
		}
		return g.finish(p, false, viewStream(&planning, true), nil)
	}
	var report reporter
	var done streamletters.Result
	err = g.metered("letters", &report, func() (err error) {
		done, err = f.run(cmd.Context(), set, owner, clients, true, func(p streamletters.Progress) {
			report(int64(p.Letters), int64(planning.Letters), fmt.Sprintf("%d items stamped", p.Items))
		})
		return err
	})
	view := viewStream(&done, err == nil)
	if err != nil {
		err = resume(fmt.Errorf("stream-dlq: %d letters put right: %w", done.Mended, err), "no letter is gone whose items were not stamped; run the same command again to go on")
		return stopped(err, p, view)
	}
	if err := g.finish(p, true, view, func(out io.Writer) {
		fmt.Fprintf(out, "%d letters put right, %d items stamped; %d left, %d refused\n", done.Mended, done.Items, done.Left, done.Refused)
		tallyTable(out, view.Tallies)
		if done.Undeleted > 0 {
			fmt.Fprintf(out, "%d of those put right are still there, which is harmless: %s\n", done.Undeleted, problemText(done.Problem))
		}
	}); err != nil {
		return err
	}
	if done.Refused > 0 {
		return errSaid
	}
	return nil
}

// needs are the rights that it takes to put letters right.
func (f *streamDLQFlags) needs(owner target.Published) []trouble.Need {
	table := owner.Publication.Table
	return []trouble.Need{
		{Right: "dynamodb:GetItem", On: table, For: "to see the items that letters name"},
		{Right: "dynamodb:UpdateItem", On: table, For: "to stamp the items that letters name"},
		{Right: "dynamodb:PutItem", On: table, For: "to put a tombstone where an item is gone"},
		{Right: "dynamodb:GetShardIterator", For: "to read back the range that a letter has"},
		{Right: "dynamodb:GetRecords", For: "to read back the range that a letter has"},
		{Right: "sqs:ReceiveMessage", On: f.queue, For: "to read the letters"},
		{Right: "sqs:ChangeMessageVisibility", On: f.queue, For: "to have others see the letters that stay"},
		{Right: "sqs:DeleteMessage", On: f.queue, For: "to delete letters that were put right"},
		{Right: "s3:ListBucket", On: f.place.Bucket, For: "to find the letters"},
		{Right: "s3:GetObject", On: f.place.Bucket, For: "to read the letters"},
		{Right: "s3:DeleteObject", On: f.place.Bucket, For: "to delete letters that were put right"},
	}
}

// run goes through the letters, for every contract that is published from the
// same table.
func (f *streamDLQFlags) run(ctx context.Context, set *target.Set, owner target.Published, clients connect.Clients, apply bool, report func(streamletters.Progress)) (streamletters.Result, error) {
	var sources []*replica.Source
	for _, p := range owner.Manifest.Publishes {
		if p.Table != owner.Publication.Table {
			continue
		}
		published, err := set.Publication(p.Contract)
		if err != nil {
			return streamletters.Result{}, err
		}
		source, err := published.Source()
		if err != nil {
			return streamletters.Result{}, err
		}
		sources = append(sources, source)
	}
	mender, err := streamletters.New(streamletters.Config{Sources: sources, Table: dynamostore.NewSource(clients.DynamoDB, owner.Publication.Table),
		TableName: owner.Publication.Table, Streams: clients.Streams, Rate: f.rate, Report: report})
	if err != nil {
		return streamletters.Result{}, err
	}
	if f.s3 != "" {
		result, err := mender.Objects(ctx, bucket.New(clients.S3, f.place), apply)
		return result, err
	}
	if f.files == "" {
		result, err := mender.Queue(ctx, streamletters.QueueConfig{Client: clients.SQS, Queue: f.queue, IDs: f.ids}, apply)
		return result, err
	}
	root, err := os.OpenRoot(f.files)
	if err != nil {
		return streamletters.Result{}, fmt.Errorf("open letters: %w", err)
	}
	result, err := mender.Objects(ctx, directory{root}, apply)
	return result, errors.Join(err, root.Close())
}

// directory has objects of Lambda's S3 destination as files.
type directory struct{ root *os.Root }

func (d directory) List(ctx context.Context, visit func(string) error) error {
	return fs.WalkDir(d.root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !entry.Type().IsRegular():
			return nil
		}
		return visit(path)
	})
}

// Read returns one byte more than a letter may have of a file that is larger.
func (d directory) Read(_ context.Context, name string) ([]byte, error) {
	file, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, streamletters.MaxBodyBytes+1))
	return text, errors.Join(err, file.Close())
}

func (d directory) Delete(_ context.Context, name string) error {
	if err := d.root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func streamPlan(owner target.Published, f *streamDLQFlags, r *streamletters.Result) *plan {
	from := planTarget{Kind: "queue", Name: f.queue, Use: "deleted from"}
	switch {
	case f.s3 != "":
		from = planTarget{Kind: "bucket", Name: f.place.String(), Use: "deleted from"}
	case f.files != "":
		from = planTarget{Kind: "directory", Name: f.files, Use: "deleted from"}
	}
	p := plan{Verb: "stream-dlq", Targets: []planTarget{from, {Kind: "table", Name: owner.Publication.Table, Use: "written"}, {Kind: "topic", Name: owner.Publication.Topic, Use: "sent to by the relay"}},
		Counts: []planCount{{What: "letters read", N: int64(r.Letters)}, {What: "to put right", N: int64(r.Mended)}, {What: "items to stamp", N: int64(r.Items)},
			{What: "left", N: int64(r.Left)}, {What: "refused", N: int64(r.Refused)}}, Notes: leftNotes(r.Unread, nil)}
	p.Notes = append(p.Notes, twice)
	items := int64(r.Items)
	requests := []cost.Line{cost.Read("GetItem", 3*items, 3*items, 1<<10, true), cost.Write("UpdateItem", items, 1<<10)}
	if r.StreamReads > 0 {
		requests = append(requests, cost.Streams(2*int64(r.StreamReads)))
	}
	switch {
	case f.s3 != "":
		requests = append(requests, cost.Objects(2, int64(r.Letters))...)
	case f.files == "":
		requests = append(append(requests, lookedThrough(2, r.Letters, 0)...), cost.Queue("DeleteMessageBatch", tens(r.Mended), 0))
	}
	return planned(p, requests...)
}

type streamView struct {
	// Complete is false where it was stopped before its end.
	Complete  bool        `json:"complete"`
	Letters   int         `json:"letters"`
	Mended    int         `json:"mended"`
	Left      int         `json:"left"`
	Refused   int         `json:"refused"`
	Undeleted int         `json:"undeleted"`
	Items     int         `json:"items"`
	Unread    int         `json:"unread"`
	Tallies   []tallyView `json:"tallies"`
	Problem   string      `json:"problem,omitempty"`
}

func viewStream(r *streamletters.Result, complete bool) streamView {
	view := streamView{Complete: complete, Letters: r.Letters, Mended: r.Mended, Left: r.Left, Refused: r.Refused, Undeleted: r.Undeleted, Items: r.Items,
		Unread: r.Unread, Problem: problemText(r.Problem), Tallies: []tallyView{}}
	for _, t := range r.Tallies {
		view.Tallies = append(view.Tallies, tallyView{string(t.Action), t.Reason, t.Advice, t.Letters, t.ID, t.Detail})
	}
	return view
}
