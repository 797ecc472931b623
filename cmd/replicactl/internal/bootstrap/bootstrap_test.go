package bootstrap_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/bootstrap"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

const owner = `
service: profile
tables:
  - name: companies
    partition_key: {name: cik, type: S}
    stream: true
    ttl_attribute: expiresAt
publishes:
  - contract: company.profile/v1
    table: companies
    key: {cik: "{cik}"}
`

const subscriber = `
service: stats
tables:
  - name: company-stats
    partition_key: {name: cik, type: S}
    indexes:
      - name: by-sector
        partition_key: {name: sectorKey, type: S}
        sort_key: {name: marketCap, type: "N"}
subscribes:
  - contract: company.profile/v1
    attributes: [name, sector]
    queue: {max_receive_count: 2}
    replicas:
      - table: company-stats
        key: {cik: subject}
        set: {companyName: name}
        version_attribute: profileVersion
`

// account is an empty AWS account and what bootstrap is run on it with.
type account struct {
	t       *testing.T
	engine  *localaws.Engine
	clients connect.Clients
	lines   []string
}

// inAccount runs a test on virtual time.
func inAccount(t *testing.T, run func(*testing.T, *account)) {
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(localaws.Config{})
		defer engine.Close()
		run(t, &account{t: t, engine: engine, clients: connect.New(localawstest.Config(engine))})
	})
}

func (a *account) plan(texts ...string) (*bootstrap.Plan, error) {
	a.t.Helper()
	var manifests []*manifest.Manifest
	for i, text := range texts {
		m, err := manifest.Parse(fmt.Sprintf("%d.yaml", i), []byte(text))
		if err != nil {
			a.t.Fatal(err)
		}
		manifests = append(manifests, m)
	}
	return bootstrap.New(bootstrap.Config{Clients: a.clients, Progress: func(line string) { a.lines = append(a.lines, line) }}).Plan(a.t.Context(), manifests)
}

