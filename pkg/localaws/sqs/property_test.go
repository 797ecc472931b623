package sqs_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	localsqs "github.com/tributary-dev/tributary/pkg/localaws/sqs"
)

// driver drives a service directly, by a clock that a property moves.
type driver struct {
	t       *rapid.T
	service *localsqs.Service
	now     time.Time
	queue   string
	fifo    bool
}

func newDriver(t *rapid.T, fifo bool) *driver {
	d := &driver{t: t, now: time.Unix(1_700_000_000, 0), fifo: fifo}
	shuffle := uint64(0)
	cfg := localsqs.Config{Region: "r", AccountID: "a", Now: func() time.Time { return d.now }}
	if rapid.Bool().Draw(t, "shuffle") {
		cfg.Shuffle = func() uint64 { shuffle = shuffle*6364136223846793005 + 1442695040888963407; return shuffle }
	}
	d.service = localsqs.New(cfg)
	name, attributes := "q", map[string]string{"VisibilityTimeout": "10"}
	if fifo {
		name += ".fifo"
		attributes["FifoQueue"] = "true"
	}
	d.call("CreateQueue", map[string]any{"QueueName": name, "Attributes": attributes}, &struct{}{})
	d.queue = "http://x/a/" + name
	return d
}

func (d *driver) call(operation string, in map[string]any, out any) {
	d.t.Helper()
	if err := d.try(operation, in, out); err != nil {
		d.t.Fatalf("%s: %v", operation, err)
	}
}

