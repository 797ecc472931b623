package bench

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Options are what one command line says.
type Options struct {
	Runs    int
	Changes int
	Items   int
	Seed    uint64
	Only    []string // variants; empty for all
	Scenes  []string // scenes; empty for all
	// SlowChanges and SlowestChanges bound the work of the variants that make
	// one call after the other, the latter where calls take 10 ms longer.
	SlowChanges, SlowestChanges int
	PacedChanges                int
	Settings                    Settings
	Log                         string // file of the change log
	Out                         string // file of the results; empty for none
	Profile                     string // directory of the profiles; empty for none
	Bin                         string // directory of the binaries
	Quick                       bool
}

const usage = `bench measures Tributary against the stock watermill-aws path and a bare SDK loop,
each in processes of its own against a fresh localaws, and prints the medians.

`

// errUsage is a command line that means nothing; it has been explained.
var errUsage = errors.New("usage")

// Parse reads a command line without the program's name. It explains what is
// wrong on stderr, and returns flag.ErrHelp where help was asked for.
func Parse(args []string, executable string, stderr io.Writer) (Options, error) {
	o := Options{Settings: DefaultSettings}
	var only, scenes string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
		fmt.Fprintln(stderr, "\nVariants:")
		for _, v := range Variants() {
			fmt.Fprintf(stderr, "  %-17s %s\n", v.Name, v.About)
		}
		fmt.Fprintln(stderr, "\nScenes:")
		for _, s := range Scenes() {
			fmt.Fprintf(stderr, "  %s\n", s.Name)
		}
	}
	flags.IntVar(&o.Runs, "runs", 3, "`runs` of each variant in each scene")
	flags.IntVar(&o.Changes, "changes", 20_000, "`changes` of the whole workload")
	flags.IntVar(&o.Items, "items", 5_000, "`items` they are made to")
	flags.IntVar(&o.SlowChanges, "slow-changes", 4_000, "`changes` for the variants that make one call after the other")
	flags.IntVar(&o.SlowestChanges, "slowest-changes", 300, "`changes` for those with 10 ms added to every call")
	flags.IntVar(&o.PacedChanges, "paced-changes", 3_000, "`changes` where lag is measured, at 500 a second")
	flags.Uint64Var(&o.Seed, "seed", 1, "`seed` of the workload")
	flags.StringVar(&only, "only", "", "`variants` to run, by commas (default all)")
	flags.StringVar(&scenes, "scenes", "", "`scenes` to run, by semicolons (default all)")
	flags.StringVar(&o.Log, "log", "examples/sp500/profile-changes.jsonl", "`file` of profile changes")
	flags.StringVar(&o.Out, "out", "", "`file` for the results as JSON")
	flags.StringVar(&o.Profile, "profile", "", "`directory` for profiles of the children: of the CPU in odd runs, of allocations in even ones")
	flags.StringVar(&o.Bin, "bin", filepath.Dir(executable), "`directory` of the binaries")
	flags.IntVar(&o.Settings.Receivers, "receivers", o.Settings.Receivers, "receive `loops` of floor and Tributary")
	flags.IntVar(&o.Settings.InFlight, "in-flight", o.Settings.InFlight, "`messages` received and not settled, of both")
	flags.IntVar(&o.Settings.Writers, "writers", o.Settings.Writers, "`batches` written at the same time, of both")
	flags.BoolVar(&o.Quick, "quick", false, "one small run of everything, to see that it works")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return Options{}, err
	} else if err != nil {
		return Options{}, errUsage
	}
	o.Only, o.Scenes = split(only, ","), split(scenes, ";")
	if o.Quick {
		o.Runs, o.Changes, o.Items, o.SlowChanges, o.SlowestChanges, o.PacedChanges = 1, 1000, 250, 200, 30, 1000
	}
	if err := o.validate(flags.Args()); err != nil {
		fmt.Fprintf(stderr, "bench: %v\nrun bench -h for the flags\n", err)
		return Options{}, errUsage
	}
	return o, nil
}

func split(list, by string) []string {
	var out []string
	for part := range strings.SplitSeq(list, by) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// validate says everything that is wrong.
func (o Options) validate(extra []string) error {
	var problems []error
	if len(extra) > 0 {
		problems = append(problems, fmt.Errorf("there is an argument too many: %q", extra[0]))
	}
	for name, value := range map[string]int{
		"-runs": o.Runs, "-items": o.Items, "-slow-changes": o.SlowChanges, "-slowest-changes": o.SlowestChanges,
		"-paced-changes": o.PacedChanges, "-receivers": o.Settings.Receivers, "-in-flight": o.Settings.InFlight, "-writers": o.Settings.Writers,
	} {
		if value < 1 {
			problems = append(problems, fmt.Errorf("%s %d: want at least 1", name, value))
		}
	}
	if o.Changes < o.Items {
		problems = append(problems, fmt.Errorf("-changes %d: want at least one for each of the %d items", o.Changes, o.Items))
	}
	for _, name := range o.Only {
		if _, err := variant(name); err != nil {
			problems = append(problems, fmt.Errorf("-only: %w", err))
		}
	}
	for _, name := range o.Scenes {
		if !slices.ContainsFunc(Scenes(), func(s Scene) bool { return s.Name == name }) {
			problems = append(problems, fmt.Errorf("-scenes: there is no scene %q", name))
		}
	}
	return errors.Join(problems...)
}

// work is what a variant gets to do in a scene.
func (o Options) work(s Scene, v Variant) Work {
	first := o.Changes
	switch {
	case s.Paced > 0:
		first = o.PacedChanges
	case v.slow && s.Latency > 0:
		first = o.SlowestChanges
	case v.slow:
		first = o.SlowChanges
	}
	return Work{Log: o.Log, Pattern: s.Pattern, Changes: o.Changes, Items: o.Items, Seed: o.Seed, First: min(first, o.Changes), Step: s.step()}
}

// profile says which profiles a run writes: of the CPU in odd runs, of
// allocations in even ones.
func (o Options) profile(s Scene, v Variant, number int) func(*Task) {
	return func(task *Task) {
		if o.Profile == "" {
			return
		}
		file := filepath.Join(o.Profile, strings.Join([]string{v.Name, string(s.Pattern), task.Role}, "-"))
		if number%2 == 1 {
			task.CPUProfile = file + ".cpu.pprof"
		} else {
			task.AllocsProfile = file + ".allocs.pprof"
		}
	}
}
