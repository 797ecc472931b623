package status_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/status"
)

func TestWhatDoesNotExistIsMissingAndNoError(t *testing.T) {
	inWorld(t, func(w *world) {
		report := w.look()
		topic, sub := report.Topics[0], report.Topics[0].Subscriptions[0]
		if !report.Complete || !topic.ARN.Missing || !topic.Relay.Stream.Missing || !topic.Relay.Letters.Missing || !sub.Depth.Missing || !sub.Letters.Missing || !sub.Settings.Missing {
			t.Errorf("not everything is missing:\n%s", text(report))
		}
		w.bootstrap()
		dropTable(w, "profile-relay-checkpoints")
		if report := w.look(); !report.Complete || !report.Topics[0].Relay.Followed.Missing || report.Topics[0].ARN.Missing {
			t.Errorf("saw\n%s", text(report))
		}
	})
}

// Whatever call is denied, the look goes on, says so at its place alone, and is
// not complete.
func TestADeniedCallHidesNothingElse(t *testing.T) {
	for operation, hidden := range map[string]func(*status.Topic) string{
		"ListTopics":                func(t *status.Topic) string { return t.ARN.Unread },
		"ListSubscriptionsByTopic":  func(t *status.Topic) string { return t.Others.Unread },
		"GetSubscriptionAttributes": func(t *status.Topic) string { return t.Subscriptions[0].Settings.Unread },
		"GetQueueUrl":               func(t *status.Topic) string { return t.Subscriptions[0].Depth.Unread },
		"GetQueueAttributes":        func(t *status.Topic) string { return t.Relay.Letters.Unread },
		"DescribeTable":             func(t *status.Topic) string { return t.Relay.Stream.Unread },
		"GetItem":                   func(t *status.Topic) string { return t.Relay.Followed.Unread },
		"DescribeStream":            func(t *status.Topic) string { return t.Relay.Behind.Unread },
		"GetRecords":                func(t *status.Topic) string { return t.Subscriptions[0].Lag.Unread },
		"BatchGetItem":              func(t *status.Topic) string { return t.Subscriptions[0].Lag.Unread },
	} {
		t.Run(operation, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.bootstrap()
				w.write("1", "One", "Energy")
				w.deny(operation)
				report := w.look()
				topic := report.Topics[0]
				if why := hidden(topic); report.Complete || !strings.Contains(why, operation) {
					t.Errorf("complete %v, said %q:\n%s", report.Complete, why, text(report))
				}
				sub := topic.Subscriptions[0]
				answered := 0
				for _, is := range []bool{topic.ARN.Value != nil, topic.Relay.Stream.Value != nil, topic.Relay.Letters.Value != nil, sub.Depth.Value != nil, sub.Letters.Value != nil, sub.Settings.Value != nil} {
					if is {
						answered++
					}
				}
				if answered < 3 {
					t.Errorf("%d cells are left:\n%s", answered, text(report))
				}
				if !strings.Contains(text(report), "? ") || !strings.Contains(text(report), "not everything could be read") {
					t.Errorf("the reason is not printed:\n%s", text(report))
				}
			})
		})
	}
}

func TestLookingReceivesAndWritesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bootstrap()
		w.write("1", "One", "Energy")
		w.send("stats-company-profile-v1", 2)
		w.engine.ResetRequests()
		w.look()
		for operation := range w.engine.Requests() {
			if name := operation.Name; !strings.HasPrefix(name, "Get") && !strings.HasPrefix(name, "List") && !strings.HasPrefix(name, "Describe") && name != "BatchGetItem" {
				t.Errorf("it called %s", operation)
			}
		}
	})
}

