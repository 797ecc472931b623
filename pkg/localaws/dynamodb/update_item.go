package dynamodb

import (
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type updateItemInput struct {
	TableName           string
	Key                 attr.Item
	UpdateExpression    *string
	ConditionExpression *string
	expressions
	returning
}

func (s *Service) updateItem(body []byte) (any, error) {
	var in updateItemInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := checkTableName(in.TableName); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	w, err := in.parseWrite(s.cache, in.UpdateExpression, in.ConditionExpression, true)
	if err != nil {
		return nil, err
	}
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	m, err := newKeyed(updateItem, t, in.Key, w)
	if err != nil {
		return nil, plain(err)
	}
	m.returnFailed = in.ReturnValuesOnConditionCheckFailure == allOld
	done, err := m.run()
	if err != nil {
		return nil, err
	}
	out := m.output(in.returning, done)
	switch in.ReturnValues {
	case allOld:
		out.Attributes = done.old
	case "ALL_NEW":
		out.Attributes = done.next
	case "UPDATED_OLD":
		out.Attributes = updated(done.old, w.update)
	case "UPDATED_NEW":
		out.Attributes = updated(done.next, w.update)
	}
	return out, nil
}

// updated is the part of an item that an update touched.
func updated(item attr.Item, u *expr.Update) attr.Item {
	if item == nil || u == nil {
		return nil
	}
	return expr.ProjectPaths(item, u.Paths())
}
