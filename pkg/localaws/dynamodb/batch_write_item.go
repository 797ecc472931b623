package dynamodb

import (
	"maps"
	"slices"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const maxBatchWrites = 25 // "BatchWriteItem"

type batchWriteItemInput struct {
	RequestItems                map[string][]writeRequest
	ReturnConsumedCapacity      string
	ReturnItemCollectionMetrics string
}

type writeRequest struct {
	PutRequest    *putRequest    `json:",omitempty"`
	DeleteRequest *deleteRequest `json:",omitempty"`
}

type putRequest struct{ Item attr.Item }

type deleteRequest struct{ Key attr.Item }

type batchWriteItemOutput struct {
	UnprocessedItems      map[string][]writeRequest
	ItemCollectionMetrics map[string][]*itemCollectionMetrics `json:",omitempty"`
	ConsumedCapacity      []*consumedCapacity                 `json:",omitempty"`
}

// batchWriteItem writes each item on its own: the batch is not atomic. All of
// it is processed always, as throughput is unlimited.
func (s *Service) batchWriteItem(body []byte) (any, error) {
	var in batchWriteItemInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := checkReturnCapacity(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	if err := oneOf(in.ReturnItemCollectionMetrics, "returnItemCollectionMetrics", "SIZE", "NONE"); err != nil {
		return nil, err
	}
	mutations, err := s.prepareBatchWrite(in.RequestItems)
	if err != nil {
		return nil, err
	}
	out := batchWriteItemOutput{UnprocessedItems: make(map[string][]writeRequest)}
	costs := make(map[string]*writeCost)
	for _, m := range mutations {
		done, err := m.run()
		if err != nil {
			return nil, err
		}
		if costs[m.table.name] == nil {
			costs[m.table.name] = &writeCost{}
		}
		costs[m.table.name].plus(done.cost)
		if metrics := m.collection(in.ReturnItemCollectionMetrics, done); metrics != nil {
			if out.ItemCollectionMetrics == nil {
				out.ItemCollectionMetrics = make(map[string][]*itemCollectionMetrics)
			}
			out.ItemCollectionMetrics[m.table.name] = append(out.ItemCollectionMetrics[m.table.name], metrics)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(costs)) {
		if c := consumed(in.ReturnConsumedCapacity, name, *costs[name]); c != nil {
			out.ConsumedCapacity = append(out.ConsumedCapacity, c)
		}
	}
	return out, nil
}

// prepareBatchWrite checks the whole request before anything is written.
func (s *Service) prepareBatchWrite(requests map[string][]writeRequest) ([]*mutation, error) {
	if len(requests) == 0 {
		return nil, parameter("'{}'", "requestItems", "Member must have length greater than or equal to 1")
	}
	count := 0
	for name, list := range requests {
		if len(list) == 0 {
			return nil, invalid("The batch write request list for a table cannot be null or empty: %s", name)
		}
		count += len(list)
	}
	if count > maxBatchWrites {
		return nil, invalid("Too many items requested for the BatchWriteItem call")
	}
	mutations := make([]*mutation, 0, count)
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		if err := checkTableName(name); err != nil {
			return nil, err
		}
		t, err := s.table(name)
		if err != nil {
			return nil, err
		}
		seen := make(map[string]bool, len(requests[name]))
		for _, r := range requests[name] {
			m, err := r.mutation(t)
			if err != nil {
				return nil, plain(err)
			}
			if id := m.at.id(); seen[id] {
				return nil, invalid("Provided list of item keys contains duplicates")
			} else {
				seen[id] = true
			}
			mutations = append(mutations, m)
		}
		if err := t.checkBatchIndexKeys(mutations); err != nil {
			return nil, err
		}
	}
	return mutations, nil
}

func (r writeRequest) mutation(t *table) (*mutation, error) {
	switch {
	case (r.PutRequest == nil) == (r.DeleteRequest == nil):
		return nil, invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	case r.PutRequest != nil:
		return newPut(t, r.PutRequest.Item, writeExpressions{})
	}
	return newKeyed(deleteItem, t, r.DeleteRequest.Key, writeExpressions{})
}

// checkBatchIndexKeys refuses a batch one of whose puts breaks an index's
// rules before any of it is written.
func (t *table) checkBatchIndexKeys(mutations []*mutation) error {
	for _, m := range mutations {
		if m.table != t || m.kind != putItem {
			continue
		}
		if err := t.checkPut(m.item); err != nil {
			return plain(err)
		}
	}
	return nil
}

// checkPut is checkIndexKeys for a put, under a lock of its own.
func (t *table) checkPut(item attr.Item) error {
	if err := t.rlock(); err != nil {
		return err
	}
	defer t.mu.RUnlock()
	return t.checkIndexKeys(item, nil, false)
}
