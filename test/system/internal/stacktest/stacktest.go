// Package stacktest is what tests of the real binaries share: building them,
// and an environment in which nothing is set but ports of the test's own.
package stacktest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// Build builds the commands of modules of the project at root into bin, module
// by module, so that it works without the workspace too.
func Build(ctx context.Context, root, bin string, modules ...string) error {
	for _, module := range modules {
		commands := "./cmd/..."
		if module == "cmd/replicactl" {
			commands = "."
		}
		build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", bin+string(filepath.Separator), commands)
		build.Dir = filepath.Join(root, module)
		if output, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w:\n%s", module, err, output)
		}
	}
	return nil
}

// Ports gives ports to tests. Ports below the range from which systems choose
// by themselves are given one after the other, so that tests beside each other
// never get the same one, and that one stays free while its process is down.
type Ports struct{ last atomic.Int32 }

// NewPorts gives ports from about first on. Test binaries that run beside each
// other need ranges 8,000 apart.
func NewPorts(first int) *Ports {
	p := &Ports{}
	p.last.Store(int32(first + os.Getpid()%7_000))
	return p
}

// Addr returns a loopback address that is free.
func (p *Ports) Addr(t testing.TB) string {
	t.Helper()
	for range 1000 {
		a := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(p.last.Add(1))))
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

// Environment is that of a user who has set nothing of AWS.
func (p *Ports) Environment(t testing.TB) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "AWS_") {
			env[name] = value
		}
	}
	for _, name := range []string{"LOCALAWS_ADDR", "PROFILE_ADDR", "RELAY_ADDR", "STATS_ADDR"} {
		env[name] = p.Addr(t)
	}
	return env
}
