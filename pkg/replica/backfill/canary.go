package backfill

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

const (
	canaryResent = 30 * time.Second // a canary published before the filter is in force is lost
	canaryLooked = time.Second
)

// CanaryError says that no canary came through the subscription's filter. No
// change was published.
type CanaryError struct {
	// Subscriber and Topic are the two ends; ID is the canary's.
	Subscriber, Topic, ID string
	// Attributes are what the canary listed in changed.
	Attributes []string
	// Waited is for how long.
	Waited time.Duration
}

func (e *CanaryError) Error() string {
	return fmt.Sprintf("canary %s: %s did not note it within %v, so nothing was published. A new or changed filter policy takes up to 15 minutes. "+
		"See that %s's queue is subscribed to topic %s with raw message delivery and a filter policy of audience [all, %s] and changed [%s], "+
		"that its consumer is running and may write to its control table, and that its dead-letter queue has no canary; then run again",
		e.ID, e.Subscriber, e.Waited, e.Subscriber, e.Topic, e.Subscriber, strings.Join(e.Attributes, ", "))
}

// canary publishes a canary to the subscriber and returns when its consumer has
// noted it. It lists what the subscription's filter asks for, so that what
// decides about it is the filter.
func (r *run) canary(ctx context.Context) error {
	id := watermill.NewUUID()
	noted := func() (ok bool, err error) {
		err = persist(ctx, func() (err error) {
			_, ok, err = r.Canaries.Noted(ctx, id)
			return err
		})
		return ok, err
	}
	if _, err := noted(); err != nil { // before anything is published: may it be asked for?
		return err
	}
	start := time.Now()
	var sent time.Time
	for {
		waited := time.Since(start)
		r.tally.canary(waited)
		switch {
		case waited >= r.CanaryTimeout:
			return &CanaryError{Subscriber: r.Subscriber, Topic: r.Source.Topic(), ID: id, Attributes: r.Attributes, Waited: r.CanaryTimeout}
		case sent.IsZero() || time.Since(sent) >= canaryResent:
			if err := r.sendCanary(ctx, id); err != nil && (sent.IsZero() || ctx.Err() != nil) {
				return err
			}
			sent = time.Now() // one that is sent again and lost is sent again
		}
		if ok, err := noted(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(min(canaryLooked, max(0, r.CanaryTimeout-waited))):
		}
	}
}

func (r *run) sendCanary(ctx context.Context, id string) error {
	msg, err := replica.NewMessage(ctx, &contracts.Change{
		Operation: contracts.Canary,
		Source:    "/services/" + r.Source.Service(),
		Subject:   id,
		Origin:    contracts.Backfill,
		Published: r.Now(),
		Changed:   r.Attributes,
	}, r.Subscriber)
	if err != nil {
		return fmt.Errorf("canary %s: %w", id, err)
	}
	// Nothing but the publisher's own patience: where the first one fails, a topic
	// or a right is missing, and nothing is lost yet.
	if err := r.Publisher.Publish(r.Source.Topic(), msg); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("publish canary %s to %s: %w", id, r.Source.Topic(), err)
	}
	return nil
}
