package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/services/profile/internal/company"
)

// update makes one UpdateItem, which leaves attributes it does not name alone,
// and returns the item as it then is.
func (r *Repository) update(ctx context.Context, cik string, w write, change company.Change) (contracts.Item, error) {
	set := expression.
		Set(attribute(r.names.Version), value(w.next.Value())).
		Set(attribute(writeIDAttribute), value(contracts.String(w.id))).
		Remove(attribute(r.names.Deleted)).
		Remove(attribute(r.names.ExpiresAt))
	for name, v := range change.Set {
		set = set.Set(attribute(r.attributes[name]), value(v))
	}
	for _, name := range change.Remove {
		set = set.Remove(attribute(r.attributes[name]))
	}
	e, err := expression.NewBuilder().WithUpdate(set).WithCondition(r.unchanged(w.was)).Build()
	if err != nil {
		return nil, err
	}
	out, err := r.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           aws.String(r.table),
		Key:                                 key(cik),
		UpdateExpression:                    e.Update(),
		ConditionExpression:                 e.Condition(),
		ExpressionAttributeNames:            e.Names(),
		ExpressionAttributeValues:           e.Values(),
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err != nil {
		return nil, conflict(err)
	}
	return dynamostore.FromAttributes(out.Attributes)
}

// bury makes one PutItem of the tombstone, which leaves nothing else: what a
// deleted company had must not come back with the next of the same key.
func (r *Repository) bury(ctx context.Context, cik string, w write) (contracts.Item, error) {
	tombstone := r.tombstone(cik, w)
	e, err := expression.NewBuilder().WithCondition(r.unchanged(w.was)).Build()
	if err != nil {
		return nil, err
	}
	_, err = r.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           aws.String(r.table),
		Item:                                dynamostore.ToAttributes(tombstone),
		ConditionExpression:                 e.Condition(),
		ExpressionAttributeNames:            e.Names(),
		ExpressionAttributeValues:           e.Values(),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err != nil {
		return nil, conflict(err)
	}
	return tombstone, nil
}

// unchanged is the condition that the item still is at the version that was
// read: the raw one, valid or not.
func (r *Repository) unchanged(was contracts.Item) expression.ConditionBuilder {
	switch version := was[r.names.Version]; {
	case was == nil:
		return expression.AttributeNotExists(attribute(keyAttribute))
	case version.IsZero():
		return expression.AttributeExists(attribute(keyAttribute)).
			And(expression.AttributeNotExists(attribute(r.names.Version)))
	default:
		return attribute(r.names.Version).Equal(value(version))
	}
}

// attribute takes a whole attribute name, in which a dot means nothing.
func attribute(name string) expression.NameBuilder { return expression.NameNoDotSplit(name) }

func value(v contracts.Value) expression.ValueBuilder {
	return expression.Value(dynamostore.ToAttribute(v))
}
