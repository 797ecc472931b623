package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/test/system/internal/input"
)

// Task is what a child process is to do. It gets it as the first line of its
// input; when its input ends, so does it, since whoever started it is gone.
type Task struct {
	Role     string // publish or consume
	Variant  string
	Endpoint string
	Settings Settings
	Work     Work
	Paced    bool // changes are published when they are due, and lag is noted
	// Lead is what a paced publisher gets to be ready for the first change.
	Lead time.Duration
	// The files that profiles go to; empty for none.
	CPUProfile, AllocsProfile string
}

// The roles.
const (
	rolePublish = "publish"
	roleConsume = "consume"
)

// Work says which changes there are.
type Work struct {
	Log     string // file of the change log
	Pattern Pattern
	Changes int // of the whole workload
	Items   int
	Seed    uint64
	First   int           // so many of the changes
	Step    time.Duration // between two changes
}

// load makes the workload.
func (w Work) load() (*Workload, error) {
	log, err := input.ProfileChanges(w.Log)
	if err != nil {
		return nil, err
	}
	all, err := NewWorkload(w.Pattern, log, w.Changes, w.Items, w.Seed)
	if err != nil {
		return nil, err
	}
	return all.First(w.First), nil
}

// Report is what a child process measured of itself.
type Report struct {
	Base      time.Time     // of the changes' clock; a publisher's
	Messages  int           // published, or deleted
	Wall, CPU time.Duration // from the first call to the last
	Mallocs   uint64
	PeakRSS   int64  // bytes
	PeakHeap  uint64 // bytes of objects, looked at every 20 ms
	Settled   []Settled
}

// Child does what the task in the input says and writes its report.
func Child(ctx context.Context, in io.Reader, out io.Writer) error {
	return work(ctx, in, out, variant)
}

// work is Child with a way to find variants.
func work(ctx context.Context, in io.Reader, out io.Writer, find func(string) (Variant, error)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lines := make(chan string)
	go readLines(ctx, in, lines, cancel)
	var task Task
	select {
	case line := <-lines:
		if err := json.Unmarshal([]byte(line), &task); err != nil {
			return fmt.Errorf("read the task: %w", err)
		}
	case <-ctx.Done():
		return fmt.Errorf("read the task: %w", context.Cause(ctx))
	}
	v, err := find(task.Variant)
	if err != nil {
		return err
	}
	profile := &profiler{cpuFile: task.CPUProfile, allocsFile: task.AllocsProfile}
	profile.prepare()
	var report Report
	if task.Role == rolePublish {
		report, err = publish(ctx, v, task, profile)
	} else {
		report, err = consume(ctx, v, task, profile, lines)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", v.Name, task.Role, err)
	}
	return json.NewEncoder(out).Encode(report)
}

// readLines hands on the input's lines, and ends the process's work with it.
func readLines(ctx context.Context, in io.Reader, lines chan<- string, cancel context.CancelCauseFunc) {
	scanner := bufio.NewScanner(in)
	for scanner.Scan() {
		select {
		case lines <- scanner.Text():
		case <-ctx.Done():
			return
		}
	}
	cancel(errors.Join(errors.New("the input ended: whoever started this is gone"), scanner.Err()))
}

// errLate says that the first change was due before the publisher was ready.
var errLate = errors.New("the publisher was not ready for the first change")

// maxLead bounds what a publisher that was late gets at its next attempts.
const maxLead = 30 * time.Second

func publish(ctx context.Context, v Variant, task Task, profile *profiler) (Report, error) {
	workload, err := task.Work.load()
	if err != nil {
		return Report{}, err
	}
	for lead := task.Lead; ; lead *= 2 {
		report, err := publishFrom(ctx, v, task, profile, workload, time.Now().Add(lead).Truncate(time.Microsecond))
		if !errors.Is(err, errLate) || lead > maxLead {
			return report, err
		}
	}
}

// publishFrom publishes everything, the first change as if made at base.
func publishFrom(ctx context.Context, v Variant, task Task, profile *profiler, workload *Workload, base time.Time) (Report, error) {
	var start sample
	p := publishing{
		settings: task.Settings, endpoint: task.Endpoint, workload: workload,
		clock: Clock{Base: base, Step: task.Work.Step}, paced: task.Paced,
		begin: func() (err error) {
			if late := time.Since(base); task.Paced && late > 0 {
				return fmt.Errorf("%w: it was %s late; this machine is too busy to measure", errLate, late)
			}
			if err := profile.start(); err != nil {
				return err
			}
			start, err = takeSample()
			return err
		},
	}
	messages, err := v.publish(ctx, &p)
	if err != nil {
		return Report{}, err
	}
	end, err := takeSample()
	if err := errors.Join(err, profile.stop()); err != nil {
		return Report{}, err
	}
	return Report{
		Base: base, Messages: messages,
		Wall: end.at.Sub(start.at), CPU: end.cpu - start.cpu, Mallocs: end.mallocs - start.mallocs,
	}, nil
}

// stopTimeout is what a consumer gets to end after the last message; the stock
// one can hang.
const stopTimeout = 10 * time.Second

// consume consumes until as many messages are deleted as the next line of the
// input says.
func consume(ctx context.Context, v Variant, task Task, profile *profiler, lines <-chan string) (Report, error) {
	m := newMeter(task.Paced)
	m.onStart, m.onEnd = profile.start, profile.stop
	heap := watchHeap()
	running, stop := context.WithCancel(ctx)
	defer stop()
	consumed := make(chan error, 1)
	go func() {
		consumed <- v.consume(running, &consuming{variant: v, settings: task.Settings, endpoint: task.Endpoint, meter: m})
	}()
	for waiting := true; waiting; {
		select {
		case line := <-lines:
			expected, err := strconv.Atoi(strings.TrimSpace(line))
			if err != nil {
				return Report{}, fmt.Errorf("read the number of messages: %w", err)
			}
			m.expect(expected)
		case err := <-consumed:
			return Report{}, fmt.Errorf("it ended before the last message: %w", errors.Join(err, context.Cause(ctx)))
		case <-m.done:
			waiting = false
		}
	}
	stop()
	report := Report{PeakHeap: heap()}
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	var err error
	select {
	case err = <-consumed:
	case <-timer.C:
		err = fmt.Errorf("it was still running %s after it was asked to stop", stopTimeout)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	report.Messages, report.Settled = m.deleted, m.settled
	report.Wall, report.CPU, report.Mallocs = m.end.at.Sub(m.start.at), m.end.cpu-m.start.cpu, m.end.mallocs-m.start.mallocs
	var failed error
	report.PeakRSS, failed = peakMemory()
	return report, errors.Join(err, m.err, failed)
}
