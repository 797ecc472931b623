package replicatest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

// interlude is what others do between a process's read of an item of a table
// and what the process makes of it, which is where conditions are needed.
type interlude struct {
	table string
	act   atomic.Pointer[func()] // nil: nothing; done once
}

// wait has act done at the next read; nil calls it off.
func (i *interlude) wait(act func()) {
	if act == nil {
		i.act.Store(nil)
		return
	}
	i.act.Store(&act)
}

// roundTrip makes a call, and the interlude between a read and its answer.
func (i *interlude) roundTrip(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	if i == nil || i.act.Load() == nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetItem") {
		return next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	response, err := next.RoundTrip(r)
	if err == nil && response.StatusCode == http.StatusOK && bytes.Contains(body, fmt.Appendf(nil, "%q", i.table)) {
		if act := i.act.Swap(nil); act != nil {
			(*act)()
		}
	}
	return response, err
}

// interrupted is a connection with an interlude.
type interrupted struct {
	next http.RoundTripper
	by   *interlude
}

func (i interrupted) RoundTrip(r *http.Request) (*http.Response, error) {
	return i.by.roundTrip(i.next, r)
}

// within is the step that others take in the middle of another, and arrives
// where a stamp or a write of the owner's has read the item already.
func (s Step) within() Step {
	kinds := []Kind{OwnWrite, ForeignWrite, OwnDelete, ForeignPut, ForeignDelete, OwnWrite}
	s.ID, s.Kind = 1000+s.ID, kinds[s.N/5%len(kinds)]
	return s
}

// meanwhile returns what takes the step's inner one.
func (s *sim) meanwhile(ctx context.Context, step Step) func() {
	inner := step.within()
	return func() {
		if err := s.take(ctx, inner); err != nil {
			s.fail("step %v, within %v: %v", inner, step.Kind, err)
		}
	}
}

// intoStamp has somebody write an item between a relay's read of it and its
// stamp, which a foreign write gives it reason for.
func (s *sim) intoStamp(ctx context.Context, step Step) error {
	outer := step
	outer.Kind = []Kind{ForeignDelete, ForeignWrite, ForeignPut, ForeignOld}[step.N%4]
	s.intoRelays.wait(s.meanwhile(ctx, step))
	return s.take(ctx, outer)
}

// intoWrite has somebody write an item between the read and the write of the
// owner's own repository.
func (s *sim) intoWrite(ctx context.Context, subject string, step Step) error {
	by := &interlude{table: s.foreign.table}
	by.wait(s.meanwhile(ctx, step))
	cfg := s.patient.Copy()
	cfg.HTTPClient = &http.Client{Transport: interrupted{s.engine.Transport(), by}}
	return s.byOwnerWith(cfg, step.Skew, func(r Repository) error {
		if step.N%4 == 0 {
			return r.Delete(ctx, subject)
		}
		return r.Put(ctx, subject, shared(step))
	})
}
