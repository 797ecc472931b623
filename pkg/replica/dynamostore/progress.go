package dynamostore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// MaxProgressSegments is the most segments of a run: their places are kept in
// one item, and a place has up to 3 KB of key.
const MaxProgressSegments = 100

// ErrSuperseded says that somebody began the task anew, so that this run is not
// the one that is resumed.
var ErrSuperseded = errors.New("another run was begun in the place of this one")

// ResumeWithin is how long ago an interrupted run may have been heard of to be
// resumed without being asked. It goes on behind what it had read: what happened
// to the copies of that since then it neither sees nor mends, so that one of last
// week would call a replica sound that was purged yesterday.
const ResumeWithin = time.Hour

// AnyAge, for ResumeWithin in configurations, resumes a run however long ago it
// was heard of.
const AnyAge time.Duration = math.MaxInt64

// Resume says which interrupted run is gone on with; its zero value takes any.
type Resume struct {
	// Anew takes none.
	Anew bool
	// Since takes none of which nothing was heard since then, by the clocks of the
	// machines that it ran on.
	Since time.Time
}

// Takes tells whether the run is gone on with. One that ended, or nil, is not.
func (r Resume) Takes(run *Run) bool {
	return run != nil && run.Finished.IsZero() && !r.Anew && !run.Saved.Before(r.Since)
}

// Run is one run of a task that goes through a table in segments.
type Run struct {
	// Task is what is done: "backfill/company.profile/v1/stats".
	Task string
	// ID tells the runs of a task apart.
	ID string
	// Started is when the run was begun, at first.
	Started time.Time
	// Saved is when it was last heard of: when a place of it was last kept, or when
	// it was begun.
	Saved time.Time
	// Finished is when it ended; zero while it has not.
	Finished time.Time
	// Resumed says that Begin found it interrupted.
	Resumed bool
	// Segments are the places, by segment.
	Segments []Place
}

// Place is how far a run has come in one segment.
type Place struct {
	// Position is where the next page starts, as the scan gave it; nil at the
	// beginning.
	Position contracts.Item
	// Done says that the segment is at its end.
	Done bool
	// Counts are the task's own.
	Counts map[string]int64
}

// Attributes of a task's item. All places are in one item, so that each is
// saved on condition that the run is still the task's, atomically and in one
// write; an item of a few KB costs as many write units a save.
const (
	progressRun      = "run"
	progressStarted  = "startedAt"  // RFC 3339
	progressUpdated  = "updatedAt"  // RFC 3339; absent before a place is saved
	progressFinished = "finishedAt" // RFC 3339; absent before
	progressSegments = "segments"   // map by number
	placePosition    = "position"
	placeDone        = "done"
	placeCounts      = "counts"
)

// Progress keeps how far runs have come, in an owner's checkpoint table. It needs
// the rights to GetItem, PutItem and UpdateItem, and is safe for concurrent use.
//
// Any number of processes may work on one run: each saves places up to which
// everything is done, so that the later one may take a place back but never
// too far forward.
type Progress struct {
	client *dynamodb.Client
	table  string
	now    func() time.Time
}

// NewProgress returns the progress kept in the checkpoint table of that name.
func NewProgress(client *dynamodb.Client, table string) *Progress {
	return &Progress{client: client, table: table, now: time.Now}
}

// Load returns the task's latest run, by a consistent read; nil if there was
// none.
func (p *Progress) Load(ctx context.Context, task string) (*Run, error) {
	out, err := p.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(p.table), Key: taskKey(task), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, fmt.Errorf("load progress of %s: %w", task, namesTable(err, p.table, manifest.CheckpointKey))
	}
	item, err := FromAttributes(out.Item)
	if err == nil && item != nil {
		return decodeRun(task, item)
	}
	if err != nil {
		return nil, fmt.Errorf("load progress of %s: %w", task, err)
	}
	return nil, nil
}

// Begin resumes the task's run that was interrupted, with the number of segments
// it was begun with. Where there is none that resume takes, it begins another, of
// so many segments.
func (p *Progress) Begin(ctx context.Context, task string, segments int, resume Resume) (*Run, error) {
	if segments < 1 || segments > MaxProgressSegments {
		return nil, fmt.Errorf("begin %s: %d segments, there must be 1 to %d", task, segments, MaxProgressSegments)
	}
	now := p.now().UTC()
	begun := &Run{Task: task, ID: rand.Text(), Started: now, Saved: now, Segments: make([]Place, segments)}
	for {
		has, err := p.Load(ctx, task)
		switch {
		case err != nil:
			return nil, err
		case has != nil && has.ID == begun.ID:
			return begun, nil // the answer to the write was lost
		case resume.Takes(has):
			has.Resumed = true
			return has, nil
		}
		done, err := p.begin(ctx, begun, has)
		if err != nil {
			return nil, fmt.Errorf("begin %s: %w", task, namesTable(err, p.table, manifest.CheckpointKey))
		}
		if done {
			return begun, nil
		}
		resume = Resume{} // whoever was faster has just begun anew
	}
}

