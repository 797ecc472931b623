package sqssub_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

func TestCloseReturnsThoughAHandlerHangsAndGivesItsMessageBack(t *testing.T) {
	inWorld(t, localaws.Config{Latency: 10 * time.Millisecond}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 20)
		release := make(chan struct{})
		s := w.subscriber(sqssub.Config{DrainTimeout: 7 * time.Second})
		var causes atomic.Int64
		done := w.handle(s, url, func(msg *message.Message) {
			<-msg.Context().Done()
			if errors.Is(context.Cause(msg.Context()), sqssub.ErrDrainTimeout) {
				causes.Add(1)
			}
			<-release
		})
		time.Sleep(time.Minute)
		took := w.close(s)
		if took < 7*time.Second || took > 7*time.Second+sqssub.HandBackTimeout {
			t.Errorf("Close took %v at a drain timeout of 7 s", took)
		}
		select {
		case <-done:
		case <-time.After(time.Second):
			t.Error("the channel was not closed")
		}
		if causes.Load() != 20 {
			t.Errorf("%d of 20 contexts ended with ErrDrainTimeout", causes.Load())
		}
		w.wantDepth(url, 20, 0)
		close(release)
	})
}

func TestCloseGivesBackAtOnceWhatNobodyTook(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 100)
		s := w.subscriber(sqssub.Config{})
		messages, err := s.Subscribe(w.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		held := <-messages
		synctest.Wait()
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			w.close(s)
		}()
		time.Sleep(300 * time.Millisecond)
		w.wantDepth(url, 99, 1) // while the drain goes on
		w.wantAtMost("ChangeMessageVisibilityBatch", 11)
		if held.Context().Err() != nil {
			t.Error("the context of a message handed out ended before the drain timeout")
		}
		held.Ack()
		<-closed
		if _, open := <-messages; open {
			t.Error("a message was handed out after Close")
		}
		w.wantDepth(url, 99, 0)
	})
}

func TestWhatIsAckedDuringTheDrainIsDeleted(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 50)
		s := w.subscriber(sqssub.Config{})
		w.handle(s, url, func(msg *message.Message) {
			time.Sleep(15 * time.Second)
			msg.Ack()
		})
		time.Sleep(5 * time.Second)
		if took := w.close(s); took > 11*time.Second {
			t.Errorf("Close took %v, the handlers needed 10 s", took)
		}
		w.wantDepth(url, 0, 0)
	})
}

func TestTheEndOfTheSubscribeContextStopsOnlyThatSubscription(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		first, second := w.queue("first", nil), w.queue("second", nil)
		s := w.subscriber(sqssub.Config{})
		ctx, cancel := context.WithCancel(w.Context())
		defer cancel()
		ending, err := s.Subscribe(ctx, first)
		if err != nil {
			t.Fatal(err)
		}
		staying, err := s.Subscribe(w.Context(), second)
		if err != nil {
			t.Fatal(err)
		}
		w.sendOne(first, "x", nil)
		msg := <-ending
		cancel()
		time.Sleep(time.Second)
		if msg.Context().Err() != nil {
			t.Error("the end of the subscription's context cut a handler off before the drain timeout")
		}
		msg.Ack()
		if _, open := <-ending; open {
			t.Error("a message came after the end of the context")
		}
		w.wantDepth(first, 0, 0)
		w.sendOne(second, "y", nil)
		(<-staying).Ack()
		w.close(s)
		w.wantDepth(second, 0, 0)
	})
}

func TestCloseIsIdempotentAndEndsSubscribing(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 1)
		s := w.subscriber(sqssub.Config{DrainTimeout: 5 * time.Second})
		messages, err := s.Subscribe(w.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		<-messages // never settled
		var closed atomic.Int64
		begun := time.Now()
		for range 3 {
			go func() {
				w.close(s)
				closed.Add(1)
			}()
		}
		time.Sleep(4 * time.Second)
		if closed.Load() != 0 {
			t.Error("a second Close returned before the first")
		}
		if _, err := s.Subscribe(w.Context(), url); !errors.Is(err, sqssub.ErrClosed) {
			t.Errorf("Subscribe after Close says %v", err)
		}
		w.close(s)
		synctest.Wait()
		if took := time.Since(begun); closed.Load() != 3 || took > 5*time.Second+sqssub.HandBackTimeout {
			t.Errorf("%d of 3 calls returned after %v", closed.Load(), took)
		}
	})
}

func TestCloseReturnsThoughSQSHangs(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 30)
		s := w.subscriber(sqssub.Config{DrainTimeout: 2 * time.Second})
		w.handle(s, url, func(msg *message.Message) {
			time.Sleep(time.Second)
			msg.Ack()
		})
		time.Sleep(500 * time.Millisecond)
		w.engine.SetFaults(func(localaws.Call) localaws.Fault { return localaws.Fault{DelayBefore: time.Hour} })
		if took := w.close(s); took > 2*time.Second+sqssub.HandBackTimeout {
			t.Errorf("Close took %v", took)
		}
		w.engine.SetFaults(nil)
	})
}

func TestAMessageWhoseReceiveWasCutOffComesBackByItself(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "ReceiveMessage" {
				return localaws.Fault{DelayAfter: 5 * time.Second} // taken, not yet answered
			}
			return localaws.Fault{}
		})
		w.send(url, 5)
		s := w.subscriber(sqssub.Config{})
		w.handle(s, url, func(msg *message.Message) { msg.Ack() })
		time.Sleep(time.Second)
		if took := w.close(s); took > time.Second {
			t.Errorf("Close took %v with nothing to drain", took)
		}
		w.wantDepth(url, 0, 5)
		time.Sleep(31 * time.Second)
		w.wantDepth(url, 5, 0)
	})
}

func TestWhatAReceiveBringsWhileStoppingIsGivenBackAtOnce(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "ReceiveMessage" && c.Sequence > 2 {
				return localaws.Fault{DelayAfter: 50 * time.Millisecond} // taken, and on the way
			}
			return localaws.Fault{}
		})
		w.send(url, 40)
		s := w.subscriber(sqssub.Config{})
		var handled atomic.Int64
		w.handle(s, url, func(msg *message.Message) {
			handled.Add(1)
			msg.Ack()
		})
		time.Sleep(10 * time.Millisecond)
		w.wantDepth(url, 0, 20) // by two loops, as two receives were full
		w.close(s)
		w.wantDepth(url, 20, 0)
		if handled.Load() != 20 {
			t.Errorf("%d messages were handed out, want the 20 that came before stopping", handled.Load())
		}
	})
}
