package replicatest

import (
	"fmt"
	"slices"
	"strings"
)

// Shrink returns the shortest plan it can find that still fails, and its
// failures. It leaves out ever smaller runs of steps for as long as the rest
// fails, and runs a plan at most so many times. An interleaving that is rare can
// hide in the meantime; then the plan stays longer than it need be.
func Shrink(plan Plan, failures []string, attempts int, run func(Plan) []string) (Plan, []string) {
	for size := max(len(plan.Steps)/2, 1); attempts > 0; {
		shorter := false
		for from := 0; from < len(plan.Steps) && attempts > 0; {
			rest := slices.Clone(plan.Steps)
			rest = slices.Delete(rest, from, min(from+size, len(rest)))
			attempts--
			if got := run(Plan{Seed: plan.Seed, Steps: rest}); len(got) > 0 {
				plan.Steps, failures, shorter = rest, got, true
				continue
			}
			from += size
		}
		if size == 1 && !shorter {
			break
		}
		if !shorter || size > len(plan.Steps) {
			size = max(size/2, 1)
		}
	}
	return plan, failures
}

// Report says what a failed simulation is: the promises that were broken, the
// steps of the shortest plan found, and how to run it again.
func Report(found, shortest Plan, failures []string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "seed %d breaks promises:\n", found.Seed)
	for _, f := range failures {
		fmt.Fprintf(&text, "- %s\n", f)
	}
	fmt.Fprintf(&text, "shortest plan found, of %d steps:\n%s", len(found.Steps), shortest)
	fmt.Fprintf(&text, "again: go test ./replicatest -run Sim -seed %d\n", found.Seed)
	return text.String()
}
