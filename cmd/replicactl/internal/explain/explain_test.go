package explain_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/explain"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

type queueAttribute = types.QueueAttributeName

// A change is followed on its way through everything.
func TestAChangeIsFollowedOnItsWay(t *testing.T) {
	inWorld(t, func(w *world) {
		queue := w.stats.Subscribes[0].Queue.Name
		w.both()
		w.want("1", explain.StateNothing)
		w.put("watchlists", watching("ann", "1"))
		w.put("watchlists", watching("bob", "1"))

		w.put("companies", company("1", "Apple", "Tech"))
		w.want("1", explain.StateOnItsWay)
		time.Sleep(20 * time.Minute) // virtual
		facts := w.want("1", explain.StateRelayBehind)
		if says := facts.Subscribers[0].Verdict.Says; !strings.Contains(says, "from 20m ago") || !strings.Contains(says, "a poller last followed the stream 2") {
			t.Errorf("says %s", says)
		}
		w.run(10*time.Second, w.relay)
		w.want("1", explain.StateInQueue)
		if waiting, inFlight := w.depth(queue); waiting != "1" || inFlight != "0" {
			t.Errorf("the main queue has %s waiting, %s in flight", waiting, inFlight)
		}
		w.both()
		facts = w.want("1", explain.StateInStep)
		s := facts.Subscribers[0]
		if len(s.Copies) != 3 || s.Copies[0].Fields["companyName"] != "Apple" || s.Copies[2].Key["user"] != "bob" || s.Copies[2].Fields["companyName"] != "Apple" {
			t.Errorf("copies %+v", s.Copies)
		}
		if r := facts.Records; len(r) != 1 || r[0].Action != "publish" || r[0].Version != facts.Source.Version || len(r[0].Changed) == 0 {
			t.Errorf("records %+v", r)
		}

		// An attribute that the subscription does not ask for.
		item := w.read("companies", "1")
		item["headquarters"], item["version"] = contracts.String("Berlin"), contracts.VersionAt(time.Now()).Value()
		w.put("companies", item)
		w.both()
		facts = w.want("1", explain.StateInStep)
		if says := facts.Subscribers[0].Verdict.Says; !strings.Contains(says, facts.Source.Version) || !strings.Contains(says, "name, sector") {
			t.Errorf("says %s", says)
		}

		w.remove("companies", "1")
		w.both()
		if facts = w.want("1", explain.StateInStep); facts.Source.State != explain.Tombstone {
			t.Errorf("source %+v", facts.Source)
		}
	})
}

// Looking at dead letters takes seconds, in which the relay's place does not move
// past the record.
func TestARelayThatIsBehindIsToldWhileLettersLieThere(t *testing.T) {
	inWorld(t, func(w *world) {
		w.both()
		w.send(w.stats.Subscribes[0].Queue.DeadLetterQueue)
		time.Sleep(5 * time.Second) // virtual
		w.put("companies", company("1", "Apple", "Tech"))
		time.Sleep(10 * time.Minute) // virtual
		w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "ReceiveMessage" {
				return localaws.Fault{DelayBefore: 5 * time.Second}
			}
			return localaws.Fault{}
		})
		facts := must(explain.Explain(w.Context(), explain.Config{Clients: w.clients, Set: w.set, Contract: contract, Subject: "1"}))
		if v := facts.Subscribers[0].Verdict; v.State != explain.StateRelayBehind {
			t.Errorf("the verdict is %+v", v)
		}
	})
}

func TestWhatWasLostIsMissed(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("companies", company("1", "Apple", "Tech"))
		w.put("watchlists", watching("ann", "1"))
		w.both()
		w.want("1", explain.StateInStep)

		// The whole queue is purged with the change in it.
		w.put("companies", company("1", "Apple Inc", "Tech"))
		w.run(10*time.Second, w.relay)
		w.emptied(w.stats.Subscribes[0].Queue.Name)
		time.Sleep(2 * time.Minute) // virtual
		facts := w.want("1", explain.StateMissed)
		if s := facts.Subscribers[0]; s.Copies[0].Drift != "behind" || s.Verdict.Command != "replicactl reconcile --contract company.profile/v1 --subscriber stats --repair --restart --apply" {
			t.Errorf("got %+v", s)
		}
		// A day later nothing tells of it but the versions.
		time.Sleep(25 * time.Hour) // virtual
		if facts := w.want("1", explain.StateMissed); len(facts.Records) != 0 {
			t.Errorf("records %+v", facts.Records)
		}
	})
}

