// Package system holds the tests of the whole: they run the real binaries as
// separate processes and meet them through their APIs alone.
package system

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/test/system/internal/stack"
	"github.com/tributary-dev/tributary/test/system/internal/stacktest"
)

// root is the project's directory, seen from this package's.
const root = "../.."

// bin is the directory of the binaries, which TestMain builds.
var bin string

func TestMain(m *testing.M) {
	code, err := testMain(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func testMain(m *testing.M) (code int, err error) {
	if bin, err = os.MkdirTemp("", "tributary-system-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(bin)) }()
	if err := stacktest.Build(context.Background(), root, bin, "pkg/localaws", "services/profile", "services/stats", "cmd/replicactl", "test/system"); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

var ports = stacktest.NewPorts(20_000)

// startSystem starts everything; it ends with the test, and the test fails if
// something did not end well.
func startSystem(t *testing.T, env map[string]string) *stack.System {
	t.Helper()
	s, err := stack.Start(context.Background(), stack.Config{
		Bin: bin, Root: root, Logs: t.TempDir(), Environment: env,
		Report: func(line string) { t.Log(line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// command is the demo's command, ready to run with this environment.
func command(ctx context.Context, t *testing.T, env map[string]string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(ctx, filepath.Join(bin, "demo"), args...)
	c.Args = append(c.Args, "-root", root, "-logs", t.TempDir())
	for name, value := range env {
		c.Env = append(c.Env, name+"="+value)
	}
	// An interruption, so that it stops what it has started.
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 30 * time.Second
	return c
}

// run runs the demo to its end and returns its exit code and what it said.
func run(t *testing.T, env map[string]string, args ...string) (code int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	output, err := command(ctx, t, env, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("demo %v: %v\n%s", args, err, output)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return code, string(output)
}

// allFree fails the test if anybody answers at one of the environment's ports.
func allFree(t *testing.T, env map[string]string) {
	t.Helper()
	for _, name := range []string{"LOCALAWS_ADDR", "PROFILE_ADDR", "RELAY_ADDR", "STATS_ADDR"} {
		l, err := net.Listen("tcp", env[name])
		if err != nil {
			t.Errorf("%s is still in use: %v", name, err)
			continue
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// eventually waits until the condition holds.
func eventually(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("not within %s: %s", within, what)
		case <-tick.C:
		}
	}
}
