package demo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/test/system/internal/api"
	"github.com/tributary-dev/tributary/test/system/internal/stack"
)

// Exit codes.
const (
	exitAgrees   = 0
	exitDisagree = 1
	exitUsage    = 2
)

// Main is the demo's command line: it runs one verb and returns its exit code.
// When ctx ends everything is stopped in order, and when hurry ends what is
// left is killed.
func Main(ctx, hurry context.Context, args, environment []string, executable string, stdout, stderr io.Writer) int {
	o, err := Parse(args, environment, executable, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitAgrees
	case err != nil:
		return exitUsage
	}
	d, err := read(o)
	if err != nil {
		fmt.Fprintf(stderr, "demo: the input has problems, so nothing was started:\n%s\n", indent(err))
		return exitDisagree
	}
	r := &run{Options: o, data: d, screen: newScreen(stdout, stderr, o.Environment), hurry: hurry}
	agrees, err := r.verb(ctx)
	switch {
	case err == nil && agrees:
		return exitAgrees
	case ctx.Err() != nil && r.Verb == verbUp && err == nil:
		return exitAgrees
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "demo: interrupted; everything it started has been stopped")
	case err != nil:
		fmt.Fprintf(stderr, "demo: %v\n", err)
	}
	return exitDisagree
}

func indent(err error) string { return "  " + strings.ReplaceAll(err.Error(), "\n", "\n  ") }

// run is one run of a verb.
type run struct {
	Options
	data   data
	screen *screen
	hurry  context.Context
	// planned says that a plan of replicactl's was shown.
	planned bool
}

// verb runs the verb and reports whether everything agreed.
func (r *run) verb(ctx context.Context) (agrees bool, err error) {
	began := time.Now()
	if r.Verb == verbLoad || r.Verb == verbCheck {
		s := services{
			api.NewProfile(stack.URL(stack.Addr(r.Environment, "PROFILE_ADDR"))),
			api.NewStats(stack.URL(stack.Addr(r.Environment, "STATS_ADDR"))),
		}
		if r.Verb == verbCheck {
			e := expect(r.data.changes(), r.data.statistics, nil)
			if err := s.converge(ctx, e, r.Wait, r.screen); err != nil {
				return false, err
			}
			return r.check(ctx, s, e, began, r.showEnd)
		}
		return r.load(ctx, s, nil, began)
	}
	system, err := stack.Start(ctx, stack.Config{
		Bin: r.Bin, Root: r.Root, Logs: r.Logs, Environment: r.Environment,
		Report: func(line string) { r.screen.note("%s", line) },
	})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, system.Stop(r.hurry)) }()
	r.introduce(system)
	s := services{api.NewProfile(system.ProfileURL), api.NewStats(system.StatsURL)}
	if r.Verb == verbUp {
		return true, r.up(ctx, system, s)
	}
	return r.load(system.Context(), s, system, began)
}

// load plays everything, waits and checks. The system is nil where it is not
// ours.
func (r *run) load(ctx context.Context, s services, system *stack.System, began time.Time) (bool, error) {
	before, err := s.lag(ctx)
	if err != nil {
		return false, err
	}
	w := chooseWatches(r.data)
	var half func(context.Context) error
	if r.Kill != "" {
		half = func(ctx context.Context) error { return r.killed(ctx, system) }
	}
	arrivals, err := s.play(ctx, r.data, w, r.screen, half)
	if err != nil {
		return false, err
	}
	e := expect(r.data.changes(), r.data.statistics, w)
	if err := s.converge(ctx, e, r.Wait, r.screen); err != nil {
		return false, err
	}
	after, err := s.lag(ctx)
	if err != nil {
		return false, err
	}
	r.showArrivals(arrivals)
	if err := r.showLeaderboard(ctx, s, e); err != nil {
		return false, err
	}
	r.showLag(after.since(before))
	if system == nil {
		return r.check(ctx, s, e, began, r.showEnd)
	}
	if agrees, err := r.check(ctx, s, e, began, func(time.Time) {}); err != nil || !agrees {
		return false, err
	}
	operated, err := r.operate(ctx, s, system, e, arrivals)
	if err != nil || !operated {
		return false, err
	}
	r.showEnd(began)
	return true, nil
}

// check compares and shows the verdict, and then the end if all agrees.
func (r *run) check(ctx context.Context, s services, e expectation, began time.Time, end func(time.Time)) (bool, error) {
	v, err := s.check(ctx, e)
	if err != nil {
		return false, err
	}
	r.showVerdict(v, began)
	if len(v.differences) > 0 {
		return false, nil
	}
	end(began)
	return true, nil
}

// downFor is how long a killed process stays down.
const downFor = 500 * time.Millisecond

// killed kills the process that the options name and starts it again.
func (r *run) killed(ctx context.Context, system *stack.System) error {
	pid := system.Pid(r.Kill)
	if err := system.Kill(r.Kill); err != nil {
		return err
	}
	r.screen.note("killed %s (kill -9 %d) in the middle of the load", r.Kill, pid)
	timer := time.NewTimer(downFor)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	}
	if err := system.Again(r.Kill); err != nil {
		return err
	}
	r.screen.note("%s is back after %s", r.Kill, downFor)
	return nil
}

// lag reads the stats service's lag so far.
func (s services) lag(ctx context.Context) (histogram, error) {
	metrics, err := s.stats.Metrics(ctx)
	if err != nil {
		return histogram{}, err
	}
	return readLag(metrics)
}

// up plays the initial load and then leaves the system running until ctx ends
// or a process is lost for good.
func (r *run) up(ctx context.Context, system *stack.System, s services) error {
	st := r.screen.stage()
	err := func() error {
		defer st.end()
		if err := s.playProfiles(system.Context(), r.data.initial, st.task("profiles: initial load", len(r.data.initial)), nil); err != nil {
			return err
		}
		return s.playStatistics(system.Context(), r.data.statistics, st.task("statistics", len(r.data.statistics)))
	}()
	if err == nil {
		err = s.converge(system.Context(), expect(r.data.initial, r.data.statistics, nil), r.Wait, r.screen)
	}
	if err == nil {
		r.showWhatToTry(system)
		<-system.Context().Done()
		err = context.Cause(system.Context())
	}
	if ctx.Err() != nil { // an interruption is how this ends
		r.screen.note("stopping")
		return nil
	}
	return err
}
