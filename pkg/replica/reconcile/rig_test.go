package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
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
	"go.uber.org/goleak"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/reconcile"
	"github.com/tributary-dev/tributary/pkg/replica/replicatest"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

func TestMain(m *testing.M) {
	if os.Getenv(serveEnv) != "" {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

const ownerManifest = `
service: profile
tables:
  - name: companies
    partition_key: {name: cik, type: S}
    stream: true
    ttl_attribute: expiresAt
  - name: profile-relay-checkpoints
    partition_key: {name: id, type: S}
publishes:
  - contract: company.profile/v1
    table: companies
    key: {cik: "{cik}"}
`

// statsManifest has a merged item replica in a table that other items share, a
// fan-out and a dedicated replica table.
const statsManifest = `
service: stats
tables:
  - name: company-stats
    partition_key: {name: pk, type: S}
  - name: watchlists
    partition_key: {name: user, type: S}
    sort_key: {name: cik, type: S}
    indexes:
      - name: by-cik
        partition_key: {name: cik, type: S}
        sort_key: {name: user, type: S}
        projection: keys_only
        include: [profileVersion, profileMapping]
  - name: entries
    partition_key: {name: id, type: S}
    ttl_attribute: sourceExpiresAt
subscribes:
  - contract: company.profile/v1
    attributes: [name, sector]
    replicas:
      - table: company-stats
        subject: "{cik}"
        key: {pk: "COMPANY#{cik}"}
        set: {companyName: name, sector: sector}
        version_attribute: profileVersion
        on_delete: clear
      - table: watchlists
        index: by-cik
        set: {companyName: name}
        version_attribute: profileVersion
        on_delete: clear
        second_pass: 5s
      - table: entries
        key: {id: subject}
        set: {title: {attribute: name, omit_empty: true}}
        version_attribute: sourceVersion
        on_delete: tombstone
`

// rig is an owner and a subscriber on localaws, in virtual time.
type rig struct {
	testing.TB
	engine       *localaws.Engine
	cfg          aws.Config
	db           *dynamodb.Client
	store        *dynamostore.Store
	owner, stats *manifest.Manifest
	source       *replica.Source

	running sync.WaitGroup
	stop    context.CancelFunc
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// inRig runs a test on the tables, queue and topic that the manifests declare.
// Nothing runs until start.
func inRig(t *testing.T, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(localaws.Config{})
		defer engine.Close()
		r := newRig(t, localawstest.Config(engine))
		r.engine = engine
		defer func() { r.halt() }()
		test(r)
	})
}

func newRig(t testing.TB, cfg aws.Config) *rig {
	t.Helper()
	r := &rig{
		TB: t, cfg: cfg, db: dynamodb.NewFromConfig(cfg),
		owner: must(manifest.Parse("replication.yaml", []byte(ownerManifest))),
		stats: must(manifest.Parse("replication.yaml", []byte(statsManifest))),
		stop:  func() {},
	}
	r.store = dynamostore.New(r.db, dynamostore.Config{})
	r.source = must(replica.NewSource(r.owner.Service, r.owner.Publishes[0], profilev1.Contract))
	for _, table := range append(r.owner.Tables, r.stats.Tables...) {
		r.create(table)
	}
	queues, topics, subscription := sqs.NewFromConfig(cfg), sns.NewFromConfig(cfg), r.stats.Subscribes[0]
	topic := must(topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &subscription.Topic}))
	for _, name := range []string{r.owner.Publishes[0].DeadLetterQueue, subscription.Queue.DeadLetterQueue, subscription.Queue.Name} {
		must(queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name), Attributes: map[string]string{
			"Policy": fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`, *topic.TopicArn),
		}}))
	}
	must(topics.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:000000000000:" + subscription.Queue.Name),
		Attributes: map[string]string{"RawMessageDelivery": "true", "FilterPolicy": subscription.FilterPolicy(r.stats.Service)},
	}))
	return r
}

func (r *rig) create(table manifest.Table) {
	r.Helper()
	in := &dynamodb.CreateTableInput{TableName: &table.Name, BillingMode: types.BillingModePayPerRequest}
	if table.Stream {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
	}
	kinds := types.KeyType("").Values()
	for i, k := range table.KeyAttributes() {
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &k.Name, KeyType: kinds[i]})
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &k.Name, AttributeType: types.ScalarAttributeType(k.Type)})
	}
	for _, ix := range table.Indexes {
		gsi := types.GlobalSecondaryIndex{IndexName: &ix.Name, Projection: &types.Projection{ProjectionType: "ALL"}}
		if len(ix.Include) > 0 {
			gsi.Projection = &types.Projection{ProjectionType: "INCLUDE", NonKeyAttributes: ix.Include}
		}
		for i, k := range ix.KeyAttributes() {
			if !slices.ContainsFunc(in.AttributeDefinitions, func(d types.AttributeDefinition) bool { return *d.AttributeName == k.Name }) {
				in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &k.Name, AttributeType: types.ScalarAttributeType(k.Type)})
			}
			gsi.KeySchema = append(gsi.KeySchema, types.KeySchemaElement{AttributeName: &k.Name, KeyType: kinds[i]})
		}
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, gsi)
	}
	if _, err := r.db.CreateTable(r.Context(), in); err != nil {
		r.Fatal(err)
	}
}

// laterCheckpoints is for a relay that knows nothing of an earlier one's.
var laterCheckpoints = manifest.Table{Name: "later-checkpoints", PartitionKey: manifest.KeyAttribute{Name: "id", Type: "S"}}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// start runs a relay and a consumer until halt.
func (r *rig) start() {
	ctx, stop := context.WithCancel(r.Context())
	r.stop = stop
	r.running.Go(func() { r.ends(r.relay(ctx)) })
	r.running.Go(func() { r.ends(replicatest.Consume(ctx, r.cfg, r.stats)) })
}

// startConsumer runs a consumer alone.
func (r *rig) startConsumer() {
	ctx, stop := context.WithCancel(r.Context())
	r.stop = stop
	r.running.Go(func() { r.ends(replicatest.Consume(ctx, r.cfg, r.stats)) })
}

func (r *rig) ends(err error) {
	if err != nil {
		r.Error(err)
	}
}

// halt stops what start started.
func (r *rig) halt() {
	r.stop()
	r.running.Wait()
}

func (r *rig) publisher() *snspub.Publisher {
	return must(snspub.New(sns.NewFromConfig(r.cfg), snspub.Config{}))
}

func (r *rig) relay(ctx context.Context) error {
	published := r.owner.Publishes[0]
	relay := must(replica.NewRelay(replica.RelayConfig{
		Sources: []*replica.Source{r.source}, Table: dynamostore.NewSource(r.db, published.Table), Publisher: r.publisher(),
		DeadLetters: sqssub.NewDeadLetters(sqs.NewFromConfig(r.cfg), published.DeadLetterQueue, published.Table), Logger: quiet,
	}))
	return must(dynamostream.NewPoller(dynamostream.PollerConfig{
		Table: published.Table, Streams: dynamodbstreams.NewFromConfig(r.cfg), Relay: relay, IdleWait: time.Second, DrainTimeout: time.Second,
		Checkpoints: dynamostore.NewCheckpoints(r.db, published.CheckpointTable, "relay"), Logger: quiet,
	})).Run(ctx)
}

// own is a write by the owner's repository; a nil set deletes.
func (r *rig) own(cik string, set contracts.Item) contracts.Version {
	r.Helper()
	for {
		old := r.read("companies", keyOf(cik))
		next := must(contracts.Next(time.Now(), contracts.VersionOf(old["version"], time.Now().Add(contracts.MaxAhead))))
		item := keyOf(cik)
		if set == nil {
			item["deleted"], item["expiresAt"] = contracts.Bool(true), replica.SourceTombstoneExpiry(time.Now(), next)
		} else {
			if !old["deleted"].Bool() {
				maps.Copy(item, old)
			}
			maps.Copy(item, set)
		}
		item["version"] = next.Value()
		in := &dynamodb.PutItemInput{
			TableName: aws.String("companies"), Item: dynamostore.ToAttributes(item),
			ConditionExpression: aws.String("attribute_not_exists(version)"),
		}
		if v, ok := old["version"]; ok {
			in.ConditionExpression = aws.String("version = :v")
			in.ExpressionAttributeValues = map[string]types.AttributeValue{":v": dynamostore.ToAttribute(v)}
		}
		_, err := r.db.PutItem(r.Context(), in)
		if _, lost := errors.AsType[*types.ConditionalCheckFailedException](err); lost {
			continue
		}
		if err != nil {
			r.Fatal(err)
		}
		return next
	}
}

func (r *rig) read(table string, key contracts.Item) contracts.Item {
	r.Helper()
	item, err := r.store.Read(r.Context(), table, key)
	if err != nil {
		r.Fatal(err)
	}
	return item
}

// put writes an item by nobody's rules.
func (r *rig) put(table string, item contracts.Item) {
	r.Helper()
	if _, err := r.db.PutItem(r.Context(), &dynamodb.PutItemInput{TableName: &table, Item: dynamostore.ToAttributes(item)}); err != nil {
		r.Fatal(err)
	}
}

// edit changes an item by nobody's rules; a zero value removes the attribute.
func (r *rig) edit(table string, key contracts.Item, set contracts.Item) {
	r.Helper()
	item := r.read(table, key)
	if item == nil {
		item = maps.Clone(key)
	}
	for name, v := range set {
		if v.IsZero() {
			delete(item, name)
		} else {
			item[name] = v
		}
	}
	r.put(table, item)
}

func (r *rig) remove(table string, key contracts.Item) {
	r.Helper()
	if _, err := r.db.DeleteItem(r.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: dynamostore.ToAttributes(key)}); err != nil {
		r.Fatal(err)
	}
}

// watch adds a watchlist entry as its service does.
func (r *rig) watch(user, cik string) {
	r.Helper()
	applier := must(replica.NewApplier(replica.ApplierConfig{
		Contract: profilev1.Contract, Subscription: r.stats.Subscribes[0], Tables: r.stats.Tables, Store: r.store,
	}))
	if err := applier.AddCopy(r.Context(), "watchlists", cik, entryKey(user, cik)); err != nil {
		r.Fatal(err)
	}
}

func keyOf(cik string) contracts.Item { return contracts.Item{"cik": contracts.String(cik)} }
func statsKey(cik string) contracts.Item {
	return contracts.Item{"pk": contracts.String("COMPANY#" + cik)}
}
func idKey(cik string) contracts.Item { return contracts.Item{"id": contracts.String(cik)} }
func entryKey(user, cik string) contracts.Item {
	return contracts.Item{"user": contracts.String(user), "cik": contracts.String(cik)}
}

func company(name string) contracts.Item {
	return contracts.Item{
		"name": contracts.String(name), "sector": contracts.String("Energy"), "subIndustry": contracts.String("Oil"),
		"headquarters": contracts.String("Houston"), "tickers": contracts.List(contracts.String("T")),
	}
}

// findings collects what a run reports.
type findings struct {
	mu       sync.Mutex
	found    []reconcile.Finding
	repaired map[string]error // by class, replica and subject
}

func (f *findings) add(found reconcile.Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.found = append(f.found, found)
}

func (f *findings) settled(found reconcile.Finding, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.repaired == nil {
		f.repaired = make(map[string]error)
	}
	f.repaired[named(found)] = err
}

// named names a finding in tests: "behind company-stats 7".
func named(f reconcile.Finding) string {
	text := string(f.Class)
	if f.Replica != "" {
		text += " " + f.Replica
	}
	text += " " + f.Subject
	if user := f.Key["user"].Text(); user != "" {
		text += " " + user
	}
	return text
}

func (f *findings) counted() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make(map[string]int)
	for _, found := range f.found {
		all[named(found)]++
	}
	return all
}

// config is one of a run over the rig's tables.
func (r *rig) config(repair bool, into *findings) reconcile.Config {
	side := reconcile.Side{Scanner: dynamostore.NewScan(r.db), Reader: r.store}
	return reconcile.Config{
		Source: r.source, Subscriber: r.stats.Service, Subscription: r.stats.Subscribes[0], Tables: r.stats.Tables,
		Owner: side, Local: side, Repair: repair, Publisher: r.publisher(), Stamps: dynamostore.NewSource(r.db, "companies"),
		Found: into.add, Repaired: into.settled, PageItems: 7, Segments: 3,
	}
}

// reconcile makes a whole run.
func (r *rig) reconcile(repair bool) (reconcile.Result, *findings) {
	r.Helper()
	into := &findings{}
	result, err := must(reconcile.New(r.config(repair, into))).Run(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	return result, into
}
