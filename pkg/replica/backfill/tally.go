package backfill

import (
	"errors"
	"sync"
	"time"

	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

// Counts count items of the owner's table. Of what an interrupted run did, the
// pages whose end was noted count.
type Counts struct {
	// Scanned are all items read.
	Scanned int64
	// Published were accepted by the topic; Tombstones are those of them that
	// announce a delete.
	Published, Tombstones int64
	// Stamped had no valid version and were given one.
	Stamped int64
	// Foreign are none of this contract's, or were gone before they could be
	// published.
	Foreign int64
	// Rejected can never be published.
	Rejected int64
}

func (c Counts) plus(d Counts) Counts {
	return Counts{
		Scanned: c.Scanned + d.Scanned, Published: c.Published + d.Published, Tombstones: c.Tombstones + d.Tombstones,
		Stamped: c.Stamped + d.Stamped, Foreign: c.Foreign + d.Foreign, Rejected: c.Rejected + d.Rejected,
	}
}

// named are the counts as they are kept with a place.
func (c Counts) named() map[string]int64 {
	return map[string]int64{
		"scanned": c.Scanned, "published": c.Published, "tombstones": c.Tombstones,
		"stamped": c.Stamped, "foreign": c.Foreign, "rejected": c.Rejected,
	}
}

func countsOf(named map[string]int64) Counts {
	return Counts{
		Scanned: named["scanned"], Published: named["published"], Tombstones: named["tombstones"],
		Stamped: named["stamped"], Foreign: named["foreign"], Rejected: named["rejected"],
	}
}

// Rejection is an item that can never be published.
type Rejection struct {
	// Subject is the item's; empty where its key makes none.
	Subject string `json:"subject"`
	// Reason is one of a few short texts.
	Reason string `json:"reason"`
	// Detail is the error in full.
	Detail string `json:"detail"`
}

// maxRejections bounds Result.Rejections.
const maxRejections = 100

// Result is what a run did.
type Result struct {
	// Counts are the whole run's, with what was done before it was interrupted.
	Counts
	// Rejections are the first hundred of this process's.
	Rejections []Rejection
	// Run is the run's id, and Started when it was begun; empty where no run was.
	Run     string
	Started time.Time
	// Resumed says that the run had been interrupted before. Earlier is what of
	// Counts was done until then: what the subscriber has lost of that since is
	// not published again.
	Resumed bool
	Earlier Counts
}

// Progress is how far a run has come.
type Progress struct {
	Counts
	// Total is Config.Total.
	Total int64
	// Canary says that the canary is waited for, since CanaryWaited.
	Canary       bool
	CanaryWaited time.Duration
	// Segments are all segments, SegmentsDone those at their end.
	Segments, SegmentsDone int
	// Resumed is what of Counts was done before this process resumed the run: a
	// rate is to be taken of the rest.
	Resumed Counts
	// Backlog is the subscriber's queue's length as last told; Waiting says that
	// it is too long.
	Backlog int
	Waiting bool
}

// tally counts what the segments do. It is safe for concurrent use.
type tally struct {
	report   func(Progress)
	rejected func(Rejection)

	mu         sync.Mutex
	progress   Progress
	rejections []Rejection
	run        *dynamostore.Run
}

// update changes the progress and reports it.
func (t *tally) update(change func(p *Progress)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.progress)
	t.report(t.progress)
}

func (t *tally) canary(waited time.Duration) {
	t.update(func(p *Progress) { p.Canary, p.CanaryWaited = true, waited })
}

func (t *tally) begin(run *dynamostore.Run) {
	t.update(func(p *Progress) {
		t.run = run
		p.Canary, p.Segments = false, len(run.Segments)
		for _, place := range run.Segments {
			p.Counts = p.plus(countsOf(place.Counts))
			if place.Done {
				p.SegmentsDone++
			}
		}
		p.Resumed = p.Counts
	})
}

func (t *tally) page(done Counts, last bool) {
	t.update(func(p *Progress) {
		p.Counts = p.plus(done)
		if last {
			p.SegmentsDone++
		}
	})
}

func (t *tally) paced(backlog int, waiting bool) {
	t.update(func(p *Progress) { p.Backlog, p.Waiting = backlog, waiting })
}

func (t *tally) reject(subject string, cause error) {
	r := Rejection{Subject: subject, Reason: "state violates the contract", Detail: cause.Error()}
	if rejected, ok := errors.AsType[*replica.RejectedError](cause); ok {
		r.Reason = rejected.Reason
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rejections) < maxRejections {
		t.rejections = append(t.rejections, r)
	}
	t.rejected(r)
}

func (t *tally) result() Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	result := Result{Counts: t.progress.Counts, Earlier: t.progress.Resumed, Rejections: t.rejections}
	if t.run != nil {
		result.Run, result.Started, result.Resumed = t.run.ID, t.run.Started, t.run.Resumed
	}
	return result
}
