package reconcile

import (
	"context"
	"sync"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/internal/outflow"
)

// saveEvery is how often a segment's place is saved, at most.
const saveEvery = 2 * time.Second

// segment is one segment of one pass.
type segment struct {
	at     int // among all places
	number int // within its pass

	mu    sync.Mutex
	place dynamostore.Place // before the first page that is still open
	open  []*page
	dirty bool
	saved time.Time
	// saving keeps two saves from overtaking each other.
	saving sync.Mutex
}

// page is one page of a segment. It is settled when it was compared and none
// of its differences is held any more.
type page struct {
	of      *segment
	counts  tally
	next    contracts.Item
	last    bool
	waiting int // differences held, and one while it is compared
}

func (s *segment) begin() *page {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &page{of: s, counts: make(tally), waiting: 1}
	s.open = append(s.open, p)
	return p
}

func (p *page) count(name string, n int) {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.counts[name] += int64(n)
}

// wait has the page wait for one more difference.
func (p *page) wait() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.waiting++
}

// done is the end of the comparison, or of one difference. The segment's place
// moves past every page that has nothing more to wait for.
func (p *page) done() {
	s := p.of
	s.mu.Lock()
	defer s.mu.Unlock()
	p.waiting--
	for len(s.open) > 0 && s.open[0].waiting == 0 {
		first := s.open[0]
		s.open = s.open[1:]
		tally(s.place.Counts).add(first.counts)
		s.place.Position, s.place.Done, s.dirty = first.next, first.last, true
	}
}

// counted returns all that was counted, in open pages too.
func (s *segment) counted() tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := make(tally)
	t.add(s.place.Counts)
	for _, p := range s.open {
		t.add(p.counts)
	}
	return t
}

// save keeps the segment's place, if it moved and it is time to, or at once.
func (r *run) save(ctx context.Context, s *segment, atOnce bool) error {
	if r.cfg.Runs == nil {
		return nil
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	now := r.cfg.Now()
	if !s.dirty || !atOnce && now.Sub(s.saved) < saveEvery {
		s.mu.Unlock()
		return nil
	}
	place := s.place
	place.Counts = make(tally)
	tally(place.Counts).add(s.place.Counts)
	s.dirty, s.saved = false, now
	s.mu.Unlock()
	err := outflow.Persist(ctx, func() error { return r.cfg.Runs.Save(ctx, r.kept, s.at, place) }, dynamostore.ErrSuperseded)
	if err != nil {
		s.mu.Lock()
		s.dirty = true
		s.mu.Unlock()
	}
	return err
}
