package sqssub_test

import (
	"context"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// Each message has its own handler timeout, whoever waited for another message
// before: one that took nearly all of its time, one that took more, or none.
func TestTheTimeOfOneHandlerIsNotThatOfTheNext(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("stats-profile", nil)
		s := w.subscriber(sqssub.Config{HandlerTimeout: 5 * time.Second, VisibilityTimeout: time.Hour})
		messages, err := s.Subscribe(w.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		for i, takes := range []time.Duration{4900, 4900, 5500, 4900, 0, 4900, 1, 5900, 4900} {
			w.sendOne(url, strconv.Itoa(i), nil)
			msg := <-messages
			time.Sleep(takes * time.Millisecond)
			synctest.Wait()
			if late := takes >= 5000; (context.Cause(msg.Context()) != nil) != late {
				t.Errorf("message %d after %d ms: its context's end is %v", i, takes, context.Cause(msg.Context()))
			}
			msg.Ack()
			time.Sleep(100 * time.Millisecond)
		}
		w.close(s)
		w.wantDepth(url, 0, 0)
	})
}

// What waits for handlers stays for further messages, and is not more for more
// of them.
func TestHandlersAreWaitedForByFewGoroutines(t *testing.T) {
	for _, timeout := range []time.Duration{0, time.Minute} {
		inWorld(t, localaws.Config{}, func(w *world) {
			url := w.queue("stats-profile", nil)
			s := w.subscriber(sqssub.Config{HandlerTimeout: timeout, MaxInFlight: 20})
			var handled atomic.Int64
			messages, err := s.Subscribe(w.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			for range 20 {
				go func() {
					for msg := range messages {
						time.Sleep(time.Second)
						handled.Add(1)
						msg.Ack()
					}
				}()
			}
			counts := make([]int, 3)
			for i := range counts {
				w.send(url, 200)
				time.Sleep(30 * time.Second)
				counts[i] = runtime.NumGoroutine()
			}
			if handled.Load() != 600 || counts[2] > counts[0]+20 {
				t.Errorf("%d messages, %v goroutines", handled.Load(), counts)
			}
			w.close(s)
			w.wantDepth(url, 0, 0)
		})
	}
}
