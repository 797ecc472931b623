package replay_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"go.uber.org/goleak"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	localsns "github.com/tributary-dev/tributary/pkg/localaws/sns"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/internal/accounttest"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/replay"
	"github.com/tributary-dev/tributary/pkg/replica/replicatest"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
	*accounttest.Rig
	source *replica.Source
	table  *dynamostore.Source
	rows   *dynamostore.Store

	catalog *contracts.Catalog
	deaf    atomic.Bool // what is meant for stats is lost

	mu         sync.Mutex
	deliveries []delivery
}

var subscribers = []string{"stats", "other"}

func inRig(t *testing.T, test func(r *rig)) {
	t.Helper()
	r := &rig{catalog: must(contracts.NewCatalog(profilev1.Contract))}
	accounttest.Run(t, localaws.Config{StreamShards: 2, DisturbSNS: r.deliver}, func(account *accounttest.Rig) {
		r.Rig = account
		r.rows, r.table = dynamostore.New(r.DB, dynamostore.Config{}), dynamostore.NewSource(r.DB, "companies")
		owner := must(manifest.Parse("replication.yaml", []byte(accounttest.Owner)))
		r.source = must(replica.NewSource("profile", owner.Publishes[0], profilev1.Contract))
		r.Declare(owner)
		for _, name := range subscribers {
			m := must(manifest.Parse("replication.yaml", fmt.Appendf(nil, subscriberText, name)))
			r.Declare(m)
			r.Start(func(ctx context.Context) error { return replicatest.Consume(ctx, r.Config, m) })
		}
		r.Start(func(ctx context.Context) error { return replicatest.Relay(ctx, r.Config, owner) })
		test(r)
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (r *rig) publisher() *snspub.Publisher { return must(snspub.New(r.Topics, snspub.Config{})) }

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

func keyOf(cik string) contracts.Item { return contracts.Item{"cik": contracts.String(cik)} }

func company(cik, name string) contracts.Item {
	item := accounttest.Company(name)
	item["cik"] = contracts.String(cik)
	return item
}

// put is a write by somebody who knows nothing of versions.
func (r *rig) put(item contracts.Item) {
	r.Helper()
	r.Put("companies", item)
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
	must(r.DB.DeleteItem(r.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("companies"), Key: dynamostore.ToAttributes(keyOf(cik))}))
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
		Source: r.source, Table: "companies", Streams: dynamodbstreams.NewFromConfig(r.Config), Publisher: r.publisher(),
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
