package dynamodb

import (
	"errors"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type mutationKind int

const (
	putItem mutationKind = iota
	updateItem
	deleteItem
	checkItem // a transaction's condition check, which writes nothing
)

// mutation is one write of one item, checked as far as that goes without the
// table's content. Single writes, batches and transactions all make these.
type mutation struct {
	kind         mutationKind
	table        *table
	at           place
	item         attr.Item // what a put puts; otherwise the key
	condition    *expr.Condition
	update       *expr.Update
	returnFailed bool  // answer a failed condition with the item
	absent       bool  // refuse an item that is there, as an INSERT does
	flaw         error // refuse the write if its condition holds
}

// newPut makes a put of an item.
func newPut(t *table, item attr.Item, w writeExpressions) (*mutation, error) {
	if item == nil {
		return nil, required("item")
	}
	if err := t.key.checkItem(item); err != nil {
		return nil, err
	}
	if err := checkSize(item, false); err != nil {
		return nil, err
	}
	return &mutation{kind: putItem, table: t, at: placeOf(t.key, item), item: item, condition: w.condition}, nil
}

// newKeyed makes an update, delete or check of the item with a key.
func newKeyed(kind mutationKind, t *table, key attr.Item, w writeExpressions) (*mutation, error) {
	if err := t.key.checkKey(key); err != nil {
		return nil, err
	}
	if err := t.key.checkUpdate(w.update); err != nil {
		return nil, err
	}
	return &mutation{kind: kind, table: t, at: placeOf(t.key, key), item: key, condition: w.condition, update: w.update}, nil
}

// unmet is a condition that did not hold. item is what the table has, if the
// request wants to know.
type unmet struct{ item attr.Item }

const unmetMessage = "The conditional request failed"

func (u unmet) Error() string { return unmetMessage }

// errDuplicate is an INSERT of an item that is there.
var errDuplicate = errors.New("duplicate item")

// answer is the error as a single write answers it.
func (u unmet) answer() error {
	err := wire.Errorf(codeConditional, unmetMessage)
	if u.item != nil {
		err.Fields = map[string]any{"Item": u.item}
	}
	return err
}

// decide says what the item becomes, nil if it is to be gone. Its errors are
// unmet, fault or *wire.Error. The caller holds the table's lock.
func (m *mutation) decide(old attr.Item) (attr.Item, error) {
	if err := m.checkPaths(); err != nil {
		return nil, err
	}
	if m.kind == putItem {
		if err := m.table.checkIndexKeys(m.item, nil, false); err != nil {
			return nil, err
		}
	}
	if m.absent && old != nil {
		return nil, errDuplicate
	}
	if m.condition != nil {
		holds, err := m.condition.Eval(old)
		if err != nil {
			return nil, asFault(err)
		}
		if !holds {
			if m.returnFailed {
				return nil, unmet{item: old}
			}
			return nil, unmet{}
		}
	}
	if m.flaw != nil {
		return nil, m.flaw
	}
	switch m.kind {
	case putItem:
		return m.item, nil
	case deleteItem:
		return nil, nil
	case checkItem:
		return old, nil
	}
	if old == nil {
		old = m.item
	} else if m.update == nil {
		return old, nil
	}
	next := old
	if m.update != nil {
		var err error
		if next, err = m.update.Apply(old); err != nil {
			return nil, asFault(err)
		}
	}
	if err := m.table.checkIndexKeys(next, old, true); err != nil {
		return nil, err
	}
	return next, checkSize(next, true)
}

// written is what a write found, left and cost.
type written struct {
	old, next  attr.Item
	cost       writeCost
	collection bool // the table has item collections
}

// run carries out a single write.
func (m *mutation) run() (written, error) {
	w, err := m.try()
	if u, ok := err.(unmet); ok {
		return w, u.answer()
	}
	return w, plain(err)
}

// try is run with decide's errors. A write that its condition stopped costs
// what it would have cost the table.
func (m *mutation) try() (written, error) {
	t := m.table
	if err := t.lock(); err != nil {
		return written{}, err
	}
	defer t.mu.Unlock()
	e := t.get(m.at)
	old := itemOf(e)
	next, err := m.decide(old)
	if err != nil {
		w := written{}
		if _, stopped := err.(unmet); stopped || err == errDuplicate {
			w.cost.table = writeUnits(max(sizeOf(e), m.item.Size()))
		}
		return w, err
	}
	return written{old: old, next: next, cost: t.write(m.at, e, next, false), collection: t.hasLocalIndex()}, nil
}

// itemCollectionMetrics is AWS's ItemCollectionMetrics. Collections here stay
// within the first gigabyte.
type itemCollectionMetrics struct {
	ItemCollectionKey   attr.Item
	SizeEstimateRangeGB []float64
}

// collection describes a written item's collection, if the request asked.
func (m *mutation) collection(how string, w written) *itemCollectionMetrics {
	if how != "SIZE" || !w.collection {
		return nil
	}
	hash := m.table.key.hash.Name
	return &itemCollectionMetrics{ItemCollectionKey: attr.Item{hash: m.item[hash]}, SizeEstimateRangeGB: []float64{0, 1}}
}

// returning are the answer options single writes share; request structs
// embed them.
type returning struct {
	ReturnValues                        string
	ReturnConsumedCapacity              string
	ReturnItemCollectionMetrics         string
	ReturnValuesOnConditionCheckFailure string
}

func (r returning) check() error {
	if err := oneOf(r.ReturnValues, "returnValues", "ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"); err != nil {
		return err
	}
	if err := checkReturnCapacity(r.ReturnConsumedCapacity); err != nil {
		return err
	}
	if err := oneOf(r.ReturnItemCollectionMetrics, "returnItemCollectionMetrics", "SIZE", "NONE"); err != nil {
		return err
	}
	return checkReturnFailed(r.ReturnValuesOnConditionCheckFailure)
}

// checkOld is check for the writes that return nothing but the old item.
func (r returning) checkOld() error {
	if err := r.check(); err != nil {
		return err
	}
	if r.ReturnValues != "" && r.ReturnValues != "NONE" && r.ReturnValues != allOld {
		return invalid("ReturnValues can only be ALL_OLD or NONE")
	}
	return nil
}

const allOld = "ALL_OLD"

func checkReturnFailed(how string) error {
	return oneOf(how, "returnValuesOnConditionCheckFailure", allOld, "NONE")
}

// asFault marks an error of an expression's evaluation.
func asFault(err error) error {
	if e, ok := err.(*wire.Error); ok {
		return fault{e}
	}
	return err
}

// writeOutput is the answer of a single write.
type writeOutput struct {
	Attributes            attr.Item              `json:",omitempty"`
	ConsumedCapacity      *consumedCapacity      `json:",omitempty"`
	ItemCollectionMetrics *itemCollectionMetrics `json:",omitempty"`
}

// output makes a single write's answer without attributes.
func (m *mutation) output(r returning, w written) writeOutput {
	return writeOutput{
		ConsumedCapacity:      consumed(r.ReturnConsumedCapacity, m.table.name, w.cost),
		ItemCollectionMetrics: m.collection(r.ReturnItemCollectionMetrics, w),
	}
}