func TestAWatchlistEntryThatNobodyFilledIsMissed(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("companies", company("1", "Apple", "Tech"))
		w.both()
		w.put("watchlists", watching("ann", "1"))
		w.put("watchlists", watching("bob", "2"))
		facts := w.want("1", explain.StateMissed)
		if s := facts.Subscribers[0]; len(s.Copies) != 2 || !strings.Contains(s.Verdict.Says, "watchlists by-cik is missing") {
			t.Errorf("got %+v", s)
		}
	})
}

func TestADeadLetterIsNamedWithItsReasonAndIsThereAfterwards(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("companies", company("1", "Apple", "Tech"))
		w.both()
		sub := w.stats.Subscribes[0].Queue
		letters := sqssub.NewDeadLetters(w.clients.SQS, sub.DeadLetterQueue, sub.Name)
		change := func(cik, name string) *contracts.Change {
			return &contracts.Change{Contract: w.contract(), Operation: contracts.Upsert, Source: "/services/profile", Subject: cik,
				Version: contracts.VersionAt(time.Now()), Origin: contracts.Live, Published: time.Now(), Changed: []string{"name"},
				Attributes: contracts.Item{"name": contracts.String(name), "sector": contracts.String("Tech"), "subIndustry": contracts.String("x"),
					"headquarters": contracts.String("x"), "tickers": contracts.List(contracts.String("T"))}}
		}
		for _, cik := range []string{"1", "2", "3"} {
			w.check(letters.Send(w.Context(), replica.DeadLetter{Body: must(contracts.Encode(change(cik, "Apple Inc"))), Reason: "does not fit", Detail: "in full"}))
		}
		w.put("companies", company("1", "Apple Inc", "Tech")) // which never arrives
		w.run(10*time.Second, w.relay)
		w.emptied(sub.Name)
		time.Sleep(2 * time.Minute) // virtual
		facts := w.want("1", explain.StateDeadLetter)
		s := facts.Subscribers[0]
		if len(s.Letters) != 1 || s.Letters[0].Reason != "does not fit" || s.Letters[0].Detail != "in full" || s.Letters[0].Version == "" {
			t.Errorf("letters %+v", s.Letters)
		}
		if waiting, inFlight := w.depth(sub.DeadLetterQueue); waiting != "3" || inFlight != "0" {
			t.Errorf("the dead-letter queue has %s waiting, %s in flight", waiting, inFlight)
		}
		// While another tool holds all of them, it is said that they are not known.
		box := must(sqssub.OpenDeadLetterBox(w.Context(), w.clients.SQS, sub.DeadLetterQueue, sqssub.BoxConfig{}))
		must(box.Take(w.Context()))
		if facts := w.explain("1"); !slices.ContainsFunc(facts.Unread, func(u string) bool { return strings.Contains(u, "3 more were not looked at") }) {
			t.Errorf("unread %q", facts.Unread)
		}
		w.check(box.Close())
	})
}

