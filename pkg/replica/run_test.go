package replica_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// hose is a subscriber that hands out what a test gives it.
type hose struct {
	messages chan *message.Message
	err      error
}

func (h *hose) Subscribe(context.Context, string) (<-chan *message.Message, error) {
	return h.messages, h.err
}

func (h *hose) Close() error { return nil }

// running is a consumer whose only replica is a function.
func running(t *testing.T, apply replica.Function) (*hose, chan error) {
	t.Helper()
	m, err := parseStats("    replicas:\n", "    replicas:\n      - function: own\n")
	if err != nil {
		t.Fatal(err)
	}
	subscription := m.Subscribes[0]
	subscription.Replicas = subscription.Replicas[:1]
	a, err := replica.NewApplier(replica.ApplierConfig{
		Contract: profilev1.Contract, Subscription: subscription, Functions: map[string]replica.Function{"own": apply},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := replica.NewConsumer(replica.ConsumerConfig{
		Service: "stats", Queue: "queue", Catalog: catalog, Appliers: []*replica.Applier{a}, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	h := &hose{messages: make(chan *message.Message)}
	ended := make(chan error, 1)
	go func() { ended <- c.Run(t.Context(), h) }()
	return h, ended
}

func changeMessage(t *testing.T, subject string) *message.Message {
	t.Helper()
	c := upsert(time.Second, "name", subject)
	c.Subject, c.Published = subject, time.Now()
	msg, err := replica.NewMessage(t.Context(), c, replica.AudienceAll)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func settled(msg *message.Message) string {
	select {
	case <-msg.Acked():
		return "acked"
	case <-msg.Nacked():
		return "nacked"
	default:
		return "held"
	}
}

// Messages are handled side by side, each settled for itself, and Run returns
// when the last handler has ended.
func TestRunSettlesEachMessageForItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, ended := running(t, func(_ context.Context, c *contracts.Change, _ replica.Outcome) error {
			switch c.Subject {
			case "slow":
				time.Sleep(time.Minute) // virtual
			case "failing":
				return errors.New("throttled")
			case "panicking":
				panic("a bug")
			}
			return nil
		})
		messages := map[string]*message.Message{}
		for _, subject := range []string{"slow", "good", "failing", "panicking", "slow again"} {
			messages[subject] = changeMessage(t, subject)
			h.messages <- messages[subject]
		}
		messages["malformed"] = message.NewMessage("1", []byte("{"))
		h.messages <- messages["malformed"]
		close(h.messages)
		synctest.Wait()
		want := map[string]string{"slow": "held", "good": "acked", "failing": "nacked", "panicking": "nacked", "slow again": "acked", "malformed": "nacked"}
		for subject, msg := range messages {
			if got := settled(msg); got != want[subject] {
				t.Errorf("%s: %s, want %s", subject, got, want[subject])
			}
		}
		select {
		case err := <-ended:
			t.Fatalf("Run returned %v before its handlers", err)
		default:
		}
		time.Sleep(4 * time.Second) // virtual
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "a handler goes on") {
			t.Errorf("Run returned %v with a handler that hangs", err)
		}
		time.Sleep(time.Minute) // virtual
		if got := settled(messages["slow"]); got != "acked" {
			t.Errorf("slow: %s in the end", got)
		}
	})
}

func TestRunReturnsWhenTheSubscriptionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, ended := running(t, func(context.Context, *contracts.Change, replica.Outcome) error {
			time.Sleep(time.Second) // virtual
			return nil
		})
		for i := range 300 {
			h.messages <- changeMessage(t, fmt.Sprint(i))
		}
		began := time.Now()
		close(h.messages)
		if err := <-ended; err != nil || time.Since(began) > time.Second {
			t.Errorf("ended with %v after %v", err, time.Since(began))
		}
	})
}

// Messages that come one after the other take one goroutine.
func TestRunKeepsItsGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, ended := running(t, func(context.Context, *contracts.Change, replica.Outcome) error { return nil })
		h.messages <- changeMessage(t, "first")
		synctest.Wait()
		before := runtime.NumGoroutine()
		for i := range 50 {
			h.messages <- changeMessage(t, fmt.Sprint(i))
			synctest.Wait()
		}
		if more := runtime.NumGoroutine() - before; more > 10 { // others may run tests
			t.Errorf("%d goroutines more after 50 messages", more)
		}
		close(h.messages)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestRunSaysWhichQueueCannotBeConsumed(t *testing.T) {
	c, err := replica.NewConsumer(replica.ConsumerConfig{
		Service: "stats", Queue: "queue", Catalog: catalog, Appliers: []*replica.Applier{must(newApplier(newCabinet(t), "      - table: watchlists\n        index: by-cik\n        set: {companyName: name}\n        version_attribute: profileVersion\n        on_delete: clear\n", ""))},
	})
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("no such queue")
	if err := c.Run(t.Context(), &hose{err: gone}); !errors.Is(err, gone) || !strings.Contains(err.Error(), "queue") {
		t.Errorf("Run returned %v", err)
	}
}
