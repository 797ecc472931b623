package snspub_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	wsns "github.com/ThreeDotsLabs/watermill-aws/sns"
	wsqs "github.com/ThreeDotsLabs/watermill-aws/sqs"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

func TestAThousandMessagesTakeAHundredRequestsSeveralAtATime(t *testing.T) {
	inWorld(t, localaws.Config{Latency: 10 * time.Millisecond}, func(w *world) {
		_, queue := w.topic("company-profile", nil)
		var under, most atomic.Int64
		w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "PublishBatch" {
				most.Store(max(most.Load(), under.Add(1)))
			}
			return localaws.Fault{}
		})
		p := w.publisher(snspub.Config{MaxInFlight: 4, Observe: func(snspub.Request) { under.Add(-1) }})
		begun := time.Now()
		var calls sync.WaitGroup
		for half := range 2 { // the bound is the publisher's, not the call's
			calls.Go(func() {
				if err := p.Publish("company-profile", numbered(1000)[500*half:500*half+500]...); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		if took := time.Since(begun); took > 400*time.Millisecond {
			t.Errorf("it took %v at 10 ms a call, four at a time", took)
		}
		w.wantRequests("PublishBatch", 100)
		w.wantRequests("Publish", 0)
		if most.Load() != 4 {
			t.Errorf("%d requests at a time, want 4", most.Load())
		}
		w.engine.SetFaults(nil)
		bodies := w.bodies(queue)
		slices.Sort(bodies)
		if len(slices.Compact(bodies)) != 1000 {
			t.Errorf("%d different messages arrived", len(bodies))
		}
		if got := p.Stats(); got.Accepted != 1000 || got.Requests != 100 {
			t.Errorf("the totals are %+v", got)
		}
	})
}

func TestMetadataTravelAsTypedAttributes(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		arn, queue := w.topic("company-profile", nil)
		msg := message.NewMessage("the-uuid", []byte("the body"))
		msg.Metadata = message.Metadata{"type": "changed", replica.MetadataChanged: `["name","sector"]`, "correlation_id": ""}
		if err := w.publisher(snspub.Config{}).Publish(arn, msg); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, m := range w.received(queue) {
			for name, a := range m.MessageAttributes {
				got[name] = aws.ToString(a.DataType) + " " + aws.ToString(a.StringValue)
			}
		}
		want := map[string]string{"type": "String changed", "changed": `String.Array ["name","sector"]`, wsqs.UUIDAttribute: "String the-uuid"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		w.wantRequests("ListTopics", 0)
	})
}

func TestOnlyFailedEntriesAreSentAgain(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		_, queue := w.topic("company-profile", nil)
		var mu sync.Mutex
		tries := map[string]int{}
		w.partial.fail = func(body string) *failure {
			mu.Lock()
			defer mu.Unlock()
			tries[body]++
			switch {
			case body == "3": // for good
				return &failure{Code: "InvalidParameter", Message: "no good", SenderFault: true}
			case body == "14": // always
				return &failure{Code: "InternalError", Message: "not now"}
			case body == "17": // for good, but not for what it holds
				return &failure{Code: "AuthorizationError", Message: "no right to the key", SenderFault: true}
			case body == "5" && tries[body] < 4:
				return &failure{Code: "ThrottlingException", Message: "slow down", SenderFault: true}
			}
			return nil
		}
		p := w.publisher(snspub.Config{MaxAttempts: 5})
		err := p.Publish("company-profile", numbered(20)...)
		failed, ok := errors.AsType[*replica.PublishError](err)
		if !ok || !slices.Equal(slices.Sorted(maps.Keys(failed.Failed)), []int{3, 14, 17}) {
			t.Fatalf("Publish says %v, want numbers 3, 14 and 17 to have failed", err)
		}
		var entry *snspub.EntryError
		if !errors.As(failed.Failed[3], &entry) || entry.Code != "InvalidParameter" || !strings.Contains(failed.Failed[14].Error(), "5 attempts") {
			t.Errorf("the causes are %v", failed.Failed)
		}
		for at, want := range map[int]replica.Verdict{3: replica.Reject, 14: replica.Retry, 17: replica.Retry} {
			if got := replica.Classify(failed.Failed[at]).Verdict; got != want {
				t.Errorf("message %d is to be %s, want %s", at, got, want)
			}
		}
		want := map[string]int{"3": 1, "14": 5, "5": 4}
		for i := range 20 {
			body := fmt.Sprint(i)
			if tries[body] != max(1, want[body]) {
				t.Errorf("message %s was sent %d times, want %d", body, tries[body], max(1, want[body]))
			}
		}
		if n := len(w.bodies(queue)); n != 17 {
			t.Errorf("%d messages arrived, want 17, each once", n)
		}
	})
}