func TestWhatTheRelayCannotPublishIsTold(t *testing.T) {
	inWorld(t, func(w *world) {
		bad := company("1", "Apple", "Tech")
		bad["name"] = contracts.Bool(true)
		w.put("companies", bad)
		w.both()
		facts := w.want("1", explain.StateUnpublished)
		if len(facts.RelayLetters) != 1 || facts.Records[0].Problem == "" {
			t.Errorf("letters %+v, records %+v", facts.RelayLetters, facts.Records)
		}
		if l := facts.RelayLetters[0]; l.Version != facts.Records[0].Version || l.Version == "" {
			t.Errorf("letter %+v of record %+v", l, facts.Records[0])
		}
		// It is corrected while nobody consumes: the letter is not the reason.
		w.put("companies", company("1", "Apple", "Tech"))
		w.run(10*time.Second, w.relay)
		time.Sleep(2 * time.Minute) // virtual
		w.want("1", explain.StateInQueue)
		// The relay gives another up for another reason.
		w.check(sqssub.NewDeadLetters(w.clients.SQS, w.owner.Publishes[0].DeadLetterQueue, "companies").Send(w.Context(), replica.DeadLetter{
			Body: []byte("{}"), Attributes: map[string]string{"contract": contract, "subject": "2"}, Reason: "given up before the stream would lose it"}))
		w.put("companies", company("2", "Shell", "Energy"))
		w.run(10*time.Second, w.relay)
		w.emptied(w.stats.Subscribes[0].Queue.Name)
		time.Sleep(2 * time.Minute) // virtual
		w.want("2", explain.StateRelayGaveUp)
	})
}

func TestReplicasThatOthersWroteToAreTold(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("companies", company("1", "Apple", "Tech"))
		w.both()
		right := w.read("company-stats", "1")
		damage := func(attribute string, v contracts.Value, state explain.State) {
			t.Helper()
			item := contracts.Item{}
			for name, is := range right {
				item[name] = is
			}
			item[attribute] = v
			w.put("company-stats", item)
			w.want("1", state)
		}
		damage("companyName", contracts.String("Orange"), explain.StateDifferent)
		damage("profileVersion", contracts.VersionAt(time.Now()).Value(), explain.StateAhead)
		damage("profileMapping", contracts.String("another"), explain.StateRemapped)
		w.put("company-stats", right)
		w.want("1", explain.StateInStep)

		// The source is gone without a trace, as a restored table is.
		w.remove("companies", "1")
		w.both()
		w.put("company-stats", right)
		w.remove("companies", "1") // its tombstone
		facts := w.explain("1")
		if facts.Source.State != explain.Absent || facts.Subscribers[0].Copies[0].Drift != "extra" {
			t.Errorf("got %+v", facts.Subscribers[0])
		}
	})
}

func TestWritesWithoutAVersionAreTold(t *testing.T) {
	inWorld(t, func(w *world) {
		item := company("1", "Apple", "Tech")
		delete(item, "version")
		w.put("companies", item)
		w.run(5 * time.Second) // nobody has ever followed the stream
		w.want("1", explain.StateOnItsWay)
		time.Sleep(time.Minute) // virtual
		w.want("1", explain.StateRelayBehind)
		time.Sleep(25 * time.Hour) // virtual: the record is gone
		w.want("1", explain.StateUnversioned)
		item["name"] = contracts.String("Apple Inc") // the relay hears of it
		w.put("companies", item)
		w.both()
		facts := w.want("1", explain.StateInStep)
		if len(facts.Records) != 2 || facts.Records[0].Action != "stamp" || facts.Records[1].Action != "publish" {
			t.Errorf("records %+v", facts.Records)
		}
		w.put("companies", item)
		w.want("1", explain.StateOnItsWay)
	})
}

func TestAFilterOlderThanTheManifestIsTold(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("companies", company("1", "Apple", "Tech"))
		w.both()
		topics := must(w.clients.SNS.ListTopics(w.Context(), &sns.ListTopicsInput{}))
		subs := must(w.clients.SNS.ListSubscriptionsByTopic(w.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: topics.Topics[0].TopicArn}))
		arn := subs.Subscriptions[0].SubscriptionArn
		_, err := w.clients.SNS.SetSubscriptionAttributes(w.Context(), &sns.SetSubscriptionAttributesInput{SubscriptionArn: arn,
			AttributeName: aws.String("FilterPolicy"), AttributeValue: aws.String(`{"audience":["all","stats"],"changed":["sector"]}`)})
		w.check(err)
		time.Sleep(20 * time.Minute) // virtual: until it is in force
		w.put("companies", company("1", "Apple Inc", "Tech"))
		w.both()
		w.want("1", explain.StateFilteredOut)
		_, err = w.clients.SNS.Unsubscribe(w.Context(), &sns.UnsubscribeInput{SubscriptionArn: arn})
		w.check(err)
		w.want("1", explain.StateUnsubscribed)
	})
}

