package crash

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/test/system/internal/api"
	"github.com/tributary-dev/tributary/test/system/internal/input"
	"github.com/tributary-dev/tributary/test/system/internal/stack"
	"github.com/tributary-dev/tributary/test/system/internal/stacktest"
)

// root is the project's directory, seen from this package's.
const root = "../../.."

var (
	kills = flag.Int("kills", 6, "`number` of kill -9, shared out among profile, profile-relay and stats")
	seed  = flag.Uint64("seed", 1, "`seed` of the plan of kills and faults")
)

// victims are the processes that are killed, and whose network is disturbed.
var victims = []string{stack.Profile, stack.Relay, stack.Stats}

const (
	// companiesPerKill is how many companies are written to. Of fewer each
	// would be changed more often, and less be seen of a change that is lost.
	companiesPerKill = 30
	// quietWithin is what the system gets to come to rest: messages of a killed
	// consumer come back after 30 s, and may do so more than once.
	quietWithin = 3 * time.Minute
	// tailLines are the lines of each log that a failure shows.
	tailLines = 25
)

// kill is one planned kill -9.
type kill struct {
	process string
	after   time.Duration // since the one before it
	down    time.Duration // until it is started again; 0 is at once
}

// planKills shares n kills out evenly, in a random order and at random moments.
func planKills(r *rand.Rand, n int) []kill {
	plan := make([]kill, n)
	for i := range plan {
		plan[i].process = victims[i%len(victims)]
		plan[i].after = between(r, 300*time.Millisecond, 2*time.Second)
		if r.IntN(2) == 0 {
			plan[i].down = between(r, 100*time.Millisecond, 1500*time.Millisecond)
		}
	}
	r.Shuffle(n, func(i, j int) { plan[i].process, plan[j].process = plan[j].process, plan[i].process })
	return plan
}

// ports are apart from those of the tests beside these.
var ports = stacktest.NewPorts(12_000)

// build builds the binaries.
func build(t *testing.T) (bin string) {
	t.Helper()
	bin = t.TempDir()
	if err := stacktest.Build(t.Context(), root, bin, "pkg/localaws", "services/profile", "services/stats", "cmd/replicactl"); err != nil {
		t.Fatal(err)
	}
	return bin
}

func TestNothingIsLostWhereProcessesAreKilledOverABadNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes most of a minute")
	}
	began := time.Now()
	say := func(format string, args ...any) {
		t.Logf("%6.1fs  %s", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	say("seed %d, %d kills", *seed, *kills)

	env := ports.Environment(t)
	net := openNetwork(t, env["LOCALAWS_ADDR"], *seed, victims)
	system, err := stack.Start(context.Background(), stack.Config{
		Bin: build(t), Root: root, Logs: t.TempDir(), Environment: env, Through: net.through(),
		// Nobody but the test ends a process: AWS's troubles are no reason to.
		Report: func(line string) { t.Errorf("unasked: %s", line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			showFailure(t, system)
		}
	})

	l := newLoad(t, system)
	disaster(t, system, net, l, say)
	say("the load has ended and the network is well: %d writes to %d companies acknowledged, %d toxics, refused %v, statements %v", l.acknowledged.Load(), len(l.companies), total(net.toxics), net.throttle.counts(), net.throttle.statementCounts())

	q := openQueues(system)
	rest := time.Now()
	report := func(what string, lines []string) {
		for i, line := range lines {
			if i == 20 {
				t.Errorf("%s: and %d more", what, len(lines)-i)
				break
			}
			t.Errorf("%s: %s", what, line)
		}
	}
	differences := func(ctx context.Context) ([]string, error) { return l.played.Differences(ctx, l.profile, l.stats) }
	report("difference", awaitQuiet(t, rest.Add(quietWithin), differences))
	say("compared after %s", time.Since(rest).Round(time.Millisecond))
	report("left over", awaitQuiet(t, rest.Add(quietWithin), q.left))
	say("queues looked at after %s", time.Since(rest).Round(time.Millisecond))
	// What came last may not have undone anything.
	report("difference in the end", awaitQuiet(t, rest, differences))
	letters, err := q.letters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	report("dead letter", letters)
	verdict := "nothing was lost"
	if t.Failed() {
		verdict = "FAILED"
	}
	say("verdict: %s; seed %d, %d kills (started again: profile %d times, profile-relay %d, stats %d), toxics %v, refused %v, statements %v, %d writes", verdict, *seed, *kills,
		system.Restarts(stack.Profile), system.Restarts(stack.Relay), system.Restarts(stack.Stats), net.toxics, net.throttle.counts(), net.throttle.statementCounts(), l.acknowledged.Load())
}

func newLoad(t *testing.T, system *stack.System) *load {
	t.Helper()
	examples := filepath.Join(root, "examples", "sp500")
	changes, err := input.ProfileChanges(filepath.Join(examples, "profile-changes.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	statistics, err := input.Statistics(filepath.Join(examples, "statistics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	l := &load{profile: api.NewProfile(system.ProfileURL), stats: api.NewStats(system.StatsURL)}
	l.companies, l.statistics = chooseCompanies(changes, statistics, max(100, *kills*companiesPerKill))
	l.played.Watched = map[string][]string{}
	return l
}

// disaster plays the plan: load, kills and a bad network at once. When it
// returns all of them have ended and every process runs.
func disaster(t *testing.T, system *stack.System, net *network, l *load, say func(string, ...any)) {
	t.Helper()
	stop := make(chan struct{})
	var killed atomic.Int64
	l.stop, l.progress = stop, func() float64 { return float64(killed.Load()) / float64(*kills) }
	group, ctx := errgroup.WithContext(system.Context())
	group.Go(func() error { return l.run(ctx, *seed) })
	disturbed, calm := context.WithCancel(ctx)
	group.Go(func() error {
		return net.disturb(disturbed, rand.New(rand.NewPCG(*seed, 2)), victims, say)
	})
	group.Go(func() error {
		defer close(stop)
		defer calm()
		return killAll(ctx, system, planKills(rand.New(rand.NewPCG(*seed, 1)), *kills), &killed, say)
	})
	if err := group.Wait(); err != nil {
		t.Fatal(errors.Join(err, context.Cause(system.Context())))
	}
	statements := net.throttle.statementCounts()
	if total(net.toxics) == 0 || net.throttle.counts()[localaws.DynamoDB] == 0 || len(statements) == 0 {
		t.Errorf("the network was never bad: toxics %v, refused %v, statements %v", net.toxics, net.throttle.counts(), statements)
	}
}

func killAll(ctx context.Context, system *stack.System, plan []kill, killed *atomic.Int64, say func(string, ...any)) error {
	for i, k := range plan {
		pause(ctx, k.after)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := system.Kill(k.process); err != nil {
			return err
		}
		killed.Add(1)
		say("kill %d: %s, down for %s", i+1, k.process, k.down.Round(time.Millisecond))
		pause(ctx, k.down)
		// One that gave up on its bad network would fail here.
		if err := system.Again(k.process); err != nil {
			return err
		}
	}
	return nil
}

func showFailure(t *testing.T, system *stack.System) {
	t.Helper()
	t.Logf("to run this plan again: make crash KILLS=%d CRASH_SEED=%d", *kills, *seed)
	for _, process := range append([]string{stack.LocalAWS}, victims...) {
		content, err := os.ReadFile(system.LogFile(process))
		if err != nil {
			t.Log(err)
			continue
		}
		lines := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
		t.Logf("the end of the log of %s:\n  %s", process, strings.Join(lines[max(0, len(lines)-tailLines):], "\n  "))
	}
}

func total(counts map[string]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}
