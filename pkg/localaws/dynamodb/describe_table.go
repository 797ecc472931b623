package dynamodb

import (
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type tableDescription struct {
	TableName                 string
	TableArn                  string
	TableId                   string
	TableStatus               string
	CreationDateTime          float64
	AttributeDefinitions      definitions
	KeySchema                 []keyElement
	BillingModeSummary        *billingModeSummary `json:",omitempty"`
	ProvisionedThroughput     throughputDescription
	TableSizeBytes            int64
	ItemCount                 int
	LocalSecondaryIndexes     []indexDescription   `json:",omitempty"`
	GlobalSecondaryIndexes    []indexDescription   `json:",omitempty"`
	StreamSpecification       *streamSpecification `json:",omitempty"`
	LatestStreamLabel         string               `json:",omitempty"`
	LatestStreamArn           string               `json:",omitempty"`
	SSEDescription            *sseDescription      `json:",omitempty"`
	TableClassSummary         *tableClassSummary   `json:",omitempty"`
	DeletionProtectionEnabled bool
}

type billingModeSummary struct {
	BillingMode                       string
	LastUpdateToPayPerRequestDateTime float64
}

type throughputDescription struct {
	NumberOfDecreasesToday int
	throughput
}

type indexDescription struct {
	IndexName             string
	IndexArn              string
	IndexStatus           string `json:",omitempty"`
	KeySchema             []keyElement
	Projection            projection
	IndexSizeBytes        int64
	ItemCount             int
	ProvisionedThroughput *throughputDescription `json:",omitempty"`
}

type sseDescription struct {
	Status          string
	SSEType         string
	KMSMasterKeyArn string `json:",omitempty"`
}

type tableClassSummary struct {
	TableClass string
}

type describeTableInput struct {
	TableName string
}

type describeTableOutput struct {
	Table tableDescription
}

func (s *Service) describeTable(body []byte) (any, error) {
	var in describeTableInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := checkTableName(in.TableName); err != nil {
		return nil, err
	}
	t, err := s.tableByName(in.TableName)
	if err != nil {
		return nil, err
	}
	if err := t.rlock(); err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	return describeTableOutput{t.describe("ACTIVE")}, nil
}

// describe describes the table with the given status. The caller holds the
// lock.
func (t *table) describe(status string) tableDescription {
	d := tableDescription{
		TableName:                 t.name,
		TableArn:                  t.arn,
		TableId:                   t.id,
		TableStatus:               status,
		CreationDateTime:          seconds(t.created),
		AttributeDefinitions:      t.definitions,
		KeySchema:                 t.key.elements(),
		ProvisionedThroughput:     throughputDescription{throughput: t.throughput},
		TableSizeBytes:            t.bytes,
		ItemCount:                 t.entries.Len(),
		SSEDescription:            t.encryption,
		DeletionProtectionEnabled: t.protected,
	}
	if t.billing == payPerRequest {
		d.BillingModeSummary = &billingModeSummary{BillingMode: payPerRequest, LastUpdateToPayPerRequestDateTime: seconds(t.billingSince)}
	}
	if t.class != "" {
		d.TableClassSummary = &tableClassSummary{TableClass: t.class}
	}
	for _, name := range sortedNames(t.indexes) {
		ix := t.indexes[name]
		x := indexDescription{
			IndexName:      name,
			IndexArn:       t.arn + "/index/" + name,
			KeySchema:      ix.key.elements(),
			Projection:     ix.projection,
			IndexSizeBytes: ix.bytes,
			ItemCount:      ix.entries.Len(),
		}
		if ix.local {
			d.LocalSecondaryIndexes = append(d.LocalSecondaryIndexes, x)
			continue
		}
		x.IndexStatus = "ACTIVE"
		x.ProvisionedThroughput = &throughputDescription{throughput: ix.throughput}
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, x)
	}
	if t.stream != nil {
		enabled := true
		d.StreamSpecification = &streamSpecification{StreamEnabled: &enabled, StreamViewType: t.stream.View()}
	}
	if t.last != nil {
		d.LatestStreamLabel, d.LatestStreamArn = t.last.Label(), t.last.ARN()
	}
	return d
}

// describeEncryption is the description of an encryption setting, nil for
// the key DynamoDB owns.
func describeEncryption(spec *sseSpecification) *sseDescription {
	if spec == nil || !spec.Enabled {
		return nil
	}
	d := &sseDescription{Status: "ENABLED", SSEType: spec.SSEType, KMSMasterKeyArn: spec.KMSMasterKeyId}
	if d.SSEType == "" {
		d.SSEType = "KMS"
	}
	return d
}

// seconds is a time as the services' JSON has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
