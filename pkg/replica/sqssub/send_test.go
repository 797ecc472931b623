package sqssub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

func TestDelayedMessagesShareRequestsAndComeAfterTheirDelay(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		s := w.subscriber(sqssub.Config{})
		begun := time.Now()
		w.engine.ResetRequests()
		var sends sync.WaitGroup
		for i := range 30 {
			sends.Go(func() {
				msg := message.NewMessage(fmt.Sprint("id", i), []byte("again"))
				msg.Metadata.Set(replica.MetadataChanged, `["name"]`)
				msg.Metadata.Set("empty", "")
				if err := s.SendDelayed(w.Context(), "stats-profile", msg, 89500*time.Millisecond); err != nil {
					t.Error(err)
				}
			})
		}
		sends.Wait()
		w.wantAtMost("SendMessageBatch", 3)
		w.wantAtMost("SendMessage", 0)
		messages, err := s.Subscribe(w.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for range 30 {
			msg := <-messages
			if waited := time.Since(begun); waited < 89*time.Second+500*time.Millisecond || waited > 92*time.Second {
				t.Errorf("a message came after %v, want 90 s", waited)
			}
			if msg.Metadata.Get(replica.MetadataChanged) != `["name"]` {
				t.Errorf("the metadata came out as %v", msg.Metadata)
			}
			ids = append(ids, msg.UUID)
			msg.Ack()
		}
		slices.Sort(ids)
		if n := len(slices.Compact(ids)); n != 30 {
			t.Errorf("%d different messages came, want 30", n)
		}
		w.close(s)
		if err := s.SendDelayed(w.Context(), url, message.NewMessage("x", []byte("x")), 0); !errors.Is(err, sqssub.ErrClosed) {
			t.Errorf("SendDelayed after Close says %v", err)
		}
	})
}

func TestSendDelayedWorksWhileTheSubscriptionDrains(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 1)
		s := w.subscriber(sqssub.Config{})
		w.handle(s, url, func(msg *message.Message) {
			time.Sleep(5 * time.Second)
			if err := s.SendDelayed(msg.Context(), url, message.NewMessage("second", []byte("pass")), 10*time.Second); err != nil {
				t.Error(err)
			}
			msg.Ack()
		})
		time.Sleep(time.Second)
		w.close(s)
		w.wantDepth(url, 0, 0)
		time.Sleep(10 * time.Second)
		w.wantDepth(url, 1, 0)
	})
}

func TestSendDelayedRefusesWhatSQSWould(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		fifo := w.fifo("orders")
		s := w.subscriber(sqssub.Config{})
		defer w.close(s)
		crowded := message.NewMessage("id", []byte("x"))
		for i := range 10 {
			crowded.Metadata.Set(fmt.Sprint("a", i), "x")
		}
		plain := message.NewMessage("id", []byte("x"))
		for name, send := range map[string]func() error{
			"16m0s":        func() error { return s.SendDelayed(w.Context(), url, plain, 16*time.Minute) },
			"11 attribute": func() error { return s.SendDelayed(w.Context(), url, crowded, 0) },
			"FIFO":         func() error { return s.SendDelayed(w.Context(), fifo, plain, time.Second) },
			"no such queue": func() error {
				return s.SendDelayed(w.Context(), "nowhere", plain, time.Second)
			},
			"at least 1": func() error { // SQS's own words about an empty body
				return s.SendDelayed(w.Context(), url, message.NewMessage("id", nil), time.Second)
			},
		} {
			if err := send(); err == nil || !strings.Contains(err.Error(), name) && name != "at least 1" {
				t.Errorf("want an error about %q, got %v", name, err)
			}
		}
		w.wantDepth(url, 0, 0)
	})
}

func TestADeadLetterIsStoredThoughItIsLargeOrNoText(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		dead := w.queue("relay-dlq", map[string]string{"MaximumMessageSize": "4096"})
		letters := sqssub.NewDeadLetters(w.client, "relay-dlq", "stream/companies")
		for name, body := range map[string]string{
			"large": strings.Repeat("tributary ", 5000), "empty": "", "binary": "\x00\x01\xff", "plain": `{"a":1}`,
		} {
			err := letters.Send(w.Context(), replica.DeadLetter{Body: []byte(body), Reason: "undecodable record",
				Attributes: map[string]string{"name": name}, Detail: strings.Repeat("d", 10_000)})
			if err != nil {
				t.Fatal(err)
			}
			got := w.read(dead)
			if len(got) != 1 {
				t.Fatalf("%s: %d dead letters", name, len(got))
			}
			letter, err := sqssub.ReadDeadLetter(got[0])
			if err != nil || string(letter.Body) != body || letter.Reason != "undecodable record" || letter.Source != "stream/companies" ||
				letter.Detail == "" || *letter.Attributes["name"].StringValue != name {
				t.Errorf("%s came out as %.300v, %v", name, letter, err)
			}
		}
		if err := letters.Send(w.Context(), replica.DeadLetter{Body: incompressible(20_000), Reason: "too large"}); err == nil ||
			!strings.Contains(err.Error(), "4096") {
			t.Errorf("a letter that does not fit: %v", err)
		}
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		if err := letters.Send(ctx, replica.DeadLetter{Body: []byte("x")}); !errors.Is(err, context.Canceled) {
			t.Errorf("Send under an ended context says %v", err)
		}
	})
}

func incompressible(n int) []byte {
	body, state := make([]byte, n), uint32(1)
	for i := range body {
		state = state*1664525 + 1013904223
		body[i] = byte(state >> 24)
	}
	return body
}
