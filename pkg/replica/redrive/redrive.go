package redrive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/internal/pace"
	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
	"github.com/tributary-dev/tributary/pkg/replica/internal/tally"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// finishTime is how long what was begun may go on after ctx has ended: deleting
// letters whose messages are stored.
const finishTime = 10 * time.Second

// Config is what a Redrive is made of.
type Config struct {
	// Client is the SDK's. Required.
	Client *sqs.Client
	// DeadLetters is the name or URL of the dead-letter queue. Required.
	DeadLetters string
	// Queue is the name or URL of the main queue. Required for Plan and Run.
	Queue string
	// Catalog knows the contracts. Required.
	Catalog *contracts.Catalog
	// DryRun tries messages before they are put back. Nil: none is tried, none
	// counts as superseded, and what the consumer rejects comes again.
	DryRun *replica.DryRun
	// DropSuperseded deletes what is superseded, instead of leaving it.
	DropSuperseded bool
	// Rate is the most messages put back a second; 0 for no limit.
	Rate float64
	// MaxBacklog is how many messages the main queue may have, above which nothing
	// is put back until half of them are gone; 0 for any number.
	MaxBacklog int
	// Limit bounds how many letters are read; 0 for all that can be.
	Limit int
	// Box tunes how the dead-letter queue is read.
	Box sqssub.BoxConfig
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// Report is called after every ten letters; nil for nobody.
	Report func(Progress)
}

// Progress is how far a pass through the letters has come.
type Progress struct {
	// Read, Sent and Deleted count letters.
	Read, Sent, Deleted int
}

// Redrive reads one subscription's dead-letter queue.
type Redrive struct {
	cfg Config
}

