package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// childVerb makes a child of the program.
const childVerb = "child"

// Main runs the program and returns its exit code: 0 when everything was
// measured, 1 when something went wrong, 2 for wrong usage. A budget that is
// not met is a result and no failure.
func Main(ctx context.Context, args []string, executable string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 1 && args[0] == childVerb {
		if err := Child(ctx, stdin, stdout); err != nil {
			fmt.Fprintln(stderr, "bench:", err)
			return 1
		}
		return 0
	}
	options, err := Parse(args, executable, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	if err := measure(ctx, options, executable, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// measure runs everything and prints and keeps the results.
func measure(ctx context.Context, o Options, executable string, stdout, stderr io.Writer) (err error) {
	logs, err := os.MkdirTemp("", "tributary-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(logs)) }()
	if o.Profile != "" {
		if err := os.MkdirAll(o.Profile, 0o755); err != nil {
			return err
		}
	}
	r := &runner{
		options: o, lead: pacedLead, engine: localAWS(o.Bin, logs), spawn: processes(executable, stderr),
		workloads: map[Work]*Workload{},
	}
	results := newResults(o, time.Now())
	if results.Runs, err = r.everything(ctx, stderr); err != nil {
		return err
	}
	results.conclude()
	results.print(stdout)
	if o.Out == "" {
		return nil
	}
	if err := results.write(o.Out); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "the results are in %s\n", o.Out)
	return nil
}

// everything runs every variant in every scene as often as asked, forwards in
// odd rounds and backwards in even ones, so that none is always the first.
func (r *runner) everything(ctx context.Context, progress io.Writer) ([]Run, error) {
	type pair struct {
		scene   Scene
		variant Variant
	}
	var pairs []pair
	for _, scene := range Scenes() {
		if len(r.options.Scenes) > 0 && !slices.Contains(r.options.Scenes, scene.Name) {
			continue
		}
		for _, v := range Variants() {
			if slices.Contains(scene.variants, v.Name) && (len(r.options.Only) == 0 || slices.Contains(r.options.Only, v.Name)) {
				pairs = append(pairs, pair{scene, v})
			}
		}
	}
	var runs []Run
	all := len(pairs) * r.options.Runs
	for round := range r.options.Runs {
		order := slices.Clone(pairs)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, p := range order {
			began := time.Now()
			run, err := r.one(ctx, p.scene, p.variant, round+1)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil {
				return nil, fmt.Errorf("%s, %s, run %d: %w", p.scene.Name, p.variant.Name, round+1, err)
			}
			runs = append(runs, run)
			fmt.Fprintf(progress, "%3d/%d  %-20s  %-16s  %8.0f changes/s  %6.1f µs CPU  %5.3f requests  lag p99 %6.1f ms  (%.1f s)\n",
				len(runs), all, run.Scene, run.Variant, run.ChangesPerSecond, run.ConsumerCPU, run.Total, run.LagP99, time.Since(began).Seconds())
		}
	}
	return runs, nil
}
