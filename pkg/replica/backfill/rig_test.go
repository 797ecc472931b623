package backfill_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"go.uber.org/goleak"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	awssns "github.com/tributary-dev/tributary/pkg/localaws/sns"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/backfill"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ownerManifest = `
service: profile
tables:
  - {name: companies, partition_key: {name: cik, type: S}, stream: true, ttl_attribute: expiresAt}
publishes:
  - contract: company.profile/v1
    table: companies
    key: {cik: "{cik}"}
    match: {kind: {equals: company}}
`

// subscriberManifest is of a service that copies name and sector.
func subscriberManifest(service string) *manifest.Manifest {
	return must(manifest.Parse("replication.yaml", []byte(`
service: `+service+`
tables:
  - {name: `+service+`-copies, partition_key: {name: cik, type: S}}
subscribes:
  - contract: company.profile/v1
    attributes: [name, sector]
    replicas:
      - {table: `+service+`-copies, key: {cik: subject}, set: {companyName: name, sector: sector}, version_attribute: profileVersion}
`)))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// rig is an owner with its relay and the services that subscribe, on localaws
// and the real SDK, in virtual time.
type rig struct {
	*testing.T
	engine *localaws.Engine
	cfg    aws.Config
	db     *dynamodb.Client
	owner  *manifest.Manifest
	source *replica.Source
	topic  string // ARN

	running sync.WaitGroup
	stops   []func()

	mu         sync.Mutex
	deliveries map[string]int // by queue and origin, "stats/backfill"
}

func inRig(t *testing.T, cfg localaws.Config, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, owner: must(manifest.Parse("replication.yaml", []byte(ownerManifest))), deliveries: make(map[string]int)}
		cfg.DisturbSNS, cfg.Logger = r.delivered, quiet
		r.engine = localaws.New(cfg)
		defer r.engine.Close()
		r.cfg = localawstest.Config(r.engine)
		r.db = dynamodb.NewFromConfig(r.cfg)
		r.source = must(replica.NewSource(r.owner.Service, r.owner.Publishes[0], profilev1.Contract))
		r.create(r.owner.Tables[0])
		r.create(r.owner.Publishes[0].CheckpointTableSpec())
		r.topic = aws.ToString(must(sns.NewFromConfig(r.cfg).CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String(r.source.Topic())})).TopicArn)
		defer r.running.Wait()
		defer func() {
			for _, stop := range r.stops {
				stop()
			}
		}()
		test(r)
	})
}

// delivered counts what reaches each subscriber's queue, by origin.
func (r *rig) delivered(d awssns.Delivery) []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deliveries[d.QueueARN[len("arn:aws:sqs:us-east-1:000000000000:"):]+"/"+d.Attributes["operation"].StringValue+"/"+d.Attributes["origin"].StringValue]++
	return []time.Duration{0}
}

func (r *rig) got(service, operation, origin string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.deliveries[service+"-company-profile-v1/"+operation+"/"+origin]
}

func (r *rig) create(t manifest.Table) {
	r.Helper()
	in := &dynamodb.CreateTableInput{
		TableName: &t.Name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &t.PartitionKey.Name, AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: &t.PartitionKey.Name, KeyType: types.KeyTypeHash}},
	}
	if t.Stream {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
	}
	if _, err := r.db.CreateTable(r.Context(), in); err != nil {
		r.Fatal(err)
	}
}

// start runs a process until the test ends, or it is stopped.
func (r *rig) start(run func(ctx context.Context) error) (stop func()) {
	ctx, stop := context.WithCancel(r.Context())
	r.stops = append(r.stops, stop)
	r.running.Go(func() {
		if err := run(ctx); err != nil {
			r.Error(err)
		}
	})
	return stop
}

func (r *rig) startRelay() {
	relay := must(replica.NewRelay(replica.RelayConfig{
		Sources: []*replica.Source{r.source}, Table: dynamostore.NewSource(r.db, "companies"), Logger: quiet,
		Publisher:   must(snspub.New(sns.NewFromConfig(r.cfg), snspub.Config{})),
		DeadLetters: sqssub.NewDeadLetters(sqs.NewFromConfig(r.cfg), "none", "companies"),
	}))
	r.start(must(dynamostream.NewPoller(dynamostream.PollerConfig{
		Table: "companies", Streams: dynamodbstreams.NewFromConfig(r.cfg), Relay: relay, Logger: quiet, DrainTimeout: time.Second, IdleWait: 5 * time.Second,
		Checkpoints: dynamostore.NewCheckpoints(r.db, r.owner.Publishes[0].CheckpointTable, "relay"),
	})).Run)
}

// subscribe makes a service's tables, queue and subscription, with the filter
// policy given, or the manifest's.
func (r *rig) subscribe(service, filter string) (subscriptionARN string) {
	r.Helper()
	m := subscriberManifest(service)
	s := m.Subscribes[0]
	r.create(m.Tables[0])
	r.create(s.ControlTableSpec())
	queues := sqs.NewFromConfig(r.cfg)
	must(queues.CreateQueue(r.Context(), &sqs.CreateQueueInput{QueueName: &s.Queue.Name, Attributes: map[string]string{
		"Policy": fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`, r.topic),
	}}))
	out := must(sns.NewFromConfig(r.cfg).Subscribe(r.Context(), &sns.SubscribeInput{TopicArn: &r.topic, Protocol: aws.String("sqs"),
		Endpoint:              aws.String("arn:aws:sqs:us-east-1:000000000000:" + s.Queue.Name),
		Attributes:            map[string]string{"RawMessageDelivery": "true", "FilterPolicy": cmp.Or(filter, s.FilterPolicy(service))},
		ReturnSubscriptionArn: true}))
	return aws.ToString(out.SubscriptionArn)
}

