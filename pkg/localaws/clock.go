package localaws

import (
	"context"
	"time"
)

// pause waits for d by the time package's clock, which testing/synctest
// controls. It returns early, with the cause, when the context or the engine
// ends.
func (e *Engine) pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-e.closing:
		return ErrClosed
	}
}
