package app_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/services/profile/internal/app"
	"github.com/tributary-dev/tributary/services/profile/internal/profiletest"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// pipes is a listener in memory, so that a server runs in virtual time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "pipes"} }

func (p *pipes) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			select {
			case p.conns <- theirs:
				return ours, nil
			case <-p.closed:
				return nil, net.ErrClosed
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
	}}
}

// What is under way when the API is stopped is finished; what takes longer than
// the drain timeout is cut off; nothing new is taken in.
func TestStoppingDrains(t *testing.T) {
	for _, tc := range []struct {
		name  string
		takes time.Duration
		ends  time.Duration // after the start; the stop comes after 1 s
		clean bool
	}{
		{"a request under way is answered", 5 * time.Second, 5 * time.Second, true},
		{"a request without end is cut off", time.Hour, 11 * time.Second, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := profiletest.New(t)
				cfg := app.Config{DrainTimeout: 10 * time.Second, RequestTimeout: time.Minute}
				api, err := app.NewAPI(cfg, w.AWS, quiet)
				if err != nil {
					t.Fatal(err)
				}
				w.Engine.SetFaults(func(c localaws.Call) localaws.Fault { return localaws.Fault{DelayBefore: tc.takes} })
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				listener := newPipes()
				began := time.Now()
				answered := make(chan int, 1)
				go func() {
					response, err := listener.client().Get("http://profile/companies/7")
					if err != nil {
						answered <- 0
						return
					}
					_ = response.Body.Close()
					answered <- response.StatusCode
				}()
				err = api.Serve(ctx, listener)
				if took := time.Since(began); took < tc.ends || took > tc.ends+time.Second {
					t.Errorf("it stopped after %s, want %s", took, tc.ends)
				}
				if status := <-answered; tc.clean != (err == nil) || tc.clean != (status == 404) {
					t.Errorf("answered with %d, stopped with %v", status, err)
				}
				if _, err := listener.client().Get("http://profile/healthz"); err == nil {
					t.Error("a request is taken in after the stop")
				}
				w.Engine.SetFaults(nil)
			})
		})
	}
}

// A connection that its client has opened to spare holds no stop up, and is no
// request that was cut off.
func TestSilentConnectionsDoNotHoldUpAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := profiletest.New(t)
		api, err := app.NewAPI(app.Config{DrainTimeout: 5 * time.Second, RequestTimeout: time.Minute}, w.AWS, quiet)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		listener := newPipes()
		go func() {
			ours, theirs := net.Pipe()
			listener.conns <- theirs
			_, _ = ours.Read(make([]byte, 1)) // until the service ends it
		}()
		began := time.Now()
		if err := api.Serve(ctx, listener); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it stopped after %s, want soon after 1s", took)
		}
	})
}

func TestBusyPortsAreNamed(t *testing.T) {
	w := profiletest.Empty(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	addr := taken.Addr().String()

	api, err := app.NewAPI(app.Config{Addr: addr}, w.AWS, quiet)
	if err != nil {
		t.Fatal(err)
	}
	relay, err := app.NewRelay(app.RelayConfig{Addr: addr}, w.AWS, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for variable, run := range map[string]func(context.Context) error{"PROFILE_ADDR": api.Run, "RELAY_ADDR": relay.Run} {
		want := variable + " " + addr + " is in use by another program; stop that one, or set " + variable
		if err := run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v\nwant %s...", err, want)
		}
	}
}

// The binary's own path: a real port, ready while its table is there.
func TestRunServesUntilTheContextEnds(t *testing.T) {
	w := profiletest.New(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	api, err := app.NewAPI(app.Config{DrainTimeout: time.Second, RequestTimeout: time.Second}, w.AWS, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- api.Serve(ctx, listener) }()
	response, err := http.Get("http://" + listener.Addr().String() + "/readyz")
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response, err)
	}
	_ = response.Body.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
