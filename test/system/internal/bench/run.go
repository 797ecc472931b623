package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// runTimeout bounds one run.
const runTimeout = 3 * time.Minute

// runner makes runs. What it starts it stops.
type runner struct {
	options Options
	// lead is what publisher and consumer get to be ready before the first
	// paced change.
	lead time.Duration
	// engine starts a fresh localaws, whose calls take so much longer.
	engine func(ctx context.Context, latency time.Duration) (endpoint string, stop func() error, err error)
	// spawn starts a child process, which reads its task from the returned
	// writer and writes its report to out; wait returns when it has ended.
	spawn func(ctx context.Context, out io.Writer) (in io.WriteCloser, wait func() error, err error)
	// workloads are those already made.
	workloads map[Work]*Workload
}

// Run is one measured run.
type Run struct {
	Scene    string   `json:"scene"`
	Variant  string   `json:"variant"`
	Number   int      `json:"run"`
	Changes  int      `json:"changes"`
	Messages int      `json:"messages"`
	Requests Requests `json:"requests"`
	Figures
}

// one runs a variant once in a scene, and checks that it did its work.
func (r *runner) one(ctx context.Context, scene Scene, v Variant, number int) (run Run, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, runTimeout, fmt.Errorf("it was not done after %s", runTimeout))
	defer cancel()
	work := r.options.work(scene, v)
	w, ok := r.workloads[work]
	if !ok {
		if w, err = work.load(); err != nil {
			return Run{}, err
		}
		r.workloads[work] = w
	}
	endpoint, stop, err := r.engine(ctx, scene.Latency)
	if err != nil {
		return Run{}, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	world := newWorld(endpoint)
	if err := world.create(ctx, w.Initial()); err != nil {
		return Run{}, fmt.Errorf("prepare the run: %w", err)
	}
	if err := world.resetRequests(ctx); err != nil {
		return Run{}, fmt.Errorf("reset localaws's counts: %w", err)
	}
	task := Task{Variant: v.Name, Endpoint: endpoint, Settings: r.options.Settings, Work: work, Paced: scene.Paced > 0}
	if task.Paced {
		task.Lead = r.lead
	}
	published, consumed, err := r.both(ctx, task, r.options.profile(scene, v, number))
	if err != nil {
		return Run{}, err
	}
	requests, err := world.requests(ctx)
	if err != nil {
		return Run{}, fmt.Errorf("read localaws's counts: %w", err)
	}
	clock := Clock{Base: published.Base, Step: work.Step}
	if err := world.check(ctx, w.Final(clock)); err != nil {
		return Run{}, fmt.Errorf("the work was not done as it should be, so that its figures mean nothing: %w", err)
	}
	run = Run{Scene: scene.Name, Variant: v.Name, Number: number, Changes: len(w.changes), Messages: published.Messages, Requests: requests}
	run.Figures = figuresOf(run, published, consumed)
	if task.Paced {
		took, err := lags(w, clock, consumed.Settled)
		if err != nil {
			return Run{}, err
		}
		run.LagP50, run.LagP99 = percentile(took, 0.5), percentile(took, 0.99)
	}
	return run, nil
}

// both runs publisher and consumer: one after the other, or together where
// changes are paced.
func (r *runner) both(ctx context.Context, task Task, profile func(*Task)) (published, consumed Report, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start := func(role string) (*child, error) {
		its := task
		its.Role = role
		profile(&its)
		return r.start(ctx, its)
	}
	var consumer *child
	if task.Paced {
		if consumer, err = start(roleConsume); err != nil {
			return published, consumed, err
		}
	}
	publisher, err := start(rolePublish)
	if err == nil {
		published, err = publisher.report()
	}
	if err == nil && consumer == nil {
		consumer, err = start(roleConsume)
	}
	if err == nil {
		_, err = fmt.Fprintln(consumer.in, published.Messages)
	}
	if err != nil {
		cancel()
	}
	if consumer != nil {
		var failed error
		consumed, failed = consumer.report()
		err = errors.Join(err, failed)
	}
	return published, consumed, err
}

// child is a process that was given a task.
type child struct {
	in   io.WriteCloser
	out  bytes.Buffer
	wait func() error
	ctx  context.Context
}

func (r *runner) start(ctx context.Context, task Task) (*child, error) {
	c := &child{ctx: ctx}
	var err error
	if c.in, c.wait, err = r.spawn(ctx, &c.out); err != nil {
		return nil, err
	}
	if err := json.NewEncoder(c.in).Encode(task); err != nil {
		return nil, errors.Join(fmt.Errorf("hand the %s its task: %w", task.Role, err), c.in.Close(), c.wait())
	}
	return c, nil
}

// report waits for the process's end and reads what it measured.
func (c *child) report() (Report, error) {
	err := c.wait()
	closed := c.in.Close()
	switch {
	case err != nil && c.ctx.Err() != nil:
		return Report{}, context.Cause(c.ctx)
	case err != nil:
		return Report{}, err
	}
	var report Report
	if err := json.Unmarshal(c.out.Bytes(), &report); err != nil {
		return Report{}, fmt.Errorf("read the report: %w", errors.Join(err, closed))
	}
	return report, nil
}

func figuresOf(run Run, published, consumed Report) Figures {
	changes := float64(run.Changes)
	total := float64(run.Requests.Of("sns") + run.Requests.Of("sqs") + run.Requests.Of("dynamodb"))
	micros := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) / changes }
	const mebibyte = 1 << 20
	return Figures{
		SNS: float64(run.Requests.Of("sns")) / changes, SQS: float64(run.Requests.Of("sqs")) / changes,
		DynamoDB: float64(run.Requests.Of("dynamodb")) / changes, Total: total / changes,
		PerMessage: total / float64(run.Messages), Messages: float64(run.Messages) / changes,
		ChangesPerSecond: changes / consumed.Wall.Seconds(), MessagesPerSecond: float64(run.Messages) / consumed.Wall.Seconds(),
		ConsumerCPU: micros(consumed.CPU), PublisherCPU: micros(published.CPU),
		Allocations: float64(consumed.Mallocs) / changes,
		Memory:      float64(consumed.PeakRSS) / mebibyte, Heap: float64(consumed.PeakHeap) / mebibyte,
	}
}
