package replica_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	localsns "github.com/tributary-dev/tributary/pkg/localaws/sns"
	localsqs "github.com/tributary-dev/tributary/pkg/localaws/sqs"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// pipeline is the whole way from an owner's table to a subscriber's: stream,
// relay, topic, filter, queue, consumer. Everything is the real thing; localaws
// stands in for AWS, and virtual time for days.
type pipeline struct {
	*world
	shelf *shelf
	cfg   aws.Config
	queue string // URL
	dlq   string
	done  sync.WaitGroup
	// stopRelay spares the polls of a stream in which nothing happens any more.
	stopRelay context.CancelFunc
}

const pipelineQueue = "stats-company-profile-v1"

// inPipeline runs f with relay and consumer running. Before it returns, all
// have stopped.
func inPipeline(t *testing.T, config localaws.Config, f func(p *pipeline)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(config)
		defer engine.Close()
		cfg := localawstest.Config(engine)
		cfg.RetryMaxAttempts = 5
		db := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.RetryMaxAttempts = 30 }) // the test's own hand must not fail
		createTable(t, db, companies, true)
		createTable(t, db, "company-stats", false)
		s := &shelf{t: t, engine: engine, db: db, store: dynamostore.New(dynamodb.NewFromConfig(cfg), dynamostore.Config{})}
		s.createWatchlists()
		p := &pipeline{
			world: &world{t: t, engine: engine, db: db, source: dynamostore.NewSource(db, companies), dlq: &letters{}, places: &places{}, now: time.Now},
			shelf: s, cfg: cfg,
		}
		p.world.table = dynamostore.NewSource(dynamodb.NewFromConfig(cfg), companies)
		p.wire()
		ctx, stop := context.WithCancel(t.Context())
		defer p.done.Wait()
		defer stop()
		p.run(ctx)
		f(p)
	})
}

