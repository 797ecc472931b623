package sqssub_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

func ack(msg *message.Message) { msg.Ack() }

// polls is a transport that counts the receives under way.
type polls struct {
	next      http.RoundTripper
	now, most atomic.Int64
}

func (p *polls) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ReceiveMessage") {
		p.most.Store(max(p.most.Load(), p.now.Add(1)))
		defer p.now.Add(-1)
	}
	return p.next.RoundTrip(r)
}

func (w *world) countPolls() *polls {
	p := &polls{next: w.partial.next}
	w.partial.next = p
	return p
}

func TestAnIdleQueueCostsOneLongPollInTwentySeconds(t *testing.T) {
	for name, queue := range map[string]func(w *world) string{
		"standard": func(w *world) string { return w.queue("stats-profile", nil) },
		"FIFO":     func(w *world) string { return w.fifo("orders") },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, localaws.Config{Latency: 10 * time.Millisecond}, func(w *world) {
				url := queue(w)
				// A burst starts all loops, which must not matter afterwards.
				for i := range 600 {
					w.sendTo(url, fmt.Sprint(i))
				}
				polls := w.countPolls()
				s := w.subscriber(sqssub.Config{})
				w.handle(s, url, ack)
				time.Sleep(3 * time.Second)
				w.wantDepth(url, 0, 0)
				if polls.most.Load() < 3 || polls.now.Load() != 1 {
					t.Errorf("%d loops after a burst that started %d, want one", polls.now.Load(), polls.most.Load())
				}
				time.Sleep(time.Minute)
				w.engine.ResetRequests()
				time.Sleep(time.Hour)
				if n := w.requests("ReceiveMessage"); n < 178 || n > 181 {
					t.Errorf("%d receives in an idle hour, want 180", n)
				}
				w.close(s)
			})
		})
	}
}

// sendTo sends a message, to a FIFO queue in one of some thirty groups.
func (w *world) sendTo(url, body string) {
	w.Helper()
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}
	if strings.HasSuffix(url, ".fifo") {
		in.MessageGroupId = aws.String(body[len(body)-1:] + fmt.Sprint(len(body)))
	}
	if _, err := w.client.SendMessage(w.Context(), in); err != nil {
		w.Error(err)
	}
}

func TestABacklogIsDrainedByAllLoopsWithFullReceives(t *testing.T) {
	inWorld(t, localaws.Config{Latency: 10 * time.Millisecond}, func(w *world) {
		const backlog = 2000
		url := w.queue("stats-profile", nil)
		w.send(url, backlog)
		polls := w.countPolls()
		s := w.subscriber(sqssub.Config{})
		begun := time.Now()
		w.handle(s, url, ack)
		time.Sleep(65 * time.Millisecond)
		if n := polls.now.Load(); n != 8 {
			t.Errorf("%d receives are under way after six round trips, want 8", n)
		}
		for s.Stats().Deleted < backlog && time.Since(begun) < time.Minute {
			time.Sleep(time.Millisecond)
		}
		rate := backlog / time.Since(begun).Seconds()
		t.Logf("%.0f messages a second", rate)
		if rate < 5000 {
			t.Error("want 5000 a second with their deletes, at 10 ms a call")
		}
		time.Sleep(10 * time.Second)
		w.wantAtMost("ReceiveMessage", backlog*11/100)
		w.wantAtMost("DeleteMessageBatch", backlog*11/100)
		w.close(s)
		w.wantDepth(url, 0, 0)
	})
}

// SQS may return fewer messages than it has, each time: it must not keep loops
// asleep that a backlog needs.
func TestABacklogIsDrainedByAllLoopsThoughNoReceiveIsFull(t *testing.T) {
	for seed := range uint64(5) {
		t.Run("", func(t *testing.T) {
			t.Logf("seed %d", seed)
			inWorld(t, localaws.Config{Latency: 10 * time.Millisecond}, func(w *world) {
				url := w.queue("stats-profile", nil)
				w.send(url, 5000)
				w.partial.next = &stingy{next: w.partial.next, random: rand.New(rand.NewPCG(seed, 1))}
				polls := w.countPolls()
				s := w.subscriber(sqssub.Config{})
				begun := time.Now()
				w.handle(s, url, ack)
				for s.Stats().Deleted < 5000 && time.Since(begun) < time.Minute {
					time.Sleep(time.Millisecond)
				}
				// Seven messages a receive are 700 a second by one loop and 5,600 by
				// eight, which start a little later than with full ones.
				rate := 5000 / time.Since(begun).Seconds()
				t.Logf("%.0f messages a second", rate)
				if rate < 2600 || polls.most.Load() != 8 {
					t.Errorf("%.0f messages a second by %d loops", rate, polls.most.Load())
				}
				w.close(s)
			})
		})
	}
}

// stingy lets receives ask for five to nine messages, whatever they want.
type stingy struct {
	next   http.RoundTripper
	mu     sync.Mutex
	random *rand.Rand
}

func (s *stingy) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ReceiveMessage") {
		return s.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	few := fmt.Sprintf(`"MaxNumberOfMessages":%d`, 5+s.random.IntN(5))
	s.mu.Unlock()
	body = bytes.Replace(body, []byte(`"MaxNumberOfMessages":10`), []byte(few), 1)
	again := r.Clone(r.Context())
	again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return s.next.RoundTrip(again)
}

