package bench

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// meter measures a consumer from the outside, every variant in the same way: it
// sits in the SQS client, where it sees the first receive and every delete.
type meter struct {
	settled []Settled // where asked for
	record  bool

	mu       sync.Mutex
	begun    bool
	start    sample
	end      sample
	err      error
	deleted  int
	expected int // messages; negative while unknown
	done     chan struct{}
	finished bool
	onStart  func() error
	onEnd    func() error
}

// Settled is when a change was durable in the replica, or known to be stale
// there.
type Settled struct {
	Subject string
	Version contracts.Version
	At      time.Time
}

func newMeter(record bool) *meter {
	return &meter{
		expected: -1, record: record, done: make(chan struct{}),
		onStart: func() error { return nil }, onEnd: func() error { return nil },
	}
}

// expect says how many messages there are.
func (m *meter) expect(messages int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expected = messages
	m.look()
}

// settle notes that a change is settled, where lag is measured.
func (m *meter) settle(subject string, version contracts.Version) {
	if !m.record {
		return
	}
	at := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settled = append(m.settled, Settled{subject, version, at})
}

// client puts the meter into an SQS client.
func (m *meter) client(o *sqs.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("bench meter", m.handle), middleware.Before)
	})
}

func (m *meter) handle(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	if _, ok := in.Parameters.(*sqs.ReceiveMessageInput); ok {
		m.received()
	}
	out, metadata, err := next.HandleInitialize(ctx, in)
	if err == nil {
		switch result := out.Result.(type) {
		case *sqs.DeleteMessageOutput:
			m.gone(1)
		case *sqs.DeleteMessageBatchOutput:
			m.gone(len(result.Successful))
		}
	}
	return out, metadata, err
}

func (m *meter) received() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.begun {
		return
	}
	m.begun = true
	err := m.onStart()
	var failed error
	m.start, failed = takeSample()
	m.err = errors.Join(m.err, err, failed)
}

func (m *meter) gone(messages int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deleted += messages
	m.look()
}

// look ends the measurement with the last message. m.mu is held.
func (m *meter) look() {
	if m.finished || m.expected < 0 || m.deleted < m.expected {
		return
	}
	m.finished = true
	var failed error
	m.end, failed = takeSample()
	m.err = errors.Join(m.err, failed, m.onEnd())
	close(m.done)
}
