package sqssub_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/sqs"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

func TestAHeldMessageStaysInvisibleInSharedRequests(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 100)
		var handled atomic.Int64
		slow := func(msg *message.Message) {
			time.Sleep(10 * time.Minute)
			handled.Add(1)
			msg.Ack()
		}
		s, other := w.subscriber(sqssub.Config{}), w.subscriber(sqssub.Config{})
		w.handle(s, url, slow)
		time.Sleep(time.Second)
		w.handle(other, url, slow)
		time.Sleep(11 * time.Minute)
		if handled.Load() != 100 || other.Stats().Received != 0 {
			t.Errorf("%d of 100 messages were handled, the other consumer received %d", handled.Load(), other.Stats().Received)
		}
		// Ten minutes are 60 times a third of 30 s; the heartbeat's own beat
		// stretches that, never shortens it. Ten messages share a request.
		w.wantAtMost("ChangeMessageVisibilityBatch", 60*10)
		w.close(s)
		w.close(other)
		w.wantDepth(url, 0, 0)
	})
}

func TestAMessageThatWaitsToBeHandedOutStaysInvisible(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 10)
		s := w.subscriber(sqssub.Config{})
		messages, err := s.Subscribe(w.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute) // nobody reads the channel
		w.wantDepth(url, 0, 10)
		for range 10 {
			msg := <-messages
			if d, _ := sqssub.Delivered(msg.Context()); d.ReceiveCount != 1 {
				t.Errorf("a message was received %d times", d.ReceiveCount)
			}
			msg.Ack()
		}
		w.close(s)
		w.wantDepth(url, 0, 0)
	})
}

func TestAMessageHeldForTwelveHoursIsJoinedWhenItComesAgain(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 1)
		s := w.subscriber(sqssub.Config{VisibilityTimeout: 10 * time.Minute})
		var deliveries atomic.Int64
		w.handle(s, url, func(msg *message.Message) {
			deliveries.Add(1)
			time.Sleep(13 * time.Hour)
			msg.Ack()
		})
		time.Sleep(14 * time.Hour)
		if stats := s.Stats(); deliveries.Load() != 1 || stats.Joined != 1 || stats.Deleted != 1 {
			t.Errorf("%d deliveries, %+v; want one delivery, joined once, deleted", deliveries.Load(), stats)
		}
		w.close(s)
		w.wantDepth(url, 0, 0)
		if n := strings.Count(w.log.String(), "not extended"); n != 0 {
			t.Errorf("SQS refused %d extensions: %s", n, w.log)
		}
	})
}

func TestDuplicatesOfAMessageInFlightAreJoined(t *testing.T) {
	cfg := localaws.Config{DisturbSQS: func(sqs.Arrival) []time.Duration {
		return []time.Duration{0, 0, 300 * time.Millisecond}
	}}
	inWorld(t, cfg, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 50)
		var mu sync.Mutex
		seen := map[string]int{}
		s := w.subscriber(sqssub.Config{})
		w.handle(s, url, func(msg *message.Message) {
			mu.Lock()
			seen[string(msg.Payload)]++
			mu.Unlock()
			time.Sleep(time.Second)
			msg.Ack()
		})
		time.Sleep(2 * time.Minute)
		w.close(s)
		for body, n := range seen {
			if n != 1 {
				t.Errorf("message %s was handed out %d times", body, n)
			}
		}
		if stats := s.Stats(); len(seen) != 50 || stats.Joined != 100 {
			t.Errorf("%d messages, %d deliveries joined, want 50 and 100", len(seen), stats.Joined)
		}
		w.wantDepth(url, 0, 0)
	})
}

