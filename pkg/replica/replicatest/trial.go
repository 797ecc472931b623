package replicatest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	localdynamodb "github.com/tributary-dev/tributary/pkg/localaws/dynamodb"
)

// What a plan leaves room to happen seldom is tried at the end of each: an item
// that takes no write holds up no other, and a message whose handler is slow is
// neither taken for lost nor for failed.

// patience is how long a change may take where nothing but another item is in
// trouble: the relay's pause, a receive, a write.
const patience = 15 * time.Second

// troubles are what a trial does to the subscribers' calls that write the copies
// of one subject. All else is fine.
type troubles struct {
	table string   // the owner's, which is spared
	keys  []string // the subject's local keys
	call  localaws.Fault
	one   localdynamodb.StatementFault
}

func (s *sim) troublesOf(subject string) (troubles, error) {
	t := troubles{table: s.foreign.table}
	for _, tenant := range s.tenants {
		for _, r := range tenant.manifest.Subscribes[0].Replicas {
			key, err := itemKey(r, subject)
			if err != nil {
				return t, err
			}
			for _, v := range key {
				t.keys = append(t.keys, v.Text())
			}
		}
	}
	return t, nil
}

// fault is a localaws.Faults.
func (t troubles) fault(c localaws.Call) localaws.Fault {
	if c.Service != localaws.DynamoDB || bytes.Contains(c.Body, fmt.Appendf(nil, "%q", t.table)) {
		return localaws.Fault{}
	}
	switch c.Operation {
	case "UpdateItem", "TransactWriteItems", "PutItem":
		if t.concerns(c.Body) {
			return t.call
		}
	case "BatchExecuteStatement":
		if t.one.Error == nil && t.concerns(c.Body) {
			return t.call
		}
		return localaws.Fault{Statement: func(s localdynamodb.Statement) localdynamodb.StatementFault {
			for _, p := range s.Parameters {
				if slices.Contains(t.keys, p.Str()) {
					return t.one
				}
			}
			return localdynamodb.StatementFault{}
		}}
	}
	return localaws.Fault{}
}

// concerns reports whether a request names one of the keys.
func (t troubles) concerns(body []byte) bool {
	for _, key := range t.keys {
		if bytes.Contains(body, fmt.Appendf(nil, `{"S":%q}`, key)) {
			return true
		}
	}
	return false
}

// try makes the trials. Nothing is on its way when it begins, nor when it ends.
func (s *sim) try(ctx context.Context, id int) error {
	defer s.engine.SetFaults(s.weather.fault)
	troubled := subjectOf(id % Items)
	t, err := s.troublesOf(troubled)
	if err != nil {
		return err
	}
	t.call = localaws.Fault{Error: localaws.Throttled(localaws.DynamoDB)}
	t.one = localdynamodb.StatementFault{Error: localaws.ThrottledStatement()}
	s.engine.SetFaults(t.fault)
	for i := range Items {
		name := contracts.Item{"name": contracts.String(fmt.Sprint("trial ", id))}
		if err := s.byOwner(0, func(r Repository) error { return r.Put(ctx, subjectOf(i), name) }); err != nil {
			return err
		}
	}
	time.Sleep(patience)
	before := s.broken()
	if err := s.compare(ctx, func(subject string) bool { return subject != troubled }); err != nil {
		return err
	}
	if s.broken() > before {
		s.fail("that is while writes of the copies of %s are throttled, which holds up no others", troubled)
	}

	t.one, t.call = localdynamodb.StatementFault{}, localaws.Fault{DelayBefore: s.longest()}
	s.engine.SetFaults(t.fault)
	name := contracts.Item{"name": contracts.String(fmt.Sprint("slow trial ", id))}
	if err := s.byOwner(0, func(r Repository) error { return r.Put(ctx, troubled, name) }); err != nil {
		return err
	}
	time.Sleep(patience + t.call.DelayBefore)
	s.engine.SetFaults(nil)
	s.calm = true
	return nil
}

// longest is longer than it takes for a message of one of the subscribers to
// fail for good by its visibility timeout, if nobody extends it.
func (s *sim) longest() time.Duration {
	var all []time.Duration
	for _, t := range s.tenants {
		q := t.manifest.Subscribes[0].Queue
		all = append(all, time.Duration(q.VisibilityTimeout)*time.Duration(q.MaxReceiveCount+2))
	}
	return slices.Min(all)
}

// broken counts the promises broken so far.
func (s *sim) broken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.failures)
}
