// Package profileview keeps this service's copy of the companies' profiles:
// it joins the replica library to the service's queue and tables.
//
// It promises that every change in the queue ends in the tables, as
// pkg/replica promises it, or in the queue's dead-letter queue with the reason;
// that a canary is acknowledged only once the subscription's control table has
// it; and that a queue that is missing or unreachable keeps it trying and the
// service's reads working. Which attributes are copied, where to and from which
// queue the manifest says, and nothing here.
package profileview

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// Config is what a View is made of. All of it is required.
type Config struct {
	Manifest *manifest.Manifest
	Database *dynamodb.Client
	Queues   *sqs.Client
	// MaxInFlight bounds the messages taken from the queue and not settled.
	MaxInFlight int
	// Receivers is the number of receive loops.
	Receivers int
	// DrainTimeout is what handlers get when the view stops.
	DrainTimeout time.Duration
	Metrics      prometheus.Registerer
	Logger       *slog.Logger
}

// View is the copy of the profiles. It is safe for concurrent use.
type View struct {
	cfg          Config
	subscription manifest.Subscription
	catalog      *contracts.Catalog
	metrics      *replica.Metrics
	applier      *replica.Applier

	mu    sync.Mutex
	state error // why it does not consume; nil while it does
}

// New makes a view from the manifest's subscription to company profiles. It
// calls nothing of AWS.
func New(cfg Config) (*View, error) {
	contract := profilev1.Contract
	subscription, ok := cfg.Manifest.Subscription(contract.ID())
	if !ok {
		return nil, fmt.Errorf("manifest of %s: it does not subscribe to %s", cfg.Manifest.Service, contract.ID())
	}
	catalog, err := contracts.NewCatalog(contract)
	if err != nil {
		return nil, err
	}
	v := &View{
		cfg: cfg, subscription: subscription, catalog: catalog,
		metrics: replica.NewMetrics(cfg.Metrics),
		state:   errors.New("not started"),
	}
	store, err := replica.NewBatcher(dynamostore.New(cfg.Database, dynamostore.Config{Logger: cfg.Logger}),
		replica.BatcherConfig{Metrics: v.metrics})
	if err != nil {
		return nil, err
	}
	v.applier, err = replica.NewApplier(replica.ApplierConfig{
		Contract: contract, Subscription: subscription, Tables: cfg.Manifest.Tables,
		Store: store, Metrics: v.metrics,
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// Queue returns the name of the queue the changes come from.
func (v *View) Queue() string { return v.subscription.Queue.Name }

// AddCopy stores a new local item with its copy; see replica.Applier.
func (v *View) AddCopy(ctx context.Context, table, subject string, item contracts.Item) error {
	return v.applier.AddCopy(ctx, table, subject, item)
}

// Ready says why changes are not being consumed, nil while they are.
func (v *View) Ready() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.state == nil {
		return nil
	}
	return fmt.Errorf("queue %s is not consumed: %w", v.Queue(), v.state)
}

func (v *View) note(state error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.state = state
}

// Run consumes changes until ctx ends, and then lets what is under way finish
// for DrainTimeout. Where the queue is missing or unreachable it tries again,
// for as long as it takes: the service's reads and its own writes do not need
// the queue. Run is called once.
func (v *View) Run(ctx context.Context) error {
	queue := v.subscription.Queue
	subscriber, err := sqssub.New(v.cfg.Queues, sqssub.Config{
		Receivers: v.cfg.Receivers, MaxInFlight: v.cfg.MaxInFlight,
		VisibilityTimeout: time.Duration(queue.VisibilityTimeout),
		HandlerTimeout:    time.Duration(queue.HandlerTimeout),
		DeadLetterQueue:   queue.DeadLetterQueue,
		DrainTimeout:      v.cfg.DrainTimeout,
		Logger:            v.cfg.Logger,
	})
	if err != nil {
		return err
	}
	consumer, err := replica.NewConsumer(replica.ConsumerConfig{
		Service: v.cfg.Manifest.Service, Queue: v.Queue(), Catalog: v.catalog,
		Appliers: []*replica.Applier{v.applier}, Delayer: subscriber,
		Canaries: dynamostore.NewCanaries(v.cfg.Database, v.subscription.ControlTable),
		Metrics:  v.metrics, Logger: v.cfg.Logger,
	})
	if err != nil {
		return err
	}
	runErr := consumer.Run(ctx, &patient{Subscriber: subscriber, note: v.note, logger: v.cfg.Logger})
	v.note(errors.New("it has stopped"))
	return errors.Join(runErr, subscriber.Close())
}
