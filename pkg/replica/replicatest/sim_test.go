package replicatest_test

import (
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/replica/replicatest"
)

var (
	base  = flag.Uint64("base", 1, "first seed of the simulator")
	seeds = flag.Uint64("seeds", defaultSeeds, "how many seeds the simulator runs")
	tries = flag.Int("shrink", 60, "how often a plan that fails is run to shorten it")
	only  = flag.Uint64("seed", 0, "the one seed to run; 0 for -seeds from -base")
	soak  = flag.Bool("progress", false, "say every few seconds, and in the end, how many seeds ran and failed")
)

var ran, failed atomic.Uint64

// TestMain says in the last line what a soak has found.
func TestMain(m *testing.M) {
	flag.Parse()
	began, stop, stopped := time.Now(), make(chan struct{}), make(chan struct{})
	say := func() {
		fmt.Printf("%d of %d seeds from %d ran, %d failed, in %s\n", ran.Load(), *seeds, *base, failed.Load(), time.Since(began).Round(time.Second))
	}
	go func() {
		defer close(stopped)
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				if *soak {
					say()
				}
			}
		}
	}()
	code := m.Run()
	close(stop)
	<-stopped
	if *soak {
		say()
	}
	os.Exit(code)
}

// Whatever a plan and the weather do, every promise is kept.
func TestSimulatedDaysKeepEveryPromise(t *testing.T) {
	first, last := *base, *base+*seeds
	if *only != 0 {
		first, last = *only, *only+1
	}
	for seed := first; seed < last; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			defer ran.Add(1)
			if !replicatest.Check(t, replicatest.NewPlan(seed), replicatest.Services{}, *tries) {
				failed.Add(1)
			}
		})
	}
}
