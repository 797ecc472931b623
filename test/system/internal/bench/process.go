package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/tributary-dev/tributary/test/system/internal/stack"
)

// engineStopTimeout is what localaws gets to end.
const engineStopTimeout = 5 * time.Second

// localAWS starts bin/localaws, with its log in a directory.
func localAWS(bin, logs string) func(context.Context, time.Duration) (string, func() error, error) {
	return func(ctx context.Context, latency time.Duration) (string, func() error, error) {
		ports, err := stack.Reserve(ctx, []stack.Port{{Variable: "localaws", Owner: stack.LocalAWS, Addr: "127.0.0.1:0"}})
		if err != nil {
			return "", nil, err
		}
		s, err := stack.Open(ctx, logs, func(string) {})
		if err != nil {
			return "", nil, err
		}
		stop := func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), engineStopTimeout)
			defer cancel()
			return s.Stop(ctx)
		}
		endpoint := stack.URL(ports[0].Addr)
		err = s.Launch(stack.Command{
			Name: stack.LocalAWS, Path: filepath.Join(bin, stack.LocalAWS),
			Args:     []string{"-addr", ports[0].Addr, "-latency", latency.String(), "-ttl-sweep", "0"},
			ReadyURL: endpoint + "/_localaws/health",
		})
		if err != nil {
			_ = stop() // nothing is left of it; err says why
			return "", nil, fmt.Errorf("%w (make build puts the binaries into bin)", err)
		}
		return endpoint, stop, nil
	}
}

// processes starts the given binary again, with the verb that makes a child of
// it. A child whose context ends is killed.
func processes(executable string, stderr io.Writer) func(context.Context, io.Writer) (io.WriteCloser, func() error, error) {
	return func(ctx context.Context, out io.Writer) (io.WriteCloser, func() error, error) {
		cmd := exec.CommandContext(ctx, executable, childVerb)
		cmd.Stdout, cmd.Stderr = out, stderr
		cmd.Env = environment()
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, nil, fmt.Errorf("start a child process: %w", err)
		}
		return in, cmd.Wait, nil
	}
}

// environment is what children get: nothing by which the user's settings would
// decide about the figures.
func environment() []string {
	var kept []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+value)
		}
	}
	return kept
}
