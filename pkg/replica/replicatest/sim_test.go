package replicatest_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/tributary-dev/tributary/pkg/replica/replicatest"
)

var (
	base  = flag.Uint64("base", 1, "first seed of the simulator")
	seeds = flag.Uint64("seeds", defaultSeeds, "how many seeds the simulator runs")
	only  = flag.Uint64("seed", 0, "the one seed to run; 0 for -seeds from -base")
)

// shrinkAttempts bounds how often a plan that fails is run to shorten it.
const shrinkAttempts = 60

// Whatever a plan and the weather do, every promise is kept.
func TestSimulatedDaysKeepEveryPromise(t *testing.T) {
	first, last := *base, *base+*seeds
	if *only != 0 {
		first, last = *only, *only+1
	}
	for seed := first; seed < last; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			plan := replicatest.NewPlan(seed)
			run := func(p replicatest.Plan) []string { return replicatest.Run(t, p) }
			failures := run(plan)
			if len(failures) == 0 {
				return
			}
			shortest, failures := replicatest.Shrink(plan, failures, shrinkAttempts, run)
			t.Error(replicatest.Report(plan, shortest, failures))
		})
	}
}
