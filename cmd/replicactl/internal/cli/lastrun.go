package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// resumeWithin is how long ago an interrupted run may have been heard of to be
// resumed without being asked. It goes on behind what it had read: what happened
// to the copies of that since then it neither sees nor mends, so that one of last
// week would call a replica sound that was purged yesterday.
const resumeWithin = time.Hour

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

// anew says that no run is to be resumed.
func (f *runFlags) anew(before *lastRun, now time.Time) bool {
	return f.restart || before.old(now) && !f.resumeOld
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
	// heard is when a place of it was last kept, or when it was begun.
	heard time.Time
}

func (l *lastRun) interrupted() bool { return l != nil && l.Finished.IsZero() }

func (l *lastRun) old(now time.Time) bool {
	return l.interrupted() && now.Sub(l.heard) > resumeWithin
}

// givenUp is what a plan says of a run that is not resumed.
func (l *lastRun) givenUp(f *runFlags) string {
	text := fmt.Sprintf("the run begun at %s is given up; if it still runs elsewhere, it ends with an error", when(l.Started))
	if !f.restart {
		text = fmt.Sprintf("the run begun at %s was last heard of at %s, over an hour ago, and is given up: what went wrong since then with what it had read, it would not see; --resume-old goes on with it all the same",
			when(l.Started), when(l.heard))
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
	if l != nil && l.heard.After(started) {
		view.Until = l.heard.UTC()
	}
	return view
}

func (e *earlierView) String() string {
	return fmt.Sprintf("%d of the items were read from %s to %s, before the run was interrupted", e.Scanned, when(e.Since), when(e.Until))
}

// lastRun returns the task's latest run; nil if there was none.
func (r *recipient) lastRun(ctx context.Context, task string) (*lastRun, error) {
	table := r.owner.Publication.CheckpointTable
	run, err := dynamostore.NewProgress(r.clients.DynamoDB, table).Load(ctx, task)
	if _, missing := errors.AsType[*dynamotypes.ResourceNotFoundException](err); missing {
		return nil, found("%s's checkpoint table %s does not exist, which keeps how far a run is: %s",
			r.owner.Service(), table, r.provide(connect.DynamoDB))
	}
	if err != nil {
		return nil, r.told(err)
	}
	if run == nil {
		return nil, nil
	}
	last := &lastRun{Run: run, heard: run.Started}
	// Package dynamostore, Progress, notes beside the places when it kept them.
	out, err := r.clients.DynamoDB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &table, ConsistentRead: aws.Bool(true),
		Key: map[string]dynamotypes.AttributeValue{manifest.CheckpointKey: &dynamotypes.AttributeValueMemberS{Value: task}},
	})
	if err != nil {
		return nil, fmt.Errorf("load progress of %s: %w", task, r.told(err))
	}
	if kept, ok := out.Item["updatedAt"].(*dynamotypes.AttributeValueMemberS); ok {
		if last.heard, err = time.Parse(time.RFC3339Nano, kept.Value); err != nil {
			return nil, fmt.Errorf("load progress of %s: %w", task, err)
		}
	}
	return last, nil
}
