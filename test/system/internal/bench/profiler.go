package bench

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
)

// profiler writes a profile of what is measured: of the CPU, or of allocations,
// each in a run of its own, since looking closely at allocations costs a fifth
// of the CPU. The zero profiler does nothing.
type profiler struct {
	cpuFile, allocsFile string // one of them at most
	cpu                 *os.File
}

// profiledBytes is how many bytes are allocated between two samples of the
// allocation profile: finer than Go's 512 KiB.
const profiledBytes = 4 << 10

// prepare is called before anything worth speaking of is allocated.
func (p *profiler) prepare() {
	if p.allocsFile != "" {
		runtime.MemProfileRate = 0 // until what is measured begins
	}
}

func (p *profiler) start() (err error) {
	if p.allocsFile != "" {
		runtime.MemProfileRate = profiledBytes
	}
	if p.cpuFile == "" {
		return nil
	}
	if p.cpu, err = os.Create(p.cpuFile); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(p.cpu); err != nil {
		return fmt.Errorf("profile: %w", errors.Join(err, p.cpu.Close()))
	}
	return nil
}

func (p *profiler) stop() error {
	if p.cpu != nil {
		pprof.StopCPUProfile()
		if err := p.cpu.Close(); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
	}
	if p.allocsFile == "" {
		return nil
	}
	allocs, err := os.Create(p.allocsFile)
	if err == nil {
		err = errors.Join(pprof.Lookup("allocs").WriteTo(allocs, 0), allocs.Close())
	}
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return nil
}
