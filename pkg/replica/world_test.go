package replica_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

const companies = "companies"

// world is an owner's table with its relay, on localaws and the real SDK, in
// virtual time. What the relay publishes is collected.
type world struct {
	t      *testing.T
	engine *localaws.Engine
	db     *dynamodb.Client
	source *dynamostore.Source
	topic  *topic
	dlq    *letters
	places *places
	table  replica.SourceTable // what relays stamp through
	now    func() time.Time    // the relays' clock

	sourceTable string // companies

	sources   []*replica.Source // of the profile contract, where nothing else is said
	publisher message.Publisher // topic
}

func inWorld(t *testing.T, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(localaws.Config{})
		defer engine.Close()
		db := dynamodb.NewFromConfig(localawstest.Config(engine))
		createTable(t, db, companies, true)
		w := &world{
			t: t, engine: engine, db: db,
			source: dynamostore.NewSource(db, companies),
			topic:  &topic{}, dlq: &letters{}, places: &places{}, now: time.Now, sourceTable: companies,
		}
		w.table = w.source
		f(w)
	})
}

func createTable(t *testing.T, db *dynamodb.Client, name string, stream bool) {
	t.Helper()
	in := &dynamodb.CreateTableInput{
		TableName:            aws.String(name),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("cik"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("cik"), KeyType: types.KeyTypeHash}},
	}
	if stream {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
	}
	if _, err := db.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

func (w *world) streams() *dynamodbstreams.Client {
	return dynamodbstreams.NewFromConfig(localawstest.Config(w.engine))
}

