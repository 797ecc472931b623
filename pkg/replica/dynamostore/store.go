package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// Config tunes a Store. The zero value works.
type Config struct {
	// Logger gets told when writes stop sharing requests for want of
	// permission. Default: nothing is logged.
	Logger *slog.Logger
}

// Store writes replicas. It is safe for concurrent use.
type Store struct {
	client *dynamodb.Client
	logger *slog.Logger
	texts  texts

	mu     sync.Mutex
	habits map[string]*habit // by table
}

var _ replica.BatchStore = (*Store)(nil)

// New returns a store on a DynamoDB client.
func New(client *dynamodb.Client, cfg Config) *Store {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Store{client: client, logger: cfg.Logger, habits: make(map[string]*habit)}
}

// Write implements replica.Store with an UpdateItem that returns the item a
// failed condition met (ReturnValuesOnConditionCheckFailure, UpdateItem API
// page). An SDK retry after a lost reply can meet its own write; the caller
// sees it as an item of the same version.
func (s *Store) Write(ctx context.Context, w replica.Write) (replica.WriteResult, error) {
	in := updateItem(&w)
	err := withoutConflict(ctx, func() error {
		_, err := s.client.UpdateItem(ctx, in)
		return err
	})
	return written(err)
}

func updateItem(w *replica.Write) *dynamodb.UpdateItemInput {
	e := newExpression()
	in := &dynamodb.UpdateItemInput{
		TableName:                           aws.String(w.Table),
		Key:                                 ToAttributes(w.Key),
		UpdateExpression:                    aws.String(e.update(w.Set, w.Remove)),
		ConditionExpression:                 aws.String(e.condition(w)),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.names, e.values
	return in
}

// written says what UpdateItem's error, or none, means for a write.
func written(err error) (replica.WriteResult, error) {
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		found, err := FromAttributes(failed.Item)
		return replica.WriteResult{Found: found}, err
	}
	if err != nil {
		return replica.WriteResult{}, refused(err)
	}
	return replica.WriteResult{Written: true}, nil
}

// WriteAll implements replica.Store with TransactWriteItems.
func (s *Store) WriteAll(ctx context.Context, writes []replica.Write) ([]replica.WriteResult, error) {
	items := make([]types.TransactWriteItem, len(writes))
	for i := range writes {
		w := &writes[i]
		e := newExpression()
		items[i].Update = &types.Update{
			TableName:                           aws.String(w.Table),
			Key:                                 ToAttributes(w.Key),
			UpdateExpression:                    aws.String(e.update(w.Set, w.Remove)),
			ConditionExpression:                 aws.String(e.condition(w)),
			ExpressionAttributeNames:            e.names,
			ExpressionAttributeValues:           e.values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}
	}
	err := withoutConflict(ctx, func() error {
		_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
		return err
	})
	results := make([]replica.WriteResult, len(writes))
	if err == nil {
		for i := range results {
			results[i].Written = true
		}
		return results, nil
	}
	reasons, ok := conditionsFailed(err)
	if !ok {
		return nil, refused(err)
	}
	for i, reason := range reasons {
		results[i].Written = aws.ToString(reason.Code) != conditionFailed
		if results[i].Found, err = FromAttributes(reason.Item); err != nil {
			return nil, err
		}
	}
	return results, nil
}

const conditionFailed = "ConditionalCheckFailed"

// conditionsFailed returns a cancelled transaction's reasons, in the order of
// its items, if conditions that failed are all there is to them. A transaction
// that met a conflict or throttling as well is to be tried again as it is.
func conditionsFailed(err error) ([]types.CancellationReason, bool) {
	cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return nil, false
	}
	failed := false
	for _, reason := range cancelled.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case conditionFailed:
			failed = true
		case "None", "":
		default:
			return nil, false
		}
	}
	return cancelled.CancellationReasons, failed
}

// Find implements replica.Store with a Query of the index.
func (s *Store) Find(ctx context.Context, in replica.Find) ([]contracts.Item, contracts.Item, error) {
	e := newExpression()
	condition := e.is(firstName(in.Partition), in.Partition[firstName(in.Partition)])
	projection := ""
	for i, name := range in.Attributes {
		if i > 0 {
			projection += ", "
		}
		projection += e.name(name)
	}
	input := &dynamodb.QueryInput{
		TableName:                 aws.String(in.Table),
		IndexName:                 aws.String(in.Index),
		KeyConditionExpression:    aws.String(condition),
		ProjectionExpression:      aws.String(projection),
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	}
	if in.Start != nil {
		input.ExclusiveStartKey = ToAttributes(in.Start)
	}
	out, err := s.client.Query(ctx, input)
	if err != nil {
		return nil, nil, withoutIndex(err, in.Table, in.Index)
	}
	items := make([]contracts.Item, len(out.Items))
	for i, item := range out.Items {
		if items[i], err = FromAttributes(item); err != nil {
			return nil, nil, err
		}
	}
	if len(out.LastEvaluatedKey) == 0 {
		return items, nil, nil
	}
	next, err := FromAttributes(out.LastEvaluatedKey)
	return items, next, err
}

// Read implements replica.Store with a consistent GetItem.
func (s *Store) Read(ctx context.Context, table string, key contracts.Item) (contracts.Item, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      aws.String(table),
		Key:            ToAttributes(key),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	return FromAttributes(out.Item)
}

// PutChecked implements replica.Store with a transaction of a Put and a
// ConditionCheck.
func (s *Store) PutChecked(ctx context.Context, put replica.Put, check replica.Check) (bool, error) {
	e := newExpression()
	condition := e.is(check.Attribute, check.Is)
	items := []types.TransactWriteItem{
		{Put: &types.Put{TableName: aws.String(put.Table), Item: ToAttributes(put.Item)}},
		{ConditionCheck: &types.ConditionCheck{
			TableName:                 aws.String(check.Table),
			Key:                       ToAttributes(check.Key),
			ConditionExpression:       aws.String(condition),
			ExpressionAttributeNames:  e.names,
			ExpressionAttributeValues: e.values,
		}},
	}
	err := withoutConflict(ctx, func() error {
		_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
		return err
	})
	if _, failed := conditionsFailed(err); failed {
		return false, nil
	}
	return err == nil, refused(err)
}

// refused marks an error that no retry can mend: DynamoDB's ValidationException
// says that the request itself is wrong, here that a value cannot be stored
// (Error Handling with DynamoDB, developer guide).
func refused(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "ValidationException" && !blamesSetUp(api.ErrorMessage()) {
		return &replica.RejectedError{Reason: "refused by DynamoDB", Err: errors.New(api.ErrorMessage())}
	}
	if cancelled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		for i, reason := range cancelled.CancellationReasons {
			if message := aws.ToString(reason.Message); aws.ToString(reason.Code) == "ValidationError" && !blamesSetUp(message) {
				return &replica.RejectedError{
					Reason: "refused by DynamoDB",
					Err:    fmt.Errorf("item %d of the transaction: %s", i+1, message),
				}
			}
		}
	}
	return err
}

// lacksIndex is in the message of a ValidationException about an index that a
// table does not have.
const lacksIndex = "does not have the specified index"

// blamesSetUp reports whether a ValidationException is about a table that is
// not as the manifest has it. That is mended at the table, after which every
// message can be applied, so none is to blame.
func blamesSetUp(message string) bool {
	for _, text := range []string{"does not match the schema", lacksIndex, "Missing the key"} {
		if strings.Contains(message, text) {
			return true
		}
	}
	return false
}
