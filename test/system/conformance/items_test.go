package conformance

import (
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// item is a DynamoDB item, value one of its values.
type (
	item  = map[string]types.AttributeValue
	value = types.AttributeValue
)

func s(text string) value { return &types.AttributeValueMemberS{Value: text} }
func n(text string) value { return &types.AttributeValueMemberN{Value: text} }

func ss(texts ...string) value { return &types.AttributeValueMemberSS{Value: texts} }

// render writes values so that they compare: attributes and sets in order.
func render(v value) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return strconv.Quote(v.Value)
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberB:
		return "b:" + base64.StdEncoding.EncodeToString(v.Value)
	case *types.AttributeValueMemberBOOL:
		return strconv.FormatBool(v.Value)
	case *types.AttributeValueMemberNULL:
		return "null"
	case *types.AttributeValueMemberSS:
		return "ss(" + strings.Join(slices.Sorted(slices.Values(v.Value)), " ") + ")"
	case *types.AttributeValueMemberNS:
		return "ns(" + strings.Join(slices.Sorted(slices.Values(v.Value)), " ") + ")"
	case *types.AttributeValueMemberL:
		parts := make([]string, len(v.Value))
		for i, e := range v.Value {
			parts[i] = render(e)
		}
		return "[" + strings.Join(parts, " ") + "]"
	case *types.AttributeValueMemberM:
		return text(v.Value)
	default:
		return "?"
	}
}

// text writes an item so that it compares.
func text(it item) string {
	parts := make([]string, 0, len(it))
	for name, v := range it {
		parts = append(parts, name+":"+render(v))
	}
	slices.Sort(parts)
	return "{" + strings.Join(parts, " ") + "}"
}

// old is the item that a failed condition returned with its error.
func old(err error) string {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) || failed.Item == nil {
		return "no item"
	}
	return text(failed.Item)
}

// definition is a table of items with the key p, of strings.
func definition(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:            &name,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("p"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("p"), KeyType: types.KeyTypeHash}},
		BillingMode:          types.BillingModePayPerRequest,
	}
}

// defines adds attributes to a table's definition, as name and type in turn.
func defines(in *dynamodb.CreateTableInput, pairs ...string) {
	for pair := range slices.Chunk(pairs, 2) {
		in.AttributeDefinitions = append(in.AttributeDefinitions,
			types.AttributeDefinition{AttributeName: aws.String(pair[0]), AttributeType: types.ScalarAttributeType(pair[1])})
	}
}

// keyed is a key of a partition key and, if given, a sort key.
func keyed(hash string, sort ...string) []types.KeySchemaElement {
	out := []types.KeySchemaElement{{AttributeName: aws.String(hash), KeyType: types.KeyTypeHash}}
	for _, name := range sort {
		out = append(out, types.KeySchemaElement{AttributeName: aws.String(name), KeyType: types.KeyTypeRange})
	}
	return out
}

// create makes a table.
func (p *probe) create(in *dynamodb.CreateTableInput) {
	p.Helper()
	_, err := p.DynamoDB.CreateTable(p.ctx, in)
	p.must(err)
	waiter := dynamodb.NewTableExistsWaiter(p.DynamoDB, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
	})
	p.must(waiter.Wait(p.ctx, &dynamodb.DescribeTableInput{TableName: in.TableName}, caseWithin))
}

// table makes a table of items with the key p and puts items into it.
func (p *probe) table(items ...item) string {
	p.Helper()
	name := p.named("things")
	p.create(definition(name))
	for _, it := range items {
		p.put(name, it)
	}
	return name
}

// ranged makes a table of items with the keys p and r, a number.
func (p *probe) ranged() string {
	p.Helper()
	name := p.named("ranged")
	in := definition(name)
	in.KeySchema = keyed("p", "r")
	defines(in, "r", "N")
	p.create(in)
	return name
}

func (p *probe) put(table string, it item) {
	p.Helper()
	_, err := p.DynamoDB.PutItem(p.ctx, &dynamodb.PutItemInput{TableName: &table, Item: it})
	p.must(err)
}

// get returns what an item is, as text.
func (p *probe) get(table, key string) string {
	p.Helper()
	out, err := p.DynamoDB.GetItem(p.ctx, &dynamodb.GetItemInput{TableName: &table, Key: item{"p": s(key)}, ConsistentRead: aws.Bool(true)})
	p.must(err)
	return text(out.Item)
}

// update runs an update of the item "a", with a condition unless it is empty,
// and returns the answer's attributes and error.
func (p *probe) update(table, expression, condition string, values item) (item, error) {
	in := &dynamodb.UpdateItemInput{
		TableName: &table, Key: item{"p": s("a")}, UpdateExpression: &expression, ReturnValues: types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if condition != "" {
		in.ConditionExpression = &condition
	}
	if len(values) > 0 {
		in.ExpressionAttributeValues = values
	}
	out, err := p.DynamoDB.UpdateItem(p.ctx, in)
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}