// converge plans and applies, and checks that afterwards nothing is left to do
// and that finding that out wrote nothing.
func (a *account) converge(texts ...string) *bootstrap.Plan {
	a.t.Helper()
	plan, err := a.plan(texts...)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := plan.Apply(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	before := a.engine.Requests()
	again, err := a.plan(texts...)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := again.Apply(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	if again.Pending() != 0 || again.Count(bootstrap.Refused) != 0 {
		a.t.Fatalf("the second plan finds something to do:\n%s", text(again))
	}
	for operation, count := range a.engine.Requests().Since(before) {
		if !reads(operation.Name) {
			a.t.Errorf("the second run made %d requests %v", count, operation)
		}
	}
	return plan
}

func reads(operation string) bool {
	return strings.HasPrefix(operation, "Get") || strings.HasPrefix(operation, "List") || strings.HasPrefix(operation, "Describe")
}

func text(p *bootstrap.Plan) string {
	var b strings.Builder
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "%s %s %s", s.Action, s.Kind, s.Name)
		for _, d := range s.Differences {
			fmt.Fprintf(&b, "; %s: %s -> %s", d.Field, d.Have, d.Want)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func changes(p *bootstrap.Plan) []string {
	var all []string
	for _, s := range p.Steps {
		for _, d := range s.Differences {
			all = append(all, fmt.Sprintf("%s %s %s %s", s.Action, s.Kind, s.Name, d.Field))
		}
	}
	return all
}

// What bootstrap makes carries a change from the topic to the subscriber's
// queue as it was published, keeps out what is for others or of no interest,
// and moves what is received too often to the dead-letter queue.
func TestABootstrappedAccountCarriesChanges(t *testing.T) {
	inAccount(t, func(t *testing.T, a *account) {
		a.converge(owner, subscriber)
		ctx := t.Context()
		topics, err := a.clients.SNS.ListTopics(ctx, &sns.ListTopicsInput{})
		if err != nil || len(topics.Topics) != 1 {
			t.Fatalf("%v, %v", topics, err)
		}
		publish := func(body, audience, changed string) {
			t.Helper()
			if _, err := a.clients.SNS.Publish(ctx, &sns.PublishInput{
				TopicArn: topics.Topics[0].TopicArn, Message: aws.String(body),
				MessageAttributes: map[string]snstypes.MessageAttributeValue{
					"audience": {DataType: aws.String("String"), StringValue: aws.String(audience)},
					"changed":  {DataType: aws.String("String.Array"), StringValue: aws.String(changed)},
				},
			}); err != nil {
				t.Fatal(err)
			}
		}
		publish("for everybody", "all", `["name","founded"]`)
		publish("for stats", "stats", `["sector"]`)
		publish("for another", "other", `["name"]`)
		publish("not subscribed to", "all", `["founded"]`)
		synctest.Wait()

		got := map[string]bool{}
		for range 2 { // receives, until the third goes to the dead-letter queue
			for _, body := range a.receive(ctx, "stats-company-profile-v1") {
				got[body] = true
			}
			time.Sleep(31 * time.Second) // virtual: past the visibility timeout
		}
		want := map[string]bool{"for everybody": true, "for stats": true}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
		if left := a.receive(ctx, "stats-company-profile-v1"); len(left) != 0 {
			t.Errorf("after two receives the queue still has %v", left)
		}
		if dead := a.receive(ctx, "stats-company-profile-v1-dlq"); len(dead) != 2 {
			t.Errorf("the dead-letter queue has %v", dead)
		}
	})
}

func (a *account) receive(ctx context.Context, queue string) []string {
	a.t.Helper()
	out, err := a.clients.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: a.url(ctx, queue), MaxNumberOfMessages: 10})
	if err != nil {
		a.t.Fatal(err)
	}
	var bodies []string
	for _, m := range out.Messages {
		bodies = append(bodies, aws.ToString(m.Body))
	}
	return bodies
}

func (a *account) url(ctx context.Context, queue string) *string {
	a.t.Helper()
	out, err := a.clients.SQS.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(queue)})
	if err != nil {
		a.t.Fatal(err)
	}
	return out.QueueUrl
}

