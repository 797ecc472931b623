package dynamodb

import (
	"maps"
	"slices"
	"strconv"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type transactWriteItemsInput struct {
	TransactItems               []transactWriteItem
	ClientRequestToken          string
	ReturnConsumedCapacity      string
	ReturnItemCollectionMetrics string
}

type transactWriteItem struct {
	ConditionCheck *transactKeyed  `json:",omitempty"`
	Delete         *transactKeyed  `json:",omitempty"`
	Put            *transactPut    `json:",omitempty"`
	Update         *transactUpdate `json:",omitempty"`
}

// transactCommon are the parameters of every action.
type transactCommon struct {
	TableName           string
	ConditionExpression *string `json:",omitempty"`
	expressions
	ReturnValuesOnConditionCheckFailure string `json:",omitempty"`
}

type transactKeyed struct {
	Key attr.Item
	transactCommon
}

type transactPut struct {
	Item attr.Item
	transactCommon
}

type transactUpdate struct {
	Key              attr.Item
	UpdateExpression *string
	transactCommon
}

type transactWriteItemsOutput struct {
	ConsumedCapacity      []*consumedCapacity                 `json:",omitempty"`
	ItemCollectionMetrics map[string][]*itemCollectionMetrics `json:",omitempty"`
}

func (s *Service) transactWriteItems(body []byte) (any, error) {
	var in transactWriteItemsInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := checkTransaction(len(in.TransactItems), in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	if err := oneOf(in.ReturnItemCollectionMetrics, "returnItemCollectionMetrics", "SIZE", "NONE"); err != nil {
		return nil, err
	}
	if len(in.ClientRequestToken) > 36 {
		return nil, parameter("'"+in.ClientRequestToken+"'", "clientRequestToken", "Member must have length less than or equal to 36")
	}
	if in.ClientRequestToken == "" {
		done, err := s.transact(in.TransactItems)
		if err != nil {
			return nil, err
		}
		return done.output(in), nil
	}
	earlier, err := s.tokens.begin(in.ClientRequestToken, in.TransactItems, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	if earlier != nil {
		return transactWriteItemsOutput{ConsumedCapacity: transactionCapacity(in.ReturnConsumedCapacity, earlier.reads, false)}, nil
	}
	done, err := s.transact(in.TransactItems)
	s.tokens.end(in.ClientRequestToken, done.reads, err == nil, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	return done.output(in), nil
}

func checkTransaction(items int, capacity string) error {
	if items == 0 {
		return parameter("'[]'", "transactItems", "Member must have length greater than or equal to 1")
	}
	if items > maxTransactionItems {
		return parameter("'["+strconv.Itoa(items)+" items]'", "transactItems", "Member must have length less than or equal to 100")
	}
	return checkReturnCapacity(capacity)
}

// transacted is what a transaction did.
type transacted struct {
	mutations []*mutation
	results   []written
	writes    map[string]writeCost
	reads     map[string]writeCost
}

func (d transacted) output(in transactWriteItemsInput) transactWriteItemsOutput {
	out := transactWriteItemsOutput{ConsumedCapacity: transactionCapacity(in.ReturnConsumedCapacity, d.writes, true)}
	for i, m := range d.mutations {
		metrics := m.collection(in.ReturnItemCollectionMetrics, d.results[i])
		if metrics == nil {
			continue
		}
		if out.ItemCollectionMetrics == nil {
			out.ItemCollectionMetrics = make(map[string][]*itemCollectionMetrics)
		}
		out.ItemCollectionMetrics[m.table.name] = append(out.ItemCollectionMetrics[m.table.name], metrics)
	}
	return out
}

// transactionCapacity is a transaction's consumption, table by table.
func transactionCapacity(how string, costs map[string]writeCost, write bool) []*consumedCapacity {
	var list []*consumedCapacity
	for _, name := range slices.Sorted(maps.Keys(costs)) {
		if c := transactional(how, name, costs[name], write); c != nil {
			list = append(list, c)
		}
	}
	return list
}

// transact decides on every action under the locks of all tables and then
// writes all of them or none.
func (s *Service) transact(items []transactWriteItem) (transacted, error) {
	mutations := make([]*mutation, len(items))
	rs := newReasons(len(items))
	for i, item := range items {
		m, err := s.action(item)
		if err = rs.note(i, err); err != nil {
			return transacted{}, err
		}
		mutations[i] = m
	}
	if err := rs.err(); err != nil {
		return transacted{}, err
	}
	targets := make([]target, len(mutations))
	for i, m := range mutations {
		targets[i] = target{m.table, m.at}
	}
	if err := checkDistinct(targets); err != nil {
		return transacted{}, err
	}
	release := reserve(targets, rs)
	defer release()
	if err := rs.err(); err != nil {
		return transacted{}, err
	}
	unlock, err := lockAll(targets, true)
	if err != nil {
		return transacted{}, err
	}
	defer unlock()
	return commit(mutations, rs)
}

// commit does transact's work. The caller holds the locks.
func commit(mutations []*mutation, rs reasons) (transacted, error) {
	entries := make([]*entry, len(mutations))
	results := make([]written, len(mutations))
	bytes := 0
	for i, m := range mutations {
		entries[i] = m.table.get(m.at)
		old := itemOf(entries[i])
		next, err := m.decide(old)
		if err = rs.note(i, err); err != nil {
			return transacted{}, err
		}
		results[i] = written{old: old, next: next, collection: m.table.hasLocalIndex()}
		bytes += max(sizeOf(entries[i]), next.Size())
	}
	if err := rs.err(); err != nil {
		return transacted{}, err
	}
	if bytes > maxTransactionBytes {
		return transacted{}, invalid("Transaction request cannot exceed 4 MB: the items in it have %d bytes", bytes)
	}
	done := transacted{mutations: mutations, results: results, writes: make(map[string]writeCost), reads: make(map[string]writeCost)}
	for i, m := range mutations {
		cost := m.table.write(m.at, entries[i], results[i].next, false)
		results[i].cost = cost
		name := m.table.name
		sum := done.writes[name]
		sum.plus(cost)
		done.writes[name] = sum
		read := done.reads[name]
		read.table += readUnits(results[i].next.Size(), true)
		done.reads[name] = read
	}
	return done, nil
}

// action makes the mutation of one of a transaction's items.
func (s *Service) action(item transactWriteItem) (*mutation, error) {
	given := 0
	for _, is := range []bool{item.ConditionCheck != nil, item.Delete != nil, item.Put != nil, item.Update != nil} {
		if is {
			given++
		}
	}
	switch {
	case given == 0:
		return nil, invalid("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")
	case given > 1:
		return nil, invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	case item.Put != nil:
		return s.actionOn(item.Put.transactCommon, nil, func(t *table, w writeExpressions) (*mutation, error) {
			return newPut(t, item.Put.Item, w)
		})
	case item.Delete != nil:
		return s.actionOn(item.Delete.transactCommon, nil, func(t *table, w writeExpressions) (*mutation, error) {
			return newKeyed(deleteItem, t, item.Delete.Key, w)
		})
	case item.Update != nil:
		if item.Update.UpdateExpression == nil {
			return nil, required("transactItems.member.update.updateExpression")
		}
		return s.actionOn(item.Update.transactCommon, item.Update.UpdateExpression, func(t *table, w writeExpressions) (*mutation, error) {
			return newKeyed(updateItem, t, item.Update.Key, w)
		})
	}
	if item.ConditionCheck.ConditionExpression == nil {
		return nil, required("transactItems.member.conditionCheck.conditionExpression")
	}
	return s.actionOn(item.ConditionCheck.transactCommon, nil, func(t *table, w writeExpressions) (*mutation, error) {
		return newKeyed(checkItem, t, item.ConditionCheck.Key, w)
	})
}

func (s *Service) actionOn(c transactCommon, update *string, make func(*table, writeExpressions) (*mutation, error)) (*mutation, error) {
	if err := checkTableName(c.TableName); err != nil {
		return nil, err
	}
	if err := checkReturnFailed(c.ReturnValuesOnConditionCheckFailure); err != nil {
		return nil, err
	}
	w, err := c.parseWrite(s.cache, update, c.ConditionExpression, update != nil)
	if err != nil {
		return nil, err
	}
	t, err := s.table(c.TableName)
	if err != nil {
		return nil, err
	}
	m, err := make(t, w)
	if err != nil {
		return nil, err
	}
	m.returnFailed = c.ReturnValuesOnConditionCheckFailure == allOld
	return m, nil
}
