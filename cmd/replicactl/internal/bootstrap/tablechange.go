package bootstrap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// tableDifference is how an existing table differs from the declared one.
type tableDifference struct {
	changes []Difference // that AWS makes in place
	refused []Difference // that it does not
	reasons []string
	notes   []string
}

func (d *tableDifference) change(field, have, want string) {
	d.changes = append(d.changes, Difference{Field: field, Have: have, Want: want})
}

func (d *tableDifference) refuse(field, have, want, reason string) {
	d.refused = append(d.refused, Difference{Field: field, Have: have, Want: want})
	d.reasons = append(d.reasons, reason)
}

func compareTable(want manifest.Table, have *types.TableDescription, expiry *types.TimeToLiveDescription) tableDifference {
	var d tableDifference
	if hopeless(have.TableStatus) {
		d.refuse("status", strings.ToLower(string(have.TableStatus)), "active", "the table will not become active by itself: if it is being deleted, run again when it is gone")
		return d
	}
	attributeTypes := map[string]string{}
	for _, a := range have.AttributeDefinitions {
		attributeTypes[aws.ToString(a.AttributeName)] = string(a.AttributeType)
	}
	if got, key := schemaText(have.KeySchema, attributeTypes), keyText(want.PartitionKey, want.SortKey); got != key {
		d.refuse(fieldKey, got, key, "a table's key cannot be changed: name the new table otherwise, or move the data away, delete the table and run again")
	}
	d.stream(want, have.StreamSpecification)
	for _, ix := range want.Indexes {
		d.index(ix, have.GlobalSecondaryIndexes, attributeTypes)
	}
	for _, ix := range have.GlobalSecondaryIndexes {
		name := aws.ToString(ix.IndexName)
		if _, declared := want.Index(name); !declared {
			d.notes = append(d.notes, fmt.Sprintf("the index %s is not in the manifest and is left alone", name))
		}
	}
	d.expiry(want, expiry)
	if waiting := notActive(have); waiting != "" {
		d.notes = append(d.notes, "not active yet: "+waiting)
	}
	return d
}

func (d *tableDifference) stream(want manifest.Table, have *types.StreamSpecification) {
	on := have != nil && aws.ToBool(have.StreamEnabled)
	switch {
	case want.Stream && !on:
		d.change(fieldStream, "off", "new and old images")
	case want.Stream && have.StreamViewType != types.StreamViewTypeNewAndOldImages:
		d.refuse(fieldStream, strings.ToLower(string(have.StreamViewType)), "new and old images",
			"a stream's view cannot be changed: see that its readers are done, turn it off, and run again, which turns it on as a new stream")
	case !want.Stream && on:
		d.notes = append(d.notes, "the stream is on though the manifest does not ask for it, and is left alone")
	}
}

func (d *tableDifference) index(want manifest.Index, have []types.GlobalSecondaryIndexDescription, attributeTypes map[string]string) {
	at := slices.IndexFunc(have, func(ix types.GlobalSecondaryIndexDescription) bool { return aws.ToString(ix.IndexName) == want.Name })
	wanted := keyText(want.PartitionKey, want.SortKey) + "; " + projectionText(projection(want))
	if at < 0 {
		for _, k := range want.KeyAttributes() {
			if kind, known := attributeTypes[k.Name]; known && kind != k.Type {
				d.refuse(indexField(want.Name), "none", wanted, fmt.Sprintf("%s is of type %s in the table's other keys, and an attribute has one type in all keys: delete those first, or correct the manifest", k.Name, kind))
				return
			}
		}
		d.change(indexField(want.Name), "none", wanted)
		return
	}
	got := schemaText(have[at].KeySchema, attributeTypes) + "; " + projectionText(have[at].Projection)
	if got != wanted {
		d.refuse(indexField(want.Name), got, wanted, fmt.Sprintf("an index cannot be changed: delete %s and run again, which makes it anew, or give the new one another name", want.Name))
	}
}

