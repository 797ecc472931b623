package redrive_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"go.uber.org/goleak"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/internal/accounttest"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/redrive"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a subscriber's queues and tables on localaws, in virtual time.
type rig struct {
	*accounttest.Rig
	store      *dynamostore.Store
	manifest   *manifest.Manifest
	catalog    *contracts.Catalog
	main, dead string // URLs
	start      time.Time
}

func inRig(t *testing.T, test func(r *rig)) {
	t.Helper()
	accounttest.Run(t, localaws.Config{}, func(account *accounttest.Rig) {
		r := &rig{Rig: account, store: dynamostore.New(account.DB, dynamostore.Config{}), start: time.Now(),
			manifest: must(manifest.Load("../../../services/stats/replication.yaml")), catalog: must(contracts.NewCatalog(profilev1.Contract))}
		r.dead = r.queue("stats-dlq", map[string]string{"MessageRetentionPeriod": "1209600"})
		r.main = r.queue("stats", map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:stats-dlq","maxReceiveCount":2}`})
		for _, table := range r.manifest.Tables {
			r.Table(table)
		}
		test(r)
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (r *rig) queue(name string, attributes map[string]string) (url string) {
	r.Helper()
	url, _, err := r.CreateQueue(r.Context(), name, attributes)
	if err != nil {
		r.Fatal(err)
	}
	return url
}

// at is the version of so many hours before the rig began.
func (r *rig) at(hours int) contracts.Version {
	return contracts.VersionAt(r.start.Add(-time.Duration(hours) * time.Hour))
}

// change is a company's state, first published so many hours ago.
func (r *rig) change(cik, name string, hours int) *contracts.Change {
	return &contracts.Change{Contract: profilev1.Contract, Operation: contracts.Upsert, Source: "/services/profile", Subject: cik,
		Version: r.at(hours), Origin: contracts.Live, Published: r.start.Add(-time.Duration(hours) * time.Hour), Changed: []string{"name"},
		Attributes: accounttest.Company(name)}
}

// attributes are those of a message as SNS delivers it raw.
func attributes() map[string]types.MessageAttributeValue {
	return map[string]types.MessageAttributeValue{
		"changed":                 {DataType: aws.String("String.Array"), StringValue: aws.String(`["name"]`)},
		"audience":                {DataType: aws.String("String"), StringValue: aws.String("all")},
		"_watermill_message_uuid": {DataType: aws.String("String"), StringValue: aws.String("the-uuid")},
	}
}

// body is the event of a change.
func body(c *contracts.Change) string { return string(must(contracts.Encode(c))) }

// reject puts a message into the dead-letter queue as the consumer does.
func (r *rig) reject(reason, text string) {
	r.Helper()
	err := sqssub.NewDeadLetters(r.Queues, "stats-dlq", "stats").Send(r.Context(), replica.DeadLetter{
		Body: []byte(text), Attributes: map[string]string{"audience": "all", "_watermill_message_uuid": "the-uuid"}, Reason: reason, Detail: reason + " in full"})
	if err != nil {
		r.Fatal(err)
	}
}

// send puts a message with the usual attributes into a queue.
func (r *rig) send(url, text string) string {
	r.Helper()
	return aws.ToString(must(r.Queues.SendMessage(r.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &text, MessageAttributes: attributes()})).MessageId)
}

// apply brings a change to the replicas.
func (r *rig) apply(c *contracts.Change) {
	r.Helper()
	a := must(replica.NewApplier(replica.ApplierConfig{Contract: profilev1.Contract, Subscription: r.manifest.Subscribes[0], Tables: r.manifest.Tables, Store: r.store}))
	if _, err := a.Apply(r.Context(), c, replica.FirstPass); err != nil {
		r.Fatal(err)
	}
}

// watch puts a local item that carries the company's name, without a copy yet.
func (r *rig) watch(user, cik string) {
	r.Put("watchlists", contracts.Item{"user": contracts.String(user), "cik": contracts.String(cik)})
}

func (r *rig) dryRun() *replica.DryRun {
	return must(replica.NewDryRun(replica.DryRunConfig{Service: "stats", Catalog: r.catalog, Subscriptions: r.manifest.Subscribes,
		Tables: r.manifest.Tables, Store: r.store}))
}

// redrive returns one on the rig, with a dry run.
func (r *rig) redrive(edit ...func(*redrive.Config)) *redrive.Redrive {
	r.Helper()
	cfg := redrive.Config{Client: r.Queues, DeadLetters: "stats-dlq", Queue: "stats", Catalog: r.catalog, DryRun: r.dryRun()}
	for _, e := range edit {
		e(&cfg)
	}
	return must(redrive.New(cfg))
}

// depth is how many messages of a queue are visible and in flight: "3+0".
func (r *rig) depth(url string) string {
	visible, inFlight, err := r.Depth(context.WithoutCancel(r.Context()), url)
	if err != nil {
		r.Fatal(err)
	}
	return fmt.Sprint(visible, "+", inFlight)
}

func (r *rig) wantDepths(main, dead string) {
	r.Helper()
	if m, d := r.depth(r.main), r.depth(r.dead); m != main || d != dead {
		r.Errorf("the main queue has %s messages and the dead-letter queue %s (visible+in flight), want %s and %s", m, d, main, dead)
	}
}

// drain takes every message of a queue and leaves it invisible.
func (r *rig) drain(url string) []types.Message {
	var all []types.Message
	for {
		out := must(r.Queues.ReceiveMessage(context.WithoutCancel(r.Context()), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: 3600, MessageAttributeNames: []string{"All"}}))
		if len(out.Messages) == 0 {
			return all
		}
		all = append(all, out.Messages...)
	}
}

// moveBySQS has SQS move a message to the dead-letter queue: it is received as
// often as the policy allows.
func (r *rig) moveBySQS(text string) {
	r.send(r.main, text)
	for range 3 {
		for _, msg := range must(r.Queues.ReceiveMessage(r.Context(), &sqs.ReceiveMessageInput{QueueUrl: &r.main})).Messages {
			must(r.Queues.ChangeMessageVisibility(r.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &r.main, ReceiptHandle: msg.ReceiptHandle}))
		}
	}
}

// requests are what SQS was asked since the last reset: "DeleteMessageBatch 1".
func (r *rig) requests(operations ...string) string {
	var out []string
	for _, op := range operations {
		out = append(out, op+" "+strconv.FormatInt(r.Engine.Requests().Of(localaws.SQS, op), 10))
	}
	return strings.Join(out, ", ")
}

// company is a company's state for the letters of a test, by number.
func (r *rig) company(n int) *contracts.Change {
	return r.change(fmt.Sprint(100+n), fmt.Sprint("company ", n), 2)
}

var testCatalog = must(contracts.NewCatalog(profilev1.Contract))

// letterOf is a message of a dead-letter queue, empty attributes left out.
func letterOf(text, reason, encoding, rest string) types.Message {
	msg := types.Message{MessageId: aws.String("the-id"), Body: &text, MessageAttributes: map[string]types.MessageAttributeValue{}}
	for name, value := range map[string]string{replica.DeadLetterReason: reason, sqssub.DeadLetterEncoding: encoding, sqssub.DeadLetterRest: rest} {
		if value != "" {
			msg.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
		}
	}
	return msg
}
