package backfill

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

const (
	canaryResent = 30 * time.Second // a canary published before the filter is in force is lost
	canaryLooked = time.Second
	// A filter policy takes up to 15 minutes to be in force ("Amazon SNS
	// subscription filter policies").
	canaryTimeout = 20 * time.Minute
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

// Canary is a probe through a subscription's filter, for a backfill, or a replay
// that begins with one. Its fields are those of Config; all are required but
// Timeout, Waiting and Now.
type Canary struct {
	Source     *replica.Source
	Publisher  message.Publisher
	Subscriber string
	Attributes []string
	Canaries   Canaries
	// Timeout ends the wait; 20 min by default.
	Timeout time.Duration
	// Waiting is told every second for how long the canary has been waited for.
	// Optional.
	Waiting func(waited time.Duration)
	// Now is the clock for when the canary was published; time.Now by default.
	Now func() time.Time
}

func (r *run) canary(ctx context.Context) error {
	return Canary{
		Source: r.Source, Publisher: r.Publisher, Subscriber: r.Subscriber, Attributes: r.Attributes, Canaries: r.Canaries,
		Timeout: r.CanaryTimeout, Waiting: r.tally.canary, Now: r.Now,
	}.Prove(ctx)
}

// Prove publishes a canary to the subscriber and returns when its consumer has
// noted it. It lists what the subscription's filter asks for, so that what
// decides about it is the filter. The error is a *CanaryError where nothing came
// through.
func (c Canary) Prove(ctx context.Context) error {
	c.Timeout = cmp.Or(c.Timeout, canaryTimeout)
	if c.Now == nil {
		c.Now = time.Now
	}
	id := watermill.NewUUID()
	noted := func() (ok bool, err error) {
		err = persist(ctx, func() (err error) {
			_, ok, err = c.Canaries.Noted(ctx, id)
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
		if c.Waiting != nil {
			c.Waiting(waited)
		}
		switch {
		case waited >= c.Timeout:
			return &CanaryError{Subscriber: c.Subscriber, Topic: c.Source.Topic(), ID: id, Attributes: c.Attributes, Waited: c.Timeout}
		case sent.IsZero() || time.Since(sent) >= canaryResent:
			if err := c.send(ctx, id); err != nil && (sent.IsZero() || ctx.Err() != nil) {
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
		case <-time.After(min(canaryLooked, max(0, c.Timeout-waited))):
		}
	}
}

func (c Canary) send(ctx context.Context, id string) error {
	msg, err := replica.NewMessage(ctx, &contracts.Change{
		Operation: contracts.Canary,
		Source:    "/services/" + c.Source.Service(),
		Subject:   id,
		Origin:    contracts.Backfill,
		Published: c.Now(),
		Changed:   c.Attributes,
	}, c.Subscriber)
	if err != nil {
		return fmt.Errorf("canary %s: %w", id, err)
	}
	// Nothing but the publisher's own patience: where the first one fails, a topic
	// or a right is missing, and nothing is lost yet.
	if err := c.Publisher.Publish(c.Source.Topic(), msg); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("publish canary %s to %s: %w", id, c.Source.Topic(), err)
	}
	return nil
}
