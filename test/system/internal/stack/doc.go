// Package stack runs Tributary's real binaries as separate processes on
// loopback ports: localaws, profile, profile-relay and stats.
//
// It promises that Start returns once everything is ready, or with the last
// lines of the log of what was not; that a stateless process which dies is
// started again, and that any other death ends the stack with its reason; and
// that Stop leaves no process behind. It does not promise that a process ends
// with a starter that is killed: Linux alone does that.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// readyTimeout bounds the start of one process.
	readyTimeout = 20 * time.Second
	// stopTimeout is what one process gets to end after SIGTERM.
	stopTimeout = 10 * time.Second
	// restartPause is between a process's death and its next start.
	restartPause = 500 * time.Millisecond
	// maxRestarts bounds the restarts of one process that nobody asked for.
	maxRestarts = 5
	// tailLines are the lines of a log that an error shows.
	tailLines = 15
)

// Stack is a set of running processes. It is safe for concurrent use.
type Stack struct {
	logs    string
	client  *http.Client
	report  func(string)
	ctx     context.Context
	fail    context.CancelCauseFunc
	members []*member // in the order of their start
	guards  sync.WaitGroup
}

// Open makes an empty stack. Its logs go to one file a process in the logs
// directory. What happens to processes unasked is reported as a line of text.
// The stack's context ends with the given one, or when a process is lost for
// good; Stop has to be called in any case.
func Open(ctx context.Context, logs string, report func(string)) (*Stack, error) {
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, fmt.Errorf("open log directory: %w", err)
	}
	s := &Stack{logs: logs, report: report, client: &http.Client{
		Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
	}}
	s.ctx, s.fail = context.WithCancelCause(ctx)
	return s, nil
}

// Context ends when the stack does; its cause is the process that was lost.
func (s *Stack) Context() context.Context { return s.ctx }

// LogFile is where a process's output goes.
func (s *Stack) LogFile(name string) string { return filepath.Join(s.logs, name+".log") }

// Launch starts a command and waits until it is ready.
func (s *Stack) Launch(c Command) error {
	if err := os.Remove(s.LogFile(c.Name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("start %s: old log: %w", c.Name, err)
	}
	m := &member{command: c}
	s.members = append(s.members, m)
	return s.run(m)
}

// Again starts a process that Kill or Halt ended, and waits until it is ready.
func (s *Stack) Again(name string) error {
	m, err := s.member(name)
	if err != nil {
		return err
	}
	return s.run(m)
}

// Kill ends a process at once, as kill -9 does. It stays down.
func (s *Stack) Kill(name string) error { return s.end(name, (*process).kill) }

// Halt asks a process to end and waits for it. It stays down.
func (s *Stack) Halt(name string) error {
	return s.end(name, func(p *process) error { return p.stop(s.ctx, stopTimeout) })
}

// Restarts is how often a process was started after the first time.
func (s *Stack) Restarts(name string) int {
	m, err := s.member(name)
	if err != nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(m.starts-1, 0)
}

// Pid is the process's id, 0 while it is down.
func (s *Stack) Pid(name string) int {
	m, err := s.member(name)
	if err != nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process == nil || m.process.gone() {
		return 0
	}
	return m.process.cmd.Process.Pid
}

// Stop ends every process, the last one started first. When the context ends,
// those that are left are killed. No process is left when it returns.
func (s *Stack) Stop(ctx context.Context) error {
	s.fail(errors.New("the system was stopped"))
	var problems []error
	for _, m := range slices.Backward(s.members) {
		if p := m.unwanted(); p != nil {
			problems = append(problems, p.stop(ctx, stopTimeout))
		}
	}
	s.guards.Wait()
	return errors.Join(problems...)
}

func (s *Stack) member(name string) (*member, error) {
	for _, m := range s.members {
		if m.command.Name == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("there is no process %s", name)
}

func (s *Stack) end(name string, how func(*process) error) error {
	m, err := s.member(name)
	if err != nil {
		return err
	}
	if p := m.unwanted(); p != nil {
		return how(p)
	}
	return nil
}

// run starts a member's process, waits until it is ready and from then on
// watches it.
func (s *Stack) run(m *member) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	p, err := m.start(s.LogFile(m.command.Name))
	if err != nil {
		return err
	}
	ready, cancel := context.WithTimeout(s.ctx, readyTimeout)
	defer cancel()
	if err := p.awaitReady(ready, s.client); err != nil {
		m.unwanted()
		return errors.Join(err, p.kill(), s.tail(m.command.Name))
	}
	s.guards.Go(func() { s.watch(m, p) })
	return nil
}

// watch waits for the end of a process and, unless it was asked for, starts it
// again or ends the stack.
func (s *Stack) watch(m *member, p *process) {
	<-p.ended
	if !m.wants(p) || s.ctx.Err() != nil {
		return
	}
	c := m.command
	lost := fmt.Errorf("%s ended by itself: %s", c.Name, p.how())
	if !c.Stateless || m.deaths() > maxRestarts {
		s.fail(errors.Join(lost, s.tail(c.Name)))
		return
	}
	s.report(fmt.Sprintf("%s ended (%s); starting it again", c.Name, p.how()))
	pause := time.NewTimer(restartPause)
	defer pause.Stop()
	select {
	case <-s.ctx.Done():
		return
	case <-pause.C:
	}
	if !m.wants(p) {
		return
	}
	if err := s.run(m); err != nil {
		s.fail(err)
		return
	}
	s.report(fmt.Sprintf("%s is back", c.Name))
}

// tail returns the end of a process's log as an error to show.
func (s *Stack) tail(name string) error {
	file := s.LogFile(name)
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("its log: %w", err)
	}
	lines := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return fmt.Errorf("its log %s is empty", file)
	}
	return fmt.Errorf("the end of its log %s:\n  %s", file, strings.Join(lines[max(0, len(lines)-tailLines):], "\n  "))
}

// copyBounded reads what an answer says, as far as a person would.
func copyBounded(w io.Writer, r io.Reader) (int64, error) { return io.Copy(w, io.LimitReader(r, 2000)) }