func TestNothingIsSentWhenAMessageNeverCouldBe(t *testing.T) {
	large := func() *message.Message { return message.NewMessage("id", []byte(strings.Repeat("x", 256<<10))) }
	crowded := message.NewMessage("id", []byte("x"))
	for i := range 10 {
		crowded.Metadata.Set(fmt.Sprint("a", i), "x")
	}
	for name, test := range map[string]struct {
		bad  *message.Message
		want string
	}{
		"too large with its attributes": {large(), "262175 bytes"},
		"more than ten attributes":      {crowded, "11 attributes"},
		"an empty payload":              {message.NewMessage("id", nil), "empty payload"},
		"no text":                       {message.NewMessage("id", []byte{0xff}), "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, localaws.Config{}, func(w *world) {
				_, queue := w.topic("company-profile", nil)
				err := w.publisher(snspub.Config{}).Publish("company-profile", append(numbered(25), test.bad)...)
				if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "message 26 has") {
					t.Errorf("Publish says %v, want %q", err, test.want)
				}
				oversize, isOversize := errors.AsType[*replica.OversizeError](err)
				refused, isRefused := errors.AsType[*replica.RefusedError](err)
				if isOversize && oversize.Bytes[25] == 0 || isRefused && refused.Causes[25] == nil || isOversize == isRefused {
					t.Errorf("the error does not name number 25: %#v", err)
				}
				w.wantRequests("PublishBatch", 0)
				if n := len(w.bodies(queue)); n != 0 {
					t.Errorf("%d messages arrived", n)
				}
			})
		})
	}
}

func TestTheTopicsOwnLimitIsReadOnce(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		_, queue := w.topic("company-profile", map[string]string{"MaximumMessageSize": "20000"})
		p := w.publisher(snspub.Config{})
		four := func() (all []*message.Message) {
			for range 4 {
				all = append(all, message.NewMessage("id", []byte(strings.Repeat("x", 9900))))
			}
			return all
		}
		for range 3 {
			if err := p.Publish("company-profile", four()...); err != nil {
				t.Fatal(err)
			}
		}
		w.wantRequests("GetTopicAttributes", 1)
		w.wantRequests("ListTopics", 1)
		w.wantRequests("PublishBatch", 6)
		if n := len(w.bodies(queue)); n != 12 {
			t.Errorf("%d of 12 messages arrived", n)
		}
		err := p.Publish("company-profile", message.NewMessage("id", []byte(strings.Repeat("x", 20000))))
		if oversize, ok := errors.AsType[*replica.OversizeError](err); !ok || oversize.LimitBytes != 20000 {
			t.Errorf("a message over the topic's limit: %v", err)
		}
	})
}

