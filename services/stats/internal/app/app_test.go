package app_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/services/stats/internal/app"
	"github.com/tributary-dev/tributary/services/stats/internal/statstest"
)

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// pipes is a listener whose connections never leave the process, so that they
// work in a synctest bubble.
type pipes struct {
	dialled chan net.Conn
	closed  chan struct{}
}

func newPipes() *pipes { return &pipes{dialled: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.dialled:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.closed); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.dialled <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// running is the service, serving.
type running struct {
	*statstest.World
	service *app.App
	client  *http.Client
	dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	stop    context.CancelFunc
	done    chan error
}

func start(t *testing.T, w *statstest.World) *running {
	t.Helper()
	cfg, err := app.ConfigFrom(nil)
	if err != nil {
		t.Fatal(err)
	}
	service, err := app.New(cfg, w.AWS, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	listener := newPipes()
	ctx, stop := context.WithCancel(t.Context())
	r := &running{
		World: w, service: service, stop: stop, done: make(chan error, 1), dial: listener.dial,
		client: &http.Client{Transport: &http.Transport{DialContext: listener.dial, DisableKeepAlives: true}},
	}
	go func() { r.done <- service.Serve(ctx, listener) }()
	return r
}

func (r *running) get(t *testing.T, path string) (int, string) {
	t.Helper()
	response, err := r.client.Get("http://stats.test" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	if err := <-r.done; err != nil {
		t.Errorf("stop: %v", err)
	}
}

// settle lets virtual time pass until the queue's messages have had theirs.
func settle() { time.Sleep(30 * time.Second) }

// A connection that its client has opened to spare holds no stop up, and is no
// request that was cut off.
func TestSilentConnectionsDoNotHoldUpAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := statstest.New(t)
		w.CreateQueue(t)
		s := start(t, w)
		spare, err := s.dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = spare.Read(make([]byte, 1)) }() // until the service ends it
		settle()
		again, err := s.dial(t.Context(), "", "") // the first is old enough for the server to give it up
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = again.Read(make([]byte, 1)) }()
		synctest.Wait()
		began := time.Now()
		s.end(t)
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the stop took %s", took)
		}
	})
}

func TestServiceFollowsItsQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := statstest.New(t)
		queue := w.CreateQueue(t)
		s := start(t, w)
		settle()
		if status, body := s.get(t, "/readyz"); status != http.StatusOK {
			t.Fatalf("not ready: %s", body)
		}
		now := contracts.VersionAt(time.Now())
		for _, change := range []struct {
			version contracts.Version
			name    string
		}{
			{now + 2, "Raytheon Technologies"}, {now + 3, "RTX Corporation"}, {now + 1, "United Technologies"}, {now + 3, "RTX Corporation"},
		} {
			if err := queue.Change(t.Context(), "101829", change.version, change.name, "Industrials"); err != nil {
				t.Fatal(err)
			}
		}
		if err := queue.Send(t.Context(), `{"specversion":"1.0","poison":true}`); err != nil {
			t.Fatal(err)
		}
		settle()
		want := `{"cik":"101829","name":"RTX Corporation","sector":"Industrials","profileVersion":"` + (now + 3).String() + `","statistics":[]}` + "\n"
		if status, body := s.get(t, "/companies/101829/statistics"); status != http.StatusOK || body != want {
			t.Errorf("after the changes: %d %s\nwant %s", status, body, want)
		}
		if err := queue.Change(t.Context(), "101829", now+4, "", ""); err != nil {
			t.Fatal(err)
		}
		settle()
		if status, body := s.get(t, "/companies/101829/statistics"); status != http.StatusNotFound {
			t.Errorf("after the deletion: %d %s", status, body)
		}
		if left, dead := queue.Messages(t), queue.DeadLetters(t); left != 0 || dead != 1 {
			t.Errorf("%d messages are left and %d are dead letters; want 0 and the poison", left, dead)
		}
		if _, body := s.get(t, "/metrics"); !strings.Contains(body, "tributary_changes_total{") {
			t.Errorf("the metrics do not count changes: %s", body)
		}
		s.end(t)
	})
}