// Whatever AWS changes in place follows the manifest.
func TestWhatDiffersIsBroughtToTheManifest(t *testing.T) {
	for _, row := range []struct {
		behaviour string
		old, now  string // in one of the two manifests
		changes   []string
	}{
		{"a filter", "[name, sector]", "[name]", []string{"update subscription company-profile-v1 -> stats-company-profile-v1 FilterPolicy"}},
		{"a visibility timeout", "{max_receive_count: 2}", "{max_receive_count: 2, visibility_timeout: 20s}", []string{"update queue stats-company-profile-v1 VisibilityTimeout"}},
		{"a receive count", "{max_receive_count: 2}", "{max_receive_count: 3}", []string{"update queue stats-company-profile-v1 RedrivePolicy"}},
		{"a new dead-letter queue", "{max_receive_count: 2}", "{max_receive_count: 2, dead_letter_queue: buried}", []string{
			"update queue stats-company-profile-v1 RedrivePolicy", "update subscription company-profile-v1 -> stats-company-profile-v1 RedrivePolicy"}},
		{"TTL", "sort_key: {name: marketCap, type: \"N\"}", "sort_key: {name: marketCap, type: \"N\"}\n    ttl_attribute: gone", []string{"update table company-stats TTL"}},
		{"a stream and an index", "    indexes:", "    stream: true\n    indexes:\n      - {name: by-name, partition_key: {name: companyName, type: S}, projection: keys_only, include: [rank]}", []string{
			"update table company-stats stream", "update table company-stats index by-name"}},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			inAccount(t, func(t *testing.T, a *account) {
				a.converge(owner, subscriber)
				now := strings.Replace(subscriber, row.old, row.now, 1)
				if strings.Contains(row.now, "by-name") {
					now = strings.Replace(now, "{companyName: name}", "{companyName: {attribute: name, omit_empty: true}}", 1)
				}
				plan := a.converge(owner, now)
				if diff := cmp.Diff(row.changes, changes(plan)); diff != "" {
					t.Errorf("changes (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Somebody else's hand is corrected too.
func TestTamperingIsMended(t *testing.T) {
	inAccount(t, func(t *testing.T, a *account) {
		a.converge(owner, subscriber)
		ctx := t.Context()
		subscriptions, err := a.clients.SNS.ListSubscriptions(ctx, &sns.ListSubscriptionsInput{})
		if err != nil || len(subscriptions.Subscriptions) != 1 {
			t.Fatalf("%v, %v", subscriptions, err)
		}
		for name, value := range map[string]string{"RawMessageDelivery": "false", "FilterPolicyScope": "MessageBody"} {
			if _, err := a.clients.SNS.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{
				SubscriptionArn: subscriptions.Subscriptions[0].SubscriptionArn, AttributeName: aws.String(name), AttributeValue: aws.String(value),
			}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := a.clients.SQS.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
			QueueUrl: a.url(ctx, "stats-company-profile-v1"), Attributes: map[string]string{"Policy": "", "MaximumMessageSize": "1024"},
		}); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"update queue stats-company-profile-v1 MaximumMessageSize",
			"update queue stats-company-profile-v1 Policy",
			"update subscription company-profile-v1 -> stats-company-profile-v1 RawMessageDelivery",
			"update subscription company-profile-v1 -> stats-company-profile-v1 FilterPolicyScope",
		}
		if diff := cmp.Diff(want, changes(a.converge(owner, subscriber))); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
	})
}

// What AWS has no call for is refused with the way out, and then nothing else
// of the plan is done either.
func TestWhatCannotBeChangedInPlaceIsRefused(t *testing.T) {
	for _, row := range []struct{ behaviour, old, now, field, says string }{
		{"a table's key", "partition_key: {name: cik, type: S}\n    indexes", "partition_key: {name: cik, type: S}\n    sort_key: {name: day, type: S}\n    indexes", "key", "cannot be changed"},
		{"a key's type", "{name: cik, type: S}", "{name: cik, type: \"N\"}", "key", "cannot be changed"},
		{"an index's key", "{name: marketCap, type: \"N\"}", "{name: rank, type: \"N\"}", "index by-sector", "delete by-sector and run again"},
		{"an index's projection", "type: \"N\"}", "type: \"N\"}\n        projection: keys_only", "index by-sector", "delete by-sector and run again"},
		{"a new index with another type of an old one's key", "by-sector\n        partition_key: {name: sectorKey, type: S}\n        sort_key: {name: marketCap, type: \"N\"}",
			"by-cap\n        partition_key: {name: marketCap, type: S}", "index by-cap", "one type in all keys"},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			inAccount(t, func(t *testing.T, a *account) {
				a.converge(owner, subscriber)
				now := strings.Replace(subscriber, row.old, row.now, 1)
				now = strings.Replace(now, "key: {cik: subject}", keyOf(row.now), 1)
				now = strings.Replace(now, "max_receive_count: 2", "max_receive_count: 9", 1)
				plan, err := a.plan(owner, now)
				if err != nil {
					t.Fatal(err)
				}
				before := a.engine.Requests()
				if err := plan.Apply(t.Context()); !errors.Is(err, bootstrap.ErrRefused) {
					t.Fatalf("got %v", err)
				}
				if since := a.engine.Requests().Since(before); len(since) != 0 {
					t.Errorf("a refused plan was begun: %v", since)
				}
				for _, s := range plan.Steps {
					if s.Action != bootstrap.Refused {
						continue
					}
					if s.Name != "company-stats" || s.Differences[0].Field != row.field || !strings.Contains(s.Reason, row.says) {
						t.Errorf("refused %s: %v, %s", s.Name, s.Differences, s.Reason)
					}
					return
				}
				t.Fatalf("nothing was refused:\n%s", text(plan))
			})
		})
	}
}

func keyOf(change string) string {
	if strings.Contains(change, "sort_key: {name: day") {
		return "key: {cik: subject, day: TODAY}"
	}
	return "key: {cik: subject}"
}

func TestATopicIsFoundAtTheEndpointByItsName(t *testing.T) {
	inAccount(t, func(t *testing.T, a *account) {
		_, err := a.plan(subscriber)
		if err == nil || !strings.Contains(err.Error(), "owner of company.profile/v1") {
			t.Fatalf("without the topic: %v", err)
		}
		a.converge(owner)
		plan := a.converge(subscriber)
		if plan.Count(bootstrap.Create) != 5 || strings.Contains(text(plan), "topic company") {
			t.Errorf("the subscriber's plan:\n%s", text(plan))
		}
	})
}

// The control table is made though no manifest declares it, with its expiry;
// subscriptions share it, and where the service declares it, the two are one.
func TestTheControlTableComesWithTheSubscription(t *testing.T) {
	declared := strings.Replace(subscriber, "subscribes:", "  - {name: stats-replication-control, partition_key: {name: id, type: S}, ttl_attribute: expiresAt}\nsubscribes:", 1)
	for name, texts := range map[string][]string{"left to the default": {owner, subscriber}, "declared": {owner, declared}} {
		t.Run(name, func(t *testing.T) {
			inAccount(t, func(t *testing.T, a *account) {
				plan := a.converge(texts...)
				if n := strings.Count(text(plan), "table stats-replication-control"); n != 1 {
					t.Errorf("the plan has %d control tables:\n%s", n, text(plan))
				}
				expiry, err := a.clients.DynamoDB.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: aws.String("stats-replication-control")})
				if err != nil || aws.ToString(expiry.TimeToLiveDescription.AttributeName) != "expiresAt" {
					t.Errorf("its expiry: %+v, %v", expiry, err)
				}
			})
		})
	}
}

