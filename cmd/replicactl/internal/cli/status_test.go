package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

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

// On a terminal each page takes the place of the one before.
func TestWatchingRedrawsATerminal(t *testing.T) {
	endpoint(t)
	ctx, interrupt := context.WithCancel(t.Context())
	out := &interrupter{pages: 2, interrupt: interrupt}
	g := &globals{manifests: []string{"../../../../services"}, out: out, err: io.Discard, screen: true}
	if err := runStatus(ctx, g, statusFlags{watch: time.Second}); err != nil || strings.Count(out.String(), "\x1b[H\x1b[2J") != 2 {
		t.Errorf("%v: %q", err, out)
	}
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this system has no pseudo-terminals: ", err)
	}
	defer terminal.Close()
	for _, row := range []struct {
		out  io.Writer
		want bool
	}{{terminal, true}, {io.Discard, false}} {
		g := &globals{out: row.out, err: io.Discard}
		look := &cobra.Command{Use: "look", GroupID: groupLook, RunE: func(*cobra.Command, []string) error { return nil }}
		if code := perform(t.Context(), g, []string{"look"}, look); code != exitOK || g.screen != row.want {
			t.Errorf("exit code %d, taken for a terminal: %v, want %v", code, g.screen, row.want)
		}
	}
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