// New returns a redrive. It calls nothing.
func New(cfg Config) (*Redrive, error) {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	for field, absent := range map[string]bool{
		"Client": cfg.Client == nil, "DeadLetters": cfg.DeadLetters == "", "Catalog": cfg.Catalog == nil,
	} {
		if absent {
			report("%s: missing", field)
		}
	}
	if cfg.Limit < 0 {
		report("Limit: %d, want 0 or more", cfg.Limit)
	}
	if cfg.MaxBacklog < 0 {
		report("MaxBacklog: %d, want 0 or more", cfg.MaxBacklog)
	}
	if cfg.Queue != "" && cfg.Queue == cfg.DeadLetters {
		report("Queue: is the dead-letter queue itself")
	}
	if len(problems) > 0 {
		slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, fmt.Errorf("redrive config: %w", errors.Join(problems...))
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Report == nil {
		cfg.Report = func(Progress) {}
	}
	return &Redrive{cfg: cfg}, nil
}

// Tally counts the letters of one verdict.
type Tally = tally.Tally[Action]

// Result is what a redrive did, or, for a plan, would do.
type Result struct {
	// Read counts the letters read, Selected those that were selected.
	Read, Selected int
	// Sent counts those put back, or, in a plan, to be put back.
	Sent int
	// SentBytes is what their bodies weigh.
	SentBytes int64
	// Superseded counts those that every replica has outgrown; they were left,
	// or deleted where Config.DropSuperseded says so. Dropped counts those deleted,
	// or, in a plan, to be deleted.
	Superseded, Dropped int
	// Refused counts those that were left, for the reasons in Tallies.
	Refused int
	// Returned counts those that the consumer gave up once more while the redrive
	// was still at work; they were left, and not put back a second time.
	Returned int
	// Failed counts those that the main queue did not take; they were left.
	Failed int
	// Undeleted counts those put back that are still in the dead-letter queue
	// too, which is harmless: putting one back again changes nothing. Superseded
	// ones that could not be deleted are not among them.
	Undeleted int
	// Tallies has the verdicts, the most frequent first.
	Tallies []Tally
	// Unproven says what the dry run could not know of those sent.
	Unproven []string
	// Problem is the first failure among Failed, Undeleted and what was not
	// dropped.
	Problem error
	// Left is how many letters SQS still counts that were not read.
	Left int
	// Missing are the selected ids that were not met.
	Missing []string
	// OtherReasons are the reasons that letters have, twenty at the most, where
	// one was selected and no letter has it.
	OtherReasons []string
}

// Plan judges the selected letters as Run would, and changes nothing.
func (r *Redrive) Plan(ctx context.Context, sel Selection) (Result, error) {
	return r.redrive(ctx, sel, false)
}

// Run puts the selected letters back into the main queue. The result holds for
// what was done also where there is an error; running it again goes on from
// there.
func (r *Redrive) Run(ctx context.Context, sel Selection) (Result, error) {
	return r.redrive(ctx, sel, true)
}

func (r *Redrive) redrive(ctx context.Context, sel Selection, apply bool) (Result, error) {
	if err := sel.Validate(); err != nil {
		return Result{}, err
	}
	if r.cfg.Queue == "" {
		return Result{}, errors.New("redrive config: Queue: missing")
	}
	main, err := sqssub.OpenOutbox(ctx, r.cfg.Client, r.cfg.Queue)
	if err != nil {
		return Result{}, err
	}
	p := &pass{cfg: &r.cfg, pick: sel.picker(), apply: apply, main: main,
		sent: make(map[[sha256.Size]byte]bool), pace: pace.New(r.cfg.Rate, main.Backlog, r.cfg.MaxBacklog)}
	walked, err := r.walk(ctx, p.pick, &p.progress, p.visit, p.flush)
	p.result.Read, p.result.Left = walked.read, walked.left
	for id := range p.pick.wanted {
		p.result.Missing = append(p.result.Missing, id)
	}
	slices.Sort(p.result.Missing)
	p.result.OtherReasons = p.pick.otherReasons()
	p.result.Tallies = p.tallies.Sorted()
	return p.result, err
}

// pass is one redrive at work.
type pass struct {
	cfg     *Config
	pick    *picker
	apply   bool
	main    *sqssub.Outbox
	pace    *pace.Pace
	tallies tally.Tallies[Action]
	result  Result

	progress Progress

	sending []sqssub.Outgoing // on their way, and their ids
	ids     []string
	bytes   int
	drop    []string // superseded ones to be deleted

	// sent has the bodies put back: what comes back would else go round and
	// round, as fast as the consumer gives it up.
	sent map[[sha256.Size]byte]bool
}

// flushBytes is what is gathered at most before it is sent: one request's worth.
const flushBytes = 256 << 10

func (p *pass) visit(ctx context.Context, box *sqssub.DeadLetterBox, l *Letter) error {
	if !p.pick.picks(l) {
		return nil
	}
	p.result.Selected++
	if p.cameBack(box, l) {
		p.result.Returned++
		v := returned(l)
		p.tallies.Add(Tally{Action: v.Action, Reason: v.Reason, Advice: v.Advice, ID: l.ID, Detail: v.Detail})
		return nil
	}
	facts := Facts{Now: p.cfg.Now(), Unreadable: l.Unreadable, Unknown: l.Unknown, Operation: l.Operation, Published: l.Published}
	if l.Source != "" && l.Source != p.main.Name() {
		facts.OtherQueue = l.Source
	}
	if p.cfg.DryRun != nil && l.Unreadable == nil && facts.OtherQueue == "" {
		trial, err := p.cfg.DryRun.Try(ctx, l.Body, l.metadata())
		switch {
		case err == nil:
			facts.Trial = &trial
		case ctx.Err() != nil || retry.Worthwhile(err) || retry.Denied(err):
			return fmt.Errorf("try letter %s: %w", l.ID, err) // the others would fare no better
		default: // a table of this letter's contract is missing, say
			facts.Untried = err
		}
	}
	v := Judge(facts)
	p.tallies.Add(Tally{Action: v.Action, Reason: v.Reason, Advice: v.Advice, ID: l.ID, Detail: v.Detail})
	switch v.Action {
	case Supersede:
		p.result.Superseded++
		switch {
		case p.cfg.DropSuperseded && p.apply:
			p.drop = append(p.drop, l.ID)
		case p.cfg.DropSuperseded:
			p.result.Dropped++
		}
	case Refuse:
		p.result.Refused++
	case Send:
		if v.Unproven != "" && !slices.Contains(p.result.Unproven, v.Unproven) {
			p.result.Unproven = append(p.result.Unproven, v.Unproven)
		}
		if !p.apply {
			p.result.Sent++
			p.result.SentBytes += int64(len(l.Body))
			return nil
		}
		p.sending = append(p.sending, sqssub.Outgoing{Body: l.Body, Attributes: l.Attributes})
		p.ids = append(p.ids, l.ID)
		p.bytes += len(l.Body)
	}
	if len(p.ids) >= sqssub.MaxBatchMessages || len(p.drop) >= sqssub.MaxBatchMessages || p.bytes >= flushBytes {
		return p.flush(ctx, box)
	}
	return nil
}

// cameBack says that a letter is what this run has put back. An equal one from
// before the run is another's; where one cannot be told from the other, it is
// left to the next run.
func (p *pass) cameBack(box *sqssub.DeadLetterBox, l *Letter) bool {
	return p.sent[sha256.Sum256(l.Body)] && !l.FirstSent.Before(box.Begun())
}

// flush puts back what was gathered, and only then deletes it from the
// dead-letter queue.
func (p *pass) flush(ctx context.Context, box *sqssub.DeadLetterBox) error {
	drop := p.drop
	p.drop = nil
	if len(p.ids) > 0 {
		if err := p.pace.Wait(ctx, len(p.ids)); err != nil {
			return fmt.Errorf("put back into %s: %w", p.main.Name(), err)
		}
		fates := p.main.Send(ctx, p.sending)
		var stored []string
		var fatal error
		for i, fate := range fates {
			if fate == nil {
				stored = append(stored, p.ids[i])
				p.sent[sha256.Sum256(p.sending[i].Body)] = true
				p.result.SentBytes += int64(len(p.sending[i].Body))
				continue
			}
			p.result.Failed++
			p.problem(fmt.Errorf("put %s back into %s: %w", p.ids[i], p.main.Name(), fate))
			if _, itsOwn := errors.AsType[*sqssub.EntryError](fate); !itsOwn {
				fatal = fate // the next ones would fare no better
			}
		}
		p.result.Sent += len(stored)
		p.progress.Sent = p.result.Sent
		p.sending, p.ids, p.bytes = nil, nil, 0
		p.result.Undeleted += len(stored) - p.delete(ctx, box, stored)
		if fatal != nil {
			return fmt.Errorf("put back into %s: %w", p.main.Name(), fatal)
		}
	}
	p.result.Dropped += p.delete(ctx, box, drop)
	return nil
}

// delete returns how many it deleted. It goes on for a moment where ctx has
// ended: what was stored is better not in two places.
func (p *pass) delete(ctx context.Context, box *sqssub.DeadLetterBox, ids []string) int {
	if len(ids) == 0 {
		return 0
	}
	failed, err := deleteLetters(ctx, box, ids)
	p.progress.Deleted += len(ids) - failed
	if err != nil {
		p.problem(err)
	}
	return len(ids) - failed
}

func (p *pass) problem(err error) {
	if p.result.Problem == nil {
		p.result.Problem = err
	}
}

// deleteLetters deletes letters that are safe elsewhere, and returns how many
// stayed, with the first reason.
func deleteLetters(ctx context.Context, box *sqssub.DeadLetterBox, ids []string) (failed int, first error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	for i, fate := range box.Delete(ctx, ids) {
		if fate != nil {
			if failed++; first == nil {
				first = fmt.Errorf("delete %s from %s: %w", ids[i], box.Name(), fate)
			}
		}
	}
	return failed, first
}
