package snspub

import (
	"context"
	"fmt"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// Publisher publishes to SNS. All methods are safe for concurrent use.
type Publisher struct {
	client *sns.Client
	cfg    Config
	limits limits
	slots  chan struct{} // one token a request under way
	counts counts

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup
}

var _ message.Publisher = (*Publisher)(nil)

// New makes a Publisher, or reports everything that is wrong with cfg.
func New(client *sns.Client, cfg Config) (*Publisher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if cfg.TopicResolver == nil {
		cfg.TopicResolver = newTopicNames(client)
	}
	return &Publisher{
		client: client,
		cfg:    cfg,
		limits: limits{client: client, bytes: map[string]int{}},
		slots:  make(chan struct{}, cfg.MaxInFlight),
	}, nil
}

// Publish sends messages to a topic, given by name or ARN, and returns when the
// fate of each is known. It honours the messages' own contexts: one whose
// context ends is not sent, or not again, and the call returns once all have
// ended.
func (p *Publisher) Publish(topic string, messages ...*message.Message) error {
	all := make([]context.Context, len(messages))
	for i, msg := range messages {
		all[i] = msg.Context()
	}
	ctx, cancel := whileAnyWants(context.Background(), all)
	defer cancel()
	return p.PublishContext(ctx, topic, messages...)
}

// PublishContext is Publish under a context for the whole call, beside those
// of the messages. Where ctx ends, the messages not yet accepted are in the
// *replica.PublishError with its cause; one whose request was under way may
// have been accepted all the same.
func (p *Publisher) PublishContext(ctx context.Context, topic string, messages ...*message.Message) error {
	if len(messages) == 0 {
		return nil
	}
	if !p.begin() {
		return ErrClosed
	}
	defer p.calls.Done()

	resolved, err := p.cfg.TopicResolver.ResolveTopic(ctx, topic)
	if err != nil {
		return fmt.Errorf("publish to topic %s: %w", topic, err)
	}
	topicARN := string(resolved)
	limit := p.limitBytes(ctx, topicARN)
	all, err := entries(messages, isFIFO(topicARN), limit)
	if err != nil {
		return err
	}
	send := p.sendAll
	if isFIFO(topicARN) {
		send = p.sendInOrder
	}
	failed := send(ctx, topicARN, all, limit)
	p.counts.settle(len(all)-len(failed), len(failed))
	if len(failed) == 0 {
		return nil
	}
	return &replica.PublishError{Failed: failed}
}

// Close refuses further calls and returns when those under way have. They end
// by their contexts or after their last attempt. It can be called again.
func (p *Publisher) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.calls.Wait()
	return nil
}

func (p *Publisher) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.calls.Add(1)
	return true
}

func (p *Publisher) limitBytes(ctx context.Context, topicARN string) int {
	if p.cfg.LimitBytes != 0 {
		return p.cfg.LimitBytes
	}
	limit, err := p.limits.of(ctx, topicARN)
	if err != nil {
		p.cfg.Logger.InfoContext(ctx, "the topic's size limit is not readable, assuming the default; sns:GetTopicAttributes or Config.LimitBytes settles it",
			"topic", topicARN, "limit_bytes", limit, "error", err)
	}
	return limit
}
