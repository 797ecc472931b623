package replicatest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// errDead is how calls of a killed process end. Nobody is left to see it.
var errDead = errors.New("the process is dead")

// wire is a process's connection to AWS. A process dies by its wire being cut,
// between two calls or between a call's effect and its answer: what the
// process's goroutines still do has no effect from then on.
type wire struct {
	next http.RoundTripper
	by   *interlude // nil for none
	dead chan struct{}

	mu    sync.Mutex
	cut   bool
	armed bool
	of    string // the operation whose calls count; all, if empty
	left  int    // calls until death, if armed
	after bool   // whether the last one takes effect
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	counts := strings.HasSuffix(r.Header.Get("X-Amz-Target"), w.of)
	last := w.armed && counts && w.left == 0
	if counts {
		w.left--
	}
	if w.cut || last && !w.after {
		w.sever()
		w.mu.Unlock()
		return nil, errDead
	}
	w.mu.Unlock()
	response, err := w.by.roundTrip(w.next, r)
	w.mu.Lock()
	defer w.mu.Unlock()
	if last {
		w.sever()
	}
	if w.cut {
		return nil, errDead
	}
	return response, err
}

// sever cuts the wire. w.mu is held.
func (w *wire) sever() {
	if !w.cut {
		w.cut = true
		close(w.dead)
	}
}

// arm has the process die at its n-th call from now, before or after its effect.
func (w *wire) arm(n int, after bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed, w.of, w.left, w.after = true, "", n, after
}

// armAfter has the process die after its n-th call of an operation from now.
func (w *wire) armAfter(operation string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed, w.of, w.left, w.after = true, "."+operation, n, true
}

// disarm calls a death off that has not come yet.
func (w *wire) disarm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = false
}

// post is a place at which a process runs: when one dies, the next takes over.
type post struct {
	name string
	run  func(ctx context.Context, cfg aws.Config) error
	by   *interlude // of its processes; nil for none
	s    *sim

	mu   sync.Mutex
	wire *wire         // of the process that runs; nil if none
	done chan struct{} // closed when the post is vacant again
	over chan struct{} // closed to keep the next process from taking over
}

// restartPause is how long a post is vacant after a death.
const restartPause = 700 * time.Millisecond

// start has the post taken, if it is vacant.
func (p *post) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done != nil {
		return
	}
	p.done, p.over = make(chan struct{}), make(chan struct{})
	go p.keep(p.done, p.over)
}

// keep runs one process after another until over.
func (p *post) keep(done, over chan struct{}) {
	defer close(done)
	for {
		w := &wire{next: p.s.engine.Transport(), by: p.by, dead: make(chan struct{})}
		ctx, stop := context.WithCancel(context.Background())
		p.mu.Lock()
		p.wire = w
		p.mu.Unlock()
		ended := make(chan error, 1)
		p.s.corpses.Go(func() {
			cfg := p.s.cfg.Copy()
			cfg.HTTPClient = &http.Client{Transport: w}
			ended <- p.run(ctx, cfg)
		})
		select {
		case <-w.dead:
			stop()
		case <-over:
			stop()
			select {
			case <-w.dead:
			case err := <-ended:
				p.judge(w, err)
			}
			return
		case err := <-ended:
			stop()
			p.judge(w, err)
		}
		select {
		case <-over:
			return
		case <-time.After(restartPause):
		}
	}
}

// judge reports a process that ended by itself, or not as it should.
func (p *post) judge(w *wire, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && !w.cut {
		p.s.fail("%s ends with %v", p.name, err)
	}
}

// vacate ends the post's process gracefully and waits for that.
func (p *post) vacate() {
	p.mu.Lock()
	done, over := p.done, p.over
	if done != nil {
		close(over)
	}
	p.mu.Unlock()
	if done == nil {
		return
	}
	<-done
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.wire = nil, nil
}

// taken reports whether the post is meant to be taken.
func (p *post) taken() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done != nil
}

// kill has the post's process die at its n-th call from now.
func (p *post) kill(n int, after bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wire != nil {
		p.wire.arm(n, after)
	}
}

// spare calls off a death that has not come yet.
func (p *post) spare() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wire != nil {
		p.wire.disarm()
	}
}