func TestWhatCannotBeReadHidesNothingElse(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("companies", company("1", "Apple", "Tech"))
		w.both()
		deny := func(denied func(localaws.Call) bool) *explain.Facts {
			w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
				if denied(c) {
					return localaws.Fault{Error: &wire.Error{Code: "AccessDeniedException", Message: "not authorized", Status: 400}}
				}
				return localaws.Fault{}
			})
			defer w.engine.SetFaults(nil)
			return must(explain.Explain(w.Context(), explain.Config{Clients: w.clients, Set: w.set, Contract: contract, Subject: "1"}))
		}
		facts := deny(func(c localaws.Call) bool { return c.Service == localaws.Streams })
		if facts.Subscribers[0].Verdict.State != explain.StateInStep || len(facts.Unread) == 0 || facts.Stream.Complete {
			t.Errorf("without the stream: %+v", facts)
		}
		facts = deny(func(c localaws.Call) bool {
			return c.Operation == "GetItem" && bytes.Contains(c.Body, []byte(`"companies"`))
		})
		if s := facts.Subscribers[0]; s.Verdict.State != explain.StateUnknown || s.Copies[0].Fields["companyName"] != "Apple" {
			t.Errorf("without the source: %+v", facts)
		}
		facts = deny(func(c localaws.Call) bool { return c.Operation == "Query" })
		if s := facts.Subscribers[0]; s.Verdict.State != explain.StateUnknown || facts.Source.Version == "" || !strings.Contains(s.Unread, "not authorized") {
			t.Errorf("without a replica's index: %+v", facts)
		}
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		if _, err := explain.Explain(ctx, explain.Config{Clients: w.clients, Set: w.set, Contract: contract, Subject: "1"}); err == nil {
			t.Error("no error though the context has ended")
		}
		if _, err := explain.Explain(w.Context(), explain.Config{Clients: w.clients, Set: w.set, Contract: "company.price/v1", Subject: "1"}); err == nil || !strings.Contains(err.Error(), contract) {
			t.Errorf("an unknown contract: %v", err)
		}
	})
}

func TestTextAndJSONTellTheSame(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("companies", company("1", "Apple", "Tech"))
		w.put("watchlists", watching("ann", "1"))
		w.both()
		facts := w.explain("1")
		var text bytes.Buffer
		facts.Write(&text)
		first, _, _ := strings.Cut(text.String(), "\n")
		if diff := cmp.Diff("stats: "+facts.Subscribers[0].Verdict.Says, first); diff != "" {
			t.Error(diff)
		}
		for _, want := range []string{
			"source companies cik=1: live, version " + facts.Source.Version, "name = Apple", "INSERT", "publish",
			"watchlists by-cik cik=1 user=ann: in step, version " + facts.Source.Version, "queue stats-company-profile-v1: 0 waiting", "relay: behind nothing",
		} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("want %q in:\n%s", want, text.String())
			}
		}
		var back struct {
			Source      struct{ State, Version string }
			Subscribers []struct {
				Service string
				Copies  []struct{ Replica, Drift string }
				Verdict struct{ State string }
			}
		}
		w.check(json.Unmarshal(must(json.Marshal(facts)), &back))
		if back.Source.State != "live" || back.Source.Version != facts.Source.Version || len(back.Subscribers) != 1 ||
			len(back.Subscribers[0].Copies) != 2 || back.Subscribers[0].Copies[0].Drift != "in step" || back.Subscribers[0].Verdict.State != "in step" {
			t.Errorf("JSON %+v", back)
		}
	})
}

func (w *world) contract() *contracts.Contract {
	return must(w.set.Publication(contract)).Contract
}

// emptied takes everything out of a queue, so that it is lost.
func (w *world) emptied(queue string) {
	w.Helper()
	url := must(w.clients.SQS.GetQueueUrl(w.Context(), &sqs.GetQueueUrlInput{QueueName: &queue})).QueueUrl
	_, err := w.clients.SQS.PurgeQueue(w.Context(), &sqs.PurgeQueueInput{QueueUrl: url})
	w.check(err)
}
