package profileview

import (
	"context"
	"log/slog"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Delays between attempts to subscribe.
const (
	firstRetry = time.Second
	maxRetry   = 30 * time.Second
)

// patient is a subscriber that does not give up.
type patient struct {
	message.Subscriber
	// note takes why there is no subscription, nil once there is one.
	note   func(error)
	logger *slog.Logger
}

// Subscribe returns when there is a subscription, or with one that has ended
// when ctx ends before.
func (p *patient) Subscribe(ctx context.Context, queue string) (<-chan *message.Message, error) {
	for delay := firstRetry; ; delay = min(2*delay, maxRetry) {
		messages, err := p.Subscriber.Subscribe(ctx, queue)
		if err == nil {
			p.note(nil)
			return messages, nil
		}
		if ctx.Err() == nil {
			p.note(err)
			p.logger.ErrorContext(ctx, "queue not consumed", "queue", queue, "retry", delay.String(), "error", err)
		}
		timer := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			timer.Stop()
			ended := make(chan *message.Message)
			close(ended)
			return ended, nil
		case <-timer.C:
		}
	}
}
