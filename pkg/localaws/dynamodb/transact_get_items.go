package dynamodb

import (
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type transactGetItemsInput struct {
	TransactItems          []transactGetItem
	ReturnConsumedCapacity string
}

type transactGetItem struct {
	Get *transactGet
}

type transactGet struct {
	TableName                string
	Key                      attr.Item
	ProjectionExpression     *string
	ExpressionAttributeNames map[string]string
}

type transactGetItemsOutput struct {
	Responses        []itemResponse
	ConsumedCapacity []*consumedCapacity `json:",omitempty"`
}

type itemResponse struct {
	Item *attr.Item `json:",omitempty"`
}

func (s *Service) transactGetItems(body []byte) (any, error) {
	var in transactGetItemsInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := checkTransaction(len(in.TransactItems), in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	targets := make([]target, len(in.TransactItems))
	projections := make([]*expr.Projection, len(in.TransactItems))
	rs := newReasons(len(in.TransactItems))
	for i, item := range in.TransactItems {
		var err error
		targets[i], projections[i], err = s.getTarget(item.Get)
		if err = rs.note(i, err); err != nil {
			return nil, err
		}
	}
	if err := rs.err(); err != nil {
		return nil, err
	}
	if err := checkDistinct(targets); err != nil {
		return nil, err
	}
	for i, x := range targets {
		if x.table.occupied(x.at.id()) {
			rs.conflict(i)
		}
	}
	if err := rs.err(); err != nil {
		return nil, err
	}
	unlock, err := lockAll(targets, false)
	if err != nil {
		return nil, err
	}
	defer unlock()
	out := transactGetItemsOutput{Responses: make([]itemResponse, len(targets))}
	costs := make(map[string]writeCost)
	bytes := 0
	for i, x := range targets {
		e := x.table.get(x.at)
		bytes += sizeOf(e)
		cost := costs[x.table.name]
		cost.table += readUnits(sizeOf(e), true)
		costs[x.table.name] = cost
		out.Responses[i].Item = projected(projections[i], e)
	}
	if bytes > maxTransactionBytes {
		return nil, invalid("Transaction request cannot exceed 4 MB: the items in it have %d bytes", bytes)
	}
	out.ConsumedCapacity = transactionCapacity(in.ReturnConsumedCapacity, costs, false)
	return out, nil
}

// getTarget checks one of a TransactGetItems' items.
func (s *Service) getTarget(get *transactGet) (target, *expr.Projection, error) {
	if get == nil {
		return target{}, nil, required("transactItems.member.get")
	}
	if err := checkTableName(get.TableName); err != nil {
		return target{}, nil, err
	}
	pr, err := parseProjection(s.cache, get.ExpressionAttributeNames, get.ProjectionExpression)
	if err != nil {
		return target{}, nil, err
	}
	t, err := s.table(get.TableName)
	if err != nil {
		return target{}, nil, err
	}
	if err := t.key.checkKey(get.Key); err != nil {
		return target{}, nil, err
	}
	return target{t, placeOf(t.key, get.Key)}, pr, t.checkProjection(pr)
}
