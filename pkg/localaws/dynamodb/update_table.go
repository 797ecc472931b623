package dynamodb

import (
	"maps"
	"slices"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type updateTableInput struct {
	TableName                   string
	AttributeDefinitions        definitions
	BillingMode                 string
	ProvisionedThroughput       *throughput
	GlobalSecondaryIndexUpdates []indexUpdate
	StreamSpecification         *streamSpecification
	SSESpecification            *sseSpecification
	TableClass                  string
	DeletionProtectionEnabled   *bool
}

type indexUpdate struct {
	Create *secondaryIndex
	Update *indexThroughput
	Delete *indexName
}

type indexThroughput struct {
	IndexName             string
	ProvisionedThroughput *throughput
}

type indexName struct {
	IndexName string
}

type updateTableOutput struct {
	TableDescription tableDescription
}

func (in updateTableInput) empty() bool {
	return in.BillingMode == "" && in.ProvisionedThroughput == nil && len(in.GlobalSecondaryIndexUpdates) == 0 &&
		in.StreamSpecification == nil && in.SSESpecification == nil && in.TableClass == "" && in.DeletionProtectionEnabled == nil
}

func (s *Service) updateTable(body []byte) (any, error) {
	var in updateTableInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := checkTableName(in.TableName); err != nil {
		return nil, err
	}
	if in.empty() {
		return nil, invalid("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	}
	if err := checkTableSettings(in.BillingMode, in.TableClass, in.StreamSpecification); err != nil {
		return nil, err
	}
	t, err := s.tableByName(in.TableName)
	if err != nil {
		return nil, err
	}
	if err := t.lock(); err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	if err := t.update(in); err != nil {
		return nil, err
	}
	return updateTableOutput{t.describe("UPDATING")}, nil
}

// update checks everything before it changes anything. The caller holds the
// lock.
func (t *table) update(in updateTableInput) error {
	billing := t.billing
	if in.BillingMode != "" {
		billing = in.BillingMode
	}
	if in.ProvisionedThroughput != nil || billing != t.billing {
		if err := checkThroughput(billing, in.ProvisionedThroughput, "table "+t.name); err != nil {
			return err
		}
	}
	if spec := in.StreamSpecification; spec != nil {
		if spec.enabled() && t.stream != nil {
			return invalid("Table already has an enabled stream: TableName: %s", t.name)
		}
		if !spec.enabled() && t.stream == nil {
			return invalid("Table has no stream to disable: TableName: %s", t.name)
		}
	}
	defs, indexes, err := t.reindex(in, billing)
	if err != nil {
		return err
	}
	t.definitions, t.indexes = defs, indexes
	if billing != t.billing {
		t.billing, t.billingSince, t.throughput = billing, t.service.cfg.Now(), throughput{}
	}
	if in.ProvisionedThroughput != nil {
		t.throughput = *in.ProvisionedThroughput
	}
	if in.SSESpecification != nil {
		t.encryption = describeEncryption(in.SSESpecification)
	}
	if in.TableClass != "" {
		t.class = in.TableClass
	}
	if in.DeletionProtectionEnabled != nil {
		t.protected = *in.DeletionProtectionEnabled
	}
	if spec := in.StreamSpecification; spec != nil {
		if spec.enabled() {
			t.openStream(spec.StreamViewType)
		} else {
			t.closeStream()
		}
	}
	return nil
}

// reindex works out the definitions and indexes after an update's index
// changes. A new index is filled at once.
func (t *table) reindex(in updateTableInput, billing string) (definitions, map[string]*index, error) {
	defs := slices.Clone(t.definitions)
	for _, def := range in.AttributeDefinitions {
		if old, ok := defs.typeOf(def.AttributeName); !ok {
			defs = append(defs, def)
		} else if old != def.AttributeType {
			return nil, nil, invalid("One or more parameter values were invalid: The attribute %s is already defined as %s, not %s", def.AttributeName, old, def.AttributeType)
		}
	}
	if err := defs.check(); err != nil {
		return nil, nil, err
	}
	indexes := maps.Clone(t.indexes)
	created := 0
	for _, u := range in.GlobalSecondaryIndexUpdates {
		given := 0
		for _, is := range []bool{u.Create != nil, u.Update != nil, u.Delete != nil} {
			if is {
				given++
			}
		}
		if given != 1 {
			return nil, nil, invalid("One or more parameter values were invalid: One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must be specified, and only one")
		}
		var err error
		switch {
		case u.Create != nil:
			created++
			// "UpdateTable": the definitions must include the new index's keys,
			// even where the table has them already.
			for _, element := range u.Create.KeySchema {
				if _, given := in.AttributeDefinitions.typeOf(element.AttributeName); !given {
					return nil, nil, invalid("One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: %s", element.AttributeName, in.AttributeDefinitions.names())
				}
			}
			err = t.createIndex(indexes, defs, *u.Create, billing)
		case u.Update != nil:
			err = updateIndex(indexes, *u.Update, billing)
		default:
			if _, err = globalIndex(indexes, u.Delete.IndexName); err == nil {
				delete(indexes, u.Delete.IndexName)
			}
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if created > 1 {
		return nil, nil, wire.Errorf("LimitExceededException", "Subscriber limit exceeded: Only 1 online index can be created simultaneously per table")
	}
	if created == 0 {
		// What a deleted index leaves behind goes with it.
		defs = slices.DeleteFunc(defs, func(def attributeDefinition) bool {
			return definitions{def}.checkUse(t.key, indexes) != nil
		})
	} else if err := defs.checkUse(t.key, indexes); err != nil {
		return nil, nil, err
	}
	return defs, indexes, nil
}

// createIndex makes a global index and fills it from the table.
func (t *table) createIndex(indexes map[string]*index, defs definitions, def secondaryIndex, billing string) error {
	if indexes[def.IndexName] != nil {
		return invalid("Attempting to create an index which already exists: %s", def.IndexName)
	}
	ix, err := defs.newIndex(def, t.key, false)
	if err != nil {
		return err
	}
	if err := checkThroughput(billing, def.ProvisionedThroughput, "index "+def.IndexName); err != nil {
		return err
	}
	global := 0
	for _, other := range indexes {
		if !other.local {
			global++
		}
	}
	if global >= maxGlobalIndexes {
		return wire.Errorf("LimitExceededException", "One or more parameter values were invalid: GlobalSecondaryIndexes count exceeds the per-table limit of %d", maxGlobalIndexes)
	}
	t.entries.Scan(func(e *entry) bool {
		// As on AWS, an item whose value breaks the index's rules is left out.
		if added := ix.entry(e); added != nil {
			ix.apply(nil, added)
		}
		return true
	})
	indexes[ix.name] = ix
	return nil
}

// updateIndex changes a global index's throughput.
func updateIndex(indexes map[string]*index, u indexThroughput, billing string) error {
	ix, err := globalIndex(indexes, u.IndexName)
	if err != nil {
		return err
	}
	if u.ProvisionedThroughput == nil {
		return required("globalSecondaryIndexUpdates.member.update.provisionedThroughput")
	}
	if err := checkThroughput(billing, u.ProvisionedThroughput, "index "+u.IndexName); err != nil {
		return err
	}
	changed := *ix // the old one stays as it is if the update is refused later
	changed.throughput = *u.ProvisionedThroughput
	indexes[u.IndexName] = &changed
	return nil
}

func globalIndex(indexes map[string]*index, name string) (*index, error) {
	ix := indexes[name]
	if ix == nil || ix.local {
		return nil, wire.Errorf(codeNotFound, "Requested resource not found: Index: %s not found", name)
	}
	return ix, nil
}
