package dynamodb

import (
	"strconv"

	"github.com/google/uuid"

	"github.com/tributary-dev/tributary/pkg/localaws/streams"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type streamSpecification struct {
	StreamEnabled  *bool
	StreamViewType streams.View `json:",omitempty"`
}

// enabled reads StreamEnabled, which checkTableSettings requires.
func (spec *streamSpecification) enabled() bool { return *spec.StreamEnabled }

type sseSpecification struct {
	Enabled        bool
	SSEType        string
	KMSMasterKeyId string
}

type tag struct {
	Key   string
	Value string
}

type createTableInput struct {
	TableName                 string
	AttributeDefinitions      definitions
	KeySchema                 []keyElement
	LocalSecondaryIndexes     []secondaryIndex
	GlobalSecondaryIndexes    []secondaryIndex
	BillingMode               string
	ProvisionedThroughput     *throughput
	StreamSpecification       *streamSpecification
	SSESpecification          *sseSpecification
	Tags                      []tag
	TableClass                string
	DeletionProtectionEnabled bool
}

type createTableOutput struct {
	TableDescription tableDescription
}

func (s *Service) createTable(body []byte) (any, error) {
	var in createTableInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	t, err := s.newTable(in)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables[t.name] != nil {
		return nil, wire.Errorf(codeInUse, "Table already exists: %s", t.name)
	}
	if spec := in.StreamSpecification; spec != nil && spec.enabled() {
		t.openStream(spec.StreamViewType)
	}
	s.tables[t.name] = t
	return createTableOutput{t.describe("CREATING")}, nil
}

// newTable makes a table that the service does not list yet.
func (s *Service) newTable(in createTableInput) (*table, error) {
	if err := checkTableName(in.TableName); err != nil {
		return nil, err
	}
	if err := in.AttributeDefinitions.check(); err != nil {
		return nil, err
	}
	key, err := in.AttributeDefinitions.key(in.KeySchema)
	if err != nil {
		return nil, err
	}
	if err := checkTableSettings(in.BillingMode, in.TableClass, in.StreamSpecification); err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	name := tableName(in.TableName)
	t := &table{
		service:      s,
		name:         name,
		arn:          "arn:aws:dynamodb:" + s.cfg.Region + ":" + s.cfg.AccountID + ":table/" + name,
		created:      now,
		key:          key,
		definitions:  in.AttributeDefinitions,
		entries:      newTree(),
		indexes:      make(map[string]*index),
		billing:      in.BillingMode,
		billingSince: now,
		class:        in.TableClass,
		encryption:   describeEncryption(in.SSESpecification),
		protected:    in.DeletionProtectionEnabled,
		tags:         make(map[string]string),
		busy:         make(map[string]bool),
	}
	t.id = uuid.NewSHA1(uuid.NameSpaceURL, []byte(t.arn+"@"+strconv.FormatInt(now.UnixNano(), 10))).String()
	if t.billing == "" {
		t.billing = provisioned
	}
	if err := checkThroughput(t.billing, in.ProvisionedThroughput, "table "+name); err != nil {
		return nil, err
	}
	if in.ProvisionedThroughput != nil {
		t.throughput = *in.ProvisionedThroughput
	}
	if err := t.addIndexes(in.LocalSecondaryIndexes, true); err != nil {
		return nil, err
	}
	if err := t.addIndexes(in.GlobalSecondaryIndexes, false); err != nil {
		return nil, err
	}
	if err := t.definitions.checkUse(key, t.indexes); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	for _, tg := range in.Tags {
		t.tags[tg.Key] = tg.Value
	}
	return t, nil
}

// addIndexes adds a new table's indexes.
func (t *table) addIndexes(list []secondaryIndex, local bool) error {
	kind, most := "Global", maxGlobalIndexes
	if local {
		kind, most = "Local", maxLocalIndexes
	}
	if list != nil && len(list) == 0 {
		return invalid("One or more parameter values were invalid: List of %sSecondaryIndexes is empty", kind)
	}
	if len(list) > most {
		return invalid("One or more parameter values were invalid: %sSecondaryIndexes count exceeds the per-table limit of %d", kind, most)
	}
	for _, def := range list {
		ix, err := t.definitions.newIndex(def, t.key, local)
		if err != nil {
			return err
		}
		if t.indexes[ix.name] != nil {
			return invalid("One or more parameter values were invalid: Duplicate index name: %s", ix.name)
		}
		if !local {
			if err := checkThroughput(t.billing, def.ProvisionedThroughput, "index "+ix.name); err != nil {
				return err
			}
		}
		t.indexes[ix.name] = ix
	}
	return nil
}

// checkTableSettings checks the settings CreateTable and UpdateTable share.
func checkTableSettings(billing, class string, spec *streamSpecification) error {
	if err := oneOf(billing, "billingMode", provisioned, payPerRequest); err != nil {
		return err
	}
	if err := oneOf(class, "tableClass", "STANDARD", "STANDARD_INFREQUENT_ACCESS"); err != nil {
		return err
	}
	switch {
	case spec == nil:
	case spec.StreamEnabled == nil:
		return required("streamSpecification.streamEnabled")
	case spec.enabled() && spec.StreamViewType == "":
		return invalid("One or more parameter values were invalid: StreamViewType is required when StreamEnabled is true")
	case spec.enabled() && !spec.StreamViewType.Valid():
		return oneOf(string(spec.StreamViewType), "streamSpecification.streamViewType", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY")
	case !spec.enabled() && spec.StreamViewType != "":
		return invalid("One or more parameter values were invalid: StreamViewType must not be given when StreamEnabled is false")
	}
	return nil
}

// openStream starts a stream. The caller holds the lock or owns the table.
func (t *table) openStream(view streams.View) {
	elements := t.key.elements()
	schema := make([]streams.KeyElement, len(elements))
	for i, e := range elements {
		schema[i] = streams.KeyElement(e)
	}
	t.stream = t.service.cfg.Streams.Open(t.name, schema, view)
	t.last = t.stream
}