func TestABatchThatIsRefusedWholeIsHalvedUntilTheCulpritIsAlone(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		_, queue := w.topic("company-profile", map[string]string{"MaximumMessageSize": "20000"})
		w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "GetTopicAttributes" {
				return localaws.Fault{Error: &wire.Error{Code: "AuthorizationError", Message: "not yours to read", Status: 403}}
			}
			return localaws.Fault{}
		})
		p := w.publisher(snspub.Config{})
		messages := numbered(10)
		for _, at := range []int{2, 3, 7} {
			messages[at].Payload = []byte(strings.Repeat("x", 9900))
		}
		messages[5].Payload = []byte(strings.Repeat("x", 30000))
		err := p.Publish("company-profile", messages...)
		failed, ok := errors.AsType[*replica.PublishError](err)
		if !ok || !slices.Equal(slices.Sorted(maps.Keys(failed.Failed)), []int{5}) {
			t.Fatalf("Publish says %v, want number 5 alone to have failed", err)
		}
		if _, never := errors.AsType[*replica.RejectedError](failed.Failed[5]); !never {
			t.Errorf("the topic took the others, and yet number 5 is to be sent again: %v", failed.Failed[5])
		}
		if n := len(w.bodies(queue)); n != 9 {
			t.Errorf("%d messages arrived, want the other nine", n)
		}
		if !strings.Contains(w.log.String(), "size limit is not readable") {
			t.Error("nobody was told that the limit is not readable")
		}
	})
}

func TestWholeRequestsThatFailAreRetriedWhereThatHelps(t *testing.T) {
	for name, test := range map[string]struct {
		fault    localaws.Fault
		accepted bool
	}{
		"throttled":         {localaws.Fault{Error: localaws.Throttled(localaws.SNS)}, true},
		"unavailable":       {localaws.Fault{Error: localaws.Unavailable(localaws.SNS)}, true},
		"request lost":      {localaws.Fault{Drop: localaws.DropRequest}, true},
		"answer lost":       {localaws.Fault{Drop: localaws.DropResponse}, true},
		"topic is gone":     {localaws.Fault{Error: &wire.Error{Code: "NotFound", Message: "Topic does not exist", Status: 404}}, false},
		"not allowed to it": {localaws.Fault{Error: &wire.Error{Code: "AuthorizationError", Message: "no", Status: 403}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, localaws.Config{}, func(w *world) {
				_, queue := w.topic("company-profile", nil)
				w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
					if c.Operation == "PublishBatch" && c.Sequence <= 7 { // more than the SDK's own attempts
						return test.fault
					}
					return localaws.Fault{}
				})
				err := w.publisher(snspub.Config{}).Publish("company-profile", numbered(10)...)
				if (err == nil) != test.accepted {
					t.Errorf("Publish says %v", err)
				}
				if n := w.requests("PublishBatch"); !test.accepted && n != 1 {
					t.Errorf("%d requests though it was useless", n)
				}
				bodies := w.bodies(queue)
				slices.Sort(bodies)
				if n := len(slices.Compact(bodies)); test.accepted && n != 10 {
					t.Errorf("%d of 10 messages arrived", n)
				}
			})
		})
	}
}

