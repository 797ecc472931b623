package demo

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

// screen shows results on one stream and progress on the other: as bars on a
// terminal, as plain lines elsewhere. It is safe for concurrent use.
type screen struct {
	out      io.Writer
	progress io.Writer
	bars     bool // progress is a terminal
	colour   bool // out is one

	mu   sync.Mutex
	live *mpb.Progress // the bars being shown
}

func newScreen(out, progress io.Writer, environment map[string]string) *screen {
	dumb := environment["TERM"] == "dumb"
	return &screen{
		out: out, progress: progress,
		bars:   isTerminal(progress) && !dumb && columns(progress) >= minColumns,
		colour: isTerminal(out) && !dumb && environment["NO_COLOR"] == "",
	}
}

// minColumns is the narrowest terminal that bars fit into. Some say that they
// have none at all.
const minColumns = 60

func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := cwriter.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && cwriter.IsTerminal(int(f.Fd()))
}

// say prints a line of the results.
func (s *screen) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// heading prints the title of a part of the results.
func (s *screen) heading(format string, args ...any) {
	s.say("\n%s", s.paint("1", fmt.Sprintf(format, args...)))
}

// paint returns the text in one of the terminal's colours.
func (s *screen) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s *screen) good(text string) string { return s.paint("32", text) }
func (s *screen) bad(text string) string  { return s.paint("31", text) }

// note prints a line about what goes on, above the bars if there are any.
func (s *screen) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := fmt.Sprintf("  "+format+"\n", args...)
	if s.live != nil {
		if _, err := s.live.Write([]byte(line)); err == nil {
			return
		}
	}
	fmt.Fprint(s.progress, line)
}

// stage is a set of tasks whose progress is shown together.
type stage struct {
	screen *screen
	bars   *mpb.Progress // nil where plain lines are wanted
	tasks  []*task
}

// stage begins one; end has to be called.
func (s *screen) stage() *stage {
	st := &stage{screen: s}
	if s.bars {
		st.bars = mpb.New(mpb.WithOutput(s.progress), mpb.WithWidth(72), mpb.WithRefreshRate(80*time.Millisecond))
		s.mu.Lock()
		s.live = st.bars
		s.mu.Unlock()
	}
	return st
}

// end ends the stage, whether or not its tasks are done.
func (st *stage) end() {
	if st.bars == nil {
		return
	}
	st.screen.mu.Lock()
	st.screen.live = nil
	st.screen.mu.Unlock()
	for _, t := range st.tasks {
		if t.bar != nil {
			t.bar.Abort(false)
		}
	}
	st.bars.Wait()
}

// task is so many steps to do. It is safe for concurrent use.
type task struct {
	screen *screen
	bar    *mpb.Bar
	name   string
	total  int
	began  time.Time

	mu   sync.Mutex
	done int
}

// task adds one to the stage.
func (st *stage) task(name string, total int) *task {
	t := &task{screen: st.screen, name: name, total: total, began: time.Now()}
	if st.bars != nil && total > 0 {
		t.bar = st.bars.AddBar(int64(total),
			mpb.PrependDecorators(decor.Name("  "+name, decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.CountersNoUnit("%d / %d", decor.WCSyncSpace), decor.Elapsed(decor.ET_STYLE_MMSS, decor.WCSyncSpace)))
	}
	st.tasks = append(st.tasks, t)
	return t
}

// step notes steps that are done, and says so once all are.
func (t *task) step(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done += n
	if t.bar != nil {
		t.bar.IncrBy(n)
	} else if t.done == t.total {
		t.screen.note("%-24s %5d / %d  in %.1f s", t.name, t.done, t.total, time.Since(t.began).Seconds())
	}
}

// reach notes that so many steps are done in all.
func (t *task) reach(n int) {
	t.mu.Lock()
	more := n - t.done
	t.mu.Unlock()
	if more > 0 {
		t.step(more)
	}
}
