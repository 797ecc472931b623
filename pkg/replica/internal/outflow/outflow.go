// Package outflow publishes the source's current or past state to one
// subscriber, for backfills, replays and repairs.
//
// It promises that Send returns without an error only when every change was
// accepted by the topic or reported as one that never can be; that such a change
// costs its neighbours nothing; and that what may go away by itself is waited
// for. It keeps nothing between calls.
package outflow

import (
	"context"
	"errors"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/internal/pace"
	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// MaxMessages is how many messages are published by one call of the publisher:
// ten requests of ten entries, which it may have in flight together.
const MaxMessages = 100

// Outflow publishes to one subscriber. It is safe for concurrent use.
type Outflow struct {
	// Publisher publishes, Topic is the owner's topic.
	Publisher message.Publisher
	Topic     string
	// Audience is the subscriber's name; nobody else receives a message.
	Audience string
	// Pace is waited for before each call of the publisher; nil for none.
	Pace *pace.Pace
}

// Send publishes changes. rejected says by position which can never be
// published, each a *replica.RejectedError; all others were accepted if err is
// nil, and may have been if it is not.
func (o *Outflow) Send(ctx context.Context, changes []*contracts.Change) (rejected map[int]error, err error) {
	rejected = make(map[int]error)
	var messages []*message.Message
	var places []int // of the messages, in changes
	for i, c := range changes {
		msg, err := replica.NewMessage(ctx, c, o.Audience)
		if err != nil {
			rejected[i] = err
			continue
		}
		messages, places = append(messages, msg), append(places, i)
	}
	for start := 0; start < len(messages); start += MaxMessages {
		end := min(start+MaxMessages, len(messages))
		if o.Pace != nil {
			if err := o.Pace.Wait(ctx, end-start); err != nil {
				return rejected, err
			}
		}
		b := batch{outflow: o, messages: messages[start:end], places: places[start:end], rejected: rejected}
		if err := Persist(ctx, b.publish); err != nil {
			return rejected, fmt.Errorf("publish to %s for %s: %w", o.Topic, o.Audience, err)
		}
	}
	return rejected, nil
}

// batch is what is still to be published of one call.
type batch struct {
	outflow  *Outflow
	messages []*message.Message
	places   []int
	rejected map[int]error
}

// publish publishes what is left; the error is why something still is.
func (b *batch) publish() error {
	for len(b.messages) > 0 {
		err := b.outflow.Publisher.Publish(b.outflow.Topic, b.messages...)
		if err == nil {
			return nil
		}
		if never := replica.Unsendable(err); len(never) > 0 {
			b.keep(func(at int) bool {
				if never[at] != nil {
					b.rejected[b.places[at]] = never[at]
				}
				return never[at] == nil
			})
			continue // nothing was sent
		}
		partial, isPartial := errors.AsType[*replica.PublishError](err)
		if !isPartial {
			return err
		}
		var cause error
		b.keep(func(at int) bool {
			why := partial.Failed[at]
			if _, never := errors.AsType[*replica.RejectedError](why); never {
				b.rejected[b.places[at]] = why
				return false
			}
			if why != nil && (cause == nil || !retry.Worthwhile(why)) {
				cause = why
			}
			return why != nil
		})
		return cause
	}
	return nil
}

// keep drops the messages of which wanted, given their position, is false.
func (b *batch) keep(wanted func(at int) bool) {
	var messages []*message.Message
	var places []int
	for at, msg := range b.messages {
		if wanted(at) {
			messages, places = append(messages, msg), append(places, b.places[at])
		}
	}
	b.messages, b.places = messages, places
}
