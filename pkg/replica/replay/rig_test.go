package replay_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"go.uber.org/goleak"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	localsns "github.com/tributary-dev/tributary/pkg/localaws/sns"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/replay"
	"github.com/tributary-dev/tributary/pkg/replica/replicatest"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ownerText = `
service: profile
publishes:
  - contract: company.profile/v1
    table: companies
    key: {cik: "{cik}"}
`

// subscriberText is a subscriber's manifest but for its name.
const subscriberText = `
service: %[1]s
tables:
  - name: %[1]s-copies
    partition_key: {name: cik, type: S}
subscribes:
  - contract: company.profile/v1
    attributes: [name]
    replicas:
      - table: %[1]s-copies
        key: {cik: subject}
        set: {companyName: name}
        version_attribute: profileVersion
        on_delete: clear
`

// delivery is a message on its way to a subscriber's queue.
type delivery struct {
	queue    string
	audience string
	change   *contracts.Change
}

// rig is an owner, its relay, and two subscribers with their consumers, on
// localaws in virtual time.
type rig struct {
	*testing.T
	engine  *localaws.Engine
	cfg     aws.Config
	db      *dynamodb.Client
	source  *replica.Source
	table   *dynamostore.Source
	rows    *dynamostore.Store
	running sync.WaitGroup
	stop    context.CancelFunc

	catalog *contracts.Catalog
	deaf    atomic.Bool // what is meant for stats is lost

	mu         sync.Mutex
	deliveries []delivery
}

var subscribers = []string{"stats", "other"}

func inRig(t *testing.T, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, catalog: must(contracts.NewCatalog(profilev1.Contract))}
		r.engine = localaws.New(localaws.Config{StreamShards: 2, DisturbSNS: r.deliver})
		defer r.engine.Close()
		r.cfg = localawstest.Config(r.engine)
		r.db = dynamodb.NewFromConfig(r.cfg)
		r.rows = dynamostore.New(r.db, dynamostore.Config{})
		r.table = dynamostore.NewSource(r.db, "companies")
		r.createTable("companies", true)
		r.createTable("places", false)
		owner := must(manifest.Parse("replication.yaml", []byte(ownerText)))
		r.source = must(replica.NewSource("profile", owner.Publishes[0], profilev1.Contract))
		topics := sns.NewFromConfig(r.cfg)
		topic := must(topics.CreateTopic(r.Context(), &sns.CreateTopicInput{Name: aws.String(r.source.Topic())})).TopicArn
		r.createQueue("profile-dlq", nil)
		ctx, stop := context.WithCancel(r.Context())
		r.stop = stop
		defer r.running.Wait()
		defer stop()
		for _, name := range subscribers {
			m := must(manifest.Parse("replication.yaml", fmt.Appendf(nil, subscriberText, name)))
			r.createTable(name+"-copies", false)
			s := m.Subscribes[0]
			r.createQueue(s.Queue.DeadLetterQueue, nil)
			r.createQueue(s.Queue.Name, map[string]string{
				"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:%s","maxReceiveCount":5}`, s.Queue.DeadLetterQueue),
				"Policy":        `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*"}]}`,
			})
			must(topics.Subscribe(r.Context(), &sns.SubscribeInput{TopicArn: topic, Protocol: aws.String("sqs"),
				Endpoint:   aws.String("arn:aws:sqs:us-east-1:000000000000:" + s.Queue.Name),
				Attributes: map[string]string{"RawMessageDelivery": "true", "FilterPolicy": s.FilterPolicy(m.Service)}}))
			r.running.Go(func() {
				if err := replicatest.Consume(ctx, r.cfg, m); err != nil {
					r.Error(err)
				}
			})
		}
		r.running.Go(func() { r.relay(ctx) })
		test(r)
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (r *rig) relay(ctx context.Context) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	relay := must(replica.NewRelay(replica.RelayConfig{
		Sources: []*replica.Source{r.source}, Table: r.table, Publisher: r.publisher(),
		DeadLetters: sqssub.NewDeadLetters(sqs.NewFromConfig(r.cfg), "profile-dlq", "companies"), Logger: quiet,
	}))
	poller := must(dynamostream.NewPoller(dynamostream.PollerConfig{
		Table: "companies", Streams: dynamodbstreams.NewFromConfig(r.cfg), Relay: relay,
		Checkpoints: dynamostore.NewCheckpoints(r.db, "places", "relay"), IdleWait: 5 * time.Second, Logger: quiet,
	}))
	if err := poller.Run(ctx); err != nil {
		r.Error(err)
	}
}

