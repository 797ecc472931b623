package dynamodb

import (
	"maps"
	"slices"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const (
	maxBatchKeys  = 100      // "BatchGetItem"
	maxBatchBytes = 16 << 20 // what one BatchGetItem returns
)

type batchGetItemInput struct {
	RequestItems           map[string]keysAndAttributes
	ReturnConsumedCapacity string
}

type keysAndAttributes struct {
	Keys                     []attr.Item
	ConsistentRead           bool              `json:",omitempty"`
	ProjectionExpression     *string           `json:",omitempty"`
	ExpressionAttributeNames map[string]string `json:",omitempty"`
}

type batchGetItemOutput struct {
	Responses        map[string][]attr.Item
	UnprocessedKeys  map[string]keysAndAttributes
	ConsumedCapacity []*consumedCapacity `json:",omitempty"`
}

// batchGet is one table's part of a BatchGetItem.
type batchGet struct {
	name       string // as the request has it
	table      *table
	request    keysAndAttributes
	projection *expr.Projection
	places     []place
}

func (s *Service) batchGetItem(body []byte) (any, error) {
	var in batchGetItemInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := checkReturnCapacity(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	gets, err := s.prepareBatchGet(in.RequestItems)
	if err != nil {
		return nil, err
	}
	out := batchGetItemOutput{Responses: make(map[string][]attr.Item), UnprocessedKeys: make(map[string]keysAndAttributes)}
	bytes := 0
	for _, g := range gets {
		items := []attr.Item{}
		cost := writeCost{}
		for i, at := range g.places {
			e, err := g.table.read(at)
			if err != nil {
				return nil, err
			}
			if bytes > 0 && bytes+sizeOf(e) > maxBatchBytes {
				rest := g.request
				rest.Keys = rest.Keys[i:]
				out.UnprocessedKeys[g.name] = rest
				bytes = maxBatchBytes // nothing more fits
				break
			}
			bytes += sizeOf(e)
			cost.table += readUnits(sizeOf(e), g.request.ConsistentRead)
			if e != nil {
				items = append(items, applyProjection(g.projection, e.item))
			}
		}
		out.Responses[g.name] = items
		if c := consumed(in.ReturnConsumedCapacity, g.table.name, cost); c != nil {
			out.ConsumedCapacity = append(out.ConsumedCapacity, c)
		}
	}
	return out, nil
}

// prepareBatchGet checks the whole request before anything is read.
func (s *Service) prepareBatchGet(requests map[string]keysAndAttributes) ([]batchGet, error) {
	if len(requests) == 0 {
		return nil, parameter("'{}'", "requestItems", "Member must have length greater than or equal to 1")
	}
	keys := 0
	for _, r := range requests {
		keys += len(r.Keys)
	}
	if keys > maxBatchKeys {
		return nil, invalid("Too many items requested for the BatchGetItem call")
	}
	gets := make([]batchGet, 0, len(requests))
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		g := batchGet{name: name, request: requests[name]}
		if err := checkTableName(name); err != nil {
			return nil, err
		}
		if len(g.request.Keys) == 0 {
			return nil, parameter("'[]'", "requestItems."+name+".member.keys", "Member must have length greater than or equal to 1")
		}
		var err error
		if g.projection, err = parseProjection(s.cache, g.request.ExpressionAttributeNames, g.request.ProjectionExpression); err != nil {
			return nil, err
		}
		if g.table, err = s.table(name); err != nil {
			return nil, err
		}
		if err := g.table.checkProjection(g.projection); err != nil {
			return nil, err
		}
		seen := make(map[string]bool, len(g.request.Keys))
		for _, key := range g.request.Keys {
			if err := g.table.key.checkKey(key); err != nil {
				return nil, plain(err)
			}
			at := placeOf(g.table.key, key)
			if id := at.id(); seen[id] {
				return nil, invalid("Provided list of item keys contains duplicates")
			} else {
				seen[id] = true
			}
			g.places = append(g.places, at)
		}
		gets = append(gets, g)
	}
	return gets, nil
}
