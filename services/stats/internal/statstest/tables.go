// Package statstest gives the service's tests a database of their own: an
// in-memory engine with the tables the service's manifest declares. It is for
// tests only.
package statstest

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/services/stats"
)

// World is what a test runs against.
type World struct {
	Engine   *localaws.Engine
	AWS      aws.Config
	Database *dynamodb.Client
	Manifest *manifest.Manifest
	// Applier brings profile changes to the tables, as the service's consumer
	// does.
	Applier *replica.Applier
}

// New makes a world, which ends with the test.
func New(t testing.TB) *World {
	t.Helper()
	engine := localaws.New(localaws.Config{})
	t.Cleanup(engine.Close)
	w := &World{Engine: engine, AWS: localawstest.Config(engine)}
	w.Database = dynamodb.NewFromConfig(w.AWS)
	var err error
	if w.Manifest, err = manifest.Parse(manifest.FileName, stats.Manifest); err != nil {
		t.Fatal(err)
	}
	for _, table := range w.Manifest.Tables {
		if _, err := w.Database.CreateTable(context.Background(), createTable(table)); err != nil {
			t.Fatalf("create table %s: %v", table.Name, err)
		}
		w.expire(t, table)
	}
	subscription, ok := w.Manifest.Subscription(profilev1.Contract.ID())
	if !ok {
		t.Fatalf("the manifest does not subscribe to %s", profilev1.Contract.ID())
	}
	w.Applier, err = replica.NewApplier(replica.ApplierConfig{
		Contract: profilev1.Contract, Subscription: subscription, Tables: w.Manifest.Tables,
		Store: dynamostore.New(w.Database, dynamostore.Config{}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// expire turns on the expiry that a table declares.
func (w *World) expire(t testing.TB, table manifest.Table) {
	t.Helper()
	if table.TTLAttribute == "" {
		return
	}
	if _, err := w.Database.UpdateTimeToLive(context.Background(), &dynamodb.UpdateTimeToLiveInput{
		TableName: aws.String(table.Name),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String(table.TTLAttribute), Enabled: aws.Bool(true),
		},
	}); err != nil {
		t.Fatalf("expire items of %s: %v", table.Name, err)
	}
}

// Upsert applies a profile of that name and sector.
func (w *World) Upsert(ctx context.Context, cik string, version contracts.Version, name, sector string) error {
	return w.apply(ctx, contracts.Change{
		Operation: contracts.Upsert, Subject: cik, Version: version,
		Attributes: contracts.Item{"name": contracts.String(name), "sector": contracts.String(sector)},
	})
}

// Delete applies the deletion of a profile.
func (w *World) Delete(ctx context.Context, cik string, version contracts.Version) error {
	return w.apply(ctx, contracts.Change{Operation: contracts.Delete, Subject: cik, Version: version})
}

func (w *World) apply(ctx context.Context, change contracts.Change) error {
	change.Contract, change.Origin = profilev1.Contract, contracts.Live
	_, err := w.Applier.Apply(ctx, &change, replica.FirstPass)
	return err
}

func createTable(t manifest.Table) *dynamodb.CreateTableInput {
	input := &dynamodb.CreateTableInput{
		TableName: aws.String(t.Name), BillingMode: types.BillingModePayPerRequest, KeySchema: keySchema(t.KeyAttributes()),
	}
	declared := make(map[string]bool)
	declare := func(keys []manifest.KeyAttribute) {
		for _, k := range keys {
			if !declared[k.Name] {
				declared[k.Name] = true
				input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{
					AttributeName: aws.String(k.Name), AttributeType: types.ScalarAttributeType(k.Type),
				})
			}
		}
	}
	declare(t.KeyAttributes())
	for _, index := range t.Indexes {
		declare(index.KeyAttributes())
		projection := &types.Projection{ProjectionType: types.ProjectionTypeAll}
		switch {
		case len(index.Include) > 0:
			projection.ProjectionType, projection.NonKeyAttributes = types.ProjectionTypeInclude, index.Include
		case index.Projection == manifest.ProjectKeysOnly:
			projection.ProjectionType = types.ProjectionTypeKeysOnly
		}
		input.GlobalSecondaryIndexes = append(input.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(index.Name), KeySchema: keySchema(index.KeyAttributes()), Projection: projection,
		})
	}
	return input
}

func keySchema(keys []manifest.KeyAttribute) []types.KeySchemaElement {
	var schema []types.KeySchemaElement
	for i, k := range keys {
		role := types.KeyTypeHash
		if i > 0 {
			role = types.KeyTypeRange
		}
		schema = append(schema, types.KeySchemaElement{AttributeName: aws.String(k.Name), KeyType: role})
	}
	return schema
}
