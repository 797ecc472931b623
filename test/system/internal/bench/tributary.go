package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// logger logs what goes wrong, as the services' loggers do at their level.
func logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// newRelay is the owner's relay on a publisher, as the profile service has it.
func newRelay(endpoint string, publisher message.Publisher) (*replica.Relay, error) {
	source, err := newSource()
	if err != nil {
		return nil, err
	}
	cfg := awsConfig(endpoint)
	return replica.NewRelay(replica.RelayConfig{
		Sources:     []*replica.Source{source},
		Table:       dynamostore.NewSource(dynamodb.NewFromConfig(cfg), sourceTable),
		Publisher:   publisher,
		DeadLetters: sqssub.NewDeadLetters(sqs.NewFromConfig(cfg), queueName+"-dlq", "table/"+sourceTable+"/stream"),
		Metrics:     replica.NewMetrics(prometheus.NewRegistry()),
		Logger:      logger(),
	})
}

// publishTributary gives the relay the stream's records in batches, one after
// the other as Lambda does for a shard.
func publishTributary(ctx context.Context, p *publishing) (int, error) {
	publisher, err := snspub.New(sns.NewFromConfig(awsConfig(p.endpoint)), snspub.Config{MaxInFlight: p.settings.Publishers, Logger: logger()})
	if err != nil {
		return 0, err
	}
	relay, err := newRelay(p.endpoint, publisher)
	if err != nil {
		return 0, err
	}
	records := p.workload.Records(p.clock)
	if err := p.begin(); err != nil {
		return 0, err
	}
	for from := 0; from < len(records); {
		to, err := p.due(ctx, from, len(records), p.settings.RelayBatch)
		if err != nil {
			return 0, err
		}
		if failed := relay.Handle(ctx, records[from:to]); len(failed) > 0 {
			first := slices.Min(slices.Collect(maps.Keys(failed)))
			return 0, fmt.Errorf("relay record %d: %w", from+first, failed[first])
		}
		from = to
	}
	return int(publisher.Stats().Accepted), publisher.Close()
}

// due returns up to which change the next batch goes: to the most there may be,
// or paced to the last whose time has come. It waits for the first.
func (p *publishing) due(ctx context.Context, from, all, most int) (int, error) {
	to := min(from+most, all)
	if !p.paced {
		return to, ctx.Err()
	}
	if err := waitUntil(ctx, p.clock.at(from)); err != nil {
		return from, err
	}
	for now, i := time.Now(), from+1; i < to; i++ {
		if p.clock.at(i).After(now) {
			return i, nil
		}
	}
	return to, nil
}

func waitUntil(ctx context.Context, at time.Time) error {
	d := time.Until(at)
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// collector takes what the relay publishes.
type collector struct{ batch []*message.Message }

func (c *collector) Publish(_ string, messages ...*message.Message) error {
	c.batch = append(c.batch, messages...)
	return nil
}

func (c *collector) Close() error { return nil }

// prepare has the relay make the messages for a variant that has none, of so
// many records at a time.
func (p *publishing) prepare(ctx context.Context, batch int) ([][]*message.Message, error) {
	var c collector
	relay, err := newRelay(p.endpoint, &c)
	if err != nil {
		return nil, err
	}
	var prepared [][]*message.Message
	for records := range slices.Chunk(p.workload.Records(p.clock), batch) {
		if failed := relay.Handle(ctx, records); len(failed) > 0 {
			return nil, fmt.Errorf("prepare the messages: %w", errors.Join(slices.Collect(maps.Values(failed))...))
		}
		prepared = append(prepared, c.batch)
		c.batch = nil
	}
	return prepared, nil
}

// consumeTributary is the subscriber's side as the stats service has it, with a
// batching store unless the variant is single.
func consumeTributary(ctx context.Context, c *consuming) error {
	cfg := awsConfig(c.endpoint)
	metrics := replica.NewMetrics(prometheus.NewRegistry())
	direct := dynamostore.New(dynamodb.NewFromConfig(cfg), dynamostore.Config{Logger: logger()})
	store := replica.Store(direct)
	if !c.variant.single {
		batcher, err := replica.NewBatcher(direct, replica.BatcherConfig{Parallel: c.settings.Writers, Metrics: metrics})
		if err != nil {
			return err
		}
		store = batcher
	}
	if c.meter.record {
		store = noting{store, c.meter}
	}
	applier, err := newApplier(store, metrics)
	if err != nil {
		return err
	}
	catalog, err := contracts.NewCatalog(profilev1.Contract)
	if err != nil {
		return err
	}
	subscriber, err := sqssub.New(sqs.NewFromConfig(cfg, c.meter.client), sqssub.Config{
		Receivers: c.settings.Receivers, MaxInFlight: c.settings.InFlight,
		VisibilityTimeout: visibilityTimeout, HandlerTimeout: 20 * time.Second,
		DeadLetterQueue: queueName + "-dlq", DrainTimeout: time.Second, Logger: logger(),
	})
	if err != nil {
		return err
	}
	consumer, err := replica.NewConsumer(replica.ConsumerConfig{
		Service: "stats", Queue: queueName, Catalog: catalog, Appliers: []*replica.Applier{applier},
		Delayer: subscriber, Metrics: metrics, Logger: logger(),
	})
	if err != nil {
		return err
	}
	return errors.Join(consumer.Run(ctx, subscriber), subscriber.Close())
}

// noting notes when a write is durable, or known to be stale.
type noting struct {
	replica.Store
	meter *meter
}

func (n noting) Write(ctx context.Context, w replica.Write) (replica.WriteResult, error) {
	result, err := n.Store.Write(ctx, w)
	if err == nil {
		n.meter.settle(w.Key[keyAttribute].Text(), w.Version)
	}
	return result, err
}

// route runs a Watermill router with one handler until ctx ends.
func route(ctx context.Context, log watermill.LoggerAdapter, subscriber message.Subscriber, handler message.NoPublishHandlerFunc) error {
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: 5 * time.Second}, log)
	if err != nil {
		return err
	}
	router.AddConsumerHandler("profiles", queueName, subscriber, handler)
	return router.Run(ctx)
}
