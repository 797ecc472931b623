package dynamodb

import (
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type putItemInput struct {
	TableName           string
	Item                attr.Item
	ConditionExpression *string
	expressions
	returning
}

func (s *Service) putItem(body []byte) (any, error) {
	var in putItemInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := checkTableName(in.TableName); err != nil {
		return nil, err
	}
	if err := in.checkOld(); err != nil {
		return nil, err
	}
	w, err := in.parseWrite(s.cache, nil, in.ConditionExpression, false)
	if err != nil {
		return nil, err
	}
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	m, err := newPut(t, in.Item, w)
	if err != nil {
		return nil, plain(err)
	}
	m.returnFailed = in.ReturnValuesOnConditionCheckFailure == allOld
	done, err := m.run()
	if err != nil {
		return nil, err
	}
	out := m.output(in.returning, done)
	if in.ReturnValues == allOld {
		out.Attributes = done.old
	}
	return out, nil
}
