package sqssub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

func (w *world) fifo(name string) string {
	return w.queue(name+".fifo", map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"})
}

func (w *world) sendInGroup(url, group, body string) {
	w.Helper()
	_, err := w.client.SendMessage(context.Background(), &awssqs.SendMessageInput{QueueUrl: &url, MessageBody: &body, MessageGroupId: aws.String(group)})
	if err != nil {
		w.Fatal(err)
	}
}

// Whatever is nacked, how often and how late, a group's messages are handed out
// one at a time and acked in the order they were sent.
func TestAFIFOGroupKeepsItsOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		groups := rapid.IntRange(1, 4).Draw(rt, "groups")
		each := rapid.IntRange(1, 12).Draw(rt, "messages a group")
		nacks := rapid.SliceOfN(rapid.IntRange(0, 3), groups*each, groups*each).Draw(rt, "nacks")
		inFlight := rapid.IntRange(1, 20).Draw(rt, "in flight")
		failure := ""
		inWorld(t, localaws.Config{}, func(w *world) {
			url := w.fifo("orders")
			left := map[string]int{}
			for i := range each {
				for g := range groups {
					body := fmt.Sprintf("g%d/%02d", g, i)
					left[body] = nacks[g*each+i]
					w.sendInGroup(url, fmt.Sprintf("g%d", g), body)
				}
			}
			var mu sync.Mutex
			busy, acked := map[string]bool{}, map[string][]string{}
			s := w.subscriber(sqssub.Config{MaxInFlight: inFlight, NackBackoff: sqssub.Backoff{Max: 2 * time.Second}})
			w.handle(s, url, func(msg *message.Message) {
				body := string(msg.Payload)
				group, _, _ := strings.Cut(body, "/")
				mu.Lock()
				if busy[group] {
					failure = "two messages of " + group + " at a time"
				}
				busy[group] = true
				mu.Unlock()
				time.Sleep(7 * time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				busy[group] = false
				if left[body]--; left[body] >= 0 {
					msg.Nack()
					return
				}
				acked[group] = append(acked[group], body)
				msg.Ack()
			})
			time.Sleep(time.Duration(each*10+30) * time.Second)
			w.close(s)
			for g := range groups {
				group := fmt.Sprintf("g%d", g)
				for i, body := range acked[group] {
					if want := fmt.Sprintf("%s/%02d", group, i); body != want {
						failure = fmt.Sprintf("%s was acked in the place of %s: %v", body, want, acked[group])
					}
				}
				if len(acked[group]) != each {
					failure = fmt.Sprintf("%d of %d messages of %s were acked", len(acked[group]), each, group)
				}
			}
		})
		if failure != "" {
			rt.Fatal(failure)
		}
	})
}

func TestARejectedMessageLetsTheNextOfItsGroupGoAhead(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		dead := w.fifo("orders-dlq")
		url := w.fifo("orders")
		for i := range 3 {
			w.sendInGroup(url, "g", fmt.Sprint(i))
		}
		var acked []string
		s := w.subscriber(sqssub.Config{DeadLetterQueue: "orders-dlq.fifo"})
		w.handle(s, url, func(msg *message.Message) {
			if string(msg.Payload) == "0" {
				replica.Settle(msg, &replica.RejectedError{Reason: "malformed event", Err: errors.New("no subject")})
				msg.Nack()
				return
			}
			acked = append(acked, string(msg.Payload))
			msg.Ack()
		})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		w.close(s)
		w.wantDepth(url, 0, 0)
		w.wantDepth(dead, 1, 0)
		if fmt.Sprint(acked) != "[1 2]" {
			t.Errorf("acked %v, want 1 and 2", acked)
		}
	})
}

func TestStoppingGivesAGroupBackInItsOrder(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.fifo("orders")
		for i := range 8 {
			w.sendInGroup(url, "g", fmt.Sprint(i))
		}
		s := w.subscriber(sqssub.Config{DrainTimeout: time.Second})
		messages, err := s.Subscribe(w.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		<-messages // hangs
		w.close(s)
		w.wantDepth(url, 8, 0)
		var order []string
		again := w.subscriber(sqssub.Config{})
		w.handle(again, url, func(msg *message.Message) {
			order = append(order, string(msg.Payload))
			msg.Ack()
		})
		time.Sleep(5 * time.Second)
		w.close(again)
		if fmt.Sprint(order) != "[0 1 2 3 4 5 6 7]" {
			t.Errorf("the group came back as %v", order)
		}
	})
}
