package dynamodb

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const (
	maxTransactionItems = 100     // "TransactWriteItems"
	maxTransactionBytes = 4 << 20 // of the items together
)

// cancellationReason is AWS's CancellationReason.
type cancellationReason struct {
	Code    string
	Message string    `json:",omitempty"`
	Item    attr.Item `json:",omitempty"`
}

// reasons are a transaction's cancellation reasons, one for each action in
// order.
type reasons []cancellationReason

func newReasons(n int) reasons {
	rs := make(reasons, n)
	for i := range rs {
		rs[i].Code = "None"
	}
	return rs
}

// canceled says whether any action has a reason.
func (rs reasons) canceled() bool {
	return slices.ContainsFunc(rs, func(r cancellationReason) bool { return r.Code != "None" })
}

// err is the TransactionCanceledException, nil if there is no reason.
func (rs reasons) err() error {
	if !rs.canceled() {
		return nil
	}
	codes := make([]string, len(rs))
	for i, r := range rs {
		codes[i] = r.Code
	}
	err := wire.Errorf("TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", "))
	err.Fields = map[string]any{"CancellationReasons": rs}
	return err
}

// note turns an action's error into its reason. An error that is none of the
// action's own comes back.
func (rs reasons) note(i int, err error) error {
	var u unmet
	var f fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &u):
		rs[i] = cancellationReason{Code: "ConditionalCheckFailed", Message: unmetMessage, Item: u.item}
		return nil
	case errors.As(err, &f):
		rs[i] = cancellationReason{Code: "ValidationError", Message: f.cause.Message}
		return nil
	}
	return err
}

// conflict is the reason of an action whose item another transaction is
// working on.
func (rs reasons) conflict(i int) {
	rs[i] = cancellationReason{Code: "TransactionConflict", Message: "Transaction is ongoing for the item"}
}

// target is one item of a transaction.
type target struct {
	table *table
	at    place
}

// checkDistinct refuses two actions on one item.
func checkDistinct(targets []target) error {
	seen := make(map[string]bool, len(targets))
	for _, x := range targets {
		id := x.table.name + "/" + x.at.id()
		if seen[id] {
			return invalid("Transaction request cannot include multiple operations on one item")
		}
		seen[id] = true
	}
	return nil
}

// reserve marks the items as part of a transaction on its way and returns the
// function that ends that. Items that another transaction has are conflicts,
// noted in rs; then nothing is reserved.
func reserve(targets []target, rs reasons) (release func()) {
	ids := make([]string, len(targets))
	held := 0
	release = func() {
		for i := range held {
			t := targets[i].table
			t.busyMu.Lock()
			delete(t.busy, ids[i])
			t.busyMu.Unlock()
		}
		held = 0
	}
	for i, x := range targets {
		ids[i] = x.at.id()
		if !x.table.occupy(ids[i]) {
			rs.conflict(i)
			release()
			return release
		}
		held++
	}
	return release
}

// occupy marks an item busy, unless it is already.
func (t *table) occupy(id string) bool {
	t.busyMu.Lock()
	defer t.busyMu.Unlock()
	if t.busy[id] {
		return false
	}
	t.busy[id] = true
	return true
}

// occupied says whether a transaction is working on an item.
func (t *table) occupied(id string) bool {
	t.busyMu.Lock()
	defer t.busyMu.Unlock()
	return t.busy[id]
}

// lockAll locks the tables of a transaction in the order of their names, so
// that two transactions never wait for each other, and returns the function
// that unlocks them.
func lockAll(targets []target, write bool) (unlock func(), err error) {
	tables := make([]*table, 0, 2)
	for _, x := range targets {
		if !slices.Contains(tables, x.table) {
			tables = append(tables, x.table)
		}
	}
	// A table created anew under its old name may meet its predecessor here.
	slices.SortFunc(tables, func(a, b *table) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.id, b.id))
	})
	locked := 0
	unlock = func() {
		for i := range locked {
			if write {
				tables[i].mu.Unlock()
			} else {
				tables[i].mu.RUnlock()
			}
		}
	}
	for _, t := range tables {
		take := t.rlock
		if write {
			take = t.lock
		}
		if err := take(); err != nil {
			unlock()
			return nil, err
		}
		locked++
	}
	return unlock, nil
}
