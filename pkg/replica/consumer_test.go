package replica_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

func (s *shelf) consumer(a *replica.Applier, q *queue, canaries replica.CanaryLog) *replica.Consumer {
	s.t.Helper()
	c, err := replica.NewConsumer(replica.ConsumerConfig{
		Service: "stats", Queue: "stats-company-profile-v1", Catalog: catalog, Appliers: []*replica.Applier{a},
		Delayer: q, Canaries: canaries, Logger: quiet,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *shelf) message(c *contracts.Change) *message.Message {
	s.t.Helper()
	if c.Published.IsZero() {
		c.Published = time.Now()
	}
	msg, err := replica.NewMessage(s.t.Context(), c, replica.AudienceAll)
	if err != nil {
		s.t.Fatal(err)
	}
	msg.SetContext(replica.WithSettlement(s.t.Context()))
	return msg
}

func TestConsumerAppliesAndSendsAFanOutToItsSecondPass(t *testing.T) {
	inShelf(t, func(s *shelf) {
		s.watched()
		q := &queue{}
		c := s.consumer(s.applier(), q, nil)
		msg := s.message(upsert(time.Second, "name", "A"))
		if err := c.Handle(msg); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(everybody("A"), s.names()); diff != "" {
			t.Error(diff)
		}
		if len(q.sent) != 1 || q.delay != 10*time.Second || string(q.sent[0].Payload) != string(msg.Payload) {
			t.Fatalf("second passes: %v after %s", q.sent, q.delay)
		}
		again := q.sent[0]
		again.SetContext(s.t.Context())
		if err := c.Handle(again); err != nil || len(q.sent) != 1 {
			t.Errorf("second pass: %v, and %d more", err, len(q.sent)-1)
		}
	})
}

// The message must not be acknowledged before its second pass is safe.
func TestAMessageWhoseSecondPassIsNotSentIsGivenBack(t *testing.T) {
	inShelf(t, func(s *shelf) {
		c := s.consumer(s.applier(), &queue{err: errors.New("queue is down")}, nil)
		msg := s.message(upsert(time.Second, "name", "A"))
		if err := c.Handle(msg); replica.Classify(err).Verdict != replica.Retry || err == nil {
			t.Errorf("error %v", err)
		}
	})
}

func TestPoisonMessagesAreRejectedWithTheirReason(t *testing.T) {
	inShelf(t, func(s *shelf) {
		c := s.consumer(s.applier(), &queue{}, nil)
		good := string(s.message(upsert(time.Second, "name", "A")).Payload)
		for name, p := range map[string]struct{ payload, reason, says string }{
			"no JSON": {"hello", "malformed event", ""},
			"an SNS envelope": {string(must(json.Marshal(map[string]string{
				"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:us-east-1:000000000000:company-profile-v1", "Message": good,
			}))), "wrapped by SNS", "turn raw message delivery on"},
			"nothing":             {"", "malformed event", ""},
			"too large":           {strings.Repeat(" ", 2<<20), "malformed event", "2097152 bytes"},
			"an unknown contract": {strings.ReplaceAll(good, "company.profile", "company.address"), "unknown contract", "type"},
			"a malformed version": {strings.Replace(good, `"version":"`, `"version":"x`, 1), "malformed event", "version"},
			"a missing attribute": {strings.Replace(good, `"name":"A"`, `"other":"A"`, 1), "malformed event", "name"},
		} {
			msg := message.NewMessage("uuid", []byte(p.payload))
			msg.SetContext(replica.WithSettlement(s.t.Context()))
			err := c.Handle(msg)
			if got := replica.Classify(err); got.Verdict != replica.Reject || got.Reason != p.reason {
				t.Errorf("%s: %v is classified as %+v", name, err, got)
			}
			if err != nil && !strings.Contains(err.Error(), p.says) {
				t.Errorf("%s: error %q does not name %q", name, err, p.says)
			}
			if settled, ok := replica.SettledWith(msg.Context()); !ok || !errors.Is(settled, err) {
				t.Errorf("%s: the subscriber is not told why", name)
			}
		}
		if s.company("1") != nil {
			t.Error("something was applied")
		}
	})
}

type canaryLog struct{ ids []string }

func (l *canaryLog) NoteCanary(_ context.Context, id string, _ time.Time) error {
	l.ids = append(l.ids, id)
	return nil
}

func TestACanaryIsNotedAndChangesNothing(t *testing.T) {
	inShelf(t, func(s *shelf) {
		log := &canaryLog{}
		c := s.consumer(s.applier(), &queue{}, log)
		canary := &contracts.Change{
			Operation: contracts.Canary, Source: "/services/profile", Subject: "canary-1",
			Origin: contracts.Backfill, Published: time.Now(), Changed: []string{"name", "sector"},
		}
		if err := c.Handle(s.message(canary)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"canary-1"}, log.ids); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAFunctionIsGivenEveryChangeThatIsNotStale(t *testing.T) {
	inShelf(t, func(s *shelf) {
		var got []string
		fail := false
		m := must(parseStats("        on_delete: clear\n      - table: watchlists", "        on_delete: clear\n      - function: notify\n      - table: watchlists"))
		a, err := replica.NewApplier(replica.ApplierConfig{
			Contract: upsert(0).Contract, Subscription: m.Subscribes[0], Tables: m.Tables, Store: s.store,
			Functions: map[string]replica.Function{"notify": func(_ context.Context, c *contracts.Change, o replica.Outcome) error {
				got = append(got, c.Attributes["name"].Text()+" "+o.String())
				if fail {
					return errors.New("mail is down")
				}
				return nil
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.apply(a, upsert(time.Minute, "name", "A"))
		s.apply(a, upsert(time.Second, "name", "old"))
		fail = true
		if _, err := a.Apply(s.t.Context(), upsert(time.Hour, "name", "B"), replica.FirstPass); err == nil {
			t.Error("the function's failure was swallowed")
		}
		fail = false
		s.apply(a, upsert(time.Hour, "name", "B"))
		if diff := cmp.Diff([]string{"A applied", "B applied", "B duplicate"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestConsumerConfigReportsEveryProblemAtOnce(t *testing.T) {
	_, err := replica.NewConsumer(replica.ConsumerConfig{})
	for _, field := range []string{"Service", "Catalog", "Appliers"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("error %v does not name %s", err, field)
		}
	}
	inShelf(t, func(s *shelf) {
		_, err := replica.NewConsumer(replica.ConsumerConfig{Service: "stats", Catalog: catalog, Appliers: []*replica.Applier{s.applier()}})
		if err == nil || !strings.Contains(err.Error(), "Delayer") {
			t.Errorf("error %v does not ask for a Delayer", err)
		}
	})
}
