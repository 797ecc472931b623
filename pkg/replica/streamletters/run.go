package streamletters

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/replica/internal/tally"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// finishTime is how long deleting may go on after ctx has ended, for letters
// whose items are stamped.
const finishTime = 10 * time.Second

// Result is what a run did, or would do.
type Result struct {
	// Letters counts those read.
	Letters int
	// Mended counts those put right and deleted; Left and Refused those that
	// stayed, for the reasons in Tallies.
	Mended, Left, Refused int
	// Undeleted counts those put right and still there, which is harmless;
	// Problem is the first reason.
	Undeleted int
	Problem   error
	// Items is how many items were stamped.
	Items int
	// StreamReads is how many requests for records it took to read ranges back.
	StreamReads int
	// Tallies has the verdicts, the most frequent first.
	Tallies []Tally
	// Unread is how many letters SQS still counts that were not read.
	Unread int
}

// QueueConfig says which queue the letters are in.
type QueueConfig struct {
	// Client is the SDK's. Required.
	Client *sqs.Client
	// Queue is the name or URL of the relay's dead-letter queue, or of the queue
	// that Lambda's destination is, or that is subscribed to it. Required.
	Queue string
	// Box tunes how it is read.
	Box sqssub.BoxConfig
	// IDs are the letters' ids; none for all.
	IDs []string
}

// Queue puts the letters of a queue right. With apply false nothing is changed.
// The result holds for what was done also where there is an error.
func (m *Mender) Queue(ctx context.Context, cfg QueueConfig, apply bool) (result Result, err error) {
	if cfg.Client == nil || cfg.Queue == "" {
		return result, errors.New("stream letters config: Client and Queue: missing")
	}
	wanted := make(map[string]bool, len(cfg.IDs))
	for _, id := range cfg.IDs {
		wanted[id] = true
	}
	box, err := sqssub.OpenDeadLetterBox(ctx, cfg.Client, cfg.Queue, cfg.Box)
	if err != nil {
		return result, err
	}
	run := run{mender: m, apply: apply, result: &result}
	defer func() {
		run.finish()
		err = errors.Join(err, box.Close())
	}()
	for len(cfg.IDs) == 0 || len(wanted) > 0 {
		messages, err := box.Take(ctx)
		if err != nil {
			return result, err
		}
		if len(messages) == 0 {
			break
		}
		var mended []string
		for _, msg := range messages {
			id := aws.ToString(msg.MessageId)
			if len(cfg.IDs) > 0 && !wanted[id] {
				continue
			}
			delete(wanted, id)
			var verdict Verdict
			if letter, unreadable := sqssub.ReadDeadLetter(msg); unreadable != nil {
				verdict = Verdict{Action: Refuse, Reason: "unreadable letter", Detail: unreadable.Error(),
					Advice: "show it, reconcile what it may have been about, then purge it"}
			} else if verdict, err = m.put(ctx, letter.Body, apply, sentSince(msg, box.Begun())); err != nil {
				run.deleted(ctx, box, mended)
				return result, fmt.Errorf("letter %s: %w", id, err)
			}
			run.note(id, verdict)
			if verdict.Action == Mend && apply {
				mended = append(mended, id)
			}
		}
		run.deleted(ctx, box, mended)
		m.cfg.Report(Progress{Letters: result.Letters, Items: m.Items()})
	}
	result.Unread = box.Left()
	return result, nil
}

// sentSince says that a message was sent since the run began, by SQS's clock, or
// that nobody knows.
func sentSince(msg types.Message, begun time.Time) bool {
	at, err := strconv.ParseInt(msg.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	return err != nil || !time.UnixMilli(at).Before(begun)
}

// ErrArchived says that an object is in a storage class from which it has to be
// restored before it can be read.
var ErrArchived = errors.New("archived: restore the object first")

// Objects is where Lambda's S3 destination keeps letters. It is called by one
// goroutine.
type Objects interface {
	// List calls visit with each object's name until there are no more or visit
	// returns an error, which it returns. Objects may be deleted meanwhile.
	List(ctx context.Context, visit func(name string) error) error
	// Read returns an object's content. fs.ErrNotExist says that it is gone, as
	// where another one has just put it right; ErrArchived that it has to be
	// fetched first. Any other error ends the run.
	Read(ctx context.Context, name string) ([]byte, error)
	// Delete deletes an object; one that is gone is no error.
	Delete(ctx context.Context, name string) error
}

// Objects puts the letters of Lambda's S3 destination right. With apply false
// nothing is changed. The result holds for what was done also where there is an
// error.
func (m *Mender) Objects(ctx context.Context, objects Objects, apply bool) (Result, error) {
	var result Result
	run := run{mender: m, apply: apply, result: &result}
	err := objects.List(ctx, func(name string) error {
		text, err := objects.Read(ctx, name)
		var verdict Verdict
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case errors.Is(err, ErrArchived):
			verdict = Verdict{Action: Refuse, Reason: "archived", Detail: err.Error(), Advice: "restore the object in S3, then run this again"}
		case err != nil:
			return fmt.Errorf("read letter %s: %w", name, err)
		default:
			if verdict, err = m.Put(ctx, text, apply); err != nil {
				return fmt.Errorf("letter %s: %w", name, err)
			}
		}
		run.note(name, verdict)
		if verdict.Action == Mend && apply {
			finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
			defer cancel()
			if err := objects.Delete(finish, name); err != nil {
				run.undeleted(fmt.Errorf("delete letter %s: %w", name, err))
			}
		}
		m.cfg.Report(Progress{Letters: result.Letters, Items: m.Items()})
		return nil
	})
	run.finish()
	return result, err
}

// run counts what becomes of letters.
type run struct {
	mender  *Mender
	apply   bool
	result  *Result
	tallies tally.Tallies[Action]
}

func (r *run) note(id string, v Verdict) {
	r.result.Letters++
	switch v.Action {
	case Mend:
		r.result.Mended++
	case Leave:
		r.result.Left++
	default:
		r.result.Refused++
	}
	detail := v.Detail
	if v.Action == Mend {
		detail = strings.Join(v.Subjects[:min(3, len(v.Subjects))], ", ")
	}
	r.tallies.Add(Tally{Action: v.Action, Reason: v.Reason, Advice: v.Advice, ID: id, Detail: detail})
}

func (r *run) undeleted(why error) {
	r.result.Undeleted++
	if r.result.Problem == nil {
		r.result.Problem = why
	}
}

func (r *run) deleted(ctx context.Context, box *sqssub.DeadLetterBox, ids []string) {
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	for i, fate := range box.Delete(ctx, ids) {
		if fate != nil {
			r.undeleted(fmt.Errorf("delete letter %s: %w", ids[i], fate))
		}
	}
}

func (r *run) finish() {
	r.result.Items, r.result.StreamReads, r.result.Tallies = r.mender.Items(), r.mender.streamReads, r.tallies.Sorted()
}