func TestContextsAreHonoured(t *testing.T) {
	inWorld(t, localaws.Config{Latency: time.Second}, func(w *world) {
		_, queue := w.topic("company-profile", nil)
		p := w.publisher(snspub.Config{})
		reason := errors.New("nobody wants it")

		messages := numbered(3)
		ended, cancel := context.WithCancelCause(context.Background())
		cancel(reason)
		messages[1].SetContext(ended)
		err := p.Publish("company-profile", messages...)
		if failed, ok := errors.AsType[*replica.PublishError](err); !ok || len(failed.Failed) != 1 || !errors.Is(failed.Failed[1], reason) {
			t.Errorf("Publish says %v, want number 1 to have ended", err)
		}
		if got := w.bodies(queue); len(got) != 2 {
			t.Errorf("%v arrived", got)
		}

		// A call whose messages nobody wants any more returns at once, though SNS
		// hangs before it has said where the topic is.
		w.engine.SetFaults(func(localaws.Call) localaws.Fault { return localaws.Fault{DelayBefore: time.Hour} })
		wanted, unwanted := context.WithTimeoutCause(context.Background(), 5*time.Second, reason)
		defer unwanted()
		messages = numbered(3)
		for _, msg := range messages {
			msg.SetContext(wanted)
		}
		start := time.Now()
		if err := w.publisher(snspub.Config{}).Publish("company-profile", messages...); err == nil || time.Since(start) != 5*time.Second {
			t.Errorf("Publish says %v after %v", err, time.Since(start))
		}

		// A call whose context ends returns at once, though SNS is down.
		w.engine.SetFaults(func(localaws.Call) localaws.Fault { return localaws.Fault{DelayBefore: time.Hour} })
		ctx, stop := context.WithTimeoutCause(context.Background(), 5*time.Second, reason)
		defer stop()
		begun := time.Now()
		err = p.PublishContext(ctx, "company-profile", numbered(35)...)
		if failed, ok := errors.AsType[*replica.PublishError](err); !ok || len(failed.Failed) != 35 || !errors.Is(failed.Failed[34], reason) {
			t.Errorf("PublishContext says %v", err)
		}
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}

		// So does one whose messages' contexts all end, and none before.
		messages = numbered(2)
		first, stopFirst := context.WithTimeout(context.Background(), 2*time.Second)
		defer stopFirst()
		second, stopSecond := context.WithTimeout(context.Background(), 6*time.Second)
		defer stopSecond()
		messages[0].SetContext(first)
		messages[1].SetContext(second)
		begun = time.Now()
		err = p.Publish("company-profile", messages...)
		if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took != 6*time.Second {
			t.Errorf("Publish says %v after %v", err, took)
		}

		// One message's deadline does not take its neighbour's request down.
		w.engine.SetFaults(func(localaws.Call) localaws.Fault { return localaws.Fault{DelayBefore: 4 * time.Second} })
		messages = numbered(2)
		short, stopShort := context.WithTimeout(context.Background(), 2*time.Second)
		defer stopShort()
		long, stopLong := context.WithTimeout(context.Background(), time.Hour)
		defer stopLong()
		messages[0].SetContext(short)
		messages[1].SetContext(long)
		before := w.requests("PublishBatch")
		if err := p.Publish("company-profile", messages...); err != nil {
			t.Errorf("Publish says %v of a request that succeeded", err)
		}
		if n := w.requests("PublishBatch") - before; n != 1 {
			t.Errorf("%d requests, want the one to go on", n)
		}
		w.engine.SetFaults(nil)
	})
}

func TestCloseWaitsForCallsUnderWayAndRefusesOthers(t *testing.T) {
	inWorld(t, localaws.Config{Latency: time.Second}, func(w *world) {
		_, queue := w.topic("company-profile", nil)
		p := w.publisher(snspub.Config{})
		var published atomic.Bool
		go func() {
			if err := p.Publish("company-profile", numbered(1)...); err != nil {
				t.Error(err)
			}
			published.Store(true)
		}()
		synctest.Wait()
		if err := p.Close(); err != nil || !published.Load() {
			t.Errorf("Close returned before Publish, with %v", err)
		}
		if err := p.Publish("company-profile", numbered(1)...); !errors.Is(err, snspub.ErrClosed) {
			t.Errorf("Publish after Close says %v", err)
		}
		if err := p.Close(); err != nil || len(w.bodies(queue)) != 1 {
			t.Errorf("a second Close says %v", err)
		}
	})
}

func TestTopicsAreFoundByNameWithOneListing(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		for i := range 150 {
			if _, err := w.client.CreateTopic(w.Context(), &sns.CreateTopicInput{Name: aws.String(fmt.Sprint("topic-", i))}); err != nil {
				t.Fatal(err)
			}
		}
		w.engine.ResetRequests()
		p := w.publisher(snspub.Config{})
		var calls sync.WaitGroup
		for i := range 150 {
			calls.Go(func() {
				if err := p.Publish(fmt.Sprint("topic-", i), numbered(1)...); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		w.wantRequests("ListTopics", 2) // a page has a hundred
		if err := p.Publish("topic-x", numbered(1)...); err == nil || !strings.Contains(err.Error(), "topic-x") {
			t.Errorf("an unknown topic: %v", err)
		}
		stock := w.publisher(snspub.Config{TopicResolver: wsns.TransparentTopicResolver{}})
		if err := stock.Publish("arn:aws:sns:us-east-1:000000000000:topic-7", numbered(1)...); err != nil {
			t.Error(err)
		}
	})
}
