package sqs

import (
	"context"
	"slices"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// Move task limits ("StartMessageMoveTask" and "ListMessageMoveTasks", API
// reference).
const (
	maxMovesPerSecond = 500
	maxListedTasks    = 10
)

// moveTask moves messages out of a dead-letter queue, guarded by the service's
// mutex.
type moveTask struct {
	handle      string
	source      string
	destination string // empty: each message's own source
	rate        *int
	status      string
	reason      string
	started     time.Time
	moved       int64
	toMove      int64
	cancel      chan struct{}
}

const (
	taskRunning   = "RUNNING"
	taskCompleted = "COMPLETED"
	taskCancelled = "CANCELLED"
	taskFailed    = "FAILED"
)

func (s *Service) startMessageMoveTask(_ context.Context, in struct {
	SourceArn                    string
	DestinationArn               string
	MaxNumberOfMessagesPerSecond *int
}) (any, error) {
	if in.SourceArn == "" {
		return nil, missing("SourceArn")
	}
	rate := in.MaxNumberOfMessagesPerSecond
	if rate != nil && (*rate < 1 || *rate > maxMovesPerSecond) {
		return nil, invalid("Value %d for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and %d, if provided.", *rate, maxMovesPerSecond)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	source := s.findARN(in.SourceArn)
	if source == nil {
		return nil, noSuchResource()
	}
	if len(s.sourcesOf(in.SourceArn)) == 0 {
		return nil, invalid("Source queue must be configured as a Dead Letter Queue.")
	}
	if in.DestinationArn != "" {
		destination := s.findARN(in.DestinationArn)
		switch {
		case destination == nil:
			return nil, noSuchResource()
		case destination == source:
			return nil, invalid("Source queue and destination queue must not be the same.")
		case destination.settings.fifo != source.settings.fifo:
			return nil, invalid("Source queue and destination queue must be of the same type.")
		}
	}
	if slices.ContainsFunc(s.tasks[in.SourceArn], func(t *moveTask) bool { return t.status == taskRunning }) {
		return nil, invalid("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
	}
	task := &moveTask{
		handle: s.cfg.NewID(), source: in.SourceArn, destination: in.DestinationArn, rate: rate,
		status: taskRunning, started: s.cfg.Now(),
		toMove: int64(source.counts[visible]), cancel: make(chan struct{}),
	}
	// The newest comes first, and only as many as can be listed are kept.
	s.tasks[in.SourceArn] = slices.Insert(s.tasks[in.SourceArn], 0, task)
	if tasks := s.tasks[in.SourceArn]; len(tasks) > maxListedTasks {
		s.tasks[in.SourceArn] = tasks[:maxListedTasks]
	}
	if !s.closed {
		s.running.Add(1)
		go s.runMoveTask(task)
	}
	return struct{ TaskHandle string }{task.handle}, nil
}

// runMoveTask moves one message after another until none is visible, at the
// task's rate or the highest one.
func (s *Service) runMoveTask(task *moveTask) {
	defer s.running.Done()
	perSecond := maxMovesPerSecond
	if task.rate != nil {
		perSecond = *task.rate
	}
	ticker := time.NewTicker(time.Second / time.Duration(perSecond))
	defer ticker.Stop()
	for s.moveOne(task) {
		select {
		case <-ticker.C:
		case <-task.cancel:
			return
		case <-s.closing:
			return
		}
	}
}

// moveOne moves one message and reports whether the task goes on. A moved
// message is a new one: it gets a new id, a new enqueue time and no receives
// ("Learn how to configure a dead-letter queue redrive in Amazon SQS").
func (s *Service) moveOne(task *moveTask) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if task.status != taskRunning {
		return false
	}
	fail := func(reason string) bool {
		task.status, task.reason = taskFailed, reason
		return false
	}
	source := s.findARN(task.source)
	if source == nil {
		return fail("AWS.SimpleQueueService.NonExistentQueue")
	}
	m := source.line.next(nil)
	if m == nil || task.moved == task.toMove {
		// What arrived after the start stays: a consumer that keeps failing
		// would otherwise keep the task going round for ever.
		task.status = taskCompleted
		return false
	}
	to := task.destination
	if to == "" {
		to = m.source
	}
	if to == "" {
		// It was sent to the dead-letter queue, not moved there.
		return fail("CouldNotDetermineMessageSource")
	}
	target := s.findARN(to)
	if target == nil {
		return fail("AWS.SimpleQueueService.NonExistentQueue")
	}
	now := s.cfg.Now()
	source.remove(m)
	moved := &message{
		id: s.cfg.NewID(), body: m.body, attributes: m.attributes, traceHeader: m.traceHeader,
		group: m.group, deduplication: m.deduplication, sender: m.sender, sentAt: now,
	}
	if target.settings.fifo {
		moved.sequence = target.nextSequence()
	}
	target.add(moved, target.settings.delay)
	task.moved++
	source.settle(now)
	target.settle(now)
	return true
}

func noSuchResource() *wire.Error {
	return &wire.Error{Code: "ResourceNotFoundException", Status: 404,
		Message: "The resource that you specified for the SourceArn parameter doesn't exist."}
}

func (s *Service) cancelMessageMoveTask(_ context.Context, in struct{ TaskHandle string }) (any, error) {
	if in.TaskHandle == "" {
		return nil, missing("TaskHandle")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tasks := range s.tasks {
		for _, task := range tasks {
			if task.handle != in.TaskHandle {
				continue
			}
			if task.status != taskRunning {
				return nil, unsupported("Only active tasks can be cancelled.")
			}
			task.status = taskCancelled
			close(task.cancel)
			return struct{ ApproximateNumberOfMessagesMoved int64 }{task.moved}, nil
		}
	}
	return nil, &wire.Error{Code: "ResourceNotFoundException", Status: 404, Message: "Task does not exist."}
}

// listedTask is a task as ListMessageMoveTasks reports it. Only a running one
// has a handle.
type listedTask struct {
	ApproximateNumberOfMessagesMoved  int64
	ApproximateNumberOfMessagesToMove int64
	DestinationArn                    string `json:",omitempty"`
	FailureReason                     string `json:",omitempty"`
	MaxNumberOfMessagesPerSecond      *int   `json:",omitempty"`
	SourceArn                         string
	StartedTimestamp                  int64
	Status                            string
	TaskHandle                        string `json:",omitempty"`
}

func (s *Service) listMessageMoveTasks(_ context.Context, in struct {
	SourceArn  string
	MaxResults *int
}) (any, error) {
	if in.SourceArn == "" {
		return nil, missing("SourceArn")
	}
	limit := 1
	if in.MaxResults != nil {
		if limit = *in.MaxResults; limit < 1 || limit > maxListedTasks {
			return nil, invalid("Value %d for parameter MaxResults is invalid. Reason: Must be between 1 and %d, if provided.", limit, maxListedTasks)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.findARN(in.SourceArn) == nil {
		return nil, noSuchResource()
	}
	listed := []listedTask{}
	for _, task := range s.tasks[in.SourceArn] {
		if len(listed) == limit {
			break
		}
		entry := listedTask{
			ApproximateNumberOfMessagesMoved:  task.moved,
			ApproximateNumberOfMessagesToMove: task.toMove,
			DestinationArn:                    task.destination,
			FailureReason:                     task.reason,
			MaxNumberOfMessagesPerSecond:      task.rate,
			SourceArn:                         task.source,
			StartedTimestamp:                  millis(task.started),
			Status:                            task.status,
		}
		if task.status == taskRunning {
			entry.TaskHandle = task.handle
		}
		listed = append(listed, entry)
	}
	return struct{ Results []listedTask }{listed}, nil
}
