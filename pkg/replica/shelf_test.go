package replica_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/internal/accounttest"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

const statsManifest = accounttest.Stats

// shelf is a subscriber's tables on localaws, in virtual time.
type shelf struct {
	t      *testing.T
	engine *localaws.Engine
	db     *dynamodb.Client
	store  *dynamostore.Store
}

func inShelf(t *testing.T, f func(s *shelf)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(localaws.Config{})
		defer engine.Close()
		db := dynamodb.NewFromConfig(localawstest.Config(engine))
		createTable(t, db, "company-stats", false)
		s := &shelf{t: t, engine: engine, db: db, store: dynamostore.New(db, dynamostore.Config{})}
		s.createWatchlists()
		f(s)
	})
}

func (s *shelf) createWatchlists() {
	s.t.Helper()
	watchlists, _ := must(parseStats()).Table("watchlists")
	if err := (&accounttest.Account{DB: s.db}).CreateTable(s.t.Context(), watchlists); err != nil {
		s.t.Fatal(err)
	}
}

// applier returns an applier for the manifest, edited by replacing old, new
// pairs in its text.
func (s *shelf) applier(edits ...string) *replica.Applier {
	s.t.Helper()
	a, err := newApplier(s.store, edits...)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func parseStats(edits ...string) (*manifest.Manifest, error) {
	return manifest.Parse("replication.yaml", []byte(strings.NewReplacer(edits...).Replace(statsManifest)))
}

func newApplier(store replica.Store, edits ...string) (*replica.Applier, error) {
	m, err := parseStats(edits...)
	if err != nil {
		return nil, err
	}
	return replica.NewApplier(replica.ApplierConfig{
		Contract: profilev1.Contract, Subscription: m.Subscribes[0], Tables: m.Tables, Store: store,
	})
}

func (s *shelf) apply(a *replica.Applier, c *contracts.Change) replica.Result {
	s.t.Helper()
	result, err := a.Apply(s.t.Context(), c, replica.FirstPass)
	if err != nil {
		s.t.Fatal(err)
	}
	return result
}

func (s *shelf) company(cik string) contracts.Item {
	s.t.Helper()
	item, err := s.store.Read(s.t.Context(), "company-stats", keyOf(cik))
	if err != nil {
		s.t.Fatal(err)
	}
	return item
}

func (s *shelf) watch(user, cik string) contracts.Item {
	s.t.Helper()
	item, err := s.store.Read(s.t.Context(), "watchlists", attrs("user", user, "cik", cik))
	if err != nil {
		s.t.Fatal(err)
	}
	return item
}

func (s *shelf) put(table string, item contracts.Item) {
	s.t.Helper()
	_, err := s.db.PutItem(s.t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: dynamostore.ToAttributes(item)})
	if err != nil {
		s.t.Fatal(err)
	}
}

// upsert is a change of company 1 to a state; d orders it.
func upsert(d time.Duration, state ...string) *contracts.Change {
	return &contracts.Change{
		Contract: profilev1.Contract, Operation: contracts.Upsert, Source: "/services/profile", Subject: "1",
		Version: contracts.VersionAt(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d)), Origin: contracts.Live,
		Changed: profilev1.Contract.Names(), Attributes: attrs(state...),
	}
}

func deletion(d time.Duration) *contracts.Change {
	c := upsert(d)
	c.Operation, c.Attributes = contracts.Delete, nil
	return c
}

// copied is what a replica holds of the contract: the own attributes and the
// bookkeeping's values left out.
func copied(item contracts.Item) contracts.Item {
	out := contracts.Item{}
	for _, name := range []string{"companyName", "companySector", "sector", "title"} {
		if v, ok := item[name]; ok {
			out[name] = v
		}
	}
	return out
}

func (s *shelf) createSeats() {
	s.t.Helper()
	_, err := s.db.CreateTable(s.t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("seats"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("seat"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("employer"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("seat"), KeyType: types.KeyTypeHash}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String("by-employer"),
			KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("employer"), KeyType: types.KeyTypeHash}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) remove(table string, key contracts.Item) {
	s.t.Helper()
	_, err := s.db.DeleteItem(s.t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(table), Key: dynamostore.ToAttributes(key)})
	if err != nil {
		s.t.Fatal(err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
