package explain_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/bootstrap"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/explain"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/replicatest"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

const contract = "company.profile/v1"

// world is the real services' account, with a relay and a consumer that run
// while they are told to, in virtual time.
type world struct {
	*testing.T
	engine       *localaws.Engine
	cfg          aws.Config
	clients      connect.Clients
	set          *target.Set
	owner, stats *manifest.Manifest
}

func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	owner := must(manifest.Load("../../../../services/profile/replication.yaml"))
	stats := must(manifest.Load("../../../../services/stats/replication.yaml"))
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, engine: localaws.New(localaws.Config{}), owner: owner, stats: stats}
		defer w.engine.Close()
		w.cfg = localawstest.Config(w.engine)
		w.clients = connect.New(w.cfg)
		w.set = target.New([]*manifest.Manifest{owner, stats})
		plan := must(bootstrap.New(bootstrap.Config{Clients: w.clients}).Plan(w.Context(), w.set.Manifests()))
		w.check(plan.Apply(w.Context()))
		test(w)
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (w *world) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// run lets processes work for a while.
func (w *world) run(d time.Duration, processes ...func(context.Context)) {
	ctx, stop := context.WithTimeout(w.Context(), d)
	defer stop()
	var all sync.WaitGroup
	for _, p := range processes {
		all.Go(func() { p(ctx) })
	}
	all.Wait()
}

func (w *world) relay(ctx context.Context) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	p := w.owner.Publishes[0]
	relay := must(replica.NewRelay(replica.RelayConfig{
		Sources:   []*replica.Source{must(replica.NewSource(w.owner.Service, p, profilev1.Contract))},
		Table:     dynamostore.NewSource(w.clients.DynamoDB, p.Table),
		Publisher: must(snspub.New(sns.NewFromConfig(w.cfg), snspub.Config{})),
		// As the profile service names it.
		DeadLetters: sqssub.NewDeadLetters(w.clients.SQS, p.DeadLetterQueue, p.Table), Logger: quiet,
	}))
	poller := must(dynamostream.NewPoller(dynamostream.PollerConfig{
		Table: p.Table, Streams: dynamodbstreams.NewFromConfig(w.cfg), Relay: relay,
		Checkpoints: dynamostore.NewCheckpoints(w.clients.DynamoDB, p.CheckpointTable, w.owner.Service), Logger: quiet,
	}))
	w.check(poller.Run(ctx))
}

func (w *world) consumer(ctx context.Context) { w.check(replicatest.Consume(ctx, w.cfg, w.stats)) }

// both are all the processes there are.
func (w *world) both() { w.run(time.Minute, w.relay, w.consumer) }

// put writes an item as somebody does who knows nothing of versions.
func (w *world) put(table string, item contracts.Item) {
	w.Helper()
	_, err := w.clients.DynamoDB.PutItem(w.Context(), &dynamodb.PutItemInput{TableName: &table, Item: dynamostore.ToAttributes(item)})
	w.check(err)
}

func (w *world) remove(table, cik string) {
	w.Helper()
	_, err := w.clients.DynamoDB.DeleteItem(w.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: dynamostore.ToAttributes(keyOf(cik))})
	w.check(err)
}

func (w *world) read(table, cik string) contracts.Item {
	w.Helper()
	return must(dynamostore.New(w.clients.DynamoDB, dynamostore.Config{}).Read(w.Context(), table, keyOf(cik)))
}

func keyOf(cik string) contracts.Item { return contracts.Item{"cik": contracts.String(cik)} }

// company is a whole item of the owner's, of this moment's version.
func company(cik, name, sector string) contracts.Item {
	return contracts.Item{
		"cik": contracts.String(cik), "name": contracts.String(name), "sector": contracts.String(sector),
		"subIndustry": contracts.String("Oil"), "headquarters": contracts.String("Houston"),
		"tickers": contracts.List(contracts.String("T")), "version": contracts.VersionAt(time.Now()).Value(),
	}
}

func watching(user, cik string) contracts.Item {
	return contracts.Item{"user": contracts.String(user), "cik": contracts.String(cik)}
}

// depth counts the messages of a queue, and those in flight.
func (w *world) depth(queue string) (waiting, inFlight string) {
	w.Helper()
	url := must(w.clients.SQS.GetQueueUrl(w.Context(), &sqs.GetQueueUrlInput{QueueName: &queue})).QueueUrl
	a := must(w.clients.SQS.GetQueueAttributes(w.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []queueAttribute{"All"}})).Attributes
	return a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"]
}

// explain explains, and sees to it that nothing was changed and no main queue
// received from.
func (w *world) explain(cik string) *explain.Facts {
	w.Helper()
	main := "/" + w.stats.Subscribes[0].Queue.Name
	w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
		if c.Operation == "ReceiveMessage" && bytes.Contains(c.Body, []byte(main+`"`)) {
			w.Errorf("the main queue was received from: %s", c.Body)
		}
		return localaws.Fault{}
	})
	defer w.engine.SetFaults(nil)
	before := w.engine.Requests()
	facts, err := explain.Explain(w.Context(), explain.Config{Clients: w.clients, Set: w.set, Contract: contract, Subject: cik})
	w.check(err)
	for operation := range w.engine.Requests().Since(before) {
		switch name := operation.Name; {
		case strings.HasPrefix(name, "Get"), strings.HasPrefix(name, "List"), strings.HasPrefix(name, "Describe"),
			strings.HasPrefix(name, "BatchGet"), name == "Query", name == "ReceiveMessage", name == "ChangeMessageVisibilityBatch":
		default:
			w.Errorf("explain made a request %v", operation)
		}
	}
	if len(facts.Subscribers) != 1 {
		w.Fatalf("explained %+v", facts)
	}
	return facts
}

// want fails unless the verdict is the one, and returns the facts.
func (w *world) want(cik string, state explain.State) *explain.Facts {
	w.Helper()
	facts := w.explain(cik)
	if v := facts.Subscribers[0].Verdict; v.State != state {
		var text bytes.Buffer
		facts.Write(&text)
		w.Errorf("the verdict is %q, want %q:\n%s", v.State, state, text.String())
	}
	return facts
}

// send puts a message into a queue.
func (w *world) send(queue string) {
	w.Helper()
	url := must(w.clients.SQS.GetQueueUrl(w.Context(), &sqs.GetQueueUrlInput{QueueName: &queue})).QueueUrl
	_, err := w.clients.SQS.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("{}")})
	w.check(err)
}
