package snspub_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	wsns "github.com/ThreeDotsLabs/watermill-aws/sns"
	"github.com/ThreeDotsLabs/watermill/message"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

// Whatever entries fail, for a while or for good, a group's messages arrive in
// their order, without a gap, and what did not arrive is reported.
func TestAFailedEntryIsNotOvertakenByItsGroup(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		groups := rapid.SliceOfN(rapid.IntRange(0, 4), 1, 40).Draw(rt, "groups")
		failures := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, 0, 1, 2, 99}), len(groups), len(groups)).Draw(rt, "failures")
		problem := ""
		inWorld(t, localaws.Config{}, func(w *world) {
			_, queue := w.topic("orders.fifo", map[string]string{"FifoTopic": "true"})
			var mu sync.Mutex
			left := map[string]int{}
			var messages []*message.Message
			for i, group := range groups {
				msg := message.NewMessage("id", []byte(fmt.Sprintf("g%d/%d", group, i)))
				msg.Metadata.Set(wsns.MessageGroupIdMetadataField, fmt.Sprint("g", group))
				msg.Metadata.Set(wsns.MessageDeduplicationIdMetadataField, fmt.Sprint(i))
				messages = append(messages, msg)
				left[string(msg.Payload)] = failures[i]
			}
			w.partial.fail = func(body string) *failure {
				mu.Lock()
				defer mu.Unlock()
				if left[body]--; left[body] < 0 {
					return nil
				}
				return &failure{Code: "InternalError", Message: "not now"}
			}
			err := w.publisher(snspub.Config{MaxAttempts: 4}).Publish("orders.fifo", messages...)
			failed := map[int]error{}
			if publish, ok := errors.AsType[*replica.PublishError](err); ok {
				failed = publish.Failed
			} else if err != nil {
				problem = err.Error()
			}
			want := map[string][]string{}
			stopped := map[int]bool{}
			for i, group := range groups {
				if stopped[group] = stopped[group] || failures[i] == 99; stopped[group] {
					if failed[i] == nil {
						problem = fmt.Sprintf("number %d did not arrive and is not reported", i)
					}
					delete(failed, i)
					continue
				}
				key := fmt.Sprint("g", group)
				want[key] = append(want[key], string(messages[i].Payload))
			}
			if len(failed) > 0 {
				problem = fmt.Sprintf("reported as failed: %v", slices.Sorted(maps.Keys(failed)))
			}
			got := map[string][]string{}
			for _, body := range w.bodies(queue) {
				group, _, _ := strings.Cut(body, "/")
				got[group] = append(got[group], body)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				problem = fmt.Sprintf("arrived %v, want %v", got, want)
			}
		})
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}

func TestAFIFOTopicNeedsAGroup(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		w.topic("orders.fifo", map[string]string{"FifoTopic": "true"})
		err := w.publisher(snspub.Config{}).Publish("orders.fifo", numbered(1)...)
		if _, ok := errors.AsType[*replica.RefusedError](err); !ok || !strings.Contains(err.Error(), wsns.MessageGroupIdMetadataField) {
			t.Errorf("Publish says %v", err)
		}
	})
}
