package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

// runFlags are those of verbs whose runs are resumed.
type runFlags struct {
	restart, resumeOld bool
}

func (f *runFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.restart, "restart", false, "begin anew instead of going on with an interrupted run")
	cmd.Flags().BoolVar(&f.resumeOld, "resume-old", false, "go on with an interrupted run though it was last heard of over an hour ago")
}

func (f *runFlags) checkRun() error {
	if f.restart && f.resumeOld {
		return &usageError{errors.New("--restart and --resume-old: want one of them")}
	}
	return nil
}

// resumeWithin is how long ago a run that is resumed may have been heard of.
func (f *runFlags) resumeWithin() time.Duration {
	if f.resumeOld {
		return dynamostore.AnyAge
	}
	return dynamostore.ResumeWithin
}

// again is how to go on with a run that is interrupted now.
func (f *runFlags) again() string {
	if f.restart {
		return "run the same command without --restart within an hour, it goes on where it stopped"
	}
	return "run the same command again within an hour, it goes on where it stopped"
}

// lastRun is a task's latest run; nil for none.
type lastRun struct {
	*dynamostore.Run
	// resumed says that it goes on.
	resumed bool
}

// last is the task's latest run as it is now; nil for none.
func (f *runFlags) last(run *dynamostore.Run, now time.Time) *lastRun {
	if run == nil {
		return nil
	}
	resume := dynamostore.Resume{Anew: f.restart, Since: now.Add(-f.resumeWithin())}
	return &lastRun{Run: run, resumed: resume.Takes(run)}
}

func (l *lastRun) interrupted() bool { return l != nil && l.Finished.IsZero() }

func (l *lastRun) goesOn() bool { return l != nil && l.resumed }

// givenUp is what a plan says of a run that is not resumed.
func (l *lastRun) givenUp(f *runFlags) string {
	text := fmt.Sprintf("the run begun at %s is given up; if it still runs elsewhere, it ends with an error", when(l.Started))
	if !f.restart {
		text = fmt.Sprintf("the run begun at %s was last heard of at %s, over an hour ago, and is given up: what went wrong since then with what it had read, it would not see; --resume-old goes on with it all the same",
			when(l.Started), when(l.Saved))
	}
	return text
}

// read is how many items an interrupted run has read, and how many of its
// segments are done.
func (l *lastRun) read() (items int64, done int) {
	for _, place := range l.Segments {
		items += place.Counts["scanned"]
		if place.Done {
			done++
		}
	}
	return items, done
}

// earlierView is the part of a resumed run that is from before, as --json has it.
type earlierView struct {
	Scanned int64     `json:"scanned"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
}

// earlier is nil where nothing is from before.
func (l *lastRun) earlier(started time.Time, scanned int64) *earlierView {
	if scanned == 0 {
		return nil
	}
	view := &earlierView{Scanned: scanned, Since: started.UTC(), Until: started.UTC()}
	if l != nil && l.Saved.After(started) {
		view.Until = l.Saved.UTC()
	}
	return view
}

func (e *earlierView) String() string {
	return fmt.Sprintf("%d of the items were read from %s to %s, before the run was interrupted", e.Scanned, when(e.Since), when(e.Until))
}

// lastRun returns the task's latest run; nil if there was none.
func (r *recipient) lastRun(ctx context.Context, task string) (*dynamostore.Run, error) {
	table := r.owner.Publication.CheckpointTable
	run, err := dynamostore.NewProgress(r.clients.DynamoDB, table).Load(ctx, task)
	if _, missing := errors.AsType[*dynamotypes.ResourceNotFoundException](err); missing {
		return nil, r.absent(connect.DynamoDB, "%s's checkpoint table %s, which keeps how far a run is,", r.owner.Service(), table)
	}
	return run, err
}
