package dynamodb

import (
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type getItemInput struct {
	TableName                string
	Key                      attr.Item
	ConsistentRead           bool
	ProjectionExpression     *string
	ExpressionAttributeNames map[string]string
	ReturnConsumedCapacity   string
}

type getItemOutput struct {
	Item             *attr.Item        `json:",omitempty"`
	ConsumedCapacity *consumedCapacity `json:",omitempty"`
}

// getItem reads consistently whether asked to or not; ConsistentRead decides
// what it costs.
func (s *Service) getItem(body []byte) (any, error) {
	var in getItemInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := checkTableName(in.TableName); err != nil {
		return nil, err
	}
	if err := checkReturnCapacity(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	pr, err := parseProjection(s.cache, in.ExpressionAttributeNames, in.ProjectionExpression)
	if err != nil {
		return nil, err
	}
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	if err := t.key.checkKey(in.Key); err != nil {
		return nil, plain(err)
	}
	if err := t.checkProjection(pr); err != nil {
		return nil, err
	}
	e, err := t.read(placeOf(t.key, in.Key))
	if err != nil {
		return nil, err
	}
	return getItemOutput{
		Item:             projected(pr, e),
		ConsumedCapacity: consumed(in.ReturnConsumedCapacity, t.name, writeCost{table: readUnits(sizeOf(e), in.ConsistentRead)}),
	}, nil
}

// read gets one entry under a lock of its own.
func (t *table) read(at place) (*entry, error) {
	if err := t.rlock(); err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	return t.get(at), nil
}

// sizeOf is an entry's size, 0 for no entry.
func sizeOf(e *entry) int {
	if e == nil {
		return 0
	}
	return e.size
}
