package replica

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// hangGrace is how long Run waits for handlers after the subscription has
// ended, which is when they were to have ended, too.
const hangGrace = 5 * time.Second

// Run receives the queue's messages from any Watermill subscriber and handles
// each as soon as it comes, as many at a time as the subscriber hands out. A
// change that is durable is acked, everything else nacked, and logged; a panic
// is an error like others. Run returns when the subscription has ended, after
// ctx or because the subscriber was closed, and all handlers have; or with an
// error, where the queue cannot be subscribed to or a handler hangs.
//
// It does for one handler what Watermill's router does for many, and no more:
// its goroutines stay from message to message, where the router's are new for
// each. Give Handle to a router to have its middlewares.
func (c *Consumer) Run(ctx context.Context, from message.Subscriber) error {
	messages, err := from.Subscribe(ctx, c.cfg.Queue)
	if err != nil {
		return fmt.Errorf("consume %s: %w", c.cfg.Queue, err)
	}
	next := make(chan *message.Message)
	var workers sync.WaitGroup
	for msg := range messages {
		select {
		case next <- msg: // a worker has nothing to do
		default:
			workers.Go(func() { c.work(msg, next) })
		}
	}
	close(next)
	ended := make(chan struct{})
	go func() {
		workers.Wait()
		close(ended)
	}()
	patience := time.NewTimer(hangGrace)
	defer patience.Stop()
	select {
	case <-ended:
		return nil
	case <-patience.C:
		return fmt.Errorf("consume %s: a handler goes on %s after the subscription has ended; it holds no message any more", c.cfg.Queue, hangGrace)
	}
}

// work handles a message, and then those that come.
func (c *Consumer) work(msg *message.Message, next <-chan *message.Message) {
	for ok := true; ok; msg, ok = <-next {
		c.settle(msg)
	}
}

// settle handles a message, and acks or nacks it.
func (c *Consumer) settle(msg *message.Message) {
	defer func() {
		if p := recover(); p != nil {
			c.cfg.Logger.Error("a handler panicked; its message is given back",
				"queue", c.cfg.Queue, "message", msg.UUID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			msg.Nack()
		}
	}()
	err := c.Handle(msg)
	if err == nil {
		msg.Ack()
		return
	}
	level := slog.LevelWarn
	if Classify(err).Verdict == Reject {
		level = slog.LevelError
	}
	c.cfg.Logger.Log(msg.Context(), level, "change not applied",
		"queue", c.cfg.Queue, "message", msg.UUID, "verdict", Classify(err).Verdict.String(), "error", err)
	msg.Nack()
}
