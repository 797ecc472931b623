package demo

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/test/system/internal/stack"
)

// The verbs.
const (
	verbRun   = "run"
	verbUp    = "up"
	verbLoad  = "load"
	verbCheck = "check"
)

// Options are what one command line says.
type Options struct {
	Verb        string
	Profiles    string        // file of profile changes
	Statistics  string        // file of statistics
	Bin         string        // directory of the binaries
	Root        string        // directory of the project
	Logs        string        // directory of the processes' logs
	Kill        string        // process to kill in the middle of the load
	Wait        time.Duration // how long the copies get to arrive
	Environment map[string]string
}

// killable are the processes that may be killed in the middle, by the names
// one may give them.
var killable = map[string]string{
	"stats": stack.Stats, "profile": stack.Profile, "relay": stack.Relay, "profile-relay": stack.Relay,
}

const usage = `demo plays company data through the profile and the stats service.

  demo [run]   start the system, play everything, check the answers, have
               replicactl compare the copies, damage one and mend it, stop
  demo up      start the system, play the initial load, leave it running
  demo load    play everything through services that are running already; check
               the answers
  demo check   only wait and check, with services that are running already

Addresses come from PROFILE_ADDR, STATS_ADDR, RELAY_ADDR and LOCALAWS_ADDR, what
is to be used of AWS from the SDK's own variables (AWS_ENDPOINT_URL, ...);
localaws serves what they leave open. Exit codes: 0 everything agrees, 1 it does
not or something went wrong, 2 wrong usage.

Flags:
`

// errUsage is a command line that means nothing; it has been explained.
var errUsage = errors.New("usage")

// Parse reads a command line without the program's name. It explains what is
// wrong on stderr, and returns flag.ErrHelp where help was asked for.
func Parse(args []string, environment []string, executable string, stderr io.Writer) (Options, error) {
	o := Options{Verb: verbRun, Environment: map[string]string{}}
	for _, pair := range environment {
		name, value, _ := strings.Cut(pair, "=")
		o.Environment[name] = value
	}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		o.Verb, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&o.Root, "root", ".", "the project's `directory`")
	flags.StringVar(&o.Profiles, "profiles", "", "`file` of profile changes (default examples/sp500/profile-changes.jsonl)")
	flags.StringVar(&o.Statistics, "statistics", "", "`file` of statistics (default examples/sp500/statistics.jsonl)")
	flags.StringVar(&o.Bin, "bin", filepath.Dir(executable), "`directory` of the binaries")
	flags.StringVar(&o.Logs, "logs", "", "`directory` for the processes' logs (default .demo in the project)")
	flags.StringVar(&o.Kill, "kill", "", "`process` to kill -9 in the middle of the load: stats, relay or profile")
	flags.DurationVar(&o.Wait, "wait", convergeFor, "how `long` the copies get to arrive before what differs is reported")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return Options{}, err
	} else if err != nil {
		return Options{}, errUsage
	}
	if err := o.complete(flags.Args()); err != nil {
		fmt.Fprintf(stderr, "demo: %v\nrun demo -h for the verbs and flags\n", err)
		return Options{}, errUsage
	}
	return o, nil
}

// complete fills in the defaults and says everything that is wrong.
func (o *Options) complete(extra []string) error {
	var problems []error
	if !slices.Contains([]string{verbRun, verbUp, verbLoad, verbCheck}, o.Verb) {
		problems = append(problems, fmt.Errorf("there is no verb %q: want run, up, load or check", o.Verb))
	}
	if len(extra) > 0 {
		problems = append(problems, fmt.Errorf("there is an argument too many: %q", extra[0]))
	}
	if o.Kill != "" {
		name, ok := killable[o.Kill]
		switch {
		case !ok:
			problems = append(problems, fmt.Errorf("-kill %q: want stats, relay or profile (localaws holds everything in memory, so that killing it loses everything)", o.Kill))
		case o.Verb != verbRun:
			problems = append(problems, fmt.Errorf("-kill goes with run only, which starts the processes itself"))
		}
		o.Kill = name
	}
	if o.Wait < 0 {
		problems = append(problems, fmt.Errorf("-wait %s: want a time that is not negative", o.Wait))
	}
	for file, standard := range map[*string]string{
		&o.Profiles:   filepath.Join(o.Root, "examples", "sp500", "profile-changes.jsonl"),
		&o.Statistics: filepath.Join(o.Root, "examples", "sp500", "statistics.jsonl"),
		&o.Logs:       filepath.Join(o.Root, ".demo"),
	} {
		if *file == "" {
			*file = standard
		}
	}
	return errors.Join(problems...)
}