func TestNoMoreMessagesAreAskedForThanThereIsRoom(t *testing.T) {
	for limit, receives := range map[int]int64{1: 260, 7: 170, 25: 100} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			inWorld(t, localaws.Config{Latency: 10 * time.Millisecond}, func(w *world) {
				url := w.queue("stats-profile", nil)
				w.send(url, 200)
				var held, most, handled atomic.Int64
				s := w.subscriber(sqssub.Config{MaxInFlight: limit, Receivers: 3})
				w.handle(s, url, func(msg *message.Message) {
					if now := held.Add(1); now > most.Load() {
						most.Store(now)
					}
					time.Sleep(50 * time.Millisecond)
					held.Add(-1)
					handled.Add(1)
					msg.Ack()
				})
				for range 600 {
					time.Sleep(100 * time.Millisecond)
					if stats := s.Stats(); stats.Held > limit || stats.Held+stats.Settling > 2*limit {
						t.Fatalf("%d held and %d settling at a limit of %d", stats.Held, stats.Settling, limit)
					}
					if visible, inFlight := w.depth(url); inFlight > 2*limit {
						t.Fatalf("%d messages in flight, %d waiting, at a limit of %d", inFlight, visible, limit)
					}
				}
				w.close(s)
				if handled.Load() != 200 || most.Load() > int64(limit) {
					t.Errorf("%d of 200 messages handled, at most %d at a time, want %d", handled.Load(), most.Load(), limit)
				}
				// A receive waits a little for room for ten rather than bring one.
				w.wantAtMost("ReceiveMessage", receives)
			})
		})
	}
}

// Where handlers are slower than receives, room comes free bit by bit; receives
// must not bring it bit by bit.
func TestSlowHandlersDoNotMakeReceivesSmall(t *testing.T) {
	inWorld(t, localaws.Config{Latency: 10 * time.Millisecond, Seed: 1}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 3000)
		random := rand.New(rand.NewPCG(1, 1))
		var mu sync.Mutex
		s := w.subscriber(sqssub.Config{MaxInFlight: 200})
		begun := time.Now()
		w.handle(s, url, func(msg *message.Message) {
			mu.Lock()
			takes := 500*time.Millisecond + time.Duration(random.Int64N(int64(time.Second)))
			mu.Unlock()
			time.Sleep(takes)
			msg.Ack()
		})
		for s.Stats().Deleted < 3000 && time.Since(begun) < time.Minute {
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(begun); took > 18*time.Second {
			t.Errorf("3000 messages of a second each took %v, 200 at a time", took)
		}
		w.wantAtMost("ReceiveMessage", 420)
		w.close(s)
		w.wantDepth(url, 0, 0)
	})
}

func TestAHandlerThatOutlivesItsTimeoutLosesItsMessage(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 1)
		release := make(chan struct{})
		var deliveries atomic.Int64
		s := w.subscriber(sqssub.Config{HandlerTimeout: 5 * time.Second})
		w.handle(s, url, func(msg *message.Message) {
			if deliveries.Add(1) == 1 {
				<-msg.Context().Done()
				if cause := context.Cause(msg.Context()); !errors.Is(cause, sqssub.ErrHandlerTimeout) {
					t.Errorf("the context ended with %v", cause)
				}
				<-release // hangs
			}
			msg.Ack()
		})
		time.Sleep(10 * time.Second)
		if deliveries.Load() != 2 {
			t.Errorf("%d deliveries, want 2", deliveries.Load())
		}
		w.close(s)
		w.wantDepth(url, 0, 0)
		close(release)
	})
}

func TestFailuresInsideABatchAreRetriedOneByOne(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 100)
		var mu sync.Mutex
		tries, refused := map[string]int{}, map[string]int{}
		w.partial.fail = func(operation string, entry map[string]any) *types.BatchResultErrorEntry {
			mu.Lock()
			defer mu.Unlock()
			id := operation + fmt.Sprint(entry["ReceiptHandle"])
			if tries[id]++; tries[id] > 2 || len(tries)%3 != 0 && tries[id] == 1 {
				return nil
			}
			refused[id]++
			// SQS says of a throttled entry that the sender is at fault.
			return &types.BatchResultErrorEntry{Code: aws.String("RequestThrottled"), Message: aws.String("slow down"), SenderFault: true}
		}
		var handled atomic.Int64
		s := w.subscriber(sqssub.Config{})
		w.handle(s, url, func(msg *message.Message) {
			handled.Add(1)
			time.Sleep(14 * time.Second) // needs one extension
			msg.Ack()
		})
		time.Sleep(2 * time.Minute)
		w.close(s)
		w.wantDepth(url, 0, 0)
		for id, n := range tries {
			if want := max(1, refused[id]+1); n != want {
				t.Errorf("%.40s was sent %d times and refused %d times", id, n, refused[id])
			}
		}
		if stats := s.Stats(); handled.Load() != 100 || stats.Undeleted != 0 || stats.Joined != 0 {
			t.Errorf("%d messages handled, %+v", handled.Load(), stats)
		}
	})
}

