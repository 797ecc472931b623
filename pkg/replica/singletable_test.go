package replica_test

import (
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Both sides keep everything in one table with numbers in its keys; the
// subscriber has two copies in one item, of different attributes, and a fan-out
// in the same table.
const singleTable = `
service: directory
tables:
  - name: directory
    partition_key: {name: pk, type: S}
    sort_key: {name: sk, type: "N"}
    stream: true
    ttl_attribute: expiresAt
    indexes: [{name: by-company, partition_key: {name: company, type: "N"}}]
publishes:
  - contract: company.profile/v1
    table: directory
    key: {pk: COMPANY, sk: "{number}"}
    match: {kind: {prefix: company-}}
subscribes:
  - contract: company.profile/v1
    attributes: [name, sector]
    replicas:
      - {table: directory, key: {pk: "LOCAL-{subject}", sk: subject}, set: {companyName: name}, version_attribute: nameVersion}
      - {table: directory, key: {pk: "LOCAL-{subject}", sk: subject}, set: {companySector: sector}, version_attribute: sectorVersion}
      - {table: directory, index: by-company, set: {watchedName: name}, version_attribute: watchedVersion}
`

func TestASingleTableWithTemplatesAndNumbers(t *testing.T) {
	inWorld(t, func(w *world) {
		t := w.t
		m := must(manifest.Parse("replication.yaml", []byte(singleTable)))
		w.createDirectory()
		applier := must(replica.NewApplier(replica.ApplierConfig{Contract: profilev1.Contract, Subscription: m.Subscribes[0], Tables: m.Tables, Store: w.store()}))
		consumer := must(replica.NewConsumer(replica.ConsumerConfig{
			Service: "directory", Catalog: catalog, Appliers: []*replica.Applier{applier}, Logger: quiet, Queue: "q", Delayer: &queue{},
		}))
		w.sources = []*replica.Source{must(replica.NewSource(m.Service, m.Publishes[0], profilev1.Contract))}
		w.publisher = delivered(consumer.Handle)
		w.sourceTable = "directory"
		w.source = dynamostore.NewSource(w.db, "directory")
		w.table = w.source

		key := func(pk, sk string) contracts.Item {
			return contracts.Item{"pk": contracts.String(pk), "sk": contracts.Number(sk)}
		}
		put := func(item, more contracts.Item) {
			maps.Copy(item, more)
			_, err := w.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("directory"), Item: dynamostore.ToAttributes(item)})
			if err != nil {
				t.Fatal(err)
			}
		}
		want := func(item, copied contracts.Item) {
			t.Helper()
			got := must(w.store().Read(t.Context(), "directory", item))
			for name := range got {
				if name != "companyName" && name != "companySector" && name != "watchedName" {
					delete(got, name)
				}
			}
			if diff := cmp.Diff(copied, got); diff != "" {
				t.Errorf("%v (-want +got)\n%s", item, diff)
			}
		}
		put(key("WATCH-ada", "1"), contracts.Item{"company": contracts.Number("320193")})
		put(key("WATCH-bob", "1"), contracts.Item{"company": contracts.Number("7")})
		put(key("COMPANY", "3.20193e5"), attrs("kind", "company-listed", "name", "A", "sector", "X")) // the same number
		put(key("COMPANY", "7"), attrs("kind", "person", "name", "nobody's business"))
		w.relayFor(time.Minute)
		want(key("LOCAL-320193", "320193"), attrs("companyName", "A", "companySector", "X"))
		want(key("WATCH-ada", "1"), attrs("watchedName", "A"))
		want(key("WATCH-bob", "1"), contracts.Item{})

		put(key("COMPANY", "320193"), attrs("kind", "person", "name", "A")) // a foreign write takes it out of the contract
		w.relayFor(time.Minute)
		want(key("LOCAL-320193", "320193"), contracts.Item{})
		want(key("WATCH-ada", "1"), contracts.Item{})

		put(key("COMPANY", "320193"), attrs("kind", "company-listed", "name", "B")) // and back
		w.relayFor(time.Minute)
		want(key("LOCAL-320193", "320193"), attrs("companyName", "B"))
		if err := applier.AddCopy(t.Context(), "directory", "320193", key("WATCH-cyd", "-1.5")); err != nil {
			t.Fatal(err)
		}
		want(key("WATCH-cyd", "-1.5"), attrs("watchedName", "B"))
		if len(w.dlq.kept) > 0 {
			t.Errorf("dead letters: %v", reasons(w.dlq.kept))
		}
	})
}

func (w *world) createDirectory() {
	w.t.Helper()
	attribute := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: kind}
	}
	_, err := w.db.CreateTable(w.t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("directory"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attribute("pk", "S"), attribute("sk", "N"), attribute("company", "N")},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: "HASH"}, {AttributeName: aws.String("sk"), KeyType: "RANGE"}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("by-company"), KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("company"), KeyType: "HASH"}},
			Projection: &types.Projection{ProjectionType: "ALL"},
		}},
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: "NEW_AND_OLD_IMAGES"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
