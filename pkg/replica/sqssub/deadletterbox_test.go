package sqssub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// takeAll takes until nothing is left, pausing between, and returns the ids.
func (w *world) takeAll(box *sqssub.DeadLetterBox, pause time.Duration) []string {
	w.Helper()
	var ids []string
	seen := map[string]bool{}
	for {
		messages, err := box.Take(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		if len(messages) == 0 {
			return ids
		}
		for _, msg := range messages {
			id := aws.ToString(msg.MessageId)
			if seen[id] {
				w.Errorf("message %s was taken twice", id)
			}
			seen[id] = true
			ids = append(ids, id)
		}
		time.Sleep(pause)
	}
}

func (w *world) openBox(queue string, cfg sqssub.BoxConfig) *sqssub.DeadLetterBox {
	w.Helper()
	box, err := sqssub.OpenDeadLetterBox(w.Context(), w.client, queue, cfg)
	if err != nil {
		w.Fatal(err)
	}
	return box
}

func (w *world) closeBox(box *sqssub.DeadLetterBox) {
	w.Helper()
	if err := box.Close(); err != nil {
		w.Error(err)
	}
}

// However long reading takes, each message comes once, and all are visible when
// the box is closed.
func TestABoxHasEachMessageOnceAndGivesAllBack(t *testing.T) {
	for _, pause := range []time.Duration{0, time.Minute, 7 * time.Minute, time.Hour} {
		t.Run(fmt.Sprint("pausing ", pause), func(t *testing.T) {
			inWorld(t, localaws.Config{Shuffle: true, Seed: 3}, func(w *world) {
				url := w.queue("letters", nil)
				w.send(url, 35)
				box := w.openBox("letters", sqssub.BoxConfig{})
				if ids := w.takeAll(box, pause); len(ids) != 35 || box.Left() != 0 || box.Held() != 35 {
					w.Errorf("%d messages, %d left, %d held", len(ids), box.Left(), box.Held())
				}
				time.Sleep(pause)
				w.wantDepth(url, 0, 35)
				w.closeBox(box)
				w.wantDepth(url, 35, 0)
				w.closeBox(box)
			})
		})
	}
}

// A short listing costs a receive for ten letters, one empty poll, a count of
// what is there and one of what others hold, and a change of visibility for ten.
func TestWhatAListingCosts(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("letters", nil)
		w.send(url, 30)
		box := w.openBox(url, sqssub.BoxConfig{})
		w.takeAll(box, 0)
		w.closeBox(box)
		for operation, most := range map[string]int64{"ReceiveMessage": 4, "GetQueueAttributes": 2, "ChangeMessageVisibilityBatch": 3, "DeleteMessageBatch": 0} {
			w.wantAtMost(operation, most)
		}
	})
}

// What is deleted is gone, and what is given back is visible at once and not
// taken again.
func TestABoxDeletesAndReleases(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("letters", nil)
		w.send(url, 25)
		box := w.openBox("letters", sqssub.BoxConfig{})
		defer w.closeBox(box)
		messages, err := box.Take(w.Context())
		if err != nil || len(messages) != 10 {
			w.Fatal(len(messages), err)
		}
		id := func(i int) string { return aws.ToString(messages[i].MessageId) }
		for _, fate := range append(box.Delete(w.Context(), []string{id(0), id(1)}), box.Release(w.Context(), []string{id(2)})...) {
			if fate != nil {
				w.Error(fate)
			}
		}
		if fates := box.Delete(w.Context(), []string{id(0), "unknown"}); fates[0] == nil || fates[1] == nil {
			w.Error("what is not held was deleted")
		}
		w.wantDepth(url, 16, 7)
		if ids := w.takeAll(box, 0); len(ids) != 15 {
			w.Errorf("%d messages after those released and deleted, want 15", len(ids))
		}
		w.wantDepth(url, 0, 23)
	})
}

// A queue that hands out no more messages, or fewer than it has, is told from an
// empty one, and nobody waits for ever.
func TestABoxSaysWhatItDidNotSee(t *testing.T) {
	inWorld(t, localaws.Config{SQSMaxInFlight: 20}, func(w *world) {
		url := w.queue("letters", nil)
		w.send(url, 30)
		box := w.openBox("letters", sqssub.BoxConfig{})
		if ids := w.takeAll(box, 0); len(ids) != 20 || box.Left() != 10 {
			w.Errorf("%d messages and %d left, want 20 and 10", len(ids), box.Left())
		}
		w.closeBox(box)
		box = w.openBox("letters", sqssub.BoxConfig{MaxHeld: 13})
		if ids := w.takeAll(box, 0); len(ids) != 13 || box.Left() != 17 {
			w.Errorf("%d messages and %d left, want 13 and 17", len(ids), box.Left())
		}
		w.closeBox(box)
		w.partial.empty = true
		box = w.openBox("letters", sqssub.BoxConfig{})
		if ids := w.takeAll(box, 0); len(ids) != 0 || box.Left() != 30 {
			w.Errorf("%d messages and %d left, want 0 and 30", len(ids), box.Left())
		}
		if n := w.partial.empties.Load(); n < 2 || n > 10 {
			w.Errorf("%d empty receives were enough", n)
		}
		w.closeBox(box)
		w.wantDepth(url, 30, 0)
	})
}

