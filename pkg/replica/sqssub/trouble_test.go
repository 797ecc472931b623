package sqssub_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/sqs"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

func TestReceivingOutlivesALongOutageWithoutSpinning(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 10)
		var failing atomic.Bool
		failing.Store(true)
		w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if failing.Load() && c.Operation == "ReceiveMessage" {
				return localaws.Fault{Error: localaws.Unavailable(localaws.SQS)}
			}
			return localaws.Fault{}
		})
		var handled atomic.Int64
		s := w.subscriber(sqssub.Config{Receivers: 1})
		w.handle(s, url, func(msg *message.Message) {
			handled.Add(1)
			msg.Ack()
		})
		time.Sleep(time.Hour)
		// At most one receive every ten seconds, three attempts each.
		w.wantAtMost("ReceiveMessage", 3*380)
		if n := w.requests("ReceiveMessage"); n < 100 {
			t.Errorf("only %d receives in an hour: it gave up", n)
		}
		failing.Store(false)
		time.Sleep(45 * time.Second)
		if handled.Load() != 10 {
			t.Errorf("%d of 10 messages handled after the outage", handled.Load())
		}
		lag := func() time.Duration {
			begun, want := time.Now(), handled.Load()+1
			w.sendOne(url, "later", nil)
			for handled.Load() != want {
				time.Sleep(time.Millisecond)
			}
			return time.Since(begun)
		}
		if lag := lag(); lag > time.Second {
			t.Errorf("receiving is still slow after the outage: %v", lag)
		}
		failing.Store(true)
		for failures := s.Stats().ReceiveErrors; s.Stats().ReceiveErrors == failures; {
			time.Sleep(time.Millisecond)
		}
		failing.Store(false)
		if lag := lag(); lag > time.Second {
			t.Errorf("a failure long after the outage is not taken for a first one: the next receive is %v later", lag)
		}
		w.close(s)
	})
}

func TestEmptyAnswersThatComeAtOnceDoNotSpin(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", map[string]string{})
		s := w.subscriber(sqssub.Config{Receivers: 1})
		w.partial.empty = true
		w.handle(s, url, func(*message.Message) {})
		time.Sleep(10 * time.Minute)
		if n := w.partial.empties.Load(); n > 100 || n < 20 {
			t.Errorf("%d receives in ten minutes", n)
		}
		w.close(s)
	})
}

func TestThrottlingSlowsDownAndEverythingIsSettled(t *testing.T) {
	inWorld(t, localaws.Config{Seed: 7}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 500)
		random := rand.New(rand.NewPCG(1, 2))
		var mu sync.Mutex
		w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			mu.Lock()
			defer mu.Unlock()
			if random.IntN(10) < 6 {
				return localaws.Fault{Error: localaws.Throttled(localaws.SQS)}
			}
			return localaws.Fault{}
		})
		s := w.subscriber(sqssub.Config{})
		var seen sync.Map
		w.handle(s, url, func(msg *message.Message) {
			seen.Store(string(msg.Payload), true)
			msg.Ack()
		})
		time.Sleep(10 * time.Minute)
		w.engine.SetFaults(nil)
		w.close(s)
		w.wantDepth(url, 0, 0)
		n := 0
		seen.Range(func(any, any) bool { n++; return true })
		if n != 500 {
			t.Errorf("%d of 500 messages handled", n)
		}
	})
}

func TestDeletesThatDoNotSucceedStopReceivingInTheEnd(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 500)
		w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "DeleteMessageBatch" {
				return localaws.Fault{DelayBefore: 10 * time.Second}
			}
			return localaws.Fault{}
		})
		s := w.subscriber(sqssub.Config{MaxInFlight: 20})
		w.handle(s, url, func(msg *message.Message) { msg.Ack() })
		for range 50 {
			time.Sleep(100 * time.Millisecond)
			if _, inFlight := w.depth(url); inFlight > 40 {
				t.Fatalf("%d messages in flight at a limit of 20 held and 20 settling", inFlight)
			}
		}
		w.engine.SetFaults(nil)
		time.Sleep(time.Minute)
		w.close(s)
		w.wantDepth(url, 0, 0)
	})
}

// Whatever is lost, doubled, delayed, nacked or answered with an error, every
// message is handled in the end, and the queue is empty.
func TestEveryMessageIsSettledWhateverGoesWrong(t *testing.T) {
	for seed := uint64(1); seed <= 8; seed++ {
		t.Run("", func(t *testing.T) {
			t.Logf("seed %d", seed)
			var mu sync.Mutex
			random := rand.New(rand.NewPCG(seed, seed))
			chance := func(percent int) bool {
				mu.Lock()
				defer mu.Unlock()
				return random.IntN(100) < percent
			}
			cfg := localaws.Config{Seed: seed, Shuffle: true, Latency: 5 * time.Millisecond,
				DisturbSQS: func(sqs.Arrival) []time.Duration {
					if chance(20) {
						return []time.Duration{0, time.Duration(seed) * 700 * time.Millisecond}
					}
					return []time.Duration{0}
				}}
			inWorld(t, cfg, func(w *world) {
				url := w.queue("stats-profile", nil)
				w.send(url, 200)
				w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
					switch {
					case chance(5):
						return localaws.Fault{Error: localaws.Throttled(localaws.SQS)}
					case chance(5):
						return localaws.Fault{Error: localaws.Unavailable(localaws.SQS)}
					case chance(5):
						return localaws.Fault{Drop: localaws.DropRequest}
					case chance(5):
						return localaws.Fault{Drop: localaws.DropResponse}
					case chance(5):
						return localaws.Fault{DelayAfter: time.Second}
					}
					return localaws.Fault{}
				})
				acked := map[string]bool{}
				var held atomic.Int64
				s := w.subscriber(sqssub.Config{MaxInFlight: 30, VisibilityTimeout: 6 * time.Second, HandlerTimeout: 20 * time.Second,
					NackBackoff: sqssub.Backoff{Max: 4 * time.Second}})
				w.handle(s, url, func(msg *message.Message) {
					if now := held.Add(1); now > 30 {
						t.Errorf("%d messages handed out at a limit of 30", now)
					}
					defer held.Add(-1)
					if chance(10) {
						time.Sleep(15 * time.Second)
					}
					if chance(20) {
						msg.Nack()
						return
					}
					mu.Lock()
					acked[string(msg.Payload)] = true
					mu.Unlock()
					msg.Ack()
				})
				time.Sleep(10 * time.Minute)
				w.engine.SetFaults(nil)
				time.Sleep(time.Minute)
				w.close(s)
				w.wantDepth(url, 0, 0)
				if len(acked) != 200 {
					t.Errorf("%d of 200 messages were acked", len(acked))
				}
			})
		})
	}
}
