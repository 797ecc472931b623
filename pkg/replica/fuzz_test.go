package replica_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// seedMessages are bodies as the owner sends them.
func seedMessages(f *testing.F) {
	for _, c := range []*contracts.Change{upsert(time.Second, "name", "A", "sector", "B"), deletion(time.Second)} {
		c.Published = c.Version.Time()
		body, err := contracts.Encode(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, "")
		f.Add(body, "2")
	}
}

// Whatever a message's body is, the consumer either applies it, and then once
// more without a difference, or rejects it with a reason: a poison message goes
// to the dead-letter queue at once and is never retried.
func FuzzConsumer(f *testing.F) {
	seedMessages(f)
	f.Fuzz(func(t *testing.T, body []byte, pass string) {
		inShelf(t, func(s *shelf) {
			s.watched()
			c := s.consumer(s.applier(), &queue{}, nil)
			handle := func() error {
				msg := message.NewMessage("1", body)
				msg.Metadata.Set(replica.MetadataPass, pass)
				msg.SetContext(replica.WithSettlement(s.t.Context()))
				err := c.Handle(msg)
				if settled, told := replica.SettledWith(msg.Context()); told != (err != nil) || told && settled.Error() != err.Error() {
					t.Errorf("%v, and the subscriber is told %v", err, settled)
				}
				return err
			}
			err := handle()
			if err != nil {
				verdict := replica.Classify(err)
				if verdict.Verdict != replica.Reject || verdict.Reason == "" {
					t.Fatalf("not rejected: %v", err)
				}
				if again := handle(); again == nil || replica.Classify(again) != verdict {
					t.Fatalf("first %v, then %v", err, again)
				}
				return
			}
			first := s.names()
			if err := handle(); err != nil {
				t.Fatalf("applied once, and then: %v", err)
			}
			if diff := cmp.Diff(first, s.names()); diff != "" {
				t.Fatalf("the second time (-first +second):\n%s", diff)
			}
		})
	})
}

// A message of the largest size costs a multiple of it: SQS's have at most
// 1 MiB ("Amazon SQS message quotas").
func TestAHostileMessageCostsBoundedMemory(t *testing.T) {
	const (
		mostBytes = 48 << 20
		size      = 1 << 20
	)
	event := func(data string) string {
		return `{"specversion":"1.0","id":"company.profile/v1/1@1","source":"/services/profile","type":"company.profile.changed.v1",` +
			`"datacontenttype":"application/json","dataschema":"https://tributary.dev/schemas/company.profile/v1.json","subject":"1","time":"2020-01-01T00:00:00Z","version":"1577836800000000",` +
			`"origin":"live","published":"2020-01-01T00:00:00Z","data":` + data + `}`
	}
	full := func(head, part, tail string) string { return event(head + strings.Repeat(part, size/len(part)) + tail) }
	for name, body := range map[string]string{
		"lists in lists":       full(`{"changed":["name"],"x":`, "[", `}`),
		"objects in objects":   full(`{"changed":["name"],"attributes":{"x":`, `{"a":`, `}}`),
		"lists without a body": strings.Repeat("[", size),
		"a long text":          full(`{"changed":["name"],"attributes":{"name":"`, "a", `"}}`),
		"a long number":        full(`{"changed":["name"],"attributes":{"name":`, "9", `}}`),
		"escapes":              full(`{"changed":["name"],"attributes":{"name":"`, `\u0041`, `"}}`),
		"tiny elements":        full(`{"changed":["name"],"attributes":{"tickers":[`, `"",`, `""]}}`),
		"tiny changes":         full(`{"changed":[`, `"a",`, `"name"],"attributes":{"name":"x"}}`),
		"the same attribute":   full(`{"changed":["name"],"attributes":{`, `"name":"x",`, `"name":"x"}}`),
		"unknown attributes":   full(`{"changed":["name"],"attributes":{`, `"b":1,`, `"name":"x"}}`),
		"an SNS envelope":      `{"Type":"Notification","TopicArn":"` + strings.Repeat("a", size) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			inShelf(t, func(s *shelf) {
				c := s.consumer(s.applier(), &queue{}, nil)
				msg := message.NewMessage("1", []byte(body))
				msg.SetContext(replica.WithSettlement(s.t.Context()))
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				err := c.Handle(msg)
				runtime.ReadMemStats(&after)
				if used := after.TotalAlloc - before.TotalAlloc; used > mostBytes {
					t.Errorf("%d bytes are allocated for %d", used, len(body))
				}
				if err != nil && replica.Classify(err).Verdict != replica.Reject {
					t.Errorf("not rejected: %.300s", err)
				}
			})
		})
	}
}