func (d *driver) try(operation string, in map[string]any, out any) error {
	if operation != "CreateQueue" {
		in["QueueUrl"] = d.queue
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := d.service.Invoke(d.t.Context(), operation, body)
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return json.Unmarshal(encoded, out)
}

type delivery struct {
	Body, MessageId, ReceiptHandle string
	Attributes                     map[string]string
	at                             time.Time
	hidden                         time.Time // until when nobody else may have it
}

func (d *driver) receive() []*delivery {
	visibility := rapid.IntRange(1, 30).Draw(d.t, "visibility")
	var got struct{ Messages []*delivery }
	d.call("ReceiveMessage", map[string]any{
		"MaxNumberOfMessages": rapid.IntRange(1, 10).Draw(d.t, "max"), "VisibilityTimeout": visibility,
		"MessageSystemAttributeNames": []string{"All"},
	}, &got)
	for _, m := range got.Messages {
		m.at, m.hidden = d.now, d.now.Add(time.Duration(visibility)*time.Second)
	}
	return got.Messages
}

// history is what a property knows of the messages it sent.
type history struct {
	d       *driver
	sent    map[string]string // body of every message that was not deleted, by id
	groups  map[string][]string
	deleted map[string]bool
	counts  map[string]int
	held    map[string]*delivery // latest delivery by id
	n       int
}

func newHistory(d *driver) *history {
	return &history{d: d, sent: map[string]string{}, groups: map[string][]string{}, deleted: map[string]bool{}, counts: map[string]int{}, held: map[string]*delivery{}}
}

func (h *history) send(t *rapid.T) {
	h.n++
	in := map[string]any{"MessageBody": strconv.Itoa(h.n)}
	group := ""
	if h.d.fifo {
		group = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group")
		in["MessageGroupId"], in["MessageDeduplicationId"] = group, strconv.Itoa(h.n)
	} else if delay := rapid.IntRange(0, 20).Draw(t, "delay"); delay > 10 {
		in["DelaySeconds"] = delay
	}
	var answer struct{ MessageId string }
	h.d.call("SendMessage", in, &answer)
	h.sent[answer.MessageId] = strconv.Itoa(h.n)
	h.groups[group] = append(h.groups[group], answer.MessageId)
}

// receive checks every delivery against what was sent and is held.
func (h *history) receive(t *rapid.T) {
	taken := h.d.receive()
	for _, m := range taken {
		body, sent := h.sent[m.MessageId]
		switch before := h.held[m.MessageId]; {
		case !sent || h.deleted[m.MessageId]:
			t.Fatalf("message %s was never sent, or deleted", m.Body)
		case body != m.Body:
			t.Fatalf("message %s arrived as %s", body, m.Body)
		case before != nil && before.hidden.After(h.d.now):
			t.Fatalf("message %s was delivered at %s, hidden until %s", m.Body, h.d.now, before.hidden)
		}
		h.counts[m.MessageId]++
		if got := m.Attributes["ApproximateReceiveCount"]; got != strconv.Itoa(h.counts[m.MessageId]) {
			t.Fatalf("message %s has receive count %s after %d receives", m.Body, got, h.counts[m.MessageId])
		}
	}
	if h.d.fifo {
		h.checkOrder(t, taken)
	}
	for _, m := range taken {
		h.held[m.MessageId] = m
	}
}

// checkOrder checks that each group's messages are the first ones that are
// left of it, without a gap, and that none of the group was in flight.
func (h *history) checkOrder(t *rapid.T, taken []*delivery) {
	byGroup := map[string][]string{}
	for _, m := range taken {
		group := m.Attributes["MessageGroupId"]
		byGroup[group] = append(byGroup[group], m.MessageId)
	}
	for group, got := range byGroup {
		var left []string
		for _, id := range h.groups[group] {
			if h.deleted[id] {
				continue
			}
			left = append(left, id)
			if held := h.held[id]; held != nil && held.hidden.After(h.d.now) {
				t.Fatalf("group %s was delivered while %s of it was in flight", group, h.sent[id])
			}
		}
		if fmt.Sprint(left[:len(got)]) != fmt.Sprint(got) {
			t.Fatalf("group %s was delivered out of order: %v of %v", group, got, left)
		}
	}
}

// hold picks a delivery that may or may not be in flight still.
func (h *history) hold(t *rapid.T) *delivery {
	var ids []string
	for _, group := range []string{"", "a", "b", "c"} {
		for _, id := range h.groups[group] {
			if h.held[id] != nil && !h.deleted[id] {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		t.Skip("nothing was received")
	}
	return h.held[rapid.SampledFrom(ids).Draw(t, "message")]
}

func (h *history) delete(t *rapid.T) {
	m := h.hold(t)
	err := h.d.try("DeleteMessage", map[string]any{"ReceiptHandle": m.ReceiptHandle}, &struct{}{})
	expired := !m.hidden.After(h.d.now)
	if (err != nil) != (h.d.fifo && expired) {
		t.Fatalf("delete with a handle that expired (%v): %v", expired, err)
	}
	if err == nil {
		h.deleted[m.MessageId] = true
	}
}

func (h *history) change(t *rapid.T) {
	m := h.hold(t)
	seconds := rapid.IntRange(0, 30).Draw(t, "seconds")
	err := h.d.try("ChangeMessageVisibility", map[string]any{"ReceiptHandle": m.ReceiptHandle, "VisibilityTimeout": seconds}, &struct{}{})
	expired := !m.hidden.After(h.d.now)
	if (err != nil) != expired {
		t.Fatalf("change with a handle that expired (%v): %v", expired, err)
	}
	if err == nil {
		m.hidden = h.d.now.Add(time.Duration(seconds) * time.Second)
	}
}

func (h *history) wait(t *rapid.T) {
	h.d.now = h.d.now.Add(time.Duration(rapid.IntRange(1, 15).Draw(t, "wait")) * time.Second)
}

// finish lets every timeout end and receives what is left: nothing is lost.
func (h *history) finish(t *rapid.T) {
	for range 10 * (h.n + 1) {
		h.d.now = h.d.now.Add(time.Minute)
		h.receive(t)
		for id, m := range h.held {
			if m.hidden.After(h.d.now) && !h.deleted[id] {
				h.d.call("DeleteMessage", map[string]any{"ReceiptHandle": m.ReceiptHandle}, &struct{}{})
				h.deleted[id] = true
			}
		}
	}
	for id, body := range h.sent {
		if !h.deleted[id] {
			t.Fatalf("message %s was lost", body)
		}
	}
}

// Under any schedule of sends, receives, deletes, changed timeouts and time,
// every message is delivered until it is deleted and never after, never to two
// receivers at once, counts its receives, and, on a FIFO queue, comes in the
// order of its group.
func TestDeliveryUnderRandomSchedules(t *testing.T) {
	for _, kind := range []string{"standard", "fifo"} {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				d := newDriver(t, kind == "fifo")
				defer d.service.Close()
				h := newHistory(d)
				t.Repeat(map[string]func(*rapid.T){
					"send": h.send, "send more": h.send, "receive": h.receive,
					"delete": h.delete, "change": h.change, "wait": h.wait,
				})
				h.finish(t)
			})
		})
	}
}
