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
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/test/system/internal/stack"
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
	// Module by module, so that it works without the workspace too.
	for _, module := range []string{"pkg/localaws", "services/profile", "services/stats", "cmd/replicactl", "test/system"} {
		commands := "./cmd/..."
		if module == "cmd/replicactl" {
			commands = "."
		}
		build := exec.Command("go", "build", "-buildvcs=false", "-o", bin+string(filepath.Separator), commands)
		build.Dir = filepath.Join(root, module)
		if output, err := build.CombinedOutput(); err != nil {
			return 1, fmt.Errorf("build %s: %w:\n%s", module, err, output)
		}
	}
	return m.Run(), nil
}

// lastPort is the last port given to a test. Ports below the range from which
// systems choose by themselves are given one after the other, so that tests
// beside each other never get the same one.
var lastPort atomic.Int32

func init() { lastPort.Store(20_000 + int32(os.Getpid()%8_000)) }

// addr returns a loopback address that is free.
func addr(t *testing.T) string {
	t.Helper()
	for range 1000 {
		a := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(lastPort.Add(1))))
		if l, err := net.Listen("tcp", a); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return a
		}
	}
	t.Fatal("no port is free")
	return ""
}

// environment is that of a user who has set nothing of AWS, with ports of the
// test's own.
func environment(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "AWS_") {
			env[name] = value
		}
	}
	for _, name := range []string{"LOCALAWS_ADDR", "PROFILE_ADDR", "RELAY_ADDR", "STATS_ADDR"} {
		env[name] = addr(t)
	}
	return env
}

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