func TestDepthsAreTheQueues(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bootstrap()
		w.send("stats-company-profile-v1", 3)
		w.send("stats-company-profile-v1-dlq", 2)
		w.send("profile-company-profile-v1-relay-dlq", 1)
		topic := w.look().Topics[0]
		sub := topic.Subscriptions[0]
		if sub.Depth.Value.Waiting != 3 || sub.Letters.Value.Waiting != 2 || topic.Relay.Letters.Value.Waiting != 1 {
			t.Errorf("saw %+v, %+v, %+v", *sub.Depth.Value, *sub.Letters.Value, *topic.Relay.Letters.Value)
		}
	})
}

func TestSubscriptionsAreHeldAgainstTheirManifests(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bootstrap()
		topic := w.look().Topics[0]
		if set := topic.Subscriptions[0].Settings.Value; set == nil || len(set.Differences) > 0 || len(*topic.Others.Value) > 0 {
			t.Fatalf("what bootstrap made differs: %+v, %+v", set, topic.Others)
		}
		ctx := w.t.Context()
		listed, err := w.clients.SNS.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: topic.ARN.Value})
		w.check(err)
		for name, value := range map[string]string{"FilterPolicy": `{"audience":["all"]}`, "RawMessageDelivery": "false"} {
			_, err := w.clients.SNS.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{
				SubscriptionArn: listed.Subscriptions[0].SubscriptionArn, AttributeName: aws.String(name), AttributeValue: aws.String(value)})
			w.check(err)
		}
		dead := strings.Replace(strings.Replace(*topic.ARN.Value, ":sns:", ":sqs:", 1), "company-profile-v1", "stats-company-profile-v1-dlq", 1)
		_, err = w.clients.SNS.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.ARN.Value, Protocol: aws.String("sqs"), Endpoint: aws.String(dead)})
		w.check(err)

		report := w.look()
		topic = report.Topics[0]
		var fields []string
		for _, d := range topic.Subscriptions[0].Settings.Value.Differences {
			fields = append(fields, d.Field)
		}
		if strings.Join(fields, " ") != "FilterPolicy RawMessageDelivery" {
			t.Errorf("differences: %v", fields)
		}
		if others := *topic.Others.Value; len(others) != 1 || others[0].Endpoint != dead || others[0].Raw {
			t.Errorf("others: %+v", others)
		}
		for _, said := range []string{"! stats's FilterPolicy has {\"audience\":[\"all\"]}, is to have", "no manifest declares the subscription of sqs " + dead, "not as declared"} {
			if !strings.Contains(text(report), said) {
				t.Errorf("does not say %q:\n%s", said, text(report))
			}
		}
	})
}

func TestAnIdleRelayIsNotADeadOne(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bootstrap()
		if r := w.look().Topics[0].Relay; r.Followed.Value.At != nil || r.Behind.Unknown == "" {
			t.Errorf("a relay that never polled: %+v", r)
		}
		w.write("1", "One", "Energy")
		w.relayed(1)
		time.Sleep(3 * time.Hour)
		w.relayed(0) // it lives, and nothing happened
		report := w.look()
		r := report.Topics[0].Relay
		if r.Behind.Value.Kind != lag.None || r.Followed.Value.AgeSeconds > 1 || r.Saved.Value.AgeSeconds < 10_000 {
			t.Errorf("an idle relay:\n%s", text(report))
		}
		w.write("2", "Two", "Energy")
		time.Sleep(10 * time.Minute)
		report = w.look()
		if b := report.Topics[0].Relay.Behind.Value; b.Kind != lag.Exact || b.Seconds < 599 || b.Seconds > 602 || !strings.Contains(text(report), "no poller since 10m") {
			t.Errorf("a relay that stopped: %+v\n%s", b, text(report))
		}
	})
}

