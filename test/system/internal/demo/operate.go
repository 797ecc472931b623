package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/tributary-dev/tributary/test/system/internal/stack"
)

// What replicactl is asked to look at.
const (
	contract   = "company.profile/v1"
	subscriber = "stats"
)

// exitDrift is replicactl's exit code for drift.
const exitDrift = 3

// reconcile is replicactl's command that compares every copy with its source. A
// difference is drift after a second: on one machine copies lag by a fraction of
// that, and everything has arrived by now. (The default, 30 s, is for AWS.)
func reconcile(more ...string) []string {
	return append([]string{"reconcile", "--contract", contract, "--subscriber", subscriber, "--settle", "1s"}, more...)
}

// operate ends the demo as an operator would look at it: what there is, whether
// every copy is right, and how a damaged one is found and mended. It reports
// whether all went as it should.
func (r *run) operate(ctx context.Context, s services, system *stack.System, e expectation, arrivals []arrival) (bool, error) {
	r.screen.heading("What an operator sees")
	if ok, err := r.replicactl(ctx, system, 0, "status"); err != nil || !ok {
		return false, err
	}
	r.screen.heading("Every copy compared with its source")
	if ok, err := r.replicactl(ctx, system, 0, reconcile()...); err != nil || !ok {
		return false, err
	}
	if system.AWS.Real() {
		r.screen.say("\n  No copy is damaged to show a repair: this is AWS itself.")
		return true, nil
	}
	harm := chooseDamage(e, arrivals)
	if len(harm) == 0 {
		r.screen.say("\n  No copy is damaged to show a repair: the files end with no company that has a name.")
		return true, nil
	}
	r.screen.heading("Somebody writes into the stats service's tables by hand")
	if err := harm.do(ctx, system); err != nil {
		return false, err
	}
	if ok, err := r.look(ctx, s, harm, damage.damaged); err != nil || !ok {
		return false, err
	}
	if ok, err := r.replicactl(ctx, system, exitDrift, reconcile()...); err != nil || !ok {
		return false, err
	}
	r.screen.heading("Mended over the topic, as every change comes")
	if ok, err := r.replicactl(ctx, system, 0, reconcile("--repair", "--apply")...); err != nil || !ok {
		return false, err
	}
	return r.look(ctx, s, harm, damage.right)
}

// replicactl runs a command line, shows it with what it prints, and reports
// whether the exit code is the one wanted.
func (r *run) replicactl(ctx context.Context, system *stack.System, want int, args ...string) (bool, error) {
	r.screen.say("  $ replicactl %s", strings.Join(args, " "))
	out := &indented{to: r.screen.out, brief: r.planned}
	r.planned = r.planned || args[0] == "reconcile"
	code, err := system.Replicactl(ctx, out, args...)
	if err != nil {
		return false, err
	}
	if code == want {
		if want != 0 {
			r.screen.say("  (exit code %d)", code)
		}
		return true, nil
	}
	r.screen.say("\n%s", r.screen.bad(fmt.Sprintf("replicactl %s ended with exit code %d, not %d; the processes' logs are in %s", args[0], code, want, r.Logs)))
	return false, nil
}

// look shows what stats answers for what was damaged, and reports whether that
// is as it should be.
func (r *run) look(ctx context.Context, s services, harm damages, as func(damage, *string) bool) (bool, error) {
	right := true
	for _, d := range harm {
		name, err := d.answered(ctx, s)
		if err != nil {
			return false, err
		}
		mark := r.screen.good("✓")
		if !d.right(name) {
			mark = r.screen.bad("✗")
		}
		with := "no name"
		if name != nil {
			with = fmt.Sprintf("%q", *name)
		}
		r.screen.say("  %s GET %s answers with %s", mark, d.path(), with)
		if !as(d, name) {
			r.screen.say("    which is not what was to come")
			right = false
		}
	}
	return right, nil
}

// indented sets in every line that is not empty. Where it is to be brief it
// leaves a plan out, up to the empty line behind it.
type indented struct {
	to    io.Writer
	brief bool
	line  []byte // the beginning of one
	plan  bool   // in a plan that is left out
}

func (w *indented) Write(p []byte) (int, error) {
	var out bytes.Buffer
	for part := range bytes.Lines(p) {
		if w.line = append(w.line, part...); w.line[len(w.line)-1] != '\n' {
			break
		}
		line := w.line
		w.line = nil
		if w.brief && bytes.HasPrefix(line, []byte("plan of ")) {
			w.plan = true
		}
		if w.plan {
			w.plan = len(line) > 1
			continue
		}
		if len(line) > 1 {
			out.WriteString("    ")
		}
		out.Write(line)
	}
	if _, err := w.to.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}