func (w *world) relay() *replica.Relay {
	w.t.Helper()
	if w.sources == nil {
		m := profileManifest(w.t)
		w.sources = []*replica.Source{must(replica.NewSource(m.Service, m.Publishes[0], profilev1.Contract))}
	}
	if w.publisher == nil {
		w.publisher = w.topic
	}
	relay, err := replica.NewRelay(replica.RelayConfig{
		Sources: w.sources, Table: w.table, Publisher: w.publisher, DeadLetters: w.dlq,
		Now: func() time.Time { return w.now() }, Logger: quiet,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return relay
}

func (w *world) store() *dynamostore.Store { return dynamostore.New(w.db, dynamostore.Config{}) }

func profileManifest(t testing.TB) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Parse("replication.yaml", []byte(`
service: profile
publishes:
  - contract: company.profile/v1
    table: companies
    key: {cik: "{cik}"}
`))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// relayFor runs a poller with the relay for a while of virtual time, long
// enough for everything that is in the stream to come through.
func (w *world) relayFor(d time.Duration) {
	w.t.Helper()
	poller, err := dynamostream.NewPoller(dynamostream.PollerConfig{
		Table: w.sourceTable, Streams: w.streams(),
		Relay: w.relay(), Checkpoints: w.places, Logger: quiet,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), d)
	defer cancel()
	if err := poller.Run(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// places are checkpoints in memory.
type places struct {
	mu   sync.Mutex
	kept map[string]dynamostream.Checkpoint
}

func (p *places) Load(_ context.Context, stream, shard string) (dynamostream.Checkpoint, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept[stream+shard], nil
}

func (p *places) Save(_ context.Context, stream, shard string, c dynamostream.Checkpoint) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil {
		p.kept = make(map[string]dynamostream.Checkpoint)
	}
	p.kept[stream+shard] = c
	return nil
}

// put is a foreign write: the whole item, versions or none, as a console does.
func (w *world) put(item contracts.Item) {
	w.t.Helper()
	_, err := w.db.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: aws.String(companies), Item: dynamostore.ToAttributes(item)})
	if err != nil {
		w.t.Fatal(err)
	}
}

// remove is a foreign delete.
func (w *world) remove(cik string) {
	w.t.Helper()
	_, err := w.db.DeleteItem(w.t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(companies), Key: dynamostore.ToAttributes(keyOf(cik))})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(cik string) contracts.Item {
	w.t.Helper()
	item, err := w.source.Read(w.t.Context(), keyOf(cik))
	if err != nil {
		w.t.Fatal(err)
	}
	return item
}

// own is a write by the owner's repository: conditional on the version it read,
// and to the next one. A nil set deletes, as owners do, by a tombstone.
func (w *world) own(cik string, clock time.Time, set contracts.Item) {
	w.t.Helper()
	for {
		old := w.read(cik)
		next, err := contracts.Next(clock, contracts.VersionOf(old["version"], clock.Add(contracts.MaxAhead)))
		if err != nil {
			w.t.Fatal(err)
		}
		item := keyOf(cik)
		if set == nil {
			item["deleted"] = contracts.Bool(true)
			item["expiresAt"] = contracts.VersionAt(clock.Add(replica.SourceTombstoneLife)).Value()
		} else {
			if !old["deleted"].Bool() {
				item = maps.Clone(old)
			}
			if item == nil {
				item = keyOf(cik)
			}
			maps.Copy(item, set)
		}
		item["version"] = next.Value()
		in := &dynamodb.PutItemInput{
			TableName: aws.String(companies), Item: dynamostore.ToAttributes(item),
			ConditionExpression:      aws.String("attribute_not_exists(#v)"),
			ExpressionAttributeNames: map[string]string{"#v": "version"},
		}
		if v, ok := old["version"]; ok {
			in.ConditionExpression = aws.String("#v = :v")
			in.ExpressionAttributeValues = map[string]types.AttributeValue{":v": dynamostore.ToAttribute(v)}
		}
		_, err = w.db.PutItem(w.t.Context(), in)
		if _, lost := errors.AsType[*types.ConditionalCheckFailedException](err); lost {
			continue
		}
		if err != nil {
			w.t.Fatal(err)
		}
		return
	}
}

func keyOf(cik string) contracts.Item { return contracts.Item{"cik": contracts.String(cik)} }

func named(cik, name string) contracts.Item {
	return contracts.Item{"cik": contracts.String(cik), "name": contracts.String(name), "sector": contracts.String("Energy")}
}

func attrs(pairs ...string) contracts.Item {
	item := contracts.Item{}
	for i := 0; i < len(pairs); i += 2 {
		item[pairs[i]] = contracts.String(pairs[i+1])
	}
	return item
}

// topic collects what is published. Each subscriber is the plainest there can
// be: it keeps the state of the highest version its filter lets through.
type topic struct {
	mu      sync.Mutex
	changes []*contracts.Change
}

func (p *topic) Publish(_ string, messages ...*message.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range messages {
		c, err := contracts.Decode(m.Payload, catalog)
		if err != nil {
			return err
		}
		p.changes = append(p.changes, c)
	}
	return nil
}

func (p *topic) Close() error { return nil }

var catalog = mustCatalog()

func mustCatalog() *contracts.Catalog {
	c, err := contracts.NewCatalog(profilev1.Contract)
	if err != nil {
		panic(err)
	}
	return c
}

// seenBy returns the state a subscriber of the attribute ends with: the highest
// version that lists the attribute in changed.
func (p *topic) seenBy(attribute, subject string) *contracts.Change {
	p.mu.Lock()
	defer p.mu.Unlock()
	var top *contracts.Change
	for _, c := range p.changes {
		for _, name := range c.Changed {
			if name == attribute && c.Subject == subject && (top == nil || c.Version > top.Version) {
				top = c
			}
		}
	}
	return top
}

// letters is a dead-letter queue that keeps everything in memory.
type letters struct {
	mu    sync.Mutex
	kept  []replica.DeadLetter
	err   error
	limit int // bytes; 0 for none
}

func (l *letters) Send(_ context.Context, letter replica.DeadLetter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if l.limit > 0 && len(letter.Body) > l.limit {
		return replica.ErrLetterTooLarge
	}
	l.kept = append(l.kept, letter)
	return nil
}

// agree fails unless a subscriber of the attribute ends with exactly what the
// source holds.
func (w *world) agree(attribute, cik string) {
	w.t.Helper()
	item, seen := w.read(cik), w.topic.seenBy(attribute, cik)
	live := item != nil && !item["deleted"].Bool()
	switch {
	case seen == nil && live:
		w.t.Errorf("subscriber of %s has nothing of %s, the source has %s", attribute, cik, item["name"].Text())
	case seen == nil:
	case live != (seen.Operation == contracts.Upsert):
		w.t.Errorf("subscriber of %s ends with %s of %s, the source is live: %v", attribute, seen.Operation, cik, live)
	case live && !seen.Attributes[attribute].Equal(item[attribute]):
		w.t.Errorf("subscriber of %s ends with %q, the source has %q", attribute, seen.Attributes[attribute].Text(), item[attribute].Text())
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
