package sqssub_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/sqs"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// What becomes of a message is decided by its handler, and deliveries that were
// joined with it meanwhile share its fate: none is acknowledged by a failure,
// none is left over by a success.
func TestJoinedDeliveriesShareTheFateOfTheFirst(t *testing.T) {
	for name, c := range map[string]struct {
		settle  func(delivery int, msg *message.Message)
		handled int // at least
		dead    int // at least
	}{
		"a nack, then an ack": {func(n int, msg *message.Message) {
			if n == 1 {
				msg.Nack()
				return
			}
			msg.Ack()
		}, 2, 0},
		"a rejection": {func(_ int, msg *message.Message) {
			replica.Settle(msg, &replica.RejectedError{Reason: "malformed event", Err: errors.New("no subject")})
			msg.Nack()
		}, 1, 1},
		"a handler that outlives its timeout, then an ack": {func(n int, msg *message.Message) {
			if n == 1 {
				<-msg.Context().Done()
				time.Sleep(5 * time.Second)
			}
			msg.Ack()
		}, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := localaws.Config{DisturbSQS: func(a sqs.Arrival) []time.Duration {
				if strings.HasSuffix(a.QueueARN, "-dlq") {
					return []time.Duration{0}
				}
				return []time.Duration{0, 100 * time.Millisecond, 700 * time.Millisecond}
			}}
			inWorld(t, cfg, func(w *world) {
				source, dead := w.withDeadLetters("stats-profile", 10)
				w.send(source, 5)
				var mu sync.Mutex
				seen := map[string]int{}
				s := w.subscriber(sqssub.Config{HandlerTimeout: 2 * time.Second})
				w.handle(s, source, func(msg *message.Message) {
					mu.Lock()
					seen[string(msg.Payload)]++
					n := seen[string(msg.Payload)]
					mu.Unlock()
					time.Sleep(time.Second)
					c.settle(n, msg)
				})
				time.Sleep(10 * time.Minute)
				w.close(s)
				for body, n := range seen {
					if n < c.handled {
						w.Errorf("message %s was handled %d times, want %d", body, n, c.handled)
					}
				}
				if len(seen) != 5 {
					w.Errorf("%d of 5 messages were handled", len(seen))
				}
				w.wantDepth(source, 0, 0)
				bodies := map[string]bool{}
				for _, msg := range w.read(dead) {
					bodies[*msg.Body] = true
				}
				if want := 5 * c.dead; len(bodies) != want {
					w.Errorf("%d messages are dead-lettered, want %d", len(bodies), want)
				}
			})
		})
	}
}
