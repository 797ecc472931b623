package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The processes' names, which are their binaries' too.
const (
	LocalAWS = "localaws"
	Profile  = "profile"
	Relay    = "profile-relay"
	Stats    = "stats"
)

// bootstrapTimeout bounds the creation of what the manifests declare.
const bootstrapTimeout = 60 * time.Second

// Config says what a system is made of.
type Config struct {
	Bin  string // directory of the binaries
	Root string // directory of the project: its manifests are in services
	Logs string // directory for one log file a process
	// Environment configures the processes: the SDK's variables, and
	// PROFILE_ADDR, RELAY_ADDR, STATS_ADDR and LOCALAWS_ADDR, which have
	// defaults.
	Environment map[string]string
	// Through are URLs by process at which it reaches localaws instead of
	// directly, as where a proxy stands between the two.
	Through map[string]string
	// Report takes lines that say what goes on.
	Report func(string)
}

// System is the whole of Tributary, running.
type System struct {
	*Stack
	AWS         AWS
	ProfileURL  string
	StatsURL    string
	RelayURL    string
	LocalAWSURL string   // empty where everything is elsewhere
	Environment []string // what the processes were given, but for Config.Through

	bin, root string
}

// defaultAddrs are the addresses of the processes, by variable.
var defaultAddrs = []Port{
	{Variable: "LOCALAWS_ADDR", Owner: LocalAWS, Addr: "127.0.0.1:4566"},
	{Variable: "PROFILE_ADDR", Owner: Profile, Addr: "127.0.0.1:8081"},
	{Variable: "RELAY_ADDR", Owner: Relay, Addr: "127.0.0.1:8083"},
	{Variable: "STATS_ADDR", Owner: Stats, Addr: "127.0.0.1:8082"},
}

// Addr returns an address as the environment or else the default has it.
func Addr(environment map[string]string, variable string) string {
	if addr := environment[variable]; addr != "" {
		return addr
	}
	for _, p := range defaultAddrs {
		if p.Variable == variable {
			return p.Addr
		}
	}
	return ""
}

// URL returns where a process that listens on an address is reached from this
// machine.
func URL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return "http://" + net.JoinHostPort("127.0.0.1", port)
	}
	return "http://" + addr
}

// Start checks the ports, starts localaws where it is needed, creates there
// what the manifests declare and starts the services. A system that it returns
// is ready. If it returns an error, nothing is left running.
func Start(ctx context.Context, cfg Config) (*System, error) {
	aws, err := PlanAWS(cfg.Environment)
	if err != nil {
		return nil, err
	}
	ports := make([]Port, 0, len(defaultAddrs))
	for _, p := range defaultAddrs {
		if p.Owner != LocalAWS || len(aws.Local) > 0 {
			p.Addr = Addr(cfg.Environment, p.Variable)
			ports = append(ports, p)
		}
	}
	if ports, err = Reserve(ctx, ports); err != nil {
		return nil, err
	}
	stack, err := Open(ctx, cfg.Logs, cfg.Report)
	if err != nil {
		return nil, err
	}
	s := &System{Stack: stack, AWS: aws, bin: cfg.Bin, root: cfg.Root}
	if err := s.start(cfg, ports); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *System) start(cfg Config, ports []Port) error {
	env := map[string]string{}
	if s.AWS.AllLocal() {
		env["RELAY_POLL_INTERVAL"] = "10ms"
	}
	env["DRAIN_TIMEOUT"] = "5s"
	for name, value := range cfg.Environment {
		env[name] = value
	}
	addrs := map[string]string{}
	for _, p := range ports {
		env[p.Variable], addrs[p.Owner] = p.Addr, p.Addr
	}
	s.ProfileURL, s.StatsURL, s.RelayURL = URL(addrs[Profile]), URL(addrs[Stats]), URL(addrs[Relay])
	if len(s.AWS.Local) > 0 {
		s.LocalAWSURL = URL(addrs[LocalAWS])
	}
	s.Environment = s.AWS.Environment(env, s.LocalAWSURL)

	command := func(name, readyURL string, args ...string) Command {
		given := s.Environment
		if through := cfg.Through[name]; through != "" {
			given = s.AWS.Environment(env, through)
		}
		return Command{
			Name: name, Path: filepath.Join(cfg.Bin, name), Args: args, Env: given,
			ReadyURL: readyURL, Stateless: name != LocalAWS,
		}
	}
	if s.LocalAWSURL != "" {
		if err := s.Launch(command(LocalAWS, s.LocalAWSURL+"/_localaws/health", "-addr", addrs[LocalAWS], "-region", s.AWS.Region)); err != nil {
			return err
		}
	}
	if err := s.bootstrap(); err != nil {
		return err
	}
	for _, c := range []Command{
		command(Profile, s.ProfileURL+"/readyz"),
		command(Relay, s.RelayURL+"/readyz"),
		command(Stats, s.StatsURL+"/readyz"),
	} {
		if err := s.Launch(c); err != nil {
			return err
		}
	}
	return nil
}

// bootstrap creates what the manifests declare of the services that it starts:
// the queue of another one would fill, with nobody to empty it.
func (s *System) bootstrap() error {
	ctx, cancel := context.WithTimeout(s.Context(), bootstrapTimeout)
	defer cancel()
	var said bytes.Buffer
	code, err := s.Replicactl(ctx, &said, "bootstrap", "--apply", "--manifest", "services/profile", "--manifest", "services/stats")
	if err == nil && code != 0 {
		err = fmt.Errorf("exit status %d", code)
	}
	if err != nil {
		return fmt.Errorf("bootstrap: %w:\n%s", err, strings.TrimSpace(said.String()))
	}
	return nil
}

// Replicactl runs the operator's command line on the system, in the project's
// directory, and returns its exit code. What it prints goes to out. When ctx ends
// it is interrupted, as by Ctrl-C.
func (s *System) Replicactl(ctx context.Context, out io.Writer, args ...string) (code int, err error) {
	path, err := filepath.Abs(filepath.Join(s.bin, "replicactl"))
	if err != nil {
		return 0, fmt.Errorf("run replicactl: %w", err)
	}
	command := exec.CommandContext(ctx, path, args...)
	command.Dir, command.Env, command.SysProcAttr = s.root, s.Environment, attributes()
	command.Stdout, command.Stderr = out, out
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = stopTimeout
	err = command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil && exit.Exited() {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("run replicactl %s: %w", strings.Join(args, " "), errors.Join(err, context.Cause(ctx)))
	}
	return 0, nil
}