// A relay that has kept no place is behind by no more than its stream's oldest
// record; where its checkpoint table was lost, by nothing.
func TestALostPlaceIsNoBacklog(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bootstrap()
		w.apply("1", w.write("1", "One", "Energy"))
		w.relayed(1)
		time.Sleep(17 * time.Minute)
		dropTable(w, "profile-relay-checkpoints")
		w.bootstrap()
		w.relayed(0)
		report := w.look()
		topic := report.Topics[0]
		if b := topic.Relay.Behind.Value; b.Kind != lag.LessThan || b.Seconds < 1019 || b.Note == "" || !strings.Contains(text(report), "behind less than 17m") {
			t.Errorf("after the table was lost: %+v\n%s", b, text(report))
		}
		if age := topic.Subscriptions[0].Lag.Value; age.Kind != lag.None {
			t.Errorf("the copies' lag: %+v", age)
		}
		// The next change has a place kept.
		w.write("2", "Two", "Energy")
		w.relayed(2)
		if b := w.look().Topics[0].Relay.Behind.Value; b.Kind != lag.None || b.Note != "" {
			t.Errorf("after the next change: %+v", b)
		}
	})
}

// Without a table or an index its consumer applies nothing, though nothing waits.
func TestATableThatIsGoneIsSaid(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bootstrap()
		for _, store := range w.look().Topics[0].Subscriptions[0].Stores {
			if store.State.Value == nil || *store.State.Value != "ACTIVE" {
				t.Errorf("%s %s is %+v", store.Table, store.Index, store.State)
			}
		}
		for _, table := range []string{"company-stats", "stats-replication-control"} {
			dropTable(w, table)
			report := w.look()
			if said := "! stats's table " + table + " does not exist: run terraform apply"; !report.Complete || !strings.Contains(text(report), said) {
				t.Errorf("no %q, complete %v:\n%s", said, report.Complete, text(report))
			}
		}
		w.write("1", "One", "Energy")
		report := w.look()
		if lag := report.Topics[0].Subscriptions[0].Lag; !report.Complete || lag.Unknown != "table company-stats does not exist" {
			t.Errorf("complete %v, the lag %+v", report.Complete, lag)
		}
	})
}

func TestTheReportsJSONHasStableNames(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bootstrap()
		w.write("1", "One", "Energy")
		time.Sleep(time.Minute)
		data, err := json.Marshal(w.look())
		w.check(err)
		for _, name := range []string{`"topics":[{"contract":"company.profile/v1","name":"company-profile-v1","owner":"profile"`, `"relay":{"table":"companies"`, `"subscriber":"stats"`,
			`"depth":{"value":{"waiting":0,"in_flight":0,"delayed":0}}`, `"lag":{"value":{"kind":"exact","seconds":6`, `"complete":true`, `"others":{"value":[]}`} {
			if !bytes.Contains(data, []byte(name)) {
				t.Errorf("no %s in %s", name, data)
			}
		}
	})
}

func TestTheGraphNamesEverythingOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bootstrap()
		w.send("stats-company-profile-v1-dlq", 2)
		var out bytes.Buffer
		w.look().Graph(&out)
		if !strings.HasPrefix(out.String(), "flowchart LR\n") {
			t.Errorf("no flowchart: %s", &out)
		}
		for _, said := range []string{`["profile"]`, `(["company-profile-v1"])`, `[/"stats-company-profile-v1<br>0 messages"/]`, `["stats"]`, `[("stats-company-profile-v1-dlq<br>2 dead")]`} {
			if strings.Count(out.String(), said) != 1 {
				t.Errorf("%s is there %d times:\n%s", said, strings.Count(out.String(), said), &out)
			}
		}
	})
}

// An index that is being filled cannot be read: its consumer applies nothing yet.
func TestAnIndexThatIsBeingFilledIsSaid(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bootstrap()
		report := w.look()
		creating := "CREATING"
		sub := report.Topics[0].Subscriptions[0]
		sub.Stores = append(sub.Stores, status.Store{Table: "company-stats", Index: "by-name", State: status.Cell[string]{Value: &creating}})
		if said := "! index by-name of stats's table company-stats is CREATING and cannot be read until it is ACTIVE: wait\n"; strings.Count(text(report), said) != 1 || strings.Count(text(report), "!") != 1 {
			t.Errorf("not once %q:\n%s", said, text(report))
		}
	})
}
