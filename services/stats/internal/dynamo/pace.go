package dynamo

import (
	"context"
	"fmt"
	"time"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

// Attempts of one call against other writers, and the longest delay between two
// of them.
const (
	maxAttempts  = 30
	firstBackoff = 5 * time.Millisecond
	maxBackoff   = 250 * time.Millisecond
)

// pace keeps the attempts of one call apart and bounds their number.
type pace struct {
	jitter   func(time.Duration) time.Duration
	attempts int
	backoff  time.Duration
}

func (s *Store) newPace() *pace { return &pace{jitter: s.jitter, backoff: firstBackoff} }

// wait returns when it is time for the next attempt after one that ended as why
// says, or with the error that ends the call.
func (p *pace) wait(ctx context.Context, why error) error {
	if p.attempts++; p.attempts == maxAttempts {
		return fmt.Errorf("%w: given up after %d attempts: %w", company.ErrUnavailable, p.attempts, why)
	}
	timer := time.NewTimer(p.jitter(p.backoff))
	defer timer.Stop()
	p.backoff = min(2*p.backoff, maxBackoff)
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
