package bench

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
)

// profiler writes a CPU and an allocation profile of what is measured. With an
// empty prefix it does nothing.
type profiler struct {
	prefix string
	cpu    *os.File
}

// profiledBytes is how many bytes are allocated between two samples of the
// allocation profile: finer than Go's 512 KiB, at little cost.
const profiledBytes = 4 << 10

func (p *profiler) start() (err error) {
	if p.prefix == "" {
		return nil
	}
	runtime.MemProfileRate = profiledBytes
	if p.cpu, err = os.Create(p.prefix + ".cpu.pprof"); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(p.cpu); err != nil {
		return fmt.Errorf("profile: %w", errors.Join(err, p.cpu.Close()))
	}
	return nil
}

func (p *profiler) stop() error {
	if p.prefix == "" {
		return nil
	}
	pprof.StopCPUProfile()
	allocs, err := os.Create(p.prefix + ".allocs.pprof")
	if err == nil {
		err = errors.Join(pprof.Lookup("allocs").WriteTo(allocs, 0), allocs.Close())
	}
	if err := errors.Join(p.cpu.Close(), err); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return nil
}
