package replicatest

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/internal/accounttest"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// Owner is the service that owns company.profile/v1. What is left out is the
// simulator's own, made as the library means it.
type Owner struct {
	// Manifest is its replication.yaml. Its one publication is of
	// company.profile/v1; the source table's key is one string, the subject.
	Manifest string
	// Open makes the service's own repository for one write, by a process whose
	// clock says now. Everything it does to AWS it does by cfg, whose calls
	// meet the weather too.
	Open func(cfg aws.Config, m *manifest.Manifest, now func() time.Time) (Repository, error)
	// Relay is a process of the owner's relay: it publishes until ctx ends, and
	// then returns nil within seconds. Up to two run at once. Everything it does
	// to AWS it does by cfg.
	Relay func(ctx context.Context, cfg aws.Config, m *manifest.Manifest) error
}

// Repository makes the owner's own writes, each to the next version. Items are
// the contract's attributes. Writes that others make at the same moment are
// theirs to cope with: a call fails where its caller would be told so, by
// ErrRefused where that is as it should be, and any other error fails the
// simulation.
type Repository interface {
	// Put gives a subject exactly this shared state, whether it is there or not.
	Put(ctx context.Context, subject string, shared contracts.Item) error
	// Patch sets single attributes of a subject.
	Patch(ctx context.Context, subject string, set contracts.Item) error
	// Delete leaves a tombstone.
	Delete(ctx context.Context, subject string) error
}

// ErrRefused is how a Repository refuses a write: there is no such item, others
// have damaged it, or they were faster every time. The plan goes on.
var ErrRefused = errors.New("the service refuses the write")

// withDefaults fills in what is left out.
func (o Owner) withDefaults() Owner {
	if o.Manifest == "" {
		o.Manifest = accounttest.Owner
	}
	if o.Open == nil {
		o.Open = openVersioned
	}
	if o.Relay == nil {
		o.Relay = Relay
	}
	return o
}

// Relay runs the library's relay behind a poller, as the owner does.
func Relay(ctx context.Context, cfg aws.Config, m *manifest.Manifest) error {
	published := m.Publishes[0]
	source, err := replica.NewSource(m.Service, published, profilev1.Contract)
	if err != nil {
		return err
	}
	publisher, err := snspub.New(sns.NewFromConfig(cfg), snspub.Config{})
	if err != nil {
		return err
	}
	db := dynamodb.NewFromConfig(cfg)
	r, err := replica.NewRelay(replica.RelayConfig{
		Sources: []*replica.Source{source}, Table: dynamostore.NewSource(db, published.Table), Publisher: publisher,
		DeadLetters: sqssub.NewDeadLetters(sqs.NewFromConfig(cfg), published.DeadLetterQueue, published.Table), Logger: quiet,
	})
	if err != nil {
		return err
	}
	poller, err := dynamostream.NewPoller(dynamostream.PollerConfig{
		Table: published.Table, Streams: dynamodbstreams.NewFromConfig(cfg), Relay: r,
		Checkpoints: dynamostore.NewCheckpoints(db, published.CheckpointTable, "relay"),
		IdleWait:    6 * time.Second, DrainTimeout: drain, Logger: quiet,
	})
	if err != nil {
		return err
	}
	return poller.Run(ctx)
}