func (r *rig) publisher() *snspub.Publisher {
	return must(snspub.New(sns.NewFromConfig(r.cfg), snspub.Config{}))
}

// deliver notes a delivery, and loses it while stats is deaf.
func (r *rig) deliver(d localsns.Delivery) []time.Duration {
	change, err := contracts.Decode([]byte(d.Body), r.catalog)
	if err != nil {
		r.Error(err)
		return nil
	}
	queue := d.QueueARN[strings.LastIndex(d.QueueARN, ":")+1:]
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deliveries = append(r.deliveries, delivery{queue, d.Attributes["audience"].StringValue, change})
	if r.deaf.Load() && strings.HasPrefix(queue, "stats") && change.Origin == contracts.Live {
		return nil
	}
	return []time.Duration{0}
}

// delivered returns the deliveries of an origin.
func (r *rig) delivered(origin contracts.Origin) (found []delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.deliveries {
		if d.change.Origin == origin {
			found = append(found, d)
		}
	}
	return found
}

func (r *rig) createTable(name string, stream bool) {
	key := "cik"
	if name == "places" {
		key = "id"
	}
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &key, AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: &key, KeyType: types.KeyTypeHash}},
	}
	if stream {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
	}
	must(r.db.CreateTable(r.Context(), in))
}

func (r *rig) createQueue(name string, attributes map[string]string) {
	must(sqs.NewFromConfig(r.cfg).CreateQueue(r.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes}))
}

func keyOf(cik string) contracts.Item { return contracts.Item{"cik": contracts.String(cik)} }

func company(cik, name string) contracts.Item {
	return contracts.Item{
		"cik": contracts.String(cik), "name": contracts.String(name), "sector": contracts.String("Energy"),
		"subIndustry": contracts.String("Oil"), "headquarters": contracts.String("Houston"),
		"tickers": contracts.List(contracts.String("T")),
	}
}

// put is a write by somebody who knows nothing of versions.
func (r *rig) put(item contracts.Item) {
	r.Helper()
	must(r.db.PutItem(r.Context(), &dynamodb.PutItemInput{TableName: aws.String("companies"), Item: dynamostore.ToAttributes(item)}))
}

// own is a write by the owner: to the next version. Nothing else may write the
// item at the same time.
func (r *rig) own(item contracts.Item) {
	r.Helper()
	old := must(r.table.Read(r.Context(), keyOf(item["cik"].Text())))
	item["version"] = must(contracts.Next(time.Now(), contracts.VersionOf(old["version"], time.Now().Add(contracts.MaxAhead)))).Value()
	r.put(item)
}

// remove is a delete by somebody who knows nothing of tombstones.
func (r *rig) remove(cik string) {
	r.Helper()
	must(r.db.DeleteItem(r.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("companies"), Key: dynamostore.ToAttributes(keyOf(cik))}))
}

// wantEqual fails unless a subscriber's copies are what the source holds.
func (r *rig) wantEqual(subscriber string, ciks ...string) {
	r.Helper()
	for _, cik := range ciks {
		item := must(r.table.Read(r.Context(), keyOf(cik)))
		copied := must(r.rows.Read(r.Context(), subscriber+"-copies", keyOf(cik)))
		if got, want := copied["companyName"], item["name"]; !got.Equal(want) {
			r.Errorf("%s has %q of %s (version %s), the source %q (version %s)",
				subscriber, got.Text(), cik, copied["profileVersion"].Text(), want.Text(), item["version"].Text())
		}
	}
}

// replay runs one to stats; adjust may change its configuration.
func (r *rig) replay(since time.Time, adjust ...func(*replay.Config)) replay.Result {
	r.Helper()
	result, err := r.tryReplay(r.Context(), since, adjust...)
	if err != nil {
		r.Error(err)
	}
	return result
}

func (r *rig) tryReplay(ctx context.Context, since time.Time, adjust ...func(*replay.Config)) (replay.Result, error) {
	cfg := replay.Config{
		Source: r.source, Table: "companies", Streams: dynamodbstreams.NewFromConfig(r.cfg), Publisher: r.publisher(),
		Subscriber: "stats", Since: since,
	}
	for _, f := range adjust {
		f(&cfg)
	}
	run, err := replay.New(cfg)
	if err != nil {
		return replay.Result{}, err
	}
	return run.Run(ctx)
}

func (r *rig) settle() { time.Sleep(2 * time.Minute) } // virtual