func (d *tableDifference) expiry(want manifest.Table, have *types.TimeToLiveDescription) {
	if want.TTLAttribute == "" {
		return
	}
	status, attribute := types.TimeToLiveStatusDisabled, ""
	if have != nil {
		status, attribute = have.TimeToLiveStatus, aws.ToString(have.AttributeName)
	}
	const hour = "TTL can be changed once an hour"
	switch {
	case status == types.TimeToLiveStatusDisabling:
		d.refuse(fieldTTL, "being turned off", want.TTLAttribute, hour+": run again when it is off")
	case status != types.TimeToLiveStatusEnabled && status != types.TimeToLiveStatusEnabling:
		d.change(fieldTTL, "off", want.TTLAttribute)
	case attribute != want.TTLAttribute:
		d.refuse(fieldTTL, attribute, want.TTLAttribute, hour+", and its attribute only by turning it off: turn it off and run again later")
	}
}

func schemaText(schema []types.KeySchemaElement, attributeTypes map[string]string) string {
	var partition, sort manifest.KeyAttribute
	for _, k := range schema {
		name := aws.ToString(k.AttributeName)
		if k.KeyType == types.KeyTypeHash {
			partition = manifest.KeyAttribute{Name: name, Type: attributeTypes[name]}
		} else {
			sort = manifest.KeyAttribute{Name: name, Type: attributeTypes[name]}
		}
	}
	return keyText(partition, sort)
}

func projectionText(p *types.Projection) string {
	switch {
	case p == nil || p.ProjectionType == types.ProjectionTypeAll:
		return "all attributes"
	case p.ProjectionType == types.ProjectionTypeInclude:
		return "keys, " + strings.Join(slices.Sorted(slices.Values(p.NonKeyAttributes)), ", ")
	default:
		return "keys only"
	}
}

// changeTable makes the step's differences one after the other: DynamoDB takes
// one change of a table at a time.
func (s *survey) changeTable(ctx context.Context, step *Step, spec tableSpec) error {
	for _, d := range step.Differences {
		if err := s.awaitTable(ctx, spec.Name); err != nil {
			return err
		}
		switch d.Field {
		case fieldTTL:
			if err := s.enableTTL(ctx, spec.Table); err != nil {
				return fmt.Errorf("TTL: %w", err)
			}
		case fieldStream:
			if _, err := s.DynamoDB.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(spec.Name), StreamSpecification: newAndOldImages()}); err != nil {
				return fmt.Errorf("stream: %w", s.raced(err))
			}
		default:
			if err := s.createIndex(ctx, spec, strings.TrimPrefix(d.Field, indexField(""))); err != nil {
				return fmt.Errorf("%s: %w", d.Field, err)
			}
		}
	}
	return s.awaitTable(ctx, spec.Name)
}

func (s *survey) createIndex(ctx context.Context, spec tableSpec, name string) error {
	ix, _ := spec.Index(name) // the difference came from it
	found, err := s.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(spec.Name)})
	if err != nil {
		return err
	}
	create := &types.CreateGlobalSecondaryIndexAction{IndexName: aws.String(name), KeySchema: keySchema(ix.PartitionKey, ix.SortKey), Projection: projection(ix)}
	if p := found.Table.ProvisionedThroughput; p != nil && aws.ToInt64(p.ReadCapacityUnits) > 0 {
		// A table with provisioned capacity takes an index only with its own.
		create.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: p.ReadCapacityUnits, WriteCapacityUnits: p.WriteCapacityUnits}
	}
	_, err = s.DynamoDB.UpdateTable(ctx, &dynamodb.UpdateTableInput{
		TableName: aws.String(spec.Name),
		AttributeDefinitions: definitions(manifest.Table{
			PartitionKey: spec.PartitionKey, SortKey: spec.SortKey, Indexes: []manifest.Index{ix},
		}),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: create}},
	})
	return s.raced(err)
}