// nobody is the filter policy of a subscription that lets nothing through.
const nobody = `{"audience":["nobody"]}`

// filter changes a subscription's filter policy.
func (r *rig) filter(subscriptionARN, policy string) {
	r.Helper()
	_, err := sns.NewFromConfig(r.cfg).SetSubscriptionAttributes(r.Context(), &sns.SetSubscriptionAttributesInput{
		SubscriptionArn: &subscriptionARN, AttributeName: aws.String("FilterPolicy"), AttributeValue: &policy})
	if err != nil {
		r.Fatal(err)
	}
}

// consume runs a service's consumer until the test ends, or it is stopped.
func (r *rig) consume(service string) (stop func()) {
	m := subscriberManifest(service)
	s := m.Subscribes[0]
	from := must(sqssub.New(sqs.NewFromConfig(r.cfg), sqssub.Config{DrainTimeout: time.Second}))
	store := must(replica.NewBatcher(dynamostore.New(r.db, dynamostore.Config{}), replica.BatcherConfig{}))
	consumer := must(replica.NewConsumer(replica.ConsumerConfig{
		Service: service, Queue: s.Queue.Name, Catalog: must(contracts.NewCatalog(profilev1.Contract)), Logger: quiet,
		Appliers: []*replica.Applier{must(replica.NewApplier(replica.ApplierConfig{Contract: profilev1.Contract, Subscription: s, Tables: m.Tables, Store: store}))},
		Canaries: dynamostore.NewCanaries(r.db, s.ControlTable),
	}))
	return r.start(func(ctx context.Context) error { return consumer.Run(ctx, from) })
}

// backlog is how many messages wait in a service's queue and are in flight.
func (r *rig) backlog(service string) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		queues := sqs.NewFromConfig(r.cfg)
		url, err := queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(service + "-company-profile-v1")})
		if err != nil {
			return 0, err
		}
		out, err := queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{
			sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible}})
		if err != nil {
			return 0, err
		}
		sum := 0
		for _, n := range out.Attributes {
			sum += must(strconv.Atoi(n))
		}
		return sum, nil
	}
}