// What arrives steadily is fetched with as few receives as one loop alone would
// need, where one can keep up, also after a burst has woken all.
func TestATrickleIsNotSpreadOverMoreLoopsThanItNeeds(t *testing.T) {
	for _, perSecond := range []int{5, 50, 200, 500} {
		t.Run(fmt.Sprintf("%d a second", perSecond), func(t *testing.T) {
			count := func(receivers int) (receives int64) {
				inWorld(t, localaws.Config{Latency: 10 * time.Millisecond}, func(w *world) {
					url := w.queue("stats-profile", nil)
					w.send(url, 500) // wakes all
					s := w.subscriber(sqssub.Config{Receivers: receivers})
					w.handle(s, url, ack)
					time.Sleep(500 * time.Millisecond)
					w.engine.ResetRequests()
					random := rand.New(rand.NewPCG(uint64(perSecond), 2))
					for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
						go w.sendTo(url, "x")
						time.Sleep(time.Duration(random.ExpFloat64() / float64(perSecond) * float64(time.Second)))
					}
					time.Sleep(time.Second)
					receives = w.requests("ReceiveMessage")
					w.close(s)
					w.wantDepth(url, 0, 0)
				})
				return receives
			}
			alone, adaptive := count(1), count(0)
			t.Logf("one loop needs %d receives, several %d", alone, adaptive)
			if adaptive > alone*11/10+10 {
				t.Errorf("%d receives, one loop needs %d", adaptive, alone)
			}
		})
	}
}

// While SQS throttles, one loop tries, and ever less often; then all work again
// within a few round trips.
func TestThrottlingSendsFurtherLoopsToSleepAndTheyWakeAgain(t *testing.T) {
	inWorld(t, localaws.Config{Latency: 10 * time.Millisecond}, func(w *world) {
		url := w.queue("stats-profile", nil)
		w.send(url, 20_000)
		polls := w.countPolls()
		s := w.subscriber(sqssub.Config{})
		w.handle(s, url, ack)
		time.Sleep(100 * time.Millisecond)
		w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "ReceiveMessage" {
				return localaws.Fault{Error: localaws.Throttled(localaws.SQS)}
			}
			return localaws.Fault{}
		})
		time.Sleep(10 * time.Second)
		w.engine.ResetRequests()
		polls.most.Store(0)
		time.Sleep(10 * time.Minute)
		if n := w.requests("ReceiveMessage"); n > 3*60 || n < 60 || polls.most.Load() != 1 {
			t.Errorf("%d receives in ten throttled minutes by %d loops, want 60 to 180 by one", n, polls.most.Load())
		}
		w.engine.SetFaults(nil)
		for before := s.Stats().Received; s.Stats().Received == before; {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(65 * time.Millisecond)
		if n := polls.now.Load(); n != 8 {
			t.Errorf("%d receives are under way six round trips after the throttling, want 8", n)
		}
		time.Sleep(10 * time.Second)
		w.wantDepth(url, 0, 0)
		w.close(s)
	})
}

func TestAFIFOBacklogOfManyGroupsWakesAllLoops(t *testing.T) {
	inWorld(t, localaws.Config{Latency: 10 * time.Millisecond}, func(w *world) {
		url := w.fifo("orders")
		for start := range 200 {
			in := &sqs.SendMessageBatchInput{QueueUrl: &url}
			for i := range 10 {
				in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)),
					MessageBody: aws.String(fmt.Sprint(start, "/", i)), MessageGroupId: aws.String(fmt.Sprint(start % 100))})
			}
			if _, err := w.client.SendMessageBatch(w.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		w.engine.ResetRequests()
		polls := w.countPolls()
		s := w.subscriber(sqssub.Config{})
		begun := time.Now()
		w.handle(s, url, ack)
		for s.Stats().Deleted < 2000 && time.Since(begun) < time.Minute {
			time.Sleep(time.Millisecond)
		}
		if took := time.Since(begun); took > 700*time.Millisecond || polls.most.Load() != 8 {
			t.Errorf("2000 messages took %v by %d loops", took, polls.most.Load())
		}
		w.wantAtMost("ReceiveMessage", 260)
		w.close(s)
		w.wantDepth(url, 0, 0)
	})
}

// Batches that arrive while a loop waits for them show no backlog.
func TestBatchesThatArriveInPeaceCostOneReceiveEach(t *testing.T) {
	inWorld(t, localaws.Config{Latency: 10 * time.Millisecond}, func(w *world) {
		url := w.queue("stats-profile", nil)
		s := w.subscriber(sqssub.Config{})
		w.handle(s, url, ack)
		in := &sqs.SendMessageBatchInput{QueueUrl: &url}
		for i := range 10 {
			in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String("x")})
		}
		w.engine.ResetRequests()
		for range 200 {
			if _, err := w.client.SendMessageBatch(w.Context(), in); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
		}
		w.wantAtMost("ReceiveMessage", 300) // a poll may see the first of a batch alone
		w.close(s)
		w.wantDepth(url, 0, 0)
	})
}
