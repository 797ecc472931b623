package stack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Command is a binary to run as a process of its own.
type Command struct {
	Name string   // of the process, its log file and its messages
	Path string   // of the binary
	Args []string // without the binary's name
	Env  []string // the whole environment, as KEY=value
	// ReadyURL answers 200 once the process does its work.
	ReadyURL string
	// Stateless says that the process keeps nothing a new one lacks, so that it
	// is started again when it ends by itself.
	Stateless bool
}

// process is one run of a command.
type process struct {
	command Command
	cmd     *exec.Cmd
	ended   chan struct{} // closed once the process is gone and reaped
	err     error         // how it ended; to be read after ended
}

// start runs the command, its output appended to the log file. The process does
// not end with a context: who started it stops it.
func start(c Command, logFile string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p := &process{command: c, ended: make(chan struct{})}
	p.cmd = exec.Command(c.Path, c.Args...)
	p.cmd.Env = c.Env
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = attributes()
	err = p.cmd.Start()
	if closing := log.Close(); err == nil {
		err = closing
	}
	if err != nil {
		if p.cmd.Process != nil {
			_ = p.cmd.Process.Kill() // it is reaped below, whatever becomes of this
			_ = p.cmd.Wait()
		}
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

// stop asks the process to end, and kills it if it has not by the timeout, or
// as soon as the context ends. It returns once the process is gone.
func (p *process) stop(ctx context.Context, timeout time.Duration) error {
	if p.gone() {
		return nil
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return p.kill()
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.ended:
		var exit *exec.ExitError
		if errors.As(p.err, &exit) && exit.ExitCode() != -1 {
			return fmt.Errorf("stop %s: it ended with %w", p.command.Name, p.err)
		}
		return nil
	case <-ctx.Done():
		return p.kill()
	case <-timer.C:
		return errors.Join(fmt.Errorf("stop %s: it was still running %s after SIGTERM and was killed", p.command.Name, timeout), p.kill())
	}
}

// kill ends the process as kill -9 does, and waits until it is gone.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.command.Name, err)
	}
	<-p.ended
	return nil
}

func (p *process) gone() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// how says how the process ended.
func (p *process) how() string {
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}

// pollEvery is the time between looks at a process that is not ready yet.
const pollEvery = 20 * time.Millisecond

// awaitReady returns once the process is ready, or says why it is not by the
// context's end.
func (p *process) awaitReady(ctx context.Context, client *http.Client) error {
	if p.command.ReadyURL == "" {
		return nil
	}
	last := errors.New("it did not answer")
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if err := ask(ctx, client, p.command.ReadyURL); err == nil {
			return nil
		} else if ctx.Err() == nil {
			last = err
		}
		select {
		case <-p.ended:
			return fmt.Errorf("start %s: it ended with %s", p.command.Name, p.how())
		case <-ctx.Done():
			return fmt.Errorf("start %s: not ready: %w", p.command.Name, errors.Join(last, context.Cause(ctx)))
		case <-tick.C:
		}
	}
}

func ask(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	var says strings.Builder
	_, err = copyBounded(&says, answer.Body)
	err = errors.Join(err, answer.Body.Close())
	if answer.StatusCode == http.StatusOK {
		return err
	}
	return fmt.Errorf("GET %s: %s: %s", url, answer.Status, strings.TrimSpace(says.String()))
}

// member is a command and what has become of it. The lock guards all but the
// command.
type member struct {
	command Command

	mu      sync.Mutex
	process *process // the latest
	wanted  bool     // it is to be running
	starts  int
	died    int // deaths that nobody asked for
}

// start starts the member's process unless it is running.
func (m *member) start(logFile string) (*process, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process != nil && !m.process.gone() {
		return nil, fmt.Errorf("start %s: it is running", m.command.Name)
	}
	p, err := start(m.command, logFile)
	if err != nil {
		return nil, err
	}
	m.process, m.wanted = p, true
	m.starts++
	return p, nil
}

// unwanted notes that the member is to be down, and returns its process.
func (m *member) unwanted() *process {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wanted = false
	return m.process
}

// wants reports whether this process is the member's and is to be running.
func (m *member) wants(p *process) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.wanted && m.process == p
}

// deaths counts one more death that nobody asked for.
func (m *member) deaths() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.died++
	return m.died
}
