package replicatest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/internal/accounttest"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// Subscriber is a service that keeps copies of company.profile/v1.
type Subscriber struct {
	// Manifest is its replication.yaml. Its one subscription is to
	// company.profile/v1, and it declares its tables; keys are strings, and an
	// item replica's key is the subject.
	Manifest string
	// Consume is a process of the service's consumer: it consumes until ctx
	// ends, and then returns nil within seconds. Several run at once. Everything
	// it does to AWS it does by cfg. It notes canaries in the subscription's
	// control table, without which a backfill never begins. Nil for the library's
	// own consumer.
	Consume func(ctx context.Context, cfg aws.Config, m *manifest.Manifest) error
	// Open makes what writes the service's own items beside the copies, which
	// does everything it does to AWS by cfg. Nil for one made from the manifest.
	Open func(cfg aws.Config, m *manifest.Manifest) (LocalItems, error)
}

// withDefaults fills in what is left out.
func (s Subscriber) withDefaults() Subscriber {
	if s.Consume == nil {
		s.Consume = Consume
	}
	if s.Open == nil {
		s.Open = openMerged
	}
	return s
}

// Subscribers are a service that merges copies into its own items and fans them
// out, and one with a dedicated replica table and another filter.
func Subscribers() []Subscriber {
	return []Subscriber{{Manifest: accounttest.Stats + `        second_pass: 10s
`}, {Consume: leisurely, Manifest: `
service: directory
tables:
  - name: entries
    partition_key: {name: id, type: S}
    ttl_attribute: sourceExpiresAt
subscribes:
  - contract: company.profile/v1
    attributes: [name]
    queue: {visibility_timeout: 10s, max_receive_count: 6}
    replicas:
      - table: entries
        key: {id: subject}
        set: {title: name}
        version_attribute: sourceVersion
        on_delete: tombstone
`}}
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// drain is how long processes that stop may finish what they do.
const drain = time.Second

// Consume runs the library's consumer, as a service does.
func Consume(ctx context.Context, cfg aws.Config, m *manifest.Manifest) error {
	return consume(ctx, cfg, m, time.Duration(m.Subscribes[0].Queue.HandlerTimeout))
}

// leisurely consumes without a bound on how long a change may take, so that a
// message is held for longer than its visibility timeout.
func leisurely(ctx context.Context, cfg aws.Config, m *manifest.Manifest) error {
	return consume(ctx, cfg, m, 0)
}

func consume(ctx context.Context, cfg aws.Config, m *manifest.Manifest, handlerTimeout time.Duration) error {
	applier, err := newApplier(cfg, m)
	if err != nil {
		return err
	}
	queue := m.Subscribes[0].Queue
	subscriber, err := sqssub.New(sqs.NewFromConfig(cfg), sqssub.Config{
		VisibilityTimeout: time.Duration(queue.VisibilityTimeout), HandlerTimeout: handlerTimeout,
		DeadLetterQueue: queue.DeadLetterQueue, DrainTimeout: drain,
		NackBackoff: sqssub.Backoff{Base: time.Second, Max: 30 * time.Second},
	})
	if err != nil {
		return err
	}
	catalog, err := contracts.NewCatalog(profilev1.Contract)
	if err != nil {
		return err
	}
	consumer, err := replica.NewConsumer(replica.ConsumerConfig{
		Service: m.Service, Queue: queue.Name, Catalog: catalog, Appliers: []*replica.Applier{applier}, Delayer: subscriber, Logger: quiet,
		Canaries: dynamostore.NewCanaries(dynamodb.NewFromConfig(cfg), m.Subscribes[0].ControlTable),
	})
	if err != nil {
		return err
	}
	for {
		err := consumer.Run(ctx, subscriber)
		if ctx.Err() != nil {
			return nil
		}
		// The queue could not be looked up: as services do, try again.
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
		if err == nil {
			return fmt.Errorf("consume %s: it ended by itself", queue.Name)
		}
	}
}

func newApplier(cfg aws.Config, m *manifest.Manifest) (*replica.Applier, error) {
	store, err := replica.NewBatcher(dynamostore.New(dynamodb.NewFromConfig(cfg), dynamostore.Config{}), replica.BatcherConfig{})
	if err != nil {
		return nil, err
	}
	return replica.NewApplier(replica.ApplierConfig{
		Contract: profilev1.Contract, Subscription: m.Subscribes[0], Tables: m.Tables, Store: store,
	})
}
