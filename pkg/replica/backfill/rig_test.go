package backfill_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"go.uber.org/goleak"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	awssns "github.com/tributary-dev/tributary/pkg/localaws/sns"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/backfill"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/internal/accounttest"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/replicatest"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ownerManifest is of a service whose table holds more than companies.
const ownerManifest = accounttest.Owner + "    match: {kind: {equals: company}}\n"

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

// rig is an owner with its relay and the services that subscribe, on localaws
// and the real SDK, in virtual time.
type rig struct {
	*accounttest.Rig
	owner  *manifest.Manifest
	source *replica.Source

	mu         sync.Mutex
	deliveries map[string]int // by queue and origin, "stats/backfill"
}

func inRig(t *testing.T, cfg localaws.Config, test func(r *rig)) {
	t.Helper()
	r := &rig{owner: must(manifest.Parse("replication.yaml", []byte(ownerManifest))), deliveries: make(map[string]int)}
	r.source = must(replica.NewSource(r.owner.Service, r.owner.Publishes[0], profilev1.Contract))
	cfg.DisturbSNS, cfg.Logger = r.delivered, slog.New(slog.DiscardHandler)
	accounttest.Run(t, cfg, func(account *accounttest.Rig) {
		r.Rig = account
		r.Declare(r.owner)
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

func (r *rig) startRelay() {
	r.Start(func(ctx context.Context) error { return replicatest.Relay(ctx, r.Config, r.owner) })
}

// subscribe makes a service's tables, queue and subscription, with the filter
// policy given, or the manifest's.
func (r *rig) subscribe(service, filter string) (subscriptionARN string) {
	r.Helper()
	m := subscriberManifest(service)
	s := m.Subscribes[0]
	r.Table(m.Tables[0])
	r.Table(s.ControlTableSpec())
	return must(r.Subscribe(r.Context(), s, cmp.Or(filter, s.FilterPolicy(service))))
}

// nobody is the filter policy of a subscription that lets nothing through.
const nobody = `{"audience":["nobody"]}`

// filter changes a subscription's filter policy.
func (r *rig) filter(subscriptionARN, policy string) {
	r.Helper()
	_, err := r.Topics.SetSubscriptionAttributes(r.Context(), &sns.SetSubscriptionAttributesInput{
		SubscriptionArn: &subscriptionARN, AttributeName: aws.String("FilterPolicy"), AttributeValue: &policy})
	if err != nil {
		r.Fatal(err)
	}
}

// consume runs a service's consumer until the test ends, or it is stopped.
func (r *rig) consume(service string) (stop func()) {
	m := subscriberManifest(service)
	return r.Start(func(ctx context.Context) error { return replicatest.Consume(ctx, r.Config, m) })
}

// backlog is how many messages wait in a service's queue and are in flight.
func (r *rig) backlog(service string) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		url, err := r.Queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(service + "-company-profile-v1")})
		if err != nil {
			return 0, err
		}
		visible, inFlight, err := r.Depth(ctx, aws.ToString(url.QueueUrl))
		return visible + inFlight, err
	}
}

// backfill is a backfill to the stats service by a process whose calls go
// through a transport of its own.
func (r *rig) backfill(through http.RoundTripper, change func(*backfill.Config)) *backfill.Backfill {
	r.Helper()
	own := r.Config.Copy()
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
	r.Put("companies", item)
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
		page, at, err := dynamostore.NewScan(r.DB).Segment(r.Context(), table, 0, 1, next, 1000)
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
	topic := must(r.Topic(r.Context(), r.source.Topic()))
	must(r.Topics.DeleteTopic(r.Context(), &sns.DeleteTopicInput{TopicArn: &topic}))
}

func (r *rig) dropTable(name string) {
	must(r.DB.DeleteTable(r.Context(), &dynamodb.DeleteTableInput{TableName: &name}))
}

// deny lets nobody call an operation.
func (r *rig) deny(operation string) {
	denied := *localaws.Unavailable(localaws.SNS)
	denied.Code, denied.Message, denied.Status = "AuthorizationError", "not authorized", http.StatusForbidden
	r.Engine.SetFaults(func(call localaws.Call) localaws.Fault {
		if call.Operation != operation {
			return localaws.Fault{}
		}
		return localaws.Fault{Error: &denied}
	})
}
