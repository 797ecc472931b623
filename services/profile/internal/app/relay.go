package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// Relay publishes the companies' changes, ready to run once: by Run, which
// follows the table's stream itself, or as Lambda's function.
type Relay struct {
	cfg       RelayConfig
	logger    *slog.Logger
	registry  *prometheus.Registry
	needs     needs
	publisher *snspub.Publisher
	relay     *replica.Relay
	poller    *dynamostream.Poller
	waiting   atomic.Pointer[error] // for AWS, and why; nil if it does not
	stopping  atomic.Bool
}

// NewRelay wires the relay. It calls nothing of AWS.
func NewRelay(cfg RelayConfig, awsCfg aws.Config, logger *slog.Logger) (*Relay, error) {
	m, publication, err := declared()
	if err != nil {
		return nil, err
	}
	publication.Topic = cmp.Or(cfg.TopicARN, publication.Topic)
	publication.DeadLetterQueue = cmp.Or(cfg.DeadLetterQueue, publication.DeadLetterQueue)
	source, err := replica.NewSource(m.Service, publication, profilev1.Contract)
	if err != nil {
		return nil, err
	}
	logger = logger.With("service", m.Service)
	var (
		database = dynamodb.NewFromConfig(awsCfg)
		topics   = sns.NewFromConfig(awsCfg)
		queues   = sqs.NewFromConfig(awsCfg)
	)
	r := &Relay{
		cfg: cfg, logger: logger, registry: newRegistry(),
		needs: needs{database: database, topics: topics, queues: queues, publication: publication, underLambda: cfg.UnderLambda(), logger: logger},
	}
	if r.publisher, err = snspub.New(topics, snspub.Config{Logger: logger}); err != nil {
		return nil, err
	}
	r.relay, err = replica.NewRelay(replica.RelayConfig{
		Sources:     []*replica.Source{source},
		Table:       dynamostore.NewSource(database, publication.Table),
		Publisher:   r.publisher,
		DeadLetters: sqssub.NewDeadLetters(queues, publication.DeadLetterQueue, "table/"+publication.Table+"/stream"),
		Metrics:     replica.NewMetrics(r.registry),
		Logger:      logger,
	})
	if err != nil {
		return nil, err
	}
	r.poller, err = dynamostream.NewPoller(dynamostream.PollerConfig{
		Table:        publication.Table,
		Streams:      dynamodbstreams.NewFromConfig(awsCfg),
		Relay:        r.relay,
		Checkpoints:  dynamostore.NewCheckpoints(database, publication.CheckpointTable, m.Service),
		IdleWait:     cfg.PollInterval,
		DrainTimeout: cfg.DrainTimeout,
		Logger:       logger,
	})
	return r, err
}

// LambdaFunction is what an event source mapping calls.
type LambdaFunction func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error)

// Lambda returns the function to be handed to the Lambda runtime, or says what
// the relay lacks. Where AWS cannot be asked the function is returned all the
// same: what it is called with then fails, and Lambda calls it again.
func (r *Relay) Lambda(ctx context.Context) (LambdaFunction, error) {
	lacking, unseen := r.needs.look(ctx, lambdaLookTimeout)
	if lacking != nil {
		return nil, lacking
	}
	if unseen != nil {
		r.logger.WarnContext(ctx, "started without a look at what is needed", "error", unseen)
	}
	return dynamostream.LambdaHandler(r.relay, r.logger), nil
}

// Run follows the stream until ctx ends, and serves health and metrics at the
// configured address, if there is one. It says what is missing and returns
// where the relay could not do its work; while AWS cannot be reached it waits,
// and is not ready.
func (r *Relay) Run(ctx context.Context) error {
	if r.cfg.Addr == "" {
		return r.Serve(ctx, nil)
	}
	listener, err := listen(ctx, "RELAY_ADDR", r.cfg.Addr)
	if err != nil {
		return err
	}
	return r.Serve(ctx, listener)
}

// Serve is Run with a listener, which it closes; nil for none.
func (r *Relay) Serve(ctx context.Context, listener net.Listener) error {
	running, stop := context.WithCancel(ctx)
	defer stop()
	followed, served := make(chan error, 1), make(chan error, 1)
	go func() {
		defer stop()
		followed <- r.follow(running)
	}()
	if listener == nil {
		served <- nil
	} else {
		r.logger.Info("serving", "address", listener.Addr().String())
		go func() {
			defer stop()
			served <- server{
				handler: r.health(), logger: r.logger, requestTimeout: healthTimeout, drainTimeout: r.cfg.DrainTimeout,
				stopping: func() {},
			}.run(running, listener)
		}()
	}
	<-running.Done()
	r.stopping.Store(true)
	r.logger.Info("stopping", "drain", r.cfg.DrainTimeout.String())
	err := errors.Join(<-followed, <-served, r.publisher.Close())
	r.logger.Info("stopped")
	return err
}

// follow waits for what the relay needs and then follows the stream until ctx
// ends.
func (r *Relay) follow(ctx context.Context) error {
	err := r.needs.await(ctx, func(why error) {
		if why == nil {
			r.waiting.Store(nil)
			return
		}
		r.waiting.Store(&why)
	})
	switch {
	case ctx.Err() != nil:
		return nil // a stop while it waited
	case err != nil:
		return err
	}
	r.logger.Info("following", "table", r.needs.publication.Table, "topic", r.needs.publication.Topic)
	return r.poller.Run(ctx)
}