// backfill is a backfill to the stats service by a process whose calls go
// through a transport of its own.
func (r *rig) backfill(through http.RoundTripper, change func(*backfill.Config)) *backfill.Backfill {
	r.Helper()
	own := r.cfg.Copy()
	if through != nil {
		own.HTTPClient = &http.Client{Transport: through}
	}
	db := dynamodb.NewFromConfig(own)
	m := subscriberManifest("stats")
	cfg := backfill.Config{
		Source: r.source, Table: dynamostore.NewSource(db, "companies"), Scanner: dynamostore.NewScan(db),
		Publisher:  must(snspub.New(sns.NewFromConfig(own), snspub.Config{})),
		Subscriber: m.Service, Attributes: m.Subscribes[0].Attributes,
		Canaries: dynamostore.NewCanaries(db, m.Subscribes[0].ControlTable),
		Runs:     dynamostore.NewProgress(db, r.owner.Publishes[0].CheckpointTable),
	}
	if change != nil {
		change(&cfg)
	}
	return must(backfill.New(cfg))
}

// put is a foreign write of a whole item.
func (r *rig) put(item contracts.Item) {
	r.Helper()
	_, err := r.db.PutItem(r.Context(), &dynamodb.PutItemInput{TableName: aws.String("companies"), Item: dynamostore.ToAttributes(item)})
	if err != nil {
		r.Fatal(err)
	}
}

// company is a live item; version 0 for none.
func company(cik int, name string, version contracts.Version) contracts.Item {
	item := contracts.Item{"cik": contracts.String(fmt.Sprint(cik)), "kind": contracts.String("company"), "name": contracts.String(name), "sector": contracts.String("Energy")}
	if version != 0 {
		item["version"] = version.Value()
	}
	return item
}

// fill puts n companies with versions of now.
func (r *rig) fill(n int) {
	for i := range n {
		r.put(company(i, fmt.Sprint("Company ", i), contracts.VersionAt(time.Now())))
	}
}

// items returns every item of a table by its cik.
func (r *rig) items(table string) map[string]contracts.Item {
	r.Helper()
	items := make(map[string]contracts.Item)
	var next contracts.Item
	for {
		page, at, err := dynamostore.NewScan(r.db).Segment(r.Context(), table, 0, 1, next, 1000)
		if err != nil {
			r.Fatal(err)
		}
		for _, item := range page {
			items[item["cik"].Text()] = item
		}
		if next = at; next == nil {
			return items
		}
	}
}

// agree fails unless a service's copies are exactly what the source has.
func (r *rig) agree(service string) {
	r.Helper()
	source, copies := r.items("companies"), r.items(service+"-copies")
	for cik, item := range source {
		snap, _, err := r.source.Snapshot(item, time.Now())
		if err != nil {
			r.Fatal(err)
		}
		has := copies[cik]
		if !has["companyName"].Equal(snap.Shared["name"]) || !has["sector"].Equal(snap.Shared["sector"]) ||
			snap.Live && has["profileVersion"].Text() != snap.Version.String() {
			r.Errorf("%s of %s is %v, the source has %v", service, cik, has, item)
		}
	}
	for cik, has := range copies {
		if _, held := has["companyName"]; held && source[cik] == nil {
			r.Errorf("%s has %v of %s, the source nothing", service, has, cik)
		}
	}
}

func (r *rig) dropTopic() {
	must(sns.NewFromConfig(r.cfg).DeleteTopic(r.Context(), &sns.DeleteTopicInput{TopicArn: &r.topic}))
}

func (r *rig) dropTable(name string) {
	must(r.db.DeleteTable(r.Context(), &dynamodb.DeleteTableInput{TableName: &name}))
}

// deny lets nobody call an operation.
func (r *rig) deny(operation string) {
	denied := *localaws.Unavailable(localaws.SNS)
	denied.Code, denied.Message, denied.Status = "AuthorizationError", "not authorized", http.StatusForbidden
	r.engine.SetFaults(func(call localaws.Call) localaws.Fault {
		if call.Operation != operation {
			return localaws.Fault{}
		}
		return localaws.Fault{Error: &denied}
	})
}
