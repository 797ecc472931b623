package sqssub_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

func TestAThousandMessagesCostAboutAHundredRequestsOfEachKind(t *testing.T) {
	inWorld(t, localaws.Config{Latency: 10 * time.Millisecond}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 1000)
		var seen sync.Map
		s := w.subscriber(sqssub.Config{})
		done := w.handle(s, "stats-profile", func(msg *message.Message) {
			if _, twice := seen.LoadOrStore(string(msg.Payload), true); twice {
				t.Errorf("message %s was handed out twice", msg.Payload)
			}
			msg.Ack()
		})
		begun := time.Now()
		for s.Stats().Deleted < 1000 && time.Since(begun) < time.Minute {
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("1000 messages took %v of virtual time at 10 ms a call", took)
		}
		w.close(s)
		<-done
		w.wantDepth(url, 0, 0)
		w.wantAtMost("DeleteMessageBatch", 110)
		w.wantAtMost("ReceiveMessage", 110)
		w.wantAtMost("ChangeMessageVisibilityBatch", 0)
		w.wantAtMost("DeleteMessage", 0)
	})
}

func TestANackComesBackAfterAPauseThatGrowsWithTheReceiveCount(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 1)
		var mu sync.Mutex
		var at []time.Time
		s := w.subscriber(sqssub.Config{NackBackoff: sqssub.Backoff{Base: 2 * time.Second, Max: 60 * time.Second}})
		w.handle(s, url, func(msg *message.Message) {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Now())
			if d, ok := sqssub.Delivered(msg.Context()); !ok || d.ReceiveCount != len(at) {
				t.Errorf("delivery %d says %+v, %v", len(at), d, ok)
			}
			msg.Nack()
		})
		time.Sleep(10 * time.Minute)
		w.close(s)
		if len(at) < 8 {
			t.Fatalf("only %d deliveries in ten minutes", len(at))
		}
		pause := 2 * time.Second
		for i := 1; i < len(at); i++ {
			if gap := at[i].Sub(at[i-1]); gap < pause/2 || gap > pause+2*time.Second {
				t.Errorf("delivery %d came after %v, want from %v to %v", i+1, gap, pause/2, pause+2*time.Second)
			}
			pause = min(2*pause, 60*time.Second)
		}
	})
}

func TestAHandlerCanChooseThePause(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 1)
		var at []time.Time
		s := w.subscriber(sqssub.Config{})
		w.handle(s, url, func(msg *message.Message) {
			at = append(at, time.Now())
			if len(at) == 2 {
				msg.Ack()
				return
			}
			replica.Settle(msg, &replica.DelayedError{After: 90 * time.Second, Err: errors.New("the subject is not there yet")})
			msg.Nack()
		})
		time.Sleep(2 * time.Minute)
		w.close(s)
		if len(at) != 2 {
			t.Fatalf("%d deliveries, want 2", len(at))
		}
		if gap := at[1].Sub(at[0]); gap < 90*time.Second || gap > 92*time.Second {
			t.Errorf("the message came back after %v, want 90 s", gap)
		}
	})
}

func TestARejectedMessageIsMovedWholeToTheDeadLetterQueue(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		source, dead := w.withDeadLetters("stats-profile", 5)
		attributes := map[string]types.MessageAttributeValue{}
		for i := range 7 {
			attributes["a"+strconv.Itoa(i)] = types.MessageAttributeValue{DataType: aws.String("String.Array"), StringValue: aws.String(`["x"]`)}
		}
		w.sendOne(source, "the body", attributes)
		s := w.subscriber(sqssub.Config{})
		deliveries := 0
		w.handle(s, "stats-profile", func(msg *message.Message) {
			if deliveries++; deliveries == 1 {
				msg.Nack()
				return
			}
			replica.Settle(msg, &replica.RejectedError{Reason: "malformed event", Err: errors.New("no subject")})
			msg.Nack()
		})
		time.Sleep(10 * time.Second)
		w.close(s)
		w.wantDepth(source, 0, 0)
		letters := w.read(dead)
		if deliveries != 2 || len(letters) != 1 {
			t.Fatalf("%d deliveries and %d dead letters, want 2 and 1", deliveries, len(letters))
		}
		if n := len(letters[0].MessageAttributes); n > sqssub.MaxAttributes {
			t.Errorf("the dead letter has %d attributes", n)
		}
		letter, err := sqssub.ReadDeadLetter(letters[0])
		if err != nil {
			t.Fatal(err)
		}
		if string(letter.Body) != "the body" || letter.Reason != "malformed event" || letter.Detail != "no subject" ||
			letter.Source != "stats-profile" || letter.ReceiveCount != 2 {
			t.Errorf("the dead letter is %+v", letter)
		}
		for name, want := range attributes {
			got := letter.Attributes[name]
			if aws.ToString(got.DataType) != *want.DataType || aws.ToString(got.StringValue) != *want.StringValue {
				t.Errorf("attribute %s came out as %v %v", name, aws.ToString(got.DataType), aws.ToString(got.StringValue))
			}
		}
	})
}

