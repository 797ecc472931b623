package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Fields of a table in differences.
const (
	fieldKey    = "key"
	fieldStream = "stream"
	fieldTTL    = "TTL"
)

func indexField(name string) string { return "index " + name }

func (s *survey) table(ctx context.Context, spec tableSpec) error {
	step := &Step{Action: Unchanged, Kind: Table, Name: spec.Name, Service: spec.service, Summary: summary(spec.Table)}
	s.add(step)
	found, err := s.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(spec.Name)})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		step.Action = Create
		step.apply = func(ctx context.Context, _ *Step) error { return s.createTable(ctx, spec) }
		return nil
	case err != nil:
		return err
	}
	expiry, err := s.timeToLive(ctx, spec)
	if err != nil {
		return err
	}
	diff := compareTable(spec.Table, found.Table, expiry)
	step.Notes = diff.notes
	switch {
	case len(diff.refused) > 0:
		step.Action, step.Differences, step.Reason = Refused, diff.refused, strings.Join(diff.reasons, "; ")
	case len(diff.changes) > 0:
		step.Action, step.Differences = Update, diff.changes
		step.apply = func(ctx context.Context, step *Step) error { return s.changeTable(ctx, step, spec) }
	}
	return nil
}

// timeToLive reads a table's TTL where the manifest wants one.
func (s *survey) timeToLive(ctx context.Context, spec tableSpec) (*types.TimeToLiveDescription, error) {
	if spec.TTLAttribute == "" {
		return nil, nil
	}
	found, err := s.DynamoDB.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: aws.String(spec.Name)})
	if err != nil {
		return nil, err
	}
	return found.TimeToLiveDescription, nil
}

func summary(t manifest.Table) string {
	parts := []string{"key " + keyText(t.PartitionKey, t.SortKey)}
	for _, ix := range t.Indexes {
		parts = append(parts, "index "+ix.Name)
	}
	if t.Stream {
		parts = append(parts, "stream")
	}
	if t.TTLAttribute != "" {
		parts = append(parts, "TTL on "+t.TTLAttribute)
	}
	return strings.Join(parts, ", ")
}

func keyText(partition, sort manifest.KeyAttribute) string {
	text := partition.Name + " " + partition.Type
	if !sort.IsZero() {
		text += ", " + sort.Name + " " + sort.Type
	}
	return text
}

func (s *survey) createTable(ctx context.Context, spec tableSpec) error {
	input := &dynamodb.CreateTableInput{
		TableName:            aws.String(spec.Name),
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            keySchema(spec.PartitionKey, spec.SortKey),
		AttributeDefinitions: definitions(spec.Table),
	}
	for _, ix := range spec.Indexes {
		input.GlobalSecondaryIndexes = append(input.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(ix.Name), KeySchema: keySchema(ix.PartitionKey, ix.SortKey), Projection: projection(ix),
		})
	}
	if spec.Stream {
		input.StreamSpecification = newAndOldImages()
	}
	if _, err := s.DynamoDB.CreateTable(ctx, input); err != nil {
		return s.raced(err)
	}
	if err := s.awaitTable(ctx, spec.Name); err != nil {
		return err
	}
	if spec.TTLAttribute == "" {
		return nil
	}
	return s.enableTTL(ctx, spec.Table)
}

// raced says what it means that a table is busy or exists by now.
func (s *survey) raced(err error) error {
	var busy *types.ResourceInUseException
	if errors.As(err, &busy) {
		return fmt.Errorf("%w; somebody else is at it: run again", err)
	}
	return err
}

func newAndOldImages() *types.StreamSpecification {
	return &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
}

func (s *survey) enableTTL(ctx context.Context, t manifest.Table) error {
	_, err := s.DynamoDB.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               aws.String(t.Name),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(t.TTLAttribute), Enabled: aws.Bool(true)},
	})
	return err
}

// unseenLooks is how often a table that was just made is looked for before it
// counts as gone.
const unseenLooks = 30

// awaitTable returns when the table and its indexes are active. Building an
// index over a large table takes hours.
func (s *survey) awaitTable(ctx context.Context, name string) error {
	for unseen := 0; ; {
		found, err := s.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		var missing *types.ResourceNotFoundException
		switch {
		case errors.As(err, &missing) && unseen < unseenLooks:
			unseen++ // DescribeTable is eventually consistent right after CreateTable
			s.progress(fmt.Sprintf("table %s: not there yet", name))
		case err != nil:
			return err
		case hopeless(found.Table.TableStatus):
			return fmt.Errorf("the table is %s", strings.ToLower(string(found.Table.TableStatus)))
		case notActive(found.Table) == "":
			return nil
		default:
			s.progress(fmt.Sprintf("table %s: %s", name, notActive(found.Table)))
		}
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
}

// hopeless reports whether a table of that status will not become active by
// itself.
func hopeless(status types.TableStatus) bool {
	return status != types.TableStatusActive && status != types.TableStatusCreating && status != types.TableStatusUpdating
}

// notActive says what is not ready yet, empty where everything is.
func notActive(t *types.TableDescription) string {
	if t.TableStatus != types.TableStatusActive {
		return strings.ToLower(string(t.TableStatus))
	}
	for _, ix := range t.GlobalSecondaryIndexes {
		if ix.IndexStatus != types.IndexStatusActive {
			text := fmt.Sprintf("index %s is %s", aws.ToString(ix.IndexName), strings.ToLower(string(ix.IndexStatus)))
			if aws.ToBool(ix.Backfilling) {
				text += ", filling from the table"
			}
			return text
		}
	}
	return ""
}

func keySchema(partition, sort manifest.KeyAttribute) []types.KeySchemaElement {
	schema := []types.KeySchemaElement{{AttributeName: aws.String(partition.Name), KeyType: types.KeyTypeHash}}
	if !sort.IsZero() {
		schema = append(schema, types.KeySchemaElement{AttributeName: aws.String(sort.Name), KeyType: types.KeyTypeRange})
	}
	return schema
}

// definitions lists the attributes of all keys, each once, and no other: AWS
// refuses those that no key uses.
func definitions(t manifest.Table) []types.AttributeDefinition {
	var all []types.AttributeDefinition
	seen := map[string]bool{}
	add := func(keys []manifest.KeyAttribute) {
		for _, k := range keys {
			if !seen[k.Name] {
				seen[k.Name] = true
				all = append(all, types.AttributeDefinition{AttributeName: aws.String(k.Name), AttributeType: types.ScalarAttributeType(k.Type)})
			}
		}
	}
	add(t.KeyAttributes())
	for _, ix := range t.Indexes {
		add(ix.KeyAttributes())
	}
	return all
}

func projection(ix manifest.Index) *types.Projection {
	switch {
	case len(ix.Include) > 0:
		return &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: ix.Include}
	case ix.Projection == manifest.ProjectKeysOnly:
		return &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
	default:
		return &types.Projection{ProjectionType: types.ProjectionTypeAll}
	}
}