func TestAFinalFailureOfADeleteIsNotRetried(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 10)
		var tries atomic.Int64
		w.partial.fail = func(operation string, _ map[string]any) *types.BatchResultErrorEntry {
			if operation != "DeleteMessageBatch" || tries.Add(1) > 10 {
				return nil
			}
			return &types.BatchResultErrorEntry{Code: aws.String("ReceiptHandleIsInvalid"), Message: aws.String("The receipt handle has expired"), SenderFault: true}
		}
		var handled atomic.Int64
		s := w.subscriber(sqssub.Config{})
		w.handle(s, url, func(msg *message.Message) {
			handled.Add(1)
			msg.Ack()
		})
		time.Sleep(20 * time.Second)
		if tries.Load() != 10 || s.Stats().Undeleted != 10 {
			t.Errorf("%d tries and %d given up, want ten of each", tries.Load(), s.Stats().Undeleted)
		}
		time.Sleep(20 * time.Second) // visible again after 30 s
		synctest.Wait()
		if handled.Load() != 20 {
			t.Errorf("%d deliveries, want 20: what was not deleted comes again", handled.Load())
		}
		w.close(s)
		w.wantDepth(url, 0, 0)
		if n := strings.Count(w.log.String(), "were not deleted"); n != 1 {
			t.Errorf("%d log lines about ten undeleted messages, want one:\n%s", n, w.log)
		}
	})
}

func TestAnEntryThatTheAnswerLeavesOutIsTriedAgain(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 20)
		var mu sync.Mutex
		tries := map[string]int{}
		w.partial.fail = func(operation string, entry map[string]any) *types.BatchResultErrorEntry {
			mu.Lock()
			defer mu.Unlock()
			id := operation + fmt.Sprint(entry["ReceiptHandle"])
			if tries[id]++; tries[id] == 1 && len(tries)%2 == 0 {
				return &types.BatchResultErrorEntry{}
			}
			return nil
		}
		s := w.subscriber(sqssub.Config{})
		w.handle(s, url, ack)
		time.Sleep(10 * time.Second)
		w.wantDepth(url, 0, 0)
		w.close(s)
		if stats := s.Stats(); stats.Deleted != 20 || stats.Undeleted != 0 {
			t.Errorf("%+v, want 20 messages deleted", stats)
		}
	})
}

func TestAnExtensionUnderWayDoesNotUndoAReturn(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 1)
		w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "ChangeMessageVisibilityBatch" && c.Sequence == 1 {
				return localaws.Fault{DelayBefore: 5 * time.Second}
			}
			return localaws.Fault{}
		})
		s := w.subscriber(sqssub.Config{})
		var at []time.Time
		w.handle(s, url, func(msg *message.Message) {
			at = append(at, time.Now())
			if len(at) == 2 {
				msg.Ack()
				return
			}
			time.Sleep(12 * time.Second) // the extension is sent at 10 s and takes effect at 15 s
			replica.Settle(msg, &replica.DelayedError{After: 8 * time.Second, Err: errors.New("not yet")})
			msg.Nack()
		})
		time.Sleep(time.Minute)
		w.close(s)
		if len(at) != 2 || at[1].Sub(at[0]) > 26*time.Second {
			t.Errorf("deliveries at %v, want the second within 26 s", at)
		}
	})
}

func TestAMessageIsNotExtendedTwiceAtATime(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 1)
		w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "ChangeMessageVisibilityBatch" && c.Sequence == 1 {
				return localaws.Fault{DelayBefore: 12 * time.Second}
			}
			return localaws.Fault{}
		})
		s := w.subscriber(sqssub.Config{})
		w.handle(s, url, func(msg *message.Message) {
			time.Sleep(39 * time.Second)
			msg.Ack()
		})
		time.Sleep(time.Minute)
		w.close(s)
		w.wantAtMost("ChangeMessageVisibilityBatch", 2) // after 10 s and 25 s
		if stats := s.Stats(); stats.Received != 1 || stats.Deleted != 1 {
			t.Errorf("%+v, want one message, received once", stats)
		}
	})
}