func TestARejectedMessageWithoutADeadLetterQueueIsKept(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 1)
		s := w.subscriber(sqssub.Config{})
		var deliveries atomic.Int64
		w.handle(s, url, func(msg *message.Message) {
			deliveries.Add(1)
			replica.Settle(msg, &replica.RejectedError{Reason: "unknown contract", Err: errors.New("v9")})
			msg.Nack()
		})
		time.Sleep(30 * time.Second)
		w.close(s)
		if visible, inFlight := w.depth(url); visible+inFlight != 1 || deliveries.Load() < 3 {
			t.Errorf("the queue has %d messages after %d deliveries, want 1 after several", visible+inFlight, deliveries.Load())
		}
	})
}

func TestNeighboursOfARejectedOrUnreadableMessageAreNotHeldUp(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		source, dead := w.withDeadLetters("stats-profile", 5)
		w.send(source, 30)
		s := w.subscriber(sqssub.Config{Unmarshaler: picky{}})
		var handled atomic.Int64
		w.handle(s, source, func(msg *message.Message) {
			handled.Add(1)
			msg.Ack()
		})
		time.Sleep(5 * time.Second)
		w.close(s)
		if handled.Load() != 27 {
			t.Errorf("%d messages were handled, want 27", handled.Load())
		}
		w.wantDepth(source, 0, 0)
		for _, msg := range w.read(dead) {
			if letter, err := sqssub.ReadDeadLetter(msg); err != nil || letter.Reason != sqssub.ReasonUnreadable || letter.Detail == "" {
				t.Errorf("a dead letter is %+v, %v", letter, err)
			}
		}
		w.wantDepth(dead, 0, 3)
	})
}

// picky refuses, panics and answers nothing, once each.
type picky struct{}

func (picky) Unmarshal(raw *types.Message) (*message.Message, error) {
	switch *raw.Body {
	case "3":
		return nil, errors.New("not one of ours")
	case "7":
		panic("index out of range")
	case "11":
		return nil, nil
	}
	return message.NewMessage(*raw.MessageId, message.Payload(*raw.Body)), nil
}

func TestADeadLetterQueueThatFailsLosesNothing(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		source, dead := w.withDeadLetters("stats-profile", 1000)
		w.send(source, 5)
		w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "SendMessageBatch" {
				return localaws.Fault{Error: localaws.Unavailable(localaws.SQS)}
			}
			return localaws.Fault{}
		})
		s := w.subscriber(sqssub.Config{NackBackoff: sqssub.Backoff{Max: 5 * time.Second}})
		w.handle(s, source, func(msg *message.Message) {
			replica.Settle(msg, &replica.RejectedError{Reason: "malformed event", Err: errors.New("no subject")})
			msg.Nack()
		})
		time.Sleep(5 * time.Minute)
		if visible, inFlight := w.depth(source); visible+inFlight != 5 {
			t.Errorf("%d of 5 messages are left in the source", visible+inFlight)
		}
		w.engine.SetFaults(nil)
		time.Sleep(time.Minute)
		w.close(s)
		w.wantDepth(source, 0, 0)
		w.wantDepth(dead, 5, 0)
	})
}

func TestTheContextOfAMessageEndsOnceItIsSettled(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 2)
		type key struct{}
		s := w.subscriber(sqssub.Config{})
		messages, err := s.Subscribe(context.WithValue(w.Context(), key{}, "kept"), url)
		if err != nil {
			t.Fatal(err)
		}
		for i, settle := range []func(*message.Message) bool{(*message.Message).Ack, (*message.Message).Nack} {
			msg := <-messages
			if msg.Context().Err() != nil || msg.Context().Value(key{}) != "kept" {
				t.Errorf("message %d has a context that ended early or lost its values", i)
			}
			settle(msg)
			synctest.Wait()
			if cause := context.Cause(msg.Context()); !errors.Is(cause, sqssub.ErrSettled) {
				t.Errorf("after settling message %d its context ended with %v", i, cause)
			}
		}
		w.close(s)
	})
}
