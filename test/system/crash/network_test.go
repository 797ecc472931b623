package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// network is what stands between the services and localaws: for each service a
// Toxiproxy of its own, and behind them all one throttle.
type network struct {
	proxies  map[string]*toxiproxy.Proxy // by process
	throttle *throttle

	mu     sync.Mutex
	toxics map[string]int // how many of each kind there were
}

func openNetwork(t *testing.T, localAWS string, seed uint64, processes []string) *network {
	t.Helper()
	n := &network{throttle: newThrottle(localAWS, seed), proxies: map[string]*toxiproxy.Proxy{}, toxics: map[string]int{}}
	behind := httptest.NewServer(n.throttle)
	t.Cleanup(behind.Close)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	for _, process := range processes {
		proxy := toxiproxy.NewProxy(server, process, "127.0.0.1:0", strings.TrimPrefix(behind.URL, "http://"))
		if err := proxy.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(proxy.Stop)
		n.proxies[process] = proxy
	}
	return n
}

// through are the proxies' URLs by process.
func (n *network) through() map[string]string {
	urls := map[string]string{}
	for process, proxy := range n.proxies {
		urls[process] = "http://" + proxy.Listen
	}
	return urls
}

// toxic is one thing that is wrong with a process's connections for a while.
type toxic struct {
	process string
	kind    string // Toxiproxy's type
	stream  string // upstream: requests meet it; downstream: their answers do
	ms      int64
	share   float64 // of the connections
	lasts   time.Duration
}

func (x toxic) String() string {
	return fmt.Sprintf("%s %s of %s, %d ms, %.0f %% of connections, for %s", x.kind, x.stream, x.process, x.ms, 100*x.share, x.lasts.Round(time.Millisecond))
}

// drawToxic draws what is next. A request that is cut was perhaps never made, an
// answer that is cut belongs to a call that had its effect.
func drawToxic(r *rand.Rand, processes []string) toxic {
	x := toxic{
		process: processes[r.IntN(len(processes))],
		kind:    []string{"reset_peer", "timeout", "latency"}[r.IntN(3)],
		stream:  []string{"upstream", "downstream"}[r.IntN(2)],
		share:   0.3 + 0.7*r.Float64(),
		lasts:   between(r, 200*time.Millisecond, 2*time.Second),
	}
	switch x.kind {
	case "reset_peer":
		x.ms = r.Int64N(200)
	case "timeout": // nothing passes; 0 stalls until the toxic goes
		x.ms = r.Int64N(2) * (200 + r.Int64N(1500))
	case "latency":
		x.ms = 20 + r.Int64N(400)
	}
	return x
}

// disturb has toxics come and go, one or two at a time, until the context ends,
// and leaves none behind.
func (n *network) disturb(ctx context.Context, r *rand.Rand, processes []string, say func(string, ...any)) error {
	defer n.throttle.refuse(0, 0)
	for ctx.Err() == nil {
		// Few calls have several statements, those of a backlog.
		n.throttle.refuse([]float64{0, 0.02, 0.1, 0.4}[r.IntN(4)], []float64{0.2, 0.5, 0.9}[r.IntN(3)])
		x := drawToxic(r, processes)
		if err := n.add(x); err != nil {
			return fmt.Errorf("add toxic %s: %w", x, err)
		}
		say("toxic: %s", x)
		pause(ctx, x.lasts)
		n.proxies[x.process].Toxics.ResetToxics(context.WithoutCancel(ctx))
		pause(ctx, between(r, 100*time.Millisecond, time.Second))
	}
	return nil
}

func (n *network) add(x toxic) error {
	attributes := map[string]any{"timeout": x.ms}
	if x.kind == "latency" {
		attributes = map[string]any{"latency": x.ms, "jitter": x.ms / 2}
	}
	described, err := json.Marshal(map[string]any{"type": x.kind, "stream": x.stream, "toxicity": x.share, "attributes": attributes})
	if err != nil {
		return err
	}
	if _, err := n.proxies[x.process].Toxics.AddToxicJson(strings.NewReader(string(described))); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.toxics[x.kind]++
	return nil
}

// pause waits, or until the context ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)))
}
