// Package profileview keeps this service's copy of the companies' profiles:
// it joins the replica library to the service's queue and tables.
//
// It promises that every change in the queue ends in the tables, as
// pkg/replica promises it, or in the queue's dead-letter queue with the reason,
// and that a queue that is missing or unreachable keeps it trying and the
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

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
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

// Delays between attempts to subscribe to the queue.
const (
	firstRetry = time.Second
	maxRetry   = 30 * time.Second
)

// closeMargin is what the router waits beyond the subscriber's own drain.
const closeMargin = sqssub.HandBackTimeout + 2*time.Second

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
	v.applier, err = replica.NewApplier(replica.ApplierConfig{
		Contract: contract, Subscription: subscription, Tables: cfg.Manifest.Tables,
		Store: dynamostore.New(cfg.Database), Metrics: v.metrics,
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
// the queue.
func (v *View) Run(ctx context.Context) error {
	delay := firstRetry
	for {
		began := time.Now()
		err := v.consume(ctx)
		if ctx.Err() != nil {
			return err
		}
		if err == nil {
			err = errors.New("the subscription ended by itself")
		}
		v.note(err)
		if time.Since(began) > maxRetry {
			delay = firstRetry
		}
		v.cfg.Logger.ErrorContext(ctx, "queue not consumed", "queue", v.Queue(), "retry", delay.String(), "error", err)
		timer := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		delay = min(2*delay, maxRetry)
	}
}

// consume runs one subscription until ctx or the subscription ends.
func (v *View) consume(ctx context.Context) error {
	router, err := v.newRouter()
	if err != nil {
		return err
	}
	stopped := make(chan struct{})
	closed := make(chan error, 1)
	go func() {
		select {
		case <-router.Running():
			v.note(nil)
		case <-stopped:
		}
		select {
		case <-ctx.Done():
			v.note(errors.New("stopping"))
			closed <- router.Close()
		case <-stopped:
			closed <- router.Close() // it may have got as far as to subscribe
		}
	}()
	err = router.Run(context.WithoutCancel(ctx))
	close(stopped)
	return errors.Join(err, <-closed)
}

// newRouter returns a router with a subscriber of its own: closing a router
// closes its subscribers.
func (v *View) newRouter() (*message.Router, error) {
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
		return nil, err
	}
	consumer, err := replica.NewConsumer(replica.ConsumerConfig{
		Service: v.cfg.Manifest.Service, Queue: queue.Name, Catalog: v.catalog,
		Appliers: []*replica.Applier{v.applier}, Delayer: subscriber,
		Metrics: v.metrics, Logger: v.cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	router, err := message.NewRouter(
		message.RouterConfig{CloseTimeout: v.cfg.DrainTimeout + closeMargin},
		watermill.NewSlogLogger(v.cfg.Logger))
	if err != nil {
		return nil, err
	}
	router.AddConsumerHandler("profiles", queue.Name, subscriber, consumer.Handle)
	return router, nil
}