// SQS keeps a deleted queue's name for 60 seconds; the error says so, and what
// was made before it stays made.
func TestADeletedQueuesNameIsFreeAfterAMinute(t *testing.T) {
	inAccount(t, func(t *testing.T, a *account) {
		a.converge(owner, subscriber)
		if _, err := a.clients.SQS.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: a.url(t.Context(), "stats-company-profile-v1")}); err != nil {
			t.Fatal(err)
		}
		plan, err := a.plan(owner, subscriber)
		if err != nil {
			t.Fatal(err)
		}
		if err := plan.Apply(t.Context()); err == nil || !strings.Contains(err.Error(), "run again in a minute") {
			t.Fatalf("got %v", err)
		}
		time.Sleep(time.Minute) // virtual
		a.converge(owner, subscriber)
	})
}

func TestTwoManifestsCannotOwnOneThing(t *testing.T) {
	inAccount(t, func(t *testing.T, a *account) {
		_, err := a.plan(owner, strings.Replace(owner, "service: profile", "service: profiles", 1))
		for _, says := range []string{"table companies", "topic company-profile-v1", "[profile profiles]"} {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%v does not say %q", err, says)
			}
		}
	})
}

// The JSON is what other programs read: its names do not change.
func TestThePlansJSON(t *testing.T) {
	inAccount(t, func(t *testing.T, a *account) {
		a.converge(owner)
		plan, err := a.plan(strings.Replace(owner, "name: companies", "name: companies\n    indexes: [{name: by-x, partition_key: {name: x, type: S}}]", 1))
		if err != nil {
			t.Fatal(err)
		}
		plan.Steps = plan.Steps[:1]
		got, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		want := `{"region":"us-east-1","endpoints":{"dynamodb":"http://localaws.test","sns":"http://localaws.test","sqs":"http://localaws.test"},"applied":false,` +
			`"steps":[{"action":"update","kind":"table","name":"companies","service":"profile","summary":"key cik S, index by-x, stream, TTL on expiresAt",` +
			`"differences":[{"field":"index by-x","have":"none","want":"x S; all attributes"}]}]}`
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}
