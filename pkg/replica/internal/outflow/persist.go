package outflow

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// maxAttempts is how often one call is made before Persist gives up: some four
// minutes with the pauses, on top of what the SDK does within each.
const maxAttempts = 14

var backoff = retry.Backoff{Base: 200 * time.Millisecond, Max: 30 * time.Second}

// Persist does something until it succeeds, ctx ends, or it fails in a way that
// waiting does not mend: what AWS blames on the request, as where a right or a
// table is missing; a *replica.RejectedError; and any of final.
func Persist(ctx context.Context, do func() error, final ...error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		ended := slices.ContainsFunc(final, func(target error) bool { return errors.Is(err, target) })
		_, rejected := errors.AsType[*replica.RejectedError](err)
		if rejected || ended || retry.Denied(err) || !retry.Worthwhile(err) || attempt == maxAttempts {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(backoff.Pause(attempt, rand.Float64)):
		}
	}
}
