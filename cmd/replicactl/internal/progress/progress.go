// Package progress shows how far a long verb is: a bar on a terminal, a line
// every ten seconds elsewhere, nothing where it was asked to be quiet.
//
// It promises that a Meter writes nowhere but to its Config.Out, and that after
// End nothing is written any more and no goroutine is left. Rates count from
// the first report, so that a resumed run does not look faster than it is.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"
)

// Config says where and how progress is shown.
type Config struct {
	// Out is where it is shown; a bar if it is a terminal.
	Out io.Writer
	// Quiet shows nothing.
	Quiet bool
	// Every is the pause between two lines where there is no bar; 10 s by
	// default.
	Every time.Duration
}

// Meter shows one thing's progress. Report may be called concurrently.
type Meter struct {
	name  string
	out   io.Writer
	bars  *mpb.Progress
	bar   *mpb.Bar
	stop  chan struct{}
	lines sync.WaitGroup

	mu    sync.Mutex
	began time.Time // of the first report
	first int64     // what it reported
	done  int64
	total int64
	note  string
	limit time.Duration // of a wait; 0 where something is done
	spent time.Duration
}

// Start begins to show progress under a name; End has to be called.
func Start(cfg Config, name string) *Meter {
	m := &Meter{name: name, out: cfg.Out, stop: make(chan struct{})}
	switch {
	case cfg.Quiet:
	case IsTerminal(cfg.Out) && os.Getenv("TERM") != "dumb":
		m.bars = mpb.New(mpb.WithOutput(cfg.Out), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))
		m.bar = m.bars.AddBar(0,
			mpb.PrependDecorators(decor.Name(name+" ")),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + m.text() })))
	default:
		every := cfg.Every
		if every <= 0 {
			every = 10 * time.Second
		}
		m.lines.Go(func() { m.print(every) })
	}
	return m
}

// Report says how much is done of how much, 0 where that is not known, and what
// else is worth knowing at the moment.
func (m *Meter) Report(done, total int64, note string) {
	m.mu.Lock()
	if m.began.IsZero() {
		m.began, m.first = time.Now(), done
	}
	m.done, m.total, m.note = done, total, note
	m.mu.Unlock()
	if m.bar != nil {
		m.bar.SetTotal(max(total, done+1), false) // complete only at End
		m.bar.SetCurrent(done)
	}
}

// Wait says for how long something has been waited for, how long that may take,
// and what is waited for.
func (m *Meter) Wait(spent, limit time.Duration, note string) {
	m.mu.Lock()
	m.spent, m.limit, m.note = spent, limit, note
	m.mu.Unlock()
	if m.bar != nil {
		m.bar.SetTotal(int64(max(limit, spent+1)), false)
		m.bar.SetCurrent(int64(spent))
	}
}

// End stops showing progress. It is called once.
func (m *Meter) End() {
	close(m.stop)
	m.lines.Wait()
	if m.bars != nil {
		m.bar.Abort(false)
		m.bars.Wait()
	}
}

func (m *Meter) print(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-m.stop:
			return
		case <-ticker.C:
			fmt.Fprintf(m.out, "%s: %s\n", m.name, m.text())
		}
	}
}

// text is what there is to say now: 1200 of 5000, 40/s, 1m35s left, note.
func (m *Meter) text() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.limit > 0 {
		return fmt.Sprintf("%v of at most %v, %s", m.spent.Round(time.Second), m.limit, m.note)
	}
	text := fmt.Sprint(m.done)
	if m.total > 0 {
		text = fmt.Sprintf("%d of %d", m.done, m.total)
	}
	if elapsed := time.Since(m.began).Seconds(); !m.began.IsZero() && elapsed >= 1 && m.done > m.first {
		rate := float64(m.done-m.first) / elapsed
		text += fmt.Sprintf(", %.4g/s", rate)
		if m.total > m.done {
			left := time.Duration(float64(m.total-m.done) / rate * float64(time.Second))
			text += fmt.Sprintf(", %v left", left.Round(time.Second))
		}
	}
	if m.note != "" {
		text += ", " + m.note
	}
	return text
}

// IsTerminal reports whether what is written there is seen on a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && cwriter.IsTerminal(int(f.Fd()))
}