// wire creates topic, queues and subscription as bootstrap does.
func (p *pipeline) wire() {
	p.t.Helper()
	ctx, topics, queues := p.t.Context(), sns.NewFromConfig(p.cfg), sqs.NewFromConfig(p.cfg)
	topic := must(topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("company-profile-v1")}))
	arn := func(url *string) string {
		out := must(queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}}))
		return out.Attributes["QueueArn"]
	}
	dlq := must(queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(pipelineQueue + "-dlq")}))
	queue := must(queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(pipelineQueue), Attributes: map[string]string{
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":20}`, arn(dlq.QueueUrl)),
		"Policy": fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`,
			aws.ToString(topic.TopicArn)),
	}}))
	m := must(parseStats())
	must(topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(arn(queue.QueueUrl)),
		Attributes: map[string]string{"RawMessageDelivery": "true", "FilterPolicy": m.Subscribes[0].FilterPolicy(m.Service)}}))
	p.queue, p.dlq = aws.ToString(queue.QueueUrl), aws.ToString(dlq.QueueUrl)
}

// run starts one relay and one consumer.
func (p *pipeline) run(ctx context.Context) {
	p.t.Helper()
	relaying, stop := context.WithCancel(ctx)
	p.stopRelay = stop
	p.done.Go(func() { p.runRelay(relaying, p.places) })
	p.done.Go(func() { p.runConsumer(ctx) })
}

// runMore starts another relay, with places of its own, and another consumer.
func (p *pipeline) runMore(ctx context.Context) {
	p.done.Go(func() { p.runRelay(ctx, &places{}) })
	p.done.Go(func() { p.runConsumer(ctx) })
}

func (p *pipeline) runRelay(ctx context.Context, at *places) {
	m := profileManifest(p.t)
	relay := must(replica.NewRelay(replica.RelayConfig{
		Sources: []*replica.Source{must(replica.NewSource(m.Service, m.Publishes[0], profilev1.Contract))},
		Table:   p.world.table, DeadLetters: p.world.dlq, Logger: quiet,
		Publisher: must(snspub.New(sns.NewFromConfig(p.cfg), snspub.Config{})),
	}))
	poller := must(dynamostream.NewPoller(dynamostream.PollerConfig{
		Table: companies, Streams: p.streams(), Relay: relay, Checkpoints: at, Logger: quiet, DrainTimeout: time.Second,
		IdleWait: 5 * time.Second,
	}))
	if err := poller.Run(ctx); err != nil {
		p.t.Error(err)
	}
}

func (p *pipeline) runConsumer(ctx context.Context) {
	subscriber := must(sqssub.New(sqs.NewFromConfig(p.cfg), sqssub.Config{DrainTimeout: time.Second}))
	m := must(parseStats())
	applier := must(replica.NewApplier(replica.ApplierConfig{
		Contract: profilev1.Contract, Subscription: m.Subscribes[0], Tables: m.Tables, Store: p.shelf.store,
	}))
	consumer := must(replica.NewConsumer(replica.ConsumerConfig{
		Service: m.Service, Queue: pipelineQueue, Catalog: catalog, Appliers: []*replica.Applier{applier}, Delayer: subscriber, Logger: quiet,
	}))
	router := must(message.NewRouter(message.RouterConfig{}, watermill.NopLogger{}))
	router.AddConsumerHandler("profile", pipelineQueue, subscriber, consumer.Handle)
	if err := router.Run(ctx); err != nil {
		p.t.Error(err)
	}
}

// converged fails unless every replica holds exactly what the source holds.
func (p *pipeline) converged(ciks []string, story string) {
	p.t.Helper()
	for _, cik := range ciks {
		source := p.read(cik)
		want := contracts.Item{}
		if !source["deleted"].Bool() {
			for from, to := range map[string]string{"name": "companyName", "sector": "sector"} {
				if v, ok := source[from]; ok {
					want[to] = v
				}
			}
		}
		got := p.shelf.company(cik)
		if diff := cmp.Diff(want, copied(got)); diff != "" {
			p.t.Errorf("%s: replica of %s, source %v, replica %v (-want +got)\n%s", story, cik, source, got, diff)
		}
		delete(want, "sector")
		if diff := cmp.Diff(want, copied(p.shelf.watch("ada", cik))); diff != "" {
			p.t.Errorf("%s: fan-out copy of %s (-want +got)\n%s", story, cik, diff)
		}
	}
}

// depth is how many messages a queue holds.
func (p *pipeline) depth(url string) string {
	p.t.Helper()
	out := must(sqs.NewFromConfig(p.cfg).GetQueueAttributes(p.t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(url), AttributeNames: []sqstypes.QueueAttributeName{"All"},
	}))
	a := out.Attributes
	return a["ApproximateNumberOfMessages"] + "+" + a["ApproximateNumberOfMessagesNotVisible"] + "+" + a["ApproximateNumberOfMessagesDelayed"]
}

// TestEveryWriteReachesEveryReplicaThroughEveryFault runs the owner's writes,
// foreign writes of every kind, and faults at every call, and asks for
// convergence in the end.
func TestEveryWriteReachesEveryReplicaThroughEveryFault(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			var lock sync.Mutex
			roll := func(n int) int {
				lock.Lock()
				defer lock.Unlock()
				return rng.IntN(n)
			}
			copies := func() []time.Duration {
				out := []time.Duration{time.Duration(roll(3)) * time.Second}
				if roll(4) == 0 {
					out = append(out, time.Duration(roll(3600))*time.Second)
				}
				return out
			}
			config := localaws.Config{
				DisturbSNS: func(localsns.Delivery) []time.Duration { return copies() },
				DisturbSQS: func(localsqs.Arrival) []time.Duration { return copies() },
				Shuffle:    true,
				Seed:       seed,
			}
			inPipeline(t, config, func(p *pipeline) {
				ciks := []string{"1", "2", "3"}
				for _, cik := range ciks {
					p.shelf.put("watchlists", attrs("user", "ada", "cik", cik))
				}
				p.engine.SetFaults(func(localaws.Call) localaws.Fault {
					switch roll(12) {
					case 0:
						return localaws.Fault{Drop: localaws.DropResponse}
					case 1:
						return localaws.Fault{Drop: localaws.DropRequest}
					case 2:
						return localaws.Fault{DelayBefore: time.Duration(roll(2000)) * time.Millisecond}
					}
					return localaws.Fault{}
				})
				more, stop := context.WithCancel(p.t.Context())
				defer stop()
				for step := range 25 {
					switch step {
					case 8:
						p.runMore(more)
					case 18: // in the middle of its work
						stop()
					}
					p.disturb(roll, ciks[roll(len(ciks))], fmt.Sprint("name ", step))
					if roll(3) == 0 {
						time.Sleep(time.Duration(roll(60_000)) * time.Millisecond) // virtual
					}
				}
				p.engine.SetFaults(nil)
				time.Sleep(30 * time.Minute) // virtual: the relay is through by then
				p.stopRelay()
				time.Sleep(3 * time.Hour) // the latest copy of a message comes after two hours
				p.converged(ciks, fmt.Sprint("seed ", seed))
				if got := p.depth(p.queue); got != "0+0+0" {
					t.Errorf("messages left in the queue: %s", got)
				}
				if got := p.depth(p.dlq); got != "0+0+0" {
					t.Errorf("messages in the dead-letter queue: %s", got)
				}
			})
		})
	}
}

// disturb makes one write of some kind; what AWS refuses because of a fault is
// as if it had not been tried, or had succeeded.
func (p *pipeline) disturb(roll func(int) int, cik, name string) {
	item := p.read(cik)
	if item == nil {
		item = keyOf(cik)
	}
	skew := time.Duration(roll(4000)-2000) * time.Millisecond
	switch roll(7) {
	case 0:
		p.own(cik, time.Now().Add(skew), nil)
	case 1:
		p.put(named(cik, name)) // drops the version
	case 2:
		item["name"] = contracts.String(name)
		delete(item, "deleted")
		p.put(item) // keeps it
	case 3:
		p.remove(cik)
	case 4:
		old := named(cik, name)
		old["version"] = contracts.VersionAt(time.Now().Add(-time.Duration(1+roll(100)) * time.Hour)).Value()
		p.put(old) // restores an old one
	default:
		p.own(cik, time.Now().Add(skew), attrs("name", name, "sector", fmt.Sprint("sector ", roll(3))))
	}
}

// TestSteadyLoadCostsFewRequests counts what moving changes costs without
// batched writes: publish, receive and delete are shared, the write is not.
func TestSteadyLoadCostsFewRequests(t *testing.T) {
	inPipeline(t, localaws.Config{}, func(p *pipeline) {
		const changes = 400
		var group sync.WaitGroup
		for worker := range 8 {
			group.Go(func() {
				for i := worker; i < changes; i += 8 {
					p.own(fmt.Sprint(i), time.Now(), named(fmt.Sprint(i), "name"))
				}
			})
		}
		group.Wait()
		before := p.engine.Requests()
		time.Sleep(time.Minute) // virtual
		spent := p.engine.Requests().Since(before)
		for _, c := range []struct {
			service   localaws.Service
			operation string
			most      int64
		}{
			{localaws.SNS, "PublishBatch", changes/10 + 4},
			{localaws.DynamoDB, "UpdateItem", changes + 4}, // and a checkpoint a shard now and then
			{localaws.SQS, "DeleteMessage", 0},
			{localaws.SQS, "SendMessage", 0},
		} {
			if got := spent.Of(c.service, c.operation); got > c.most {
				t.Errorf("%d %s for %d changes, want at most %d", got, c.operation, changes, c.most)
			}
		}
		if item := p.shelf.company("399"); item["companyName"].Text() != "name" {
			t.Errorf("the last change did not arrive: %v", item)
		}
	})
}