// begin puts a run in the place of the one that was read, nil for none.
func (p *Progress) begin(ctx context.Context, run, instead *Run) (bool, error) {
	places := make(map[string]contracts.Value, len(run.Segments))
	for i := range run.Segments {
		places[strconv.Itoa(i)] = encodePlace(Place{})
	}
	item := contracts.Item{
		manifest.CheckpointKey: contracts.String(run.Task),
		progressRun:            contracts.String(run.ID),
		progressStarted:        contracts.String(run.Started.Format(time.RFC3339Nano)),
		progressSegments:       contracts.Map(places),
	}
	e := newExpression()
	was := contracts.Value{}
	if instead != nil {
		was = contracts.String(instead.ID)
	}
	condition := e.is(progressRun, was)
	_, err := p.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           aws.String(p.table),
		Item:                ToAttributes(item),
		ConditionExpression: aws.String(condition), ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	})
	return held(err)
}

// Save keeps how far the run has come in a segment. The error is ErrSuperseded
// where the task was begun anew: nothing is kept then.
func (p *Progress) Save(ctx context.Context, run *Run, segment int, place Place) error {
	e := newExpression()
	set := "SET " + e.name(progressSegments) + "." + e.name(strconv.Itoa(segment)) + " = " + e.value(encodePlace(place))
	if err := p.update(ctx, run, e, set); err != nil {
		return fmt.Errorf("save place of %s in segment %d of %d: %w", run.Task, segment+1, len(run.Segments), err)
	}
	return nil
}

// Finish notes that the run is at its end, so that the next Begin begins
// another. The error is ErrSuperseded as for Save.
func (p *Progress) Finish(ctx context.Context, run *Run) error {
	e := newExpression()
	set := "SET " + e.name(progressFinished) + " = " + e.value(contracts.String(p.now().UTC().Format(time.RFC3339Nano)))
	if err := p.update(ctx, run, e, set); err != nil {
		return fmt.Errorf("finish %s: %w", run.Task, err)
	}
	return nil
}

func (p *Progress) update(ctx context.Context, run *Run, e *expression, set string) error {
	set += ", " + e.name(progressUpdated) + " = " + e.value(contracts.String(p.now().UTC().Format(time.RFC3339Nano)))
	condition := e.is(progressRun, contracts.String(run.ID))
	_, err := p.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(p.table), Key: taskKey(run.Task),
		UpdateExpression: aws.String(set), ConditionExpression: aws.String(condition),
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	})
	ok, err := held(err)
	if err == nil && !ok {
		return ErrSuperseded
	}
	return namesTable(err, p.table, manifest.CheckpointKey)
}

func taskKey(task string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{manifest.CheckpointKey: &types.AttributeValueMemberS{Value: task}}
}

func encodePlace(place Place) contracts.Value {
	fields := map[string]contracts.Value{placeDone: contracts.Bool(place.Done)}
	if place.Position != nil {
		fields[placePosition] = contracts.Map(place.Position)
	}
	counts := make(map[string]contracts.Value, len(place.Counts))
	for name, n := range place.Counts {
		counts[name] = contracts.Number(strconv.FormatInt(n, 10))
	}
	fields[placeCounts] = contracts.Map(counts)
	return contracts.Map(fields)
}

func decodeRun(task string, item contracts.Item) (*Run, error) {
	run := &Run{Task: task, ID: item[progressRun].Text()}
	places := item[progressSegments].Fields()
	if run.ID == "" || len(places) == 0 {
		return nil, fmt.Errorf("load progress of %s: the item is none that this library wrote; remove it", task)
	}
	var err error
	if run.Started, err = time.Parse(time.RFC3339Nano, item[progressStarted].Text()); err != nil {
		return nil, fmt.Errorf("load progress of %s: %w", task, err)
	}
	run.Saved = run.Started
	for name, at := range map[string]*time.Time{progressUpdated: &run.Saved, progressFinished: &run.Finished} {
		if _, kept := item[name]; !kept {
			continue
		}
		if *at, err = time.Parse(time.RFC3339Nano, item[name].Text()); err != nil {
			return nil, fmt.Errorf("load progress of %s: %w", task, err)
		}
	}
	run.Segments = make([]Place, len(places))
	for i := range run.Segments {
		fields := places[strconv.Itoa(i)].Fields()
		place := Place{Done: fields[placeDone].Bool(), Counts: make(map[string]int64)}
		if at := fields[placePosition]; at.Kind() == contracts.KindMap {
			place.Position = at.Fields()
		}
		for name, n := range fields[placeCounts].Fields() {
			if place.Counts[name], err = strconv.ParseInt(n.Text(), 10, 64); err != nil {
				return nil, fmt.Errorf("load progress of %s: count %s: %w", task, name, err)
			}
		}
		run.Segments[i] = place
	}
	return run, nil
}
