//go:build !unix

package bench

import (
	"errors"
	"runtime"
	"time"
)

// processCPU is the time the process has used, user and system.
func processCPU() (time.Duration, error) {
	return 0, errors.New("the CPU time of a process is not read on " + runtime.GOOS + ": run the benchmark on Linux or another Unix")
}