// Reads and the service's own writes work without the queue, and the copies
// catch up once it is there.
func TestServiceWithoutItsQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := statstest.New(t)
		s := start(t, w)
		settle()
		if status, body := s.get(t, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "stats-company-profile-v1") {
			t.Errorf("ready without its queue: %d %s", status, body)
		}
		if status, body := s.get(t, "/healthz"); status != http.StatusOK {
			t.Errorf("not alive without its queue: %s", body)
		}
		if status, body := s.get(t, "/watchlists/ann"); status != http.StatusOK {
			t.Errorf("reads do not work without the queue: %d %s", status, body)
		}
		queue := w.CreateQueue(t)
		if err := queue.Change(t.Context(), "320193", contracts.VersionAt(time.Now()), "Apple Inc.", ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if status, body := s.get(t, "/readyz"); status != http.StatusOK {
			t.Errorf("not ready with its queue: %s", body)
		}
		if status, body := s.get(t, "/companies/320193/statistics"); status != http.StatusOK || !strings.Contains(body, "Apple Inc.") {
			t.Errorf("the change did not arrive: %d %s", status, body)
		}
		s.end(t)
	})
}

// The service starts while AWS is away, says what it waits for, and consumes as
// soon as AWS is there.
func TestServiceWaitsForAWS(t *testing.T) {
	for name, fault := range map[string]func(localaws.Call) localaws.Fault{
		"an outage":               func(c localaws.Call) localaws.Fault { return localaws.Fault{Error: localaws.Unavailable(c.Service)} },
		"connections that break":  func(localaws.Call) localaws.Fault { return localaws.Fault{Drop: localaws.DropRequest} },
		"answers that never come": func(localaws.Call) localaws.Fault { return localaws.Fault{DelayBefore: 24 * time.Hour} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := statstest.New(t)
				queue := w.CreateQueue(t)
				if err := queue.Change(t.Context(), "320193", contracts.VersionAt(time.Now()), "Apple Inc.", ""); err != nil {
					t.Fatal(err)
				}
				w.Engine.SetFaults(fault)
				s := start(t, w)
				time.Sleep(10 * time.Minute)
				status, body := s.get(t, "/readyz")
				if status != http.StatusServiceUnavailable || !strings.Contains(body, "queue stats-company-profile-v1 is not consumed: ") ||
					strings.Contains(body, "not started") || !strings.Contains(body, "table watchlists: ") {
					t.Errorf("without AWS: %d %s", status, body)
				}
				w.Engine.SetFaults(nil)
				time.Sleep(65 * time.Second) // the longest attempt and the longest delay
				if status, body := s.get(t, "/readyz"); status != http.StatusOK {
					t.Errorf("with AWS: %d %s", status, body)
				}
				if status, body := s.get(t, "/companies/320193/statistics"); status != http.StatusOK || !strings.Contains(body, "Apple Inc.") {
					t.Errorf("the change did not arrive: %d %s", status, body)
				}
				s.end(t)
			})
		})
	}
}

// A stop lets a request that is under way finish.
func TestStopDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := statstest.New(t)
		w.CreateQueue(t)
		s := start(t, w)
		settle()
		w.Engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Service == localaws.DynamoDB {
				return localaws.Fault{DelayBefore: time.Second}
			}
			return localaws.Fault{}
		})
		answered := make(chan int, 1)
		go func() {
			request, err := http.NewRequest(http.MethodPut, "http://stats.test/companies/1/statistics/2024-10-10/MMM", strings.NewReader("{}"))
			if err != nil {
				t.Error(err)
			}
			response, err := s.client.Do(request)
			if err != nil {
				t.Error(err)
				answered <- 0
				return
			}
			response.Body.Close()
			answered <- response.StatusCode
		}()
		time.Sleep(500 * time.Millisecond)
		s.stop()
		synctest.Wait()
		w.Engine.SetFaults(nil)
		recorder := httptest.NewRecorder()
		s.service.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		if recorder.Code != http.StatusServiceUnavailable || !strings.Contains(recorder.Body.String(), "stopping") {
			t.Errorf("ready while it stops: %s", recorder.Body)
		}
		if status := <-answered; status != http.StatusCreated {
			t.Errorf("the request under way ended with %d", status)
		}
		s.end(t)
	})
}

func TestBusyAddressIsNamed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	w := statstest.New(t)
	cfg, err := app.ConfigFrom(map[string]string{"STATS_ADDR": listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	service, err := app.New(cfg, w.AWS, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	err = service.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "STATS_ADDR "+listener.Addr().String()+" is in use") {
		t.Errorf("at a busy address: %v", err)
	}
}
