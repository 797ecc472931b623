package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

// interrupter interrupts after so many writes, as a person at a terminal would
// after having seen that many pages.
type interrupter struct {
	bytes.Buffer
	pages     int
	interrupt context.CancelFunc
}

func (i *interrupter) Write(p []byte) (int, error) {
	if i.pages--; i.pages == 0 {
		i.interrupt()
	}
	return i.Buffer.Write(p)
}

// endpoint serves an empty account over HTTP, which is how the verbs reach it.
func endpoint(t *testing.T) {
	t.Helper()
	engine := localaws.New(localaws.Config{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- engine.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		engine.Close()
	})
	t.Setenv("AWS_ENDPOINT_URL", "http://"+listener.Addr().String())
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "local")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "local")
}

func TestWatchingEndsWithoutAnErrorWhenInterrupted(t *testing.T) {
	for _, args := range [][]string{{}, {"--json"}, {"--graph"}} {
		t.Run(strings.Join(append([]string{"status"}, args...), " "), func(t *testing.T) {
			endpoint(t)
			ctx, interrupt := context.WithCancel(t.Context())
			out, complaints := &interrupter{pages: 2, interrupt: interrupt}, &bytes.Buffer{}
			code := Run(ctx, append([]string{"status", "--watch=1s", "-m", "../../../../services"}, args...), out, complaints)
			if code != exitOK || complaints.Len() > 0 {
				t.Errorf("exit code %d, %s", code, complaints)
			}
			if strings.Contains(out.String(), "\x1b") {
				t.Errorf("control characters though this is no terminal: %q", out)
			}
			if len(args) == 0 || args[0] != "--json" {
				return
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			for _, line := range lines {
				if !json.Valid([]byte(line)) {
					t.Errorf("no document a line: %s", line)
				}
			}
			if len(lines) != 2 {
				t.Errorf("%d lines", len(lines))
			}
		})
	}
}
