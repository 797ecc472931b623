package dynamostore

import (
	"sync"
	"time"
)

// habit is what a table's recent writes met, from which the cheapest way to
// make the next ones follows. A batch of statements is one request for up to 25
// writes; what it leaves open costs a request more for each.
type habit struct {
	mu sync.Mutex
	// missing is the share of items that did not exist: above a half, INSERT is
	// tried before UPDATE.
	missing share
	// absent is, of the statements that failed without showing an item, the
	// share that had none: the others met a newer version that the service did
	// not show.
	absent share
	// open is the share of writes that their statements did not settle, while
	// statements are used; of those that they would not have settled, while they
	// are not. Above a half, statements are not worth it.
	open share
	// hides says that the service does not show the items that statements met.
	hides bool
	// refusedUntil is when a verb may be tried again that the service did not
	// permit or know.
	refusedUntil [2]time.Time
}

// How long a verb is not tried again that is not permitted, or that the service
// failed at though it is there, which may be an outage that passes.
const (
	refusalLife = 10 * time.Minute
	failureLife = 30 * time.Second
)

// share is a moving share of yes among answers, over about the last fifty.
type share float64

const shareMemory = 50

func (s *share) note(yes bool) {
	is := share(0)
	if yes {
		is = 1
	}
	*s += (is - *s) / shareMemory
}

// most says that most of the recent answers were yes.
func (s share) most() bool { return s > 0.5 }

// plan is how a write is best begun.
type plan uint8

const (
	byUpdate plan = iota // an UPDATE among others
	byInsert             // an INSERT among others
	alone                // an UpdateItem
)

// plan returns how to begin a write.
func (h *habit) plan(insertable bool, now time.Time) plan {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.open.most():
		return alone
	case insertable && h.missing.most() && now.After(h.refusedUntil[insertVerb]):
		return byInsert
	case now.After(h.refusedUntil[updateVerb]):
		return byUpdate
	default:
		return alone
	}
}

// next returns how to go on with a statement that did not settle its write:
// with the other verb, or alone.
func (h *habit) next(insertable bool, failed verb, now time.Time) plan {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case failed == insertVerb && now.After(h.refusedUntil[updateVerb]):
		return byUpdate
	case failed == updateVerb && insertable && h.absent.most() && now.After(h.refusedUntil[insertVerb]):
		return byInsert
	default:
		return alone
	}
}

// refuse notes that a verb is of no use for a while, and reports whether that is
// new.
func (h *habit) refuse(v verb, now time.Time, life time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := now.Before(h.refusedUntil[v])
	h.refusedUntil[v] = now.Add(life)
	return !known
}

// course is how one write went.
type course struct {
	begun plan
	// blind says that a statement failed without showing an item, though the
	// write might have created one.
	blind bool
	// shown and unseen say that a statement's condition failed and showed an
	// item, or none; met, that an UpdateItem met one.
	shown, unseen, met bool

	retried bool // a statement of the second round was tried, or is out of the question
	single  bool // an UpdateItem was needed in the end
	created bool // there was no item, now there is
}

// note learns from a write that was settled.
func (h *habit) note(c course, written bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.begun == alone {
		if h.open.most() {
			h.open.note(!written && (h.hides || !c.met))
		}
		return
	}
	switch {
	case c.shown:
		h.hides = false
	case c.unseen && c.met:
		h.hides = true
	}
	h.open.note(c.single)
	h.missing.note(c.created)
	if c.blind {
		h.absent.note(c.created)
	}
}