// What another tool holds is invisible, and no reason to call the queue empty:
// also where the tool was killed and nobody will give the messages back.
func TestABoxCountsWhatAnotherToolHolds(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("letters", nil)
		w.send(url, 30)
		killed := w.openBox("letters", sqssub.BoxConfig{MaxHeld: 12})
		w.takeAll(killed, 0)
		box := w.openBox("letters", sqssub.BoxConfig{})
		ids := w.takeAll(box, 0)
		if len(ids) != 18 || box.Left() != 12 {
			w.Errorf("%d messages and %d left, want 18 and 12", len(ids), box.Left())
		}
		for _, fate := range box.Delete(w.Context(), ids[:5]) { // its own are no one else's, deleted or not
			if fate != nil {
				w.Error(fate)
			}
		}
		if w.takeAll(box, 0); box.Left() > 12 {
			w.Errorf("%d left after a delete, want 12 at the most", box.Left())
		}
		w.closeBox(killed)
		w.closeBox(box)
	})
}

// The end of the caller's context ends Take at once; Close gives back all the
// same, through throttling and entries that fail.
func TestABoxGivesBackAfterTheContextHasEnded(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("letters", nil)
		w.send(url, 20)
		ctx, cancel := context.WithCancel(w.Context())
		box, err := sqssub.OpenDeadLetterBox(ctx, w.client, "letters", sqssub.BoxConfig{})
		if err != nil {
			w.Fatal(err)
		}
		for range 2 {
			if _, err := box.Take(ctx); err != nil {
				w.Fatal(err)
			}
		}
		waiting := make(chan error)
		go func() {
			_, err := box.Take(ctx)
			waiting <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			w.Errorf("Take ended with %v", err)
		}
		var entries atomic.Int64
		w.partial.fail = func(operation string, _ map[string]any) *types.BatchResultErrorEntry {
			if entries.Add(1)%3 == 0 {
				return &types.BatchResultErrorEntry{Code: aws.String("InternalError")}
			}
			return nil
		}
		w.closeBox(box)
		w.partial.fail = nil
		w.wantDepth(url, 20, 0)
	})
}

// A killed process gives nothing back; SQS does, soon.
func TestWhatAKilledProcessHeldIsVisibleWithinMinutes(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("letters", nil)
		w.send(url, 20)
		box := w.openBox("letters", sqssub.BoxConfig{})
		w.takeAll(box, 0)
		w.engine.SetFaults(func(localaws.Call) localaws.Fault { return localaws.Fault{Drop: localaws.DropRequest} })
		if err := box.Close(); err == nil || !strings.Contains(err.Error(), "20 of 20 messages become visible only in up to 10m0s") {
			w.Errorf("closing says %v", err)
		}
		w.engine.SetFaults(nil)
		time.Sleep(2 * time.Minute)
		w.wantDepth(url, 20, 0)
	})
}

func TestABoxChecksItsConfig(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		w.queue("letters.fifo", map[string]string{"FifoQueue": "true"})
		w.queue("letters", nil)
		if _, err := sqssub.OpenDeadLetterBox(w.Context(), w.client, "letters.fifo", sqssub.BoxConfig{}); !errors.Is(err, sqssub.ErrFIFO) {
			w.Errorf("a FIFO queue: %v", err)
		}
		_, err := sqssub.OpenDeadLetterBox(w.Context(), w.client, "letters", sqssub.BoxConfig{Visibility: time.Second, Wait: time.Minute, MaxHeld: -1})
		if err == nil || !strings.Contains(err.Error(), "Visibility") || !strings.Contains(err.Error(), "Wait") || !strings.Contains(err.Error(), "MaxHeld") {
			w.Errorf("a config out of range: %v", err)
		}
		if _, err := sqssub.OpenDeadLetterBox(w.Context(), w.client, "nowhere", sqssub.BoxConfig{}); err == nil {
			w.Error("no such queue was no error")
		}
	})
}

// Messages go out in as few requests as SQS takes, each with its own fate, and
// arrive as they are.
func TestAnOutboxSendsWhatItIsGivenAndSaysWhatItDidNot(t *testing.T) {
	inWorld(t, localaws.Config{}, func(w *world) {
		url := w.queue("main", nil)
		out, err := sqssub.OpenOutbox(w.Context(), w.client, "main")
		if err != nil {
			w.Fatal(err)
		}
		var messages []sqssub.Outgoing
		for i := range 12 {
			messages = append(messages, sqssub.Outgoing{Body: []byte(fmt.Sprint("body ", i)),
				Attributes: map[string]types.MessageAttributeValue{"changed": {DataType: aws.String("String.Array"), StringValue: aws.String(`["a"]`)}}})
		}
		messages[4].Body = []byte("bad \x00") // SQS takes no such character
		messages[7].Body = nil
		for _, size := range []int{200 << 10, 100 << 10} {
			messages = append(messages, sqssub.Outgoing{Body: []byte(strings.Repeat("x", size))})
		}
		for i, fate := range out.Send(w.Context(), messages) {
			if refused := i == 4 || i == 7; (fate != nil) != refused {
				w.Errorf("message %d: %v", i, fate)
			}
		}
		got := map[string]bool{}
		for _, msg := range w.read(url) {
			got[aws.ToString(msg.Body)] = true
			if text := aws.ToString(msg.Body); strings.HasPrefix(text, "body") && aws.ToString(msg.MessageAttributes["changed"].DataType) != "String.Array" {
				w.Errorf("%s arrived with %v", text, msg.MessageAttributes)
			}
		}
		if len(got) != 12 {
			w.Errorf("%d messages arrived, want 12", len(got))
		}
		if fates := out.Send(w.Context(), nil); len(fates) != 0 {
			w.Errorf("nothing sent has the fates %v", fates)
		}
	})
}
