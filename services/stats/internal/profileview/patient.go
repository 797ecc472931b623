package profileview

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Delays between attempts to subscribe, and how long one may take: a peer that
// accepts a request and never answers is otherwise waited for without a word.
const (
	firstRetry     = time.Second
	maxRetry       = 30 * time.Second
	attemptTimeout = 30 * time.Second
)

var errNoAnswer = errors.New("no answer within " + attemptTimeout.String())

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
		messages, err := p.attempt(ctx, queue)
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

// attempt subscribes within attemptTimeout. The subscription lives as long as
// the context it was made with, so that the time limit is taken off again.
func (p *patient) attempt(ctx context.Context, queue string) (<-chan *message.Message, error) {
	ctx, giveUp := context.WithCancelCause(ctx)
	limit := time.AfterFunc(attemptTimeout, func() { giveUp(errNoAnswer) })
	messages, err := p.Subscriber.Subscribe(ctx, queue)
	inTime := limit.Stop()
	if inTime && err == nil {
		return messages, nil
	}
	giveUp(errNoAnswer)
	if inTime {
		return nil, err
	}
	if err == nil { // it came just as time was up, and ends with it
		for msg := range messages {
			msg.Nack()
		}
	}
	return nil, errNoAnswer
}
