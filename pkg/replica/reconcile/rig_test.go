package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/goleak"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/internal/accounttest"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/reconcile"
	"github.com/tributary-dev/tributary/pkg/replica/replicatest"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
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
	*accounttest.Rig
	store        *dynamostore.Store
	owner, stats *manifest.Manifest
	source       *replica.Source
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
	accounttest.Run(t, localaws.Config{}, func(account *accounttest.Rig) { test(newRig(account)) })
}

func newRig(account *accounttest.Rig) *rig {
	account.Helper()
	r := &rig{
		Rig: account, store: dynamostore.New(account.DB, dynamostore.Config{}),
		owner: must(manifest.Parse("replication.yaml", []byte(accounttest.Owner))),
		stats: must(manifest.Parse("replication.yaml", []byte(statsManifest))),
	}
	r.source = must(replica.NewSource(r.owner.Service, r.owner.Publishes[0], profilev1.Contract))
	r.Declare(r.owner, r.stats)
	return r
}

// laterCheckpoints is for a relay that knows nothing of an earlier one's.
var laterCheckpoints = manifest.Table{Name: "later-checkpoints", PartitionKey: manifest.KeyAttribute{Name: "id", Type: "S"}}

// start runs a relay and a consumer until halt.
func (r *rig) start() {
	r.Start(func(ctx context.Context) error { return replicatest.Relay(ctx, r.Config, r.owner) })
	r.startConsumer()
}

// startConsumer runs a consumer alone.
func (r *rig) startConsumer() {
	r.Start(func(ctx context.Context) error { return replicatest.Consume(ctx, r.Config, r.stats) })
}

func (r *rig) publisher() *snspub.Publisher { return must(snspub.New(r.Topics, snspub.Config{})) }

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
		_, err := r.DB.PutItem(r.Context(), in)
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
	r.Put(table, item)
}

func (r *rig) remove(table string, key contracts.Item) {
	r.Helper()
	if _, err := r.DB.DeleteItem(r.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: dynamostore.ToAttributes(key)}); err != nil {
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

func company(name string) contracts.Item { return accounttest.Company(name) }

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
	side := reconcile.Side{Scanner: dynamostore.NewScan(r.DB), Reader: r.store}
	return reconcile.Config{
		Source: r.source, Subscriber: r.stats.Service, Subscription: r.stats.Subscribes[0], Tables: r.stats.Tables,
		Owner: side, Local: side, Repair: repair, Publisher: r.publisher(), Stamps: dynamostore.NewSource(r.DB, "companies"),
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
