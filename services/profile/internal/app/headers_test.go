package app_test

import (
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributary-dev/tributary/services/profile/internal/app"
	"github.com/tributary-dev/tributary/services/profile/internal/profiletest"
)

// Oversized headers are refused, slow ones are given up, and neither costs the
// server memory for what keeps coming.
func TestHeadersAreBounded(t *testing.T) {
	for name, tc := range map[string]struct {
		line   string        // sent over and over
		every  time.Duration // between two lines
		answer string
		within time.Duration
	}{
		"headers without end":     {"X-%d: " + strings.Repeat("a", 1000) + "\r\n", 0, "431", time.Second},
		"one header without end":  {strings.Repeat("a", 1000), 0, "431", time.Second},
		"headers that take hours": {"X-%d: a\r\n", time.Second, "", 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := profiletest.New(t)
				api, err := app.NewAPI(app.Config{DrainTimeout: time.Second, RequestTimeout: time.Minute}, w.AWS, quiet)
				if err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				listener := newPipes()
				go func() { ended <- api.Serve(ctx, listener) }()
				conn, theirs := net.Pipe()
				listener.conns <- theirs
				began := time.Now()
				answered := make(chan string, 1)
				go func() {
					answer, _ := io.ReadAll(conn) // until the server hangs up
					answered <- string(answer)
				}()
				sent, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: test\r\nX-Long: ")
				for i := 0; err == nil && sent < 10<<20; i++ {
					time.Sleep(tc.every)
					var n int
					n, err = io.WriteString(conn, strings.Replace(tc.line, "%d", strconv.Itoa(i), 1))
					sent += n
				}
				if took := time.Since(began); err == nil || sent > 64<<10 || took > tc.within {
					t.Errorf("%d bytes of headers were read in %s: %v", sent, took, err)
				}
				_ = conn.Close()
				if answer := <-answered; !strings.Contains(answer, tc.answer) {
					t.Errorf("answered with %q", answer)
				}
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
